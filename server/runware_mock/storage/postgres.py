"""A PostgreSQL database, 13 or newer, to which many processes write at once. Imported only if one is configured."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

from psycopg.types.string import StrDumperUnknown
from sqlalchemy import Connection, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError

from runware_mock.settings import without_secrets
from runware_mock.storage.database import ALL_ACCOUNTS, Clashed, Database, DatabaseUnusable, problem_of

# serialization_failure and deadlock_detected.
_CLASHES = ("40001", "40P01")
# The server allows 100 connections by default: enough for eight processes, and none holds one for long.
_CONNECTIONS = 10
_OLDEST = 130_000
_SERVER = text(
    "SELECT current_setting('server_version_num'), current_setting('server_encoding'),"
    " current_setting('transaction_read_only')"
)
# No statement or transaction takes a second. One that waits longer than these limits fails; the server ends that of a
# process that hangs, and frees its locks.
_SESSION = "SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = '60s'; SET statement_timeout = {}"
_STATEMENT_TIMEOUT_S = 35.0
# Notice within half a minute, not hours, that a server has vanished. The database's URL may override these.
_CONNECT = {
    "application_name": "runware-mock",
    "client_encoding": "utf8",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
# Advisory locks are numbers that all users of a database share: ours begin with these four letters.
_LOCKS = int.from_bytes(b"RWMk") << 32


class PostgresDatabase(Database):
    """Connections to the database at `url`, such as `postgresql+psycopg://user:password@host/name`."""

    is_shared = True

    def __init__(self, url: str, statement_timeout_s: float = _STATEMENT_TIMEOUT_S) -> None:
        self.name = without_secrets(url)
        try:
            address = make_url(url).set(drivername="postgresql+psycopg")
            self.engine = create_engine(
                address,
                isolation_level="AUTOCOMMIT",
                pool_size=_CONNECTIONS,
                max_overflow=0,
                # Replaces a connection that the server has closed before it is used.
                pool_pre_ping=True,
                hide_parameters=True,
                connect_args={name: value for name, value in _CONNECT.items() if name not in address.query},
            )
        except (ArgumentError, ValueError):
            # The error's own message may contain the password.
            raise DatabaseUnusable(f"--database-url {self.name} is not the address of a database") from None
        session = _SESSION.format(round(1000 * statement_timeout_s))
        event.listen(self.engine, "connect", partial(_on_connect, session))

    def viewing(self) -> AbstractContextManager[Connection]:
        """Open a read-only transaction: every statement sees what was committed when the first one ran."""
        return self._begun("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    def writing(self, *account_ids: int) -> AbstractContextManager[Connection]:
        """Open a transaction that commits at the end of the block, or leaves nothing; raises Clashed."""
        # READ COMMITTED: each statement takes a new snapshot, so that reads see what the locks' last owners committed.
        return self._begun("BEGIN ISOLATION LEVEL READ COMMITTED" + _locking(account_ids))

    def migrating(self) -> AbstractContextManager[Connection]:
        """Open a transaction that may recreate tables, as any transaction of PostgreSQL may."""
        return self.writing(ALL_ACCOUNTS)

    @contextmanager
    def _begun(self, begin: str) -> Iterator[Connection]:
        try:
            with self.engine.connect() as connection, self._transaction(connection, begin):
                yield connection
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) in _CLASHES:
                raise Clashed from error
            raise

    def problem(self) -> str | None:
        """Return what keeps the database from being written, or None."""
        try:
            with self.writing() as connection:
                version, encoding, is_read_only = connection.execute(_SERVER).one()
        except SQLAlchemyError as error:
            return problem_of(error)
        if int(version) < _OLDEST:
            return f"its server is older than PostgreSQL {_OLDEST // 10_000}"
        if encoding != "UTF8":
            return f"its encoding is {encoding}, not UTF8"
        return "it can only be read" if is_read_only == "on" else None


def _locking(account_ids: tuple[int, ...]) -> str:
    """Return the SQL that locks accounts; sent together with BEGIN, it costs no further round trip.

    A writer for some accounts shares the lock of account 0; a writer for all accounts holds it alone. Locks are taken
    in the order of their numbers, before anything else, so that there is no deadlock.
    """
    if not account_ids:
        return ""
    locks = sorted({*account_ids, ALL_ACCOUNTS})
    return "".join(
        f"; SELECT pg_advisory_xact_lock{'' if one in account_ids else '_shared'}({_LOCKS + one})" for one in locks
    )


class _TextDumper(StrDumperUnknown):
    """Sends text without NUL, which clients may send, but PostgreSQL cannot store."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\0", "\ufffd"))


def _on_connect(session: str, connection: Any, _record: object) -> None:
    connection.adapters.register_dumper(str, _TextDumper)
    connection.execute(session)
