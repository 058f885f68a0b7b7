"""The composition root: settings in, an application out."""

import logging
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
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
from runware_mock.protocol.errors import refuse
from runware_mock.purge import purge_schedule
from runware_mock.quotas import Quotas
from runware_mock.schedule import Schedule
from runware_mock.services import Services
from runware_mock.settings import Settings
from runware_mock.storage.database import Database, DatabaseUnusable
from runware_mock.storage.schema import prepare
from runware_mock.storage.sqlite import FILE_NAME, SqliteDatabase
from runware_mock.tally import Tally
from runware_mock.web.control.door import ControlApp
from runware_mock.web.counting import WRITTEN_EVERY_S, Counting
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
_SQLITE = "sqlite:///"
_HTTP_ERRORS = {404: "notFound", 405: "methodNotAllowed"}
# The longest the event loop waits for a decoding thread to let go of the interpreter.
_CHECKPOINT_S = 1.0
_SWITCH_INTERVAL_S = 0.001


def open_database(settings: Settings, cleanup: ExitStack) -> Database:
    """Return the database of these settings, at this version's tables; raises DatabaseUnusable."""
    database = _database(settings, cleanup)
    cleanup.callback(database.close)
    prepare(database)
    database.check()
    return database


@dataclass(frozen=True, slots=True)
class Common:
    """What the processes of one server share: a database that is prepared, and a folder for as long as they run."""

    database: Database
    folder: Path


def prepare_for_workers(settings: Settings, cleanup: ExitStack) -> Common:
    """Return what several processes will share; no connection is open. Raises DatabaseUnusable, FixturesUnusable."""
    database = open_database(settings, cleanup)
    if settings.fixtures is not None:
        _seed(create_services(settings, SystemClock(), database), settings.fixtures)
    database.close()
    return Common(database, Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="runware-mock-"))))


def _database(settings: Settings, cleanup: ExitStack) -> Database:
    is_shared = settings.workers > 1
    if settings.in_memory:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="runware-mock-")))
        return SqliteDatabase(folder / FILE_NAME, "OFF", is_shared=is_shared)
    if settings.database_url is not None and not settings.database_url.startswith(_SQLITE):
        from runware_mock.storage.postgres import PostgresDatabase

        return PostgresDatabase(settings.database_url)
    url = settings.database_url
    file = settings.data_dir / FILE_NAME if url is None else Path(url.removeprefix(_SQLITE))
    try:
        # For its owner alone, as are the files that SQLite puts beside it.
        file.parent.mkdir(0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnusable(f"cannot use the data folder {file.parent}: {error.strerror}") from error
    # A file that cannot be made is told of where it is opened.
    with suppress(OSError):
        file.touch(0o600)
    return SqliteDatabase(file, "FULL" if settings.durable else "NORMAL", is_shared=is_shared)


def create_services(settings: Settings, clock: Clock, database: Database) -> Services:
    """Return what tasks may ask for."""
    live, tally = Live(clock), Tally()
    faults = Faults(database, live)
    net = UrlFetcher(settings.fetch, settings.fetch_timeout, settings.max_message_bytes, settings.local_files)
    return Services(
        settings=settings,
        live=live,
        database=database,
        accounts=Accounts(database, live, faults.names_plan, settings.api_key, seed=settings.seed),
        journal=Journal(settings.journal_entries, settings.journal_bytes, tally),
        quotas=Quotas(settings, database),
        tally=tally,
        faults=faults,
        ids=RandomIds() if settings.seed is None else SeededIds(settings.seed),
        codec=Codec(
            settings.formats,
            Budget(settings.memory_budget(), settings.thread_count()),
            streams=settings.streaming == "auto",
        ),
        fetch=net,
        send=net.send,
    )


def _seed(services: Services, fixtures: Path) -> None:
    from runware_mock.control.seeding import seed

    try:
        seed(services, fixtures, next(iter(services.settings.api_key), None))
    except ControlRefused as refused:
        raise FixturesUnusable(f"bad value for --fixtures: {refused.field}: {refused.message}") from None


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
        database = common.database if common else open_database(settings, cleanup)
        services = create_services(settings, clock or SystemClock(), database)
        if common is not None:
            cleanup.callback(database.close)
        elif settings.fixtures is not None:
            _seed(services, settings.fixtures)
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
    counting = Counting(services.tally, gauges, common.folder if common else None)
    schedules = [
        purge_schedule(services),
        delivery_schedule(services),
        Schedule("checkpoint", lambda _stopped: services.database.relieve(), _CHECKPOINT_S),
    ]
    if common is not None:
        schedules.append(Schedule("tally", lambda _stopped: counting.write(), WRITTEN_EVERY_S))
    cleanup.callback(engine.close)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
        for schedule in schedules:
            schedule.start()
            cleanup.callback(schedule.stop)
        with cleanup:
            yield

    rest = RestApi(engine)
    files = MediaFiles(services)
    page = Page(services)
    routes: list[BaseRoute] = [Route(path, files.get, methods=["GET"]) for path in MEDIA_PATHS]
    for path in API_PATHS:
        routes += [Route(path, rest, methods=["POST"]), WebSocketRoute(path, sockets.serve)]
    watching = Watching(
        services,
        {"purge schedule": schedules[0].is_running, "delivery schedule": schedules[1].is_running},
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
