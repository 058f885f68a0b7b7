"""The interface of the database: connections for reading, transactions for writing, and upkeep.

SQLite lets one transaction write at a time. PostgreSQL lets many, so a writer names the accounts whose rows it writes,
and two writers of one account take turns: whatever a task or a control call reads before it writes still holds when it
commits, and an account's journal is numbered in the order of the commits. Code that writes rows shared by accounts
guards them with a row lock or a unique index.
"""

import errno
import logging
import os
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, delete, insert, select
from sqlalchemy.exc import DatabaseError, InterfaceError, InternalError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.storage.models import secret

_log = logging.getLogger(__name__)

_P = ParamSpec("_P")
_T = TypeVar("_T")
_TRIES = 10
_AFTER_COMMIT = "runware_mock.after_commit"
# SQLite's words.
_DISK_FULL = "database or disk is full"

# Errors for what the machine lacks, as opposed to mistakes of ours.
_LACKS = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
_NO_MEMORY = "there is no memory left"
_IMPORT_FAILED = {
    **{why: f"the machine says: {why}" for why in map(os.strerror, (errno.EMFILE, errno.ENFILE))},
    **dict.fromkeys((os.strerror(errno.ENOMEM), "failed to map"), _NO_MEMORY),
}
_DATABASE_OUTAGES = (OperationalError, InternalError, InterfaceError, PoolTimeoutError)

# Instead of an account's id: all accounts, or all those without a clock of their own.
ALL_ACCOUNTS = 0
# Not an account, but `writing` takes it like one, so that only one purge runs at a time.
PURGER = -1


class DatabaseUnusable(Exception):
    """The database cannot be opened, or is not one of ours; the message is for the user."""


class Clashed(Exception):
    """Two transactions waited for each other, and this one was rolled back: run it again."""


class Database(ABC):
    """A database and its one `Engine`; `name` is how users know it, without a password.

    `is_shared` tells whether other processes write to it, too, so that nothing read from it may be kept in memory.

    The engine is in AUTOCOMMIT mode, in which SQLAlchemy sends no BEGIN of its own: a read is one statement without a
    transaction, and each kind of transaction begins with its own statement.
    """

    name: str
    is_shared: bool
    engine: Engine

    def reading(self) -> AbstractContextManager[Connection]:
        """Open a connection on which each statement sees what has been committed by then."""
        return self.engine.connect()

    @abstractmethod
    def viewing(self) -> AbstractContextManager[Connection]:
        """Open a read-only transaction: every statement sees what was committed when the first one ran."""

    @abstractmethod
    def writing(self, *account_ids: int) -> AbstractContextManager[Connection]:
        """Open a transaction that commits at the end of the block, or rolls back if that raises; raises Clashed.

        Until it ends, nobody else writes rows of these accounts; account 0 stands for all accounts.
        """

    @abstractmethod
    def migrating(self) -> AbstractContextManager[Connection]:
        """Open a transaction for all accounts that may recreate tables; raises DatabaseUnusable."""

    @contextmanager
    def _transaction(self, connection: Connection, begin: str) -> Iterator[Connection]:
        """Begin a transaction on a connection and commit it; closing the connection rolls back what did not commit."""
        connection.exec_driver_sql(begin)
        after_commit: list[Callable[[], None]] = []
        connection.info[_AFTER_COMMIT] = after_commit
        yield connection
        connection.commit()
        for act in after_commit:
            act()

    @abstractmethod
    def problem(self) -> str | None:
        """Return what keeps the database from being written, or None."""

    def shortage(self) -> str | None:
        """Return what will soon keep pictures from being stored, though the database can be written, or None."""
        return None

    def shrink(self, pages: int) -> bool:  # noqa: ARG002 - PostgreSQL does it by itself
        """Give up to `pages` free pages back to the file system; return whether there may be more."""
        return False

    def relieve(self) -> None:  # noqa: B027 - PostgreSQL does it by itself
        """Move the write-ahead log into the file while others write."""

    def checkpoint(self) -> None:  # noqa: B027 - PostgreSQL does it by itself
        """Move the write-ahead log into the file and truncate it, unless somebody is reading it."""

    def close(self) -> None:
        """Close every idle connection; the next one is opened anew."""
        self.engine.dispose()

    def check(self) -> None:
        """Raise DatabaseUnusable unless the database can be written, or at least read if its disk is full."""
        problem = self.problem()
        if problem == _DISK_FULL:
            # Stored media can still be read, and purged as soon as there is a little room.
            _log.warning("nothing can be stored in the database %s: %s", self.name, problem)
        elif problem:
            raise self.unusable(problem)

    def unusable(self, problem: str) -> DatabaseUnusable:
        """Return the error that says why this database cannot be used."""
        return DatabaseUnusable(f"cannot use the database {self.name}: {problem}")


def once_committed(connection: Connection, act: Callable[[], None]) -> None:
    """Call `act` once the transaction of `writing` has committed, and never if it rolls back."""
    connection.info[_AFTER_COMMIT].append(act)


def problem_of(error: SQLAlchemyError) -> str:
    """Return the driver's message in one line."""
    return " ".join(str(getattr(error, "orig", None) or error).split())


def retried(act: Callable[_P, _T]) -> Callable[_P, _T]:
    """Make a function run again when it clashes; its whole effect must be one transaction."""

    @wraps(act)
    def acted(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        for _ in range(_TRIES):
            try:
                return act(*args, **kwargs)
            except Clashed:
                continue
        return act(*args, **kwargs)

    return acted


def value_of(connection: Connection, name: str) -> bytes | None:
    """Return the value that this database stores under a name, or None."""
    return connection.scalar(select(secret.c.value).where(secret.c.name == name))


def store_value(connection: Connection, name: str, value: bytes) -> None:
    """Store a value under a name."""
    connection.execute(delete(secret).where(secret.c.name == name))
    connection.execute(insert(secret), {"name": name, "value": value})


def secret_of(database: Database, name: str, make: Callable[[], bytes]) -> bytes:
    """Return the value that this database stores under a name; the first process to ask stores what `make` returns."""
    with database.reading() as connection:
        value = value_of(connection, name)
    if value is None:
        with database.writing(ALL_ACCOUNTS) as connection:
            # Another process may have been faster.
            value = value_of(connection, name)
            if value is None:
                value = make()
                store_value(connection, name, value)
    return value


def outage_of(error: Exception) -> str | None:
    """Return in one line what the machine lacks, or None if the error has another cause."""
    if isinstance(error, MemoryError):
        return _NO_MEMORY
    if isinstance(error, OSError) and error.errno in _LACKS:
        return f"the machine says: {error.strerror}"
    # A late import may fail for the same reasons, but states them only in its text.
    if isinstance(error, ImportError):
        return next((told for why, told in _IMPORT_FAILED.items() if why in str(error)), None)
    # Python has no exception class for this.
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return "there is no room for another thread"
    if isinstance(error, SQLAlchemyError) and _is_outage(error):
        return f"the database cannot be used: {problem_of(error)}"
    return None


def _is_outage(error: SQLAlchemyError) -> bool:
    # sqlite3 raises DatabaseError itself for a damaged file, and OperationalError for a mistake in a statement, too.
    is_outage = isinstance(error, _DATABASE_OUTAGES) or type(error) is DatabaseError
    return is_outage and getattr(getattr(error, "orig", None), "sqlite_errorcode", None) != sqlite3.SQLITE_ERROR


def crash(error: Exception) -> Refusal:
    """Return the refusal that tells a client that the mock itself has failed, and why if the machine is the cause."""
    outage = outage_of(error)
    return refuse("mockInternalError", f"It says: {outage}." if outage else "Its log says more.")
