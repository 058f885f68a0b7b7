"""Counters of this process, and of all processes that serve together, for `/metrics`."""

import os
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import accumulate
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

# Seconds; a small upload takes milliseconds, a big animation some seconds.
DURATION_BOUNDS_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# Clients may call a task anything; each name is kept for ever.
_MOST_TYPES = 64


class Metrics:
    """Counts tasks by type and outcome, their durations, bytes, faults and purged media."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.tasks: Counter[tuple[str, str]] = Counter()
        # Of each task type: how many tasks took at most each bound, and last those that took longer.
        self.durations: defaultdict[str, list[int]] = defaultdict(lambda: [0] * (len(DURATION_BOUNDS_S) + 1))
        self.duration_s: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.sent_bytes = 0
        self.purged_media = 0

    def task(self, task_type: str, outcome: str, duration_s: float, sent_bytes: int, faults: list[str]) -> None:
        """Count a task."""
        with self._lock:
            if task_type not in self.durations and len(self.durations) >= _MOST_TYPES:
                task_type = "other"
            self.tasks[task_type, outcome] += 1
            self.durations[task_type][bisect_left(DURATION_BOUNDS_S, duration_s)] += 1
            self.duration_s[task_type] += duration_s  # type: ignore[assignment] # a Counter of seconds
            self.sent_bytes += sent_bytes
            if faults:
                self.faults.update(faults)

    def total(self) -> int:
        """Return how many tasks there have been."""
        with self._lock:
            return self.tasks.total()

    def as_dict(self) -> dict[str, Any]:
        """Return all counts in a form that JSON can hold."""
        with self._lock:
            return {
                "tasks": [[*key, count] for key, count in self.tasks.items()],
                "durations": dict(self.durations),
                "duration_s": dict(self.duration_s),
                "faults": dict(self.faults),
                "sent_bytes": self.sent_bytes,
                "purged_media": self.purged_media,
            }

    def add(self, given: Mapping[str, Any]) -> None:
        """Add the counts of another process."""
        for task_type, outcome, count in given["tasks"]:
            self.tasks[task_type, outcome] += count
        for task_type, counts in given["durations"].items():
            self.durations[task_type] = [sum(both) for both in zip(self.durations[task_type], counts, strict=True)]
        self.duration_s.update(given["duration_s"])
        self.faults.update(given["faults"])
        self.sent_bytes += given["sent_bytes"]
        self.purged_media += given["purged_media"]

    def purged(self, media: int) -> None:
        """Count what a purge has removed."""
        with self._lock:
            self.purged_media += media


# How often each process writes its file.
WRITTEN_EVERY_S = 1.0


class ProcessMetrics:
    """The metrics of all processes that share `folder`; without one, those of this process alone."""

    def __init__(self, metrics: Metrics, gauges: Mapping[str, Callable[[], float]], folder: Path | None) -> None:
        self._metrics = metrics
        self._gauges = gauges
        self._folder = folder

    def write(self) -> None:
        """Write the metrics of this process to its file in the folder, for the others to read."""
        if self._folder is not None:
            given = {"metrics": self._metrics.as_dict(), "gauges": self._own_gauges()}
            file = self._folder / f"{os.getpid()}.json"
            partial = file.with_suffix(".part")
            partial.write_bytes(msgspec.json.encode(given))
            partial.replace(file)

    def total(self) -> tuple[Metrics, Mapping[str, float]]:
        """Return the counts of all processes, ended ones included, and the sums of the gauges of those that run."""
        if self._folder is None:
            return self._metrics, self._own_gauges()
        # If this process cannot write, its last second is missing.
        with suppress(OSError):
            self.write()
        metrics, gauges = Metrics(), Counter[str]()
        for file in self._folder.glob("*.json"):
            given: dict[str, Any] = msgspec.json.decode(file.read_bytes())
            metrics.add(given["metrics"])
            if _is_alive(int(file.stem)):
                gauges.update(given["gauges"])
        return metrics, gauges

    def _own_gauges(self) -> dict[str, float]:
        return {name: gauge() for name, gauge in self._gauges.items()}


def _is_alive(pid: int) -> bool:
    if os.name == "nt":
        # There os.kill would end the process.
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Exposition(Collector):
    """All metrics in Prometheus' text format; `stored` returns how many media and bytes are stored, if known."""

    def __init__(self, shared: ProcessMetrics, stored: Callable[[], tuple[int, int] | None]) -> None:
        self._shared = shared
        self._stored = stored

    def text(self) -> bytes:
        """Return the text."""
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, as prometheus-client asks for them."""
        metrics, gauges = self._shared.total()
        tasks = CounterMetricFamily("runware_mock_tasks", "Tasks answered.", labels=["task_type", "outcome"])
        for labels, count in list(metrics.tasks.items()):
            tasks.add_metric(labels, count)
        yield tasks
        durations = HistogramMetricFamily(
            "runware_mock_task_duration_seconds", "How long tasks took.", labels=["task_type"]
        )
        bounds = [*map(str, DURATION_BOUNDS_S), "+Inf"]
        for task_type, counts in list(metrics.durations.items()):
            buckets: Any = list(zip(bounds, accumulate(counts), strict=True))
            durations.add_metric([task_type], buckets, metrics.duration_s[task_type])
        yield durations
        faults = CounterMetricFamily("runware_mock_faults_met", "Planned faults that were met.", labels=["kind"])
        for kind, count in list(metrics.faults.items()):
            faults.add_metric([kind], count)
        yield faults
        yield CounterMetricFamily("runware_mock_sent_bytes", "Bytes of the files uploaded.", metrics.sent_bytes)
        yield CounterMetricFamily("runware_mock_purged_media", "Media purged.", metrics.purged_media)
        stored = self._stored()
        yield GaugeMetricFamily("runware_mock_database_up", "Whether the database can be read.", stored is not None)
        # Without its database a server still has something to tell.
        if stored is not None:
            yield GaugeMetricFamily("runware_mock_media", "Media stored, in a database that may be shared.", stored[0])
            yield GaugeMetricFamily("runware_mock_stored_bytes", "Bytes stored, likewise.", stored[1])
        for name, gauge in gauges.items():
            yield GaugeMetricFamily(f"runware_mock_{name}", _GAUGES[name], gauge)


_GAUGES = {
    "sockets": "WebSockets that are open.",
    "tasks_waiting": "Tasks that wait for a thread.",
    "memory_budget_bytes": "Memory that decoding may take.",
    "memory_reserved_bytes": "Memory that decoding takes now.",
}
