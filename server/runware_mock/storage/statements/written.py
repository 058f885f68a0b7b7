"""A statement as it is written here, and as a driver is given it."""

from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import Delete, Dialect, Insert, Select, Update

_Statement = Delete | Insert | Select[Any] | Update


class Statement:
    """A statement to be compiled once; `columns` are those that an insert or update is given.

    One that each database writes in its own way is a function of the dialect's name.
    """

    def __init__(self, statement: _Statement | Callable[[str], _Statement], columns: Collection[str] = ()) -> None:
        self._statement = statement
        self._columns = list(columns) or None

    def compiled(self, dialect: Dialect) -> tuple[str, dict[str, Any]]:
        """Return its text, and the values that it has itself."""
        kind: Any = type(dialect)
        # Of the styles that drivers know, the two that take values by name.
        named = kind(paramstyle="named" if dialect.name == "sqlite" else "pyformat")
        compiled: Any = self.written(dialect.name).compile(dialect=named, column_keys=self._columns)
        return str(compiled), {
            name: value for name, value in compiled.params.items() if not compiled.binds[name].required
        }

    def written(self, dialect: str) -> _Statement:
        """Return the statement as SQLAlchemy has it."""
        return self._statement(dialect) if callable(self._statement) else self._statement
