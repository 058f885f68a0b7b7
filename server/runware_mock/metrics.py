"""Counters of this process, and of all processes that serve together, for `/metrics`."""

import os
from collections import Counter as Sums
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, write_to_textfile
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

# Seconds; a small upload takes milliseconds, a big animation some seconds.
DURATION_BOUNDS_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# Clients may send any task type, and each one is kept forever.
_MOST_TYPES = 64
# How often each process writes its file.
WRITTEN_EVERY_S = 1.0
_GAUGES = {
    "sockets": "WebSockets that are open.",
    "tasks_waiting": "Tasks that wait for a thread.",
    "memory_budget_bytes": "Memory that decoding may take.",
    "memory_reserved_bytes": "Memory that decoding takes now.",
}


class Metrics:
    """Counts tasks by type and outcome, their durations, bytes, faults and purged media."""

    def __init__(self) -> None:
        self.registry = own = CollectorRegistry()
        self._tasks = Counter("runware_mock_tasks", "Tasks answered.", ("task_type", "outcome"), registry=own)
        self._durations = Histogram(
            "runware_mock_task_duration_seconds",
            "How long tasks took.",
            ("task_type",),
            registry=own,
            buckets=DURATION_BOUNDS_S,
        )
        self._faults = Counter("runware_mock_faults_met", "Planned faults that were met.", ("kind",), registry=own)
        self._sent_bytes = Counter("runware_mock_sent_bytes", "Bytes of the files uploaded.", registry=own)
        self._purged_media = Counter("runware_mock_purged_media", "Media purged.", registry=own)
        self._types: set[str] = set()

    def task(self, task_type: str, outcome: str, duration_s: float, sent_bytes: int, faults: Iterable[str]) -> None:
        """Count a task."""
        if task_type not in self._types:
            if len(self._types) >= _MOST_TYPES:
                task_type = "other"
            self._types.add(task_type)
        self._tasks.labels(task_type, outcome).inc()
        self._durations.labels(task_type).observe(duration_s)
        self._sent_bytes.inc(sent_bytes)
        for kind in faults:
            self._faults.labels(kind).inc()

    def purged(self, media: int) -> None:
        """Count what a purge has removed."""
        self._purged_media.inc(media)

    def total(self) -> float:
        """Return how many tasks have been counted."""
        samples = (sample for metric in self._tasks.collect() for sample in metric.samples)
        return sum(sample.value for sample in samples if sample.name.endswith("_total"))


class Exposition(Collector):
    """The metrics of all processes that share `folder`, or else those of this process alone, as Prometheus reads them.

    `gauges` are this process's; `stored` returns how many media and bytes are stored, if known.
    """

    def __init__(
        self,
        metrics: Metrics,
        gauges: Mapping[str, Callable[[], float]],
        folder: Path | None,
        stored: Callable[[], tuple[int, int] | None],
    ) -> None:
        self._registry = metrics.registry
        self._folder = folder
        self._stored = stored
        for name, gauge in gauges.items():
            Gauge(f"runware_mock_{name}", _GAUGES[name], registry=self._registry).set_function(gauge)

    def write(self) -> None:
        """Write the metrics of this process to its file in the folder, for the others to read."""
        if self._folder is not None:
            write_to_textfile(str(self._folder / f"{os.getpid()}.prom"), self._registry)

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, summed over the processes; prometheus-client calls this."""
        found: dict[str, Metric] = {}
        sums = Sums[tuple[str, str, tuple[tuple[str, str], ...]]]()
        for is_running, metrics in self._processes():
            for one in metrics:
                # Counts outlive the process that counted; gauges, such as its open sockets, do not.
                if not one.name.endswith("_created") and (is_running or one.type != "gauge"):
                    found.setdefault(one.name, Metric(one.name, one.documentation, one.type))
                    for sample in one.samples:
                        sums[one.name, sample.name, tuple(sample.labels.items())] += sample.value  # type: ignore[assignment] # sums of floats
        for (name, sample_name, labels), value in sums.items():
            if not sample_name.endswith("_created"):
                found[name].add_sample(sample_name, dict(labels), value)
        yield from found.values()
        stored = self._stored()
        yield GaugeMetricFamily("runware_mock_database_up", "Whether the database can be read.", stored is not None)
        # A server without its database still has the other metrics.
        if stored is not None:
            yield GaugeMetricFamily("runware_mock_media", "Media stored, in a database that may be shared.", stored[0])
            yield GaugeMetricFamily("runware_mock_stored_bytes", "Bytes stored, likewise.", stored[1])

    def _processes(self) -> Iterator[tuple[bool, Iterable[Metric]]]:
        """Yield for each process whether it runs, and its metrics."""
        if self._folder is None:
            yield True, self._registry.collect()
            return
        # If this process cannot write, its last second is missing.
        with suppress(OSError):
            self.write()
        for file in self._folder.glob("*.prom"):
            yield _is_running(int(file.stem)), text_string_to_metric_families(file.read_text(encoding="utf-8"))


def _is_running(pid: int) -> bool:
    if os.name == "nt":
        # On Windows os.kill would end the process.
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
