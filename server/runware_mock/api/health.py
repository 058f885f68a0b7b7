"""For whoever watches the server: `/health`, `/ready` and `/metrics`."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from runware_mock import __version__
from runware_mock.metrics import DURATION_BOUNDS_S, ProcessMetrics
from runware_mock.services import Services
from runware_mock.storage import contents, media
from runware_mock.storage.outage import outage_of

if TYPE_CHECKING:
    from prometheus_client.core import Metric

# Whoever asks whether a server is ready waits a few seconds at most, and asks again.
_LOOK_S = 8.0


class Watching:
    """Tells how the server is; `is_running` names what has to run beside it."""

    def __init__(
        self, services: Services, is_running: Mapping[str, Callable[[], bool]], counting: ProcessMetrics
    ) -> None:
        self._services = services
        self._is_running = is_running
        self._counting = counting
        self._looking: asyncio.Task[list[str]] | None = None

    async def health(self, _request: Request) -> Response:
        """Tell that the process answers."""
        return JSONResponse({"status": "ok", "version": __version__})

    async def ready(self, _request: Request) -> Response:
        """Tell whether an upload would succeed, and if not, what is missing."""
        missing = [name for name, is_running in self._is_running.items() if not is_running()]
        missing += await self._problems()
        if missing:
            return JSONResponse({"status": "not ready", "missing": missing}, 503)
        return JSONResponse({"status": "ready", "version": __version__})

    async def _problems(self) -> list[str]:
        """Look once for all who ask meanwhile: where a look takes for ever, it takes no more than its threads."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            return await asyncio.wait_for(asyncio.shield(self._looking), _LOOK_S)
        except TimeoutError:
            return [f"database or object storage: no answer within {_LOOK_S:g} s"]
        except (MemoryError, RuntimeError, OSError) as error:
            return [outage_of(error) or repr(error)]

    async def _look(self) -> list[str]:
        database, files = self._services.database, self._services.files
        in_database, in_files = await asyncio.gather(
            asyncio.to_thread(lambda: database.problem() or database.shortage()), run_in_threadpool(files.problem)
        )
        found = {"database": in_database, "object storage": in_files}
        return [f"{name}: {problem}" for name, problem in found.items() if problem]

    async def metrics(self, _request: Request) -> Response:
        """Return the metrics in Prometheus' text format."""
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

        registry = CollectorRegistry()
        registry.register(self)
        return Response(await asyncio.to_thread(generate_latest, registry), media_type=CONTENT_TYPE_LATEST)

    def collect(self) -> "Iterator[Metric]":
        """Yield every metric, as prometheus-client asks for them."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        metrics, gauges = self._counting.counted()
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
        counted = self._counted()
        yield GaugeMetricFamily("runware_mock_database_up", "Whether the database can be read.", counted is not None)
        # Without its database a server still has something to tell.
        if counted is not None:
            yield GaugeMetricFamily("runware_mock_media", "Media stored, in a database that may be shared.", counted[0])
            yield GaugeMetricFamily("runware_mock_stored_bytes", "Bytes stored, likewise.", counted[1])
        for name, gauge in gauges.items():
            yield GaugeMetricFamily(f"runware_mock_{name}", _GAUGES[name], gauge)

    def _counted(self) -> tuple[int, int] | None:
        """Return how many media and bytes are stored, if the database tells."""
        database = self._services.database
        with suppress(database.failure), database.reading() as connection:
            return media.count(connection), contents.stored_bytes(connection)
        return None


_GAUGES = {
    "sockets": "WebSockets that are open.",
    "tasks_waiting": "Tasks that wait for a thread.",
    "memory_budget_bytes": "Memory that decoding may take.",
    "memory_reserved_bytes": "Memory that decoding takes now.",
}
