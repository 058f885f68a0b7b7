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

    def compiled(self, dialect: Dialect) -> tuple[str, dict[str, Any], list[str]]:
        """Return its text, the values that it has itself, and the order of all that it takes, if they have no names."""
        kind: Any = type(dialect)
        # SQLite's driver looks for each name in the values: a sixth of what it takes for a small upload.
        styled = kind(paramstyle="qmark" if dialect.name == "sqlite" else "pyformat")
        compiled: Any = self.written(dialect.name).compile(dialect=styled, column_keys=self._columns)
        own = {name: value for name, value in compiled.params.items() if not compiled.binds[name].required}
        return str(compiled), own, compiled.positiontup or []

    def written(self, dialect: str) -> _Statement:
        """Return the statement as SQLAlchemy has it."""
        return self._statement(dialect) if callable(self._statement) else self._statement
