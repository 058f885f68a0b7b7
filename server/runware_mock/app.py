"""The composition root: settings in, a FastAPI application out."""

import logging
import sys
import tempfile
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from runware_mock.accounts import Accounts
from runware_mock.clock import Clock, SystemClock
from runware_mock.control.refusals import ControlRefused
from runware_mock.deliver import delivery_schedule
from runware_mock.engine import Engine
from runware_mock.faults.occasion import Faults
from runware_mock.ids import RandomIds, SeededIds
from runware_mock.images.budget import Budget
from runware_mock.images.codec import Codec
from runware_mock.images.fetch import UrlFetcher
from runware_mock.journal import Journal
from runware_mock.live import Live
from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.purge import orphan_schedule, purge_schedule
from runware_mock.services import Services
from runware_mock.settings import Settings
from runware_mock.storage.database import FILE_NAME, Database, DatabaseUnusable
from runware_mock.storage.files import Files, folder_of
from runware_mock.storage.objects import StoreFailed, open_store
from runware_mock.storage.schema import prepare
from runware_mock.tally import Tally
from runware_mock.web.control.app import ControlApp
from runware_mock.web.http import RestApi, preflight, refused
from runware_mock.web.media import MEDIA_PATHS, MediaFiles
from runware_mock.web.page.app import Page, wants_page
from runware_mock.web.sockets import Sockets
from runware_mock.web.watching import Watching


# The documented address, with and without a slash, and the root that the SDKs' test environments use.
class FixturesUnusable(Exception):
    """What `--fixtures` names cannot be stored; the message is for the user."""


API_PATHS = ("/v1", "/v1/", "/")
_CONTROL_PATH = "/_mock/"
_HTTP_ERRORS = {404: "notFound", 405: "methodNotAllowed"}
# The longest the event loop waits for a decoding thread to let go of the interpreter.
_SWITCH_INTERVAL_S = 0.001
_READING_THREADS = 32


def open_database(settings: Settings, cleanup: ExitStack) -> Database:
    """Return the database of these settings, at this version's tables; raises DatabaseUnusable."""
    if settings.in_memory:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="runware-mock-")))
        database = Database(folder / FILE_NAME, "OFF")
    else:
        try:
            settings.data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseUnusable(f"cannot use the data folder {settings.data_dir}: {error.strerror}") from error
        database = Database(settings.data_dir / FILE_NAME, "FULL" if settings.durable else "NORMAL")
    cleanup.callback(database.close)
    prepare(database)
    database.check()
    return database


def open_files(settings: Settings, database: Database) -> Files:
    """Return where the bytes of pictures are kept; raises StoreFailed where they cannot be."""
    if settings.content_url is None:
        return Files(database)
    try:
        store = open_store(settings.content_url, folder_of(database), settings.content_timeout.total_seconds())
        store.prove()
    except StoreFailed as error:
        raise StoreFailed(f"cannot use the object storage {settings.content_url}: {error}") from error
    return Files(database, store)


def create_services(settings: Settings, clock: Clock, database: Database) -> Services:
    """Return what tasks may ask for; raises StoreFailed."""
    live, tally = Live(clock), Tally()
    faults = Faults(database, live)
    net = UrlFetcher(settings.fetch, settings.fetch_timeout, settings.max_message_bytes, settings.local_files)
    return Services(
        settings=settings,
        live=live,
        database=database,
        files=open_files(settings, database),
        accounts=Accounts(database, live, faults.names_plan, settings.api_key, seed=settings.seed),
        journal=Journal(settings.journal_entries, settings.journal_bytes, tally),
        tally=tally,
        faults=faults,
        ids=RandomIds() if settings.seed is None else SeededIds(settings.seed),
        codec=Codec(settings.formats, Budget(settings.memory_budget(), settings.thread_count())),
        fetch=net,
        send=net.send,
    )


def _seed(services: Services, fixtures: Path) -> None:
    from runware_mock.control.seeding import seed

    try:
        seed(services, fixtures, next(iter(services.settings.api_key), None))
    except ControlRefused as refused:
        raise FixturesUnusable(f"bad value for --fixtures: {refused.field}: {refused.message}") from None
    except Refusal as refusal:
        raise FixturesUnusable(f"cannot store what --fixtures names: {refusal.message}") from None


def _forget(files: Files) -> None:
    with suppress(Refusal):
        files.clear()


class MockApp(FastAPI):
    """Hands POST requests of the API straight to `rest`, what is under `/_mock` and of the page to theirs."""

    def __init__(self, rest: ASGIApp, control: ASGIApp, page: ASGIApp, **options: Any) -> None:
        super().__init__(docs_url=None, redoc_url=None, openapi_url=None, **options)
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


def create_app(settings: Settings, clock: Clock | None = None) -> FastAPI:
    """Return the application; its database is opened here, and closed when the application stops."""
    cleanup = ExitStack()
    try:
        services = create_services(settings, clock or SystemClock(), open_database(settings, cleanup))
        if settings.in_memory:
            cleanup.callback(_forget, services.files)
        if settings.fixtures is not None:
            _seed(services, settings.fixtures)
    except BaseException:
        cleanup.close()
        raise
    engine = Engine(services)
    sockets = Sockets(engine)
    schedules = [purge_schedule(services), delivery_schedule(services)]
    reading = None
    if services.files.are_objects:
        schedules.append(orphan_schedule(services))
        # Those who look at pictures wait for the object storage, and keep nobody else waiting.
        reading = cleanup.enter_context(ThreadPoolExecutor(_READING_THREADS, "reading"))
    cleanup.callback(engine.close)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
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
        {
            "sockets": sockets.count,
            "tasks_waiting": engine.waiting,
            "memory_budget_bytes": services.settings.memory_budget,
            "memory_reserved_bytes": services.codec.memory_reserved_bytes,
        },
    )
    for name in ("health", "ready", "metrics"):
        routes.append(Route(f"/{name}", getattr(watching, name)))
    routes += [Route(path, preflight, methods=["OPTIONS"]) for path in (*API_PATHS, *MEDIA_PATHS)]
    app = MockApp(rest, ControlApp(services), page, lifespan=lifespan, routes=routes)
    app.state.sockets = sockets
    app.state.page = page
    app.state.services = services
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _mock_error)
    return app


async def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    code = _HTTP_ERRORS.get(status)
    if code is None:
        return await _mock_error(request, error)
    return refused(refuse(code, f"The API is POST {API_PATHS[0]}; this was {request.method} {request.url.path[:200]}."))


async def _mock_error(request: Request, error: Exception) -> Response:
    logging.getLogger(__name__).error("%s %s failed inside the mock", request.method, request.url.path, exc_info=error)
    return refused(refuse("mockInternalError", "Its log says more."))
