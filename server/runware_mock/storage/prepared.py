"""Statements that every upload runs, compiled once: what SQLAlchemy does anew each time costs more than SQLite does."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from sqlalchemy import Connection, CursorResult, Insert, Select, Update

_Statement = Insert | Select[Any] | Update


class Prepared:
    """A statement whose values go to the driver as they are; `columns` are those that an insert is given.

    One that each database writes in its own way is a function of the dialect's name.
    """

    def __init__(self, statement: _Statement | Callable[[str], _Statement], columns: Collection[str] = ()) -> None:
        self._statement = statement
        self._columns = list(columns) or None
        self._compiled: dict[str, tuple[str, Mapping[str, object]]] = {}

    def __call__(self, connection: Connection, values: Mapping[str, object]) -> CursorResult[*tuple[Any, ...]]:
        """Run it."""
        text, literals = self._compiled.get(connection.dialect.name) or self._compile(connection)
        return connection.exec_driver_sql(text, {**literals, **values})

    def _compile(self, connection: Connection) -> tuple[str, Mapping[str, object]]:
        kind: Any = type(connection.dialect)
        # Of the styles that drivers know, the two that take values by name.
        dialect = kind(paramstyle="named" if connection.dialect.name == "sqlite" else "pyformat")
        statement = self._statement(connection.dialect.name) if callable(self._statement) else self._statement
        compiled = statement.compile(dialect=dialect, column_keys=self._columns)
        literals = {name: value for name, value in compiled.params.items() if value is not None}
        self._compiled[connection.dialect.name] = str(compiled), literals
        return self._compiled[connection.dialect.name]
