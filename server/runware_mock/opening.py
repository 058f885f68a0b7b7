"""What a server stands on, opened by its settings: the database, the object storage, and all that tasks may ask for."""

import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

from msgspec import Struct

from runware_mock.clock import Clock, SystemClock
from runware_mock.control.refusals import ControlRefused
from runware_mock.faults.matching import Faults
from runware_mock.ids import RandomIds, SeededIds
from runware_mock.images.codec import Codec
from runware_mock.images.fetch import UrlFetcher
from runware_mock.images.limits import Budget
from runware_mock.metrics import Metrics
from runware_mock.protocol.errors import Refusal
from runware_mock.quotas import Quotas
from runware_mock.services import Services
from runware_mock.settings import Settings
from runware_mock.storage.accounts import Accounts
from runware_mock.storage.blobs import Blobs, folder_of
from runware_mock.storage.clocks import Clocks
from runware_mock.storage.database import Database, DatabaseUnusable
from runware_mock.storage.journal import Journal
from runware_mock.storage.migrations import prepare
from runware_mock.storage.object_store import StoreFailed, open_store
from runware_mock.storage.sqlite import FILE_NAME, SqliteDatabase

_SQLITE = "sqlite:///"


class FixturesUnusable(Exception):
    """What `--fixtures` names cannot be stored; the message is for the user."""


def open_database(settings: Settings, cleanup: ExitStack) -> Database:
    """Return the database of these settings, at this version's tables; raises DatabaseUnusable."""
    folder = None
    if settings.in_memory:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="runware-mock-")))
    database = _database(settings, folder)
    cleanup.callback(database.close)
    prepare(database)
    database.check()
    return database


class Common(Struct, frozen=True):
    """What the processes of one server share: a database that is prepared, and a folder for as long as they run."""

    database: Database
    folder: Path


def prepare_for_workers(settings: Settings, cleanup: ExitStack) -> Path:
    """Prepare what several processes will share, and return its folder, which lasts as long as they run.

    Raises DatabaseUnusable, StoreFailed, FixturesUnusable.
    """
    folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="runware-mock-")))
    database = _database(settings, folder)
    prepare(database)
    database.check()
    if settings.content_url is not None or settings.fixtures is not None:
        # Proves the object storage, too.
        services = create_services(settings, SystemClock(), database)
        if settings.fixtures is not None:
            _seed(services, settings.fixtures)
    database.close()
    if settings.in_memory:
        cleanup.callback(_forget, settings, database)
    return folder


def shared_by_workers(settings: Settings, folder: Path) -> Common:
    """Return what one of several processes shares with the others, prepared in `folder`."""
    return Common(_database(settings, folder), folder)


def _database(settings: Settings, folder: Path | None = None) -> Database:
    """Return the database of these settings, which is in `folder` where it is to be forgotten."""
    is_shared = settings.workers > 1
    if settings.in_memory and folder is not None:
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


def open_blobs(settings: Settings, database: Database) -> Blobs:
    """Return where the bytes of pictures are kept; raises StoreFailed where they cannot be."""
    if settings.content_url is None:
        return Blobs(database)
    try:
        store = open_store(settings.content_url, folder_of(database), settings.content_timeout.total_seconds())
        store.prove()
    except StoreFailed as error:
        raise StoreFailed(f"cannot use the object storage {settings.content_url}: {error}") from error
    return Blobs(database, store)


def open_services(settings: Settings, clock: Clock, cleanup: ExitStack, common: Common | None = None) -> Services:
    """Return what tasks may ask for, of `common` or of a database of one's own; with what --fixtures names.

    Raises DatabaseUnusable, StoreFailed, FixturesUnusable.
    """
    if common is not None:
        cleanup.callback(common.database.close)
        return create_services(settings, clock, common.database)
    database = open_database(settings, cleanup)
    services = create_services(settings, clock, database)
    if settings.in_memory:
        cleanup.callback(_forget, settings, database)
    if settings.fixtures is not None:
        _seed(services, settings.fixtures)
    return services


def create_services(settings: Settings, clock: Clock, database: Database) -> Services:
    """Return what tasks may ask for; raises StoreFailed."""
    clocks, metrics = Clocks(clock), Metrics()
    faults = Faults(database, clocks)
    net = UrlFetcher(settings.fetch, settings.fetch_timeout, settings.max_message_bytes, settings.url_map)
    return Services(
        settings=settings,
        clocks=clocks,
        database=database,
        blobs=open_blobs(settings, database),
        accounts=Accounts(database, clocks, faults.names_plan, settings.api_keys(), seed=settings.seed),
        journal=Journal(settings.journal_entries, settings.journal_bytes, metrics),
        quotas=Quotas(settings, database),
        metrics=metrics,
        faults=faults,
        ids=RandomIds() if settings.seed is None else SeededIds(settings.seed),
        codec=Codec(
            settings.formats,
            Budget(settings.memory_budget(), settings.thread_count()),
            may_use_vips=settings.vips == "auto",
        ),
        fetch=net,
        send=net.send,
    )


def _seed(services: Services, fixtures: Path) -> None:
    from runware_mock.control.seeding import seed

    try:
        seed(services, fixtures, next(iter(services.settings.api_keys()), None))
    except ControlRefused as refused:
        raise FixturesUnusable(f"bad value for --fixtures: {refused.field}: {refused.message}") from None
    except Refusal as refusal:
        raise FixturesUnusable(f"cannot store what --fixtures names: {refusal.message}") from None


def _forget(settings: Settings, database: Database) -> None:
    with suppress(Refusal, StoreFailed):
        open_blobs(settings, database).clear()
