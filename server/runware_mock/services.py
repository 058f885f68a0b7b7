"""The services that tasks use, created from the settings, and the caller that a task runs for."""

from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Literal

from msgspec import Struct
from sqlalchemy import Connection

from runware_mock.clock import Clock, in_ms
from runware_mock.faults.matching import Faults
from runware_mock.faults.plans import has_plan
from runware_mock.faults.scripted import Given
from runware_mock.images.codec import Codec
from runware_mock.images.fetch import Fetch, Send, UrlFetcher
from runware_mock.images.limits import Budget
from runware_mock.metrics import Metrics
from runware_mock.quotas import Quotas
from runware_mock.settings import Settings
from runware_mock.storage.accounts import Account, Accounts, new_uuid
from runware_mock.storage.blobs import Blobs, StoreFailed, open_blobs
from runware_mock.storage.clocks import Clocks
from runware_mock.storage.database import ALL_ACCOUNTS, Database, DatabaseUnusable
from runware_mock.storage.journal import Journal
from runware_mock.storage.media import Moment
from runware_mock.storage.migrations import prepare
from runware_mock.storage.sqlite import FILE_NAME, SqliteDatabase, temporary_folder

_SQLITE = "sqlite:///"
# What keeps services from being created; the message of each is for the user.
UNUSABLE = (DatabaseUnusable, StoreFailed)


class Services(Struct, frozen=True):
    """Everything that a task needs from outside."""

    settings: Settings
    clocks: Clocks
    database: Database
    blobs: Blobs
    accounts: Accounts
    codec: Codec
    faults: Faults
    journal: Journal
    quotas: Quotas
    metrics: Metrics
    fetch: Fetch
    send: Send
    # What a rule gives to the one task that these services are for.
    given: Given | None = None

    def refresh(self) -> None:
        """Load what control calls have changed, here or in another process."""
        with self.database.reading() as connection:
            self.clocks.refresh(connection)

    def new_uuid(self, connection: Connection, account_id: int) -> str:
        """Return a UUID v4 that no medium has."""
        return new_uuid(connection, account_id, self.settings.seed)

    def now_at(self, account_id: int = ALL_ACCOUNTS) -> int:
        """Return the time on an account's clock."""
        return self.clocks.now_at(account_id)

    def moment(self, account_id: int = ALL_ACCOUNTS) -> Moment:
        """Return an account's present instant, and the cutoff of last uses that have expired by then."""
        now_at = self.now_at(account_id)
        return Moment(now_at, now_at - in_ms(self.settings.retention))


class Caller(Struct, frozen=True):
    """The client behind a task.

    `base_url` is the server's address as the client knows it, `client` its SDK, `plan` the fault plan that it names.
    """

    account: Account
    transport: Literal["rest", "ws"]
    base_url: str
    dry_run: bool = False
    client: str | None = None
    plan: str | None = None


def create_services(settings: Settings, clock: Clock, database: Database) -> Services:
    """Return the services that tasks use; raises StoreFailed."""
    clocks, metrics = Clocks(clock), Metrics()
    faults = Faults(database, clocks)
    net = UrlFetcher(settings.fetch, settings.fetch_timeout, settings.max_message_bytes, settings.url_map)
    return Services(
        settings=settings,
        clocks=clocks,
        database=database,
        blobs=open_blobs(settings, database),
        accounts=Accounts(database, clocks, has_plan, settings.api_keys(), seed=settings.seed),
        journal=Journal(settings.journal_entries, settings.journal_bytes, metrics),
        quotas=Quotas(settings, database),
        metrics=metrics,
        faults=faults,
        codec=Codec(
            settings.formats,
            Budget(settings.memory_budget(), settings.thread_count()),
            may_use_vips=settings.vips == "auto",
            timeout=settings.decode_timeout,
        ),
        fetch=net,
        send=net.send,
    )


def open_database(settings: Settings, cleanup: ExitStack) -> Database:
    """Open the database of these settings and migrate it to this version; raises DatabaseUnusable."""
    folder = cleanup.enter_context(temporary_folder()) if settings.in_memory else None
    database = database_of(settings, folder)
    cleanup.callback(database.close)
    prepare(database)
    database.check()
    return database


def database_of(settings: Settings, folder: Path | None = None) -> Database:
    """Return the database of these settings, unopened; `folder` is where a temporary one is kept.

    Raises DatabaseUnusable.
    """
    url = settings.database_url
    if url is not None and not url.startswith(_SQLITE):
        try:
            from runware_mock.storage.postgres import PostgresDatabase
        except ImportError as error:
            hint = "--database-url needs the extra postgres: run pip install '.[postgres]' in the checkout"
            raise DatabaseUnusable(f"{hint}: {error}") from error
        return PostgresDatabase(url)
    durability = "FULL" if settings.durable else "NORMAL"
    file = settings.data_dir / FILE_NAME if url is None else Path(url.removeprefix(_SQLITE))
    if settings.in_memory and folder is not None:
        file, durability = folder / FILE_NAME, "OFF"
    try:
        # Only for its owner, like the files that SQLite creates beside it.
        file.parent.mkdir(0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnusable(f"cannot use the data folder {file.parent}: {error.strerror}") from error
    # A file that cannot be created is reported when it is opened.
    with suppress(OSError):
        file.touch(0o600)
    return SqliteDatabase(file, durability, is_shared=settings.workers > 1)
