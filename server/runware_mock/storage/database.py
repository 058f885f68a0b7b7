"""The database as everybody else sees it: transactions, and what a file of it needs now and then.

SQLite lets one transaction write at a time. PostgreSQL lets many, so that whoever writes says whose rows they are, and
two who write those of one account take turns: whatever an account's tasks and control calls read before they write is
still so when they commit, and its journal is numbered in the order of the commits. What accounts share is guarded where
it is written: by a row's lock, or by a unique index.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import ParamSpec, TypeVar

from runware_mock.storage.connection import Connection

_P = ParamSpec("_P")
_T = TypeVar("_T")
_TRIES = 10

# No account, but may be given to `writing` like one: only one at a time purges.
PURGER = -1


class DatabaseUnusable(Exception):
    """The database cannot be opened or is not one of ours; the message is for the user."""


class Clashed(Exception):
    """Two transactions waited for one another and this one was given up: nothing of it was done, do it again."""


class Database(ABC):
    """A database; `name` tells a user which, without a password, and `failure` is what its connections raise.

    `is_shared` tells that other processes write to it, so that even what is asked often has to be looked up.
    """

    name: str
    is_shared: bool
    failure: type[Exception]

    @abstractmethod
    def reading(self) -> AbstractContextManager[Connection]:
        """Open a connection on which each statement sees what is committed."""

    @abstractmethod
    def viewing(self) -> AbstractContextManager[Connection]:
        """Open a connection on which every statement sees what was committed when the first one ran."""

    @abstractmethod
    def writing(self, *account_ids: int) -> AbstractContextManager[Connection]:
        """Open a transaction that commits at the end of the block, or leaves nothing; raises Clashed.

        Until then nobody else writes what belongs to these accounts; account 0 stands for all of them.
        """

    @abstractmethod
    def migrating(self) -> AbstractContextManager[Connection]:
        """Open a transaction in which tables may be made anew, for all accounts; raises DatabaseUnusable."""

    @abstractmethod
    def problem(self) -> str | None:
        """Return what keeps the database from being written, or None."""

    def shortage(self) -> str | None:
        """Return what will soon keep a picture from being stored, though the database can be written."""
        return None

    @abstractmethod
    def shrink(self, pages: int) -> bool:
        """Give up to `pages` free pages back to the file system; tell whether there may be more."""

    @abstractmethod
    def relieve(self) -> None:
        """Move the write-ahead log into the file while others write; the one after them begins it anew."""

    @abstractmethod
    def checkpoint(self) -> None:
        """Move the write-ahead log into the file and cut it, if nobody is in the way."""

    @abstractmethod
    def close(self) -> None:
        """Close every connection; the next one is opened anew."""

    def check(self) -> None:
        """Prove that the database can be written; raises DatabaseUnusable."""
        if problem := self.problem():
            raise self.unusable(problem)

    def unusable(self, problem: str) -> DatabaseUnusable:
        """Return the error that tells why this database is of no use."""
        return DatabaseUnusable(f"cannot use the database {self.name}: {problem}")


def begun(connection: Connection) -> list[Callable[[], None]]:
    """Return what is to be done once a transaction is committed, which may still grow."""
    connection.then = []
    return connection.then


def once_committed(connection: Connection, act: Callable[[], None]) -> None:
    """Do something when what a connection of `writing` writes is committed, and never where it is not."""
    connection.then.append(act)


def problem_of(error: Exception) -> str:
    """Return what a driver has to say, in one line."""
    return " ".join(str(getattr(error, "orig", error)).split())


def retried(act: Callable[_P, _T]) -> Callable[_P, _T]:
    """Do again what has clashed; `act` is a function whose whole effect is one transaction."""

    @wraps(act)
    def acted(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        for _ in range(_TRIES):
            try:
                return act(*args, **kwargs)
            except Clashed:
                continue
        return act(*args, **kwargs)

    return acted
