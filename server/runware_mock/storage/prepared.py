"""Statements of uploads and purges, compiled once: what SQLAlchemy does anew each time costs more than SQLite does.

They are written in `storage/statements`. What SQLAlchemy makes of them for SQLite lies in `sqlite.json` (`make
statements`), so that a server on SQLite need not import it until a control call comes.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from operator import itemgetter
from pathlib import Path
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from runware_mock.storage.connection import Connection

STATEMENTS = "runware_mock.storage.statements"
COMPILED_FILE = Path(__file__).with_name("sqlite.json")

# Puts the values of a statement in the order in which a driver takes them.
_Ordering = Callable[[Mapping[str, object]], Sequence[object]]


class CompiledStatement(Struct, array_like=True):
    """What a driver is given: the text, the values that the statement itself has, and the order of all that it takes.

    Where a driver takes them by their names there is no order.
    """

    text: str
    values: dict[str, str | int]
    order: list[str]


class Compiled(Struct):
    """All that SQLite is asked without SQLAlchemy: how tables are made, and the statements by their names."""

    tables: list[str]
    statements: dict[str, CompiledStatement]


SQLITE = msgspec.json.decode(COMPILED_FILE.read_bytes(), type=Compiled)


class Result(Protocol):
    """What such a statement tells; `lastrowid` is SQLite's alone."""

    @property
    def rowcount(self) -> int:
        """How many rows were written."""

    @property
    def lastrowid(self) -> int | None:
        """The id of the row that was written."""

    def first(self) -> Sequence[Any] | None:
        """Return the first row, and no other."""

    def scalar(self) -> Any:
        """Return the first value of the first row, and no other."""

    def all(self) -> Sequence[Sequence[Any]]:
        """Return every row."""


class _SqliteResult(sqlite3.Cursor):
    """The driver's own cursor, which is enough for SQLite; SQLAlchemy's takes four times as long."""

    def first(self) -> Sequence[Any] | None:
        row: Sequence[Any] | None = self.fetchone()
        # Until then the connection would go on seeing the database as it is now.
        self.close()
        return row

    def scalar(self) -> Any:
        row = self.first()
        return None if row is None else row[0]

    def all(self) -> Sequence[Sequence[Any]]:
        return self.fetchall()


class Prepared:
    """The statement `name` of a module of `storage/statements`, whose values go to the driver as they are."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._for_sqlite: tuple[str, _Ordering] | None = None
        self._for_others: CompiledStatement | None = None

    def __call__(self, connection: Connection, values: Mapping[str, object]) -> Result:
        """Run it."""
        result: Result
        if connection.driver is None:
            compiled = self._for_others or self._compile(connection)
            result = connection.core.exec_driver_sql(compiled.text, {**compiled.values, **values})
        else:
            text, ordered = self._for_sqlite or self._find()
            result = _SqliteResult(connection.driver).execute(text, ordered(values))
        return result

    def all(self, connection: Connection, values: Mapping[str, object]) -> Sequence[Sequence[Any]]:
        """Run it and return its rows."""
        return self(connection, values).all()

    def _find(self) -> tuple[str, _Ordering]:
        compiled = SQLITE.statements[self._name]
        self._for_sqlite = compiled.text, _ordering(compiled.order, compiled.values)
        return self._for_sqlite

    def _compile(self, connection: Connection) -> CompiledStatement:
        module, _, name = self._name.partition(".")
        statement = getattr(import_module(f"{STATEMENTS}.{module}"), name)
        self._for_others = CompiledStatement(*statement.compiled(connection.core.dialect))
        return self._for_others


def _ordering(names: Sequence[str], own: Mapping[str, object]) -> _Ordering:
    """Return what puts values in this order, together with those that a statement has itself."""
    if len(names) < 2:  # noqa: PLR2004 - of one name `itemgetter` makes no tuple
        return lambda values: [{**own, **values}[name] for name in names]
    ordered = itemgetter(*names)
    return (lambda values: ordered({**own, **values})) if own else ordered


def id_of(connection: Connection, inserted: Result) -> int | None:
    """Return the id of the row that an INSERT for it has made, or None where there was nothing to do."""
    if connection.driver is not None:
        return inserted.lastrowid if inserted.rowcount else None
    added: int | None = inserted.scalar()
    return added
