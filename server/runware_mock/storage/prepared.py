"""Statements of uploads and purges, compiled once: what SQLAlchemy does anew each time costs more than SQLite does.

They are written in `storage/statements`. What SQLAlchemy makes of them for SQLite lies in `sqlite.json` (`make
statements`), so that a server on SQLite need not import it until a control call comes.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from operator import methodcaller
from pathlib import Path
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from runware_mock.storage.connection import Connection

STATEMENTS = "runware_mock.storage.statements"
COMPILED_FILE = Path(__file__).with_name("sqlite.json")


class CompiledStatement(Struct, array_like=True):
    """What a driver is given: the text, and the values that the statement itself has."""

    text: str
    values: dict[str, str | int]


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
        """Return the first row."""

    def scalar(self) -> Any:
        """Return the first value of the first row."""


class _SqliteResult:
    """What a cursor of the driver tells, which is enough for SQLite; SQLAlchemy's own takes four times as long."""

    __slots__ = ("_row", "lastrowid", "rowcount")

    def __init__(self, cursor: Any) -> None:
        self._row: Sequence[Any] | None = cursor.fetchone()
        self.rowcount: int = cursor.rowcount
        self.lastrowid: int | None = cursor.lastrowid

    def first(self) -> Sequence[Any] | None:
        return self._row

    def scalar(self) -> Any:
        return None if self._row is None else self._row[0]


class Prepared:
    """The statement `name` of a module of `storage/statements`, whose values go to the driver as they are."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._for_sqlite: CompiledStatement | None = None
        self._for_others: CompiledStatement | None = None

    def __call__(self, connection: Connection, values: Mapping[str, object]) -> Result:
        """Run it."""
        result: Result = self._run(connection, values, _SqliteResult)
        return result

    def all(self, connection: Connection, values: Mapping[str, object]) -> Sequence[Sequence[Any]]:
        """Run it and return its rows."""
        rows = self._run(connection, values, methodcaller("fetchall"))
        return rows if isinstance(rows, list) else rows.all()

    def _run(self, connection: Connection, values: Mapping[str, object], taken: Callable[[Any], Any]) -> Any:
        """Run it and return what is taken from SQLite's cursor, or SQLAlchemy's result of another database."""
        if connection.driver is None:
            compiled = self._for_others or self._compile(connection)
            return connection.core.exec_driver_sql(compiled.text, {**compiled.values, **values})
        compiled = self._for_sqlite or self._find()
        cursor = connection.driver.execute(compiled.text, {**compiled.values, **values} if compiled.values else values)
        try:
            return taken(cursor)
        finally:
            # Until then the connection would go on seeing the database as it is now.
            cursor.close()

    def _find(self) -> CompiledStatement:
        self._for_sqlite = SQLITE.statements[self._name]
        return self._for_sqlite

    def _compile(self, connection: Connection) -> CompiledStatement:
        module, _, name = self._name.partition(".")
        statement = getattr(import_module(f"{STATEMENTS}.{module}"), name)
        self._for_others = CompiledStatement(*statement.compiled(connection.core.dialect))
        return self._for_others


def id_of(connection: Connection, inserted: Result) -> int | None:
    """Return the id of the row that an INSERT for it has made, or None where there was nothing to do."""
    if connection.driver is not None:
        return inserted.lastrowid if inserted.rowcount else None
    added: int | None = inserted.scalar()
    return added
