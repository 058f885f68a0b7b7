"""Statements of uploads and purges, compiled once: what SQLAlchemy does anew each time costs more than SQLite does."""

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import methodcaller
from typing import Any, Protocol

from sqlalchemy import Connection, Delete, Insert, Select, Update
from sqlalchemy.exc import DBAPIError

_Statement = Delete | Insert | Select[Any] | Update
_SQLITE = "sqlite"


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
    """A statement whose values go to the driver as they are; `columns` are those that an insert is given.

    One that each database writes in its own way is a function of the dialect's name.
    """

    def __init__(self, statement: _Statement | Callable[[str], _Statement], columns: Collection[str] = ()) -> None:
        self._statement = statement
        self._columns = list(columns) or None
        self._compiled: dict[str, tuple[str, Mapping[str, object]]] = {}

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
        dialect = connection.dialect.name
        text, literals = self._compiled.get(dialect) or self._compile(connection)
        given = {**literals, **values} if literals else values
        if dialect != _SQLITE:
            return connection.exec_driver_sql(text, dict(given))
        driver: Any = connection.connection.driver_connection
        try:
            cursor = driver.execute(text, given)
            try:
                return taken(cursor)
            finally:
                # Until then the connection would go on seeing the database as it is now.
                cursor.close()
        except sqlite3.Error as error:
            raise DBAPIError.instance(text, None, error, sqlite3.Error, hide_parameters=True) from error

    def _compile(self, connection: Connection) -> tuple[str, Mapping[str, object]]:
        kind: Any = type(connection.dialect)
        # Of the styles that drivers know, the two that take values by name.
        dialect = kind(paramstyle="named" if connection.dialect.name == _SQLITE else "pyformat")
        statement = self._statement(connection.dialect.name) if callable(self._statement) else self._statement
        compiled = statement.compile(dialect=dialect, column_keys=self._columns)
        literals = {name: value for name, value in compiled.params.items() if value is not None}
        self._compiled[connection.dialect.name] = str(compiled), literals
        return self._compiled[connection.dialect.name]
