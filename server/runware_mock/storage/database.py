"""The database as all others see it: connections to read with, transactions to write in, and its upkeep.

SQLite lets one transaction write at a time. PostgreSQL lets many, so a writer names the accounts whose rows it writes,
and two writers of one account take turns: whatever a task or a control call reads before it writes still holds when it
commits, and an account's journal is numbered in the order of the commits. Rows that accounts share are guarded where
they are written, by a row lock or a unique index.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

_P = ParamSpec("_P")
_T = TypeVar("_T")
_TRIES = 10
_AFTER_COMMIT = "runware_mock.after_commit"

# Stands in place of an account's id where all accounts are meant, or all that have no clock of their own.
ALL_ACCOUNTS = 0
# No account, but may be given to `writing` like one: only one purge runs at a time.
PURGER = -1


class DatabaseUnusable(Exception):
    """The database cannot be opened or is not one of ours; the message is for the user."""


class Clashed(Exception):
    """Two transactions waited for one another and this one was rolled back: run it again."""


class Database(ABC):
    """A database and its one `Engine`; `name` is what a user knows it by, without a password.

    `is_shared` tells whether other processes write to it too, so that nothing read from it may be kept in memory.

    The engine is in AUTOCOMMIT mode, in which SQLAlchemy sends no BEGIN of its own: a read is one statement without a
    transaction around it, and each kind of transaction begins with the statement that it needs.
    """

    name: str
    is_shared: bool
    engine: Engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a connection on which each statement sees what is committed by then."""
        with self.engine.connect() as connection:
            yield connection

    @abstractmethod
    def viewing(self) -> AbstractContextManager[Connection]:
        """Open a read-only transaction: every statement sees what was committed when the first one ran."""

    @abstractmethod
    def writing(self, *account_ids: int) -> AbstractContextManager[Connection]:
        """Open a transaction that commits at the end of the block, or rolls back if that raises; raises Clashed.

        Until then nobody else writes rows of these accounts; account 0 stands for all of them.
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
        """Return what will soon keep a picture from being stored, though the database can be written."""
        return None

    @abstractmethod
    def shrink(self, pages: int) -> bool:
        """Give up to `pages` free pages back to the file system; return whether there may be more."""

    @abstractmethod
    def relieve(self) -> None:
        """Do what has to be done now and then beside those who write."""

    @abstractmethod
    def checkpoint(self) -> None:
        """Move the write-ahead log into the file and truncate it, unless somebody is reading it."""

    def close(self) -> None:
        """Close every idle connection; the next one is opened anew."""
        self.engine.dispose()

    def check(self) -> None:
        """Prove that the database can be written; raises DatabaseUnusable."""
        if problem := self.problem():
            raise self.unusable(problem)

    def unusable(self, problem: str) -> DatabaseUnusable:
        """Return the error that tells why this database is of no use."""
        return DatabaseUnusable(f"cannot use the database {self.name}: {problem}")


def once_committed(connection: Connection, act: Callable[[], None]) -> None:
    """Call `act` once the transaction of `writing` has committed, and never if it rolls back."""
    connection.info[_AFTER_COMMIT].append(act)


def problem_of(error: SQLAlchemyError) -> str:
    """Return the driver's message in one line."""
    return " ".join(str(getattr(error, "orig", None) or error).split())


def retried(act: Callable[_P, _T]) -> Callable[_P, _T]:
    """Run a function again when it clashes; its whole effect has to be one transaction."""

    @wraps(act)
    def acted(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        for _ in range(_TRIES):
            try:
                return act(*args, **kwargs)
            except Clashed:
                continue
        return act(*args, **kwargs)

    return acted
