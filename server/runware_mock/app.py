"""The composition root: settings in, an application out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from runware_mock.api import control, health, images, upload
from runware_mock.api.failures import failure_response
from runware_mock.api.limits import Limits, Readers, Room
from runware_mock.api.openapi import add_tasks
from runware_mock.api.request_records import RequestEntries, RequestRecords
from runware_mock.api.transport import STOPPING
from runware_mock.api.ui import routes as ui
from runware_mock.api.ui.pages import FOLDER, StaticPart, compile_templates
from runware_mock.api.websocket import Sockets
from runware_mock.clock import Clock, SystemClock
from runware_mock.control.answers import load_rules
from runware_mock.control.calls import ControlRefused
from runware_mock.control.seeding import seed
from runware_mock.metrics import WRITTEN_EVERY_S, Exposition
from runware_mock.protocol.errors import Refusal
from runware_mock.purge import orphan_schedule, purge_schedule
from runware_mock.rule_files import BadRules
from runware_mock.scheduler import Schedule
from runware_mock.services import Services, create_services, database_of, open_database
from runware_mock.settings import Settings
from runware_mock.storage import contents, media
from runware_mock.storage.blobs import StoreFailed, open_blobs
from runware_mock.storage.database import Database
from runware_mock.storage.migrations import prepare
from runware_mock.storage.sqlite import temporary_folder
from runware_mock.tasks.runner import Runner
from runware_mock.version import __version__
from runware_mock.webhooks import delivery_schedule

_CHECKPOINT_S = 1.0
_READING_THREADS = 32
# It takes 0.1 s, which neither the first view of the page nor the first upload after the start should wait for.
_PAGE_COMPILED_AFTER_S = 2.0
_ABOUT = (
    "`POST /v1` and the WebSocket at the same path are Runware's API. Calls under `/_mock` control the mock. Send your "
    "application's API key as `Authorization: Bearer KEY`: a control call then acts on its account, and without a key "
    "on all accounts. [The page](/) shows what was sent."
)


class FixturesUnusable(Exception):
    """The files of `--fixtures` or `--answers` cannot be stored; the message is for the user."""


def create_app(settings: Settings, clock: Clock | None = None, shared: Path | None = None) -> FastAPI:
    """Return the application; it opens its database now and closes it when it stops.

    `shared` is the folder that `prepare_for_workers` has returned, if this is one of several worker processes. Raises
    DatabaseUnusable, StoreFailed, FixturesUnusable.
    """
    cleanup = ExitStack()
    try:
        services = open_services(settings, clock or SystemClock(), cleanup, shared)
    except BaseException:
        cleanup.close()
        raise
    runner = Runner(services)
    room, readers = Room(settings), Readers(settings)
    entries = RequestEntries(services)
    sockets = Sockets(runner, room, readers, entries)
    gauges: dict[str, Callable[[], float]] = {
        "sockets": lambda: sockets.open_count,
        "tasks_waiting": runner.waiting,
        "memory_budget_bytes": services.settings.memory_budget,
        "memory_reserved_bytes": services.codec.memory_reserved_bytes,
    }
    metrics = Exposition(services.metrics, gauges, shared, lambda: _stored(services))
    schedules = [
        purge_schedule(services),
        delivery_schedule(services),
        Schedule("checkpoint", lambda _stopped: services.database.relieve(), _CHECKPOINT_S),
    ]
    if shared is not None:
        schedules.append(Schedule("metrics", lambda _stopped: metrics.write(), WRITTEN_EVERY_S))
    reading = None
    if services.blobs.are_objects:
        schedules.append(orphan_schedule(services))
        # Reads of pictures wait for the object storage in their own threads, so that they block nothing else.
        reading = cleanup.enter_context(ThreadPoolExecutor(_READING_THREADS, "reading"))
    cleanup.callback(entries.close)
    cleanup.callback(runner.close)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        for schedule in schedules:
            schedule.start()
            cleanup.callback(schedule.stop)
        loop = asyncio.get_running_loop()
        compiling = loop.call_later(_PAGE_COMPILED_AFTER_S, loop.run_in_executor, None, compile_templates)
        cleanup.callback(compiling.cancel)
        with cleanup:
            yield {STOPPING: asyncio.Event()}

    app = FastAPIOffline(
        redoc_url=None,
        title="runware-mock",
        version=__version__,
        description=_ABOUT,
        generate_unique_id_function=lambda route: route.name,
        lifespan=lifespan,
        # For everything outside the routes: unknown paths, wrong methods, and failures that no route has answered.
        exception_handlers={HTTPException: failure_response, Exception: failure_response},
    )
    app.state.services = services
    app.state.room = room
    app.state.schedules = schedules
    app.add_middleware(Limits, settings=settings, room=room, readers=readers)
    # Outside the limits, so that the requests they refuse are journalled and logged, too.
    app.add_middleware(RequestRecords, entries=entries)
    is_well = {f"{schedule.name} schedule": schedule.is_well for schedule in schedules}
    for router in (
        upload.router(runner, entries),
        images.router(services, reading),
        health.router(services, is_well, metrics),
        ui.router(services, reading),
    ):
        app.include_router(router)
    app.router.routes.extend(control.api.routes)
    for path in upload.API_PATHS:
        app.add_api_websocket_route(path, sockets.serve)
    add_tasks(app)
    app.mount("/ui/static", StaticPart(directory=FOLDER / "static"))
    return app


def _stored(services: Services) -> tuple[int, int] | None:
    """Return how many media and bytes are stored, or None if the database cannot be read."""
    with suppress(SQLAlchemyError), services.database.reading() as connection:
        return media.count(connection), contents.stored_bytes(connection)
    return None


def prepare_for_workers(settings: Settings, cleanup: ExitStack) -> Path:
    """Prepare what the worker processes will share, and return its folder, which lasts as long as they run.

    Raises DatabaseUnusable, StoreFailed, FixturesUnusable.
    """
    folder = cleanup.enter_context(temporary_folder())
    database = database_of(settings, folder)
    prepare(database)
    database.check()
    # This checks the object storage, too.
    _seed(create_services(settings, SystemClock(), database))
    database.close()
    if settings.in_memory:
        cleanup.callback(_forget, settings, database)
    return folder


def open_services(settings: Settings, clock: Clock, cleanup: ExitStack, shared: Path | None = None) -> Services:
    """Return the services that tasks use; unless `shared`, prepare the database and store what the settings name.

    Raises DatabaseUnusable, StoreFailed, FixturesUnusable.
    """
    if shared is not None:
        database = database_of(settings, shared)
        cleanup.callback(database.close)
        return create_services(settings, clock, database)
    database = open_database(settings, cleanup)
    services = create_services(settings, clock, database)
    if settings.in_memory:
        cleanup.callback(_forget, settings, database)
    _seed(services)
    return services


def _seed(services: Services) -> None:
    """Store what --fixtures and --answers name, and delete the rules of files that are not named any more."""
    fixtures, answers = services.settings.fixtures, services.settings.answers
    try:
        if fixtures is not None:
            seed(services, fixtures)
        load_rules(services, answers)
    except BadRules as error:
        raise FixturesUnusable(f"bad value for --answers: {error}") from None
    except ControlRefused as refused:
        raise FixturesUnusable(f"bad value for --fixtures: {refused.sentence}") from None
    except Refusal as refusal:
        raise FixturesUnusable(f"cannot store what --fixtures or --answers names: {refusal.message}") from None


def _forget(settings: Settings, database: Database) -> None:
    with suppress(Refusal, StoreFailed):
        open_blobs(settings, database).clear()
