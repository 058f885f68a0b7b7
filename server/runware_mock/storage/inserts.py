"""INSERT for rows that others may insert at the same moment: SQLite and PostgreSQL write it alike, SQLAlchemy twice."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from sqlalchemy import Column, Connection, Table
from sqlalchemy.sql.dml import Insert

from runware_mock.storage.prepared import Result

_SQLITE = "sqlite"


def insert_unless_there(table: Table, column: str) -> Callable[[str], Insert]:
    """Return the INSERT that does nothing where a row has this value of a unique column, for the name of a dialect."""

    def make(dialect: str) -> Insert:
        return _telling_id(_insert(dialect)(table).on_conflict_do_nothing(index_elements=[column]), dialect)

    return cache(make)


def insert_for_id(added: Insert) -> Callable[[str], Insert]:
    """Return an INSERT whose row's id is asked for, for the name of a dialect."""
    return lambda dialect: _telling_id(added, dialect)


def id_of(connection: Connection, inserted: Result) -> int | None:
    """Return the id of the row that one of these has inserted, or None where there was nothing to do."""
    if connection.dialect.name == _SQLITE:
        return inserted.lastrowid if inserted.rowcount else None
    added: int | None = inserted.scalar()
    return added


def insert_or_count(connection: Connection, counter: "Column[int]", **values: int) -> Insert:
    """Return the INSERT of a row that holds a count of 1, or counts on where a row of its primary key is there."""
    table = counter.table
    keys = [column.name for column in table.primary_key]
    added = _insert(connection.dialect.name)(table).values({**values, counter.name: 1})
    counted: Insert = added.on_conflict_do_update(index_elements=keys, set_={counter.name: counter + 1})
    return counted


def _telling_id(added: Any, dialect: str) -> Insert:
    # SQLite tells it anyway, and older ones know no RETURNING.
    keys = added.table.primary_key.columns
    told: Insert = added if dialect == _SQLITE else added.returning(*keys)
    return told


def _insert(dialect: str) -> Any:
    # To import PostgreSQL's takes longer than to create a database.
    return import_module(f"sqlalchemy.dialects.{dialect}").insert
