"""The composition root: settings in, an application out."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from runware_mock.api.control.door import ControlApp
from runware_mock.api.health import Watching
from runware_mock.api.images import MEDIA_PATHS, MediaFiles
from runware_mock.api.pacing import Pacing
from runware_mock.api.sockets import Sockets
from runware_mock.api.ui.app import Page, wants_page
from runware_mock.api.upload import RestApi, preflight, refused
from runware_mock.clock import Clock, SystemClock
from runware_mock.cores import SameCore, roaming_pool
from runware_mock.deliver import delivery_schedule
from runware_mock.metrics import WRITTEN_EVERY_S, ProcessMetrics
from runware_mock.opening import Common, open_services
from runware_mock.protocol.errors import refuse
from runware_mock.purge import orphan_schedule, purge_schedule
from runware_mock.schedule import Schedule
from runware_mock.settings import Settings
from runware_mock.storage.outage import crash
from runware_mock.tasks.runner import Engine

# The documented address, with and without a slash, and the root that the SDKs' test environments use.
API_PATHS = ("/v1", "/v1/", "/")
_CONTROL_PATH = "/_mock/"
_HTTP_ERRORS = {404: "notFound", 405: "methodNotAllowed"}
_CHECKPOINT_S = 1.0
# The longest the event loop waits for a decoding thread to let go of the interpreter.
_SWITCH_INTERVAL_S = 0.001
_READING_THREADS = 32


class MockApp(Starlette):
    """Hands POST requests of the API straight to `rest`, what is under `/_mock` and of the page to theirs.

    Not a FastAPI itself: the control API is one, and its import, a fifth of a start, can wait for the first such call.
    """

    def __init__(self, rest: ASGIApp, control: ASGIApp, page: ASGIApp, **options: Any) -> None:
        super().__init__(**options)
        self._rest = rest
        self._control = control
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in API_PATHS:
            await self._rest(scope, receive, send)
        elif scope["type"] == "http" and (scope["path"] + "/").startswith(_CONTROL_PATH):
            await self._control(scope, receive, send)
        elif wants_page(scope):
            await self._page(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(settings: Settings, clock: Clock | None = None, common: Common | None = None) -> Starlette:
    """Return the application. Its database is opened here unless it is shared, and closed when it stops."""
    cleanup = ExitStack()
    try:
        services = open_services(settings, clock or SystemClock(), cleanup, common)
    except BaseException:
        cleanup.close()
        raise
    engine = Engine(services)
    sockets = Sockets(engine)
    gauges: dict[str, Callable[[], float]] = {
        "sockets": sockets.count,
        "tasks_waiting": engine.waiting,
        "memory_budget_bytes": services.settings.memory_budget,
        "memory_reserved_bytes": services.codec.memory_reserved_bytes,
    }
    counting = ProcessMetrics(services.metrics, gauges, common.folder if common else None)
    schedules = [
        purge_schedule(services),
        delivery_schedule(services),
        Schedule("checkpoint", lambda _stopped: services.database.relieve(), _CHECKPOINT_S),
    ]
    if common is not None:
        schedules.append(Schedule("metrics", lambda _stopped: counting.write(), WRITTEN_EVERY_S))
    reading = None
    if services.files.are_objects:
        schedules.append(orphan_schedule(services))
        # Those who look at pictures wait for the object storage, and keep nobody else waiting.
        reading = cleanup.enter_context(roaming_pool(_READING_THREADS, "reading"))
    cleanup.callback(engine.close)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
        pacing = Pacing(engine.light, asyncio.get_running_loop(), SameCore(engine.light.start()))
        engine.light.pace(pacing)
        cleanup.callback(pacing.part)
        for schedule in schedules:
            schedule.start()
            cleanup.callback(schedule.stop)
        with cleanup:
            yield

    rest = RestApi(engine)
    files = MediaFiles(services, reading)
    page = Page(services, reading)
    routes: list[BaseRoute] = [Route(path, files.get, methods=["GET"]) for path in MEDIA_PATHS]
    for path in API_PATHS:
        routes += [Route(path, rest, methods=["POST"]), WebSocketRoute(path, sockets.serve)]
    watching = Watching(
        services,
        {f"{schedule.name} schedule": schedule.is_running for schedule in schedules},
        counting,
    )
    for name in ("health", "ready", "metrics"):
        routes.append(Route(f"/{name}", getattr(watching, name)))
    routes += [Route(path, preflight, methods=["OPTIONS"]) for path in (*API_PATHS, *MEDIA_PATHS)]
    app = MockApp(rest, ControlApp(services), page, lifespan=lifespan, routes=routes)
    app.state.sockets = sockets
    app.state.page = page
    app.state.services = services
    app.add_exception_handler(HTTPException, _http_error)
    # One that is expected ends here; whatever else is raised once more, for the server to log.
    for failure in (services.database.failure, Exception):
        app.add_exception_handler(failure, _mock_error)
    return app


async def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    code = _HTTP_ERRORS.get(status)
    if code is None:
        return await _mock_error(request, error)
    return refused(refuse(code, f"The API is POST {API_PATHS[0]}; this was {request.method} {request.url.path[:200]}."))


async def _mock_error(request: Request, error: Exception) -> Response:
    logging.getLogger(__name__).error("%s %s failed inside the mock", request.method, request.url.path, exc_info=error)
    return refused(crash(error))
