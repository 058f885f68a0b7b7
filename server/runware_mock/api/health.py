"""The endpoints for monitoring: `/health`, `/ready` and `/metrics`."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from runware_mock.api.failures import AnsweringRoute
from runware_mock.metrics import Exposition
from runware_mock.services import Services
from runware_mock.storage.database import outage_of
from runware_mock.version import __version__

# Probes wait a few seconds at most, then ask again.
_LOOK_S = 8.0
_TEXT: dict[str, Any] = {"content": {"text/plain": {"schema": {"type": "string"}}}}


class Health(BaseModel):
    """Status `ok` or `ready`, and the version of the server."""

    status: str
    version: str


class NotReady(BaseModel):
    """What keeps an upload from succeeding, one line for each problem."""

    status: str
    missing: list[str]


def router(services: Services, is_well: Mapping[str, Callable[[], bool]], exposition: Exposition) -> APIRouter:
    """Return the routes; `is_well` says for each background job whether it runs and does not keep failing."""
    api = APIRouter(route_class=AnsweringRoute)
    probe = _Probe(services)

    @api.get("/health")
    async def health() -> Health:
        """Say that the process is alive."""
        return Health(status="ok", version=__version__)

    @api.get("/ready", response_model=Health, responses={503: {"model": NotReady}})
    async def ready() -> Any:
        """Say whether an upload would succeed and, if not, what is missing."""
        missing = [name for name, works in is_well.items() if not works()]
        missing += await probe.problems()
        if missing:
            return JSONResponse({"status": "not ready", "missing": missing}, 503)
        return Health(status="ready", version=__version__)

    @api.get("/metrics", response_class=Response, responses={200: _TEXT})
    async def metrics() -> Response:
        """Return the metrics in Prometheus' text format."""
        return Response(await asyncio.to_thread(exposition.text), media_type=CONTENT_TYPE_LATEST)

    for endpoint in (health, ready, metrics):
        api.add_api_route(f"/{endpoint.__name__}", endpoint, methods=["HEAD"], include_in_schema=False)
    return api


class _Probe:
    """Checks whether the database and the object storage answer, once for all probes that wait at the same time."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._looking: asyncio.Task[list[str]] | None = None

    async def problems(self) -> list[str]:
        """Return what is wrong, a line each. A check that hangs blocks only its own threads."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            return await asyncio.wait_for(asyncio.shield(self._looking), _LOOK_S)
        except TimeoutError:
            return [f"database or object storage: no answer within {_LOOK_S:g} s"]
        except (MemoryError, RuntimeError, OSError) as error:
            return [outage_of(error) or repr(error)]

    async def _look(self) -> list[str]:
        database, files = self._services.database, self._services.blobs
        in_database, in_files = await asyncio.gather(
            asyncio.to_thread(lambda: database.problem() or database.shortage()), run_in_threadpool(files.problem)
        )
        found = {"database": in_database, "object storage": in_files}
        return [f"{name}: {problem}" for name, problem in found.items() if problem]
