"""INSERT for rows that others may insert at the same moment: SQLite and PostgreSQL write it alike, SQLAlchemy twice."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from sqlalchemy import Column, Table, bindparam
from sqlalchemy.sql.dml import Insert


def insert_unless_there(table: Table, column: str) -> Callable[[str], Insert]:
    """Return the INSERT that does nothing where a row has this value of a unique column, for the name of a dialect."""
    return lambda dialect: _telling_id(_insert(dialect)(table).on_conflict_do_nothing(index_elements=[column]), dialect)


def insert_for_id(added: Insert) -> Callable[[str], Insert]:
    """Return an INSERT whose row's id is asked for, for the name of a dialect."""
    return lambda dialect: _telling_id(added, dialect)


def insert_or_count(counter: "Column[int]") -> Callable[[str], Insert]:
    """Return the INSERT of a row that holds a count of 1, or counts on where a row of its primary key is there.

    For the name of a dialect; its parameters are called as the columns of the primary key.
    """
    keys = [column.name for column in counter.table.primary_key]

    def make(dialect: str) -> Insert:
        added = _insert(dialect)(counter.table).values({counter.name: 1, **{key: bindparam(key) for key in keys}})
        counted: Insert = added.on_conflict_do_update(index_elements=keys, set_={counter.name: counter + 1})
        return counted

    return make


def _telling_id(added: Any, dialect: str) -> Insert:
    # SQLite tells it anyway, and older ones know no RETURNING.
    keys = added.table.primary_key.columns
    told: Insert = added if dialect == "sqlite" else added.returning(*keys)
    return told


def _insert(dialect: str) -> Any:
    return import_module(f"sqlalchemy.dialects.{dialect}").insert
