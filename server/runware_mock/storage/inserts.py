"""INSERT for rows that others may insert at the same moment: SQLite and PostgreSQL write it alike, SQLAlchemy twice."""

from functools import cache
from importlib import import_module
from typing import Any

from sqlalchemy import Column, Connection, CursorResult, Table
from sqlalchemy.sql.dml import Insert


def insert_unless_there(connection: Connection, table: Table, column: str) -> Insert:
    """Return the INSERT that does nothing where a row has this value of a unique column already."""
    return _unless_there(connection.dialect.name, table, column)


def id_of(connection: Connection, inserted: CursorResult[Any]) -> int | None:
    """Return the id of the row that was inserted, or None where there was nothing to do."""
    if connection.dialect.name == "sqlite":
        return int(inserted.lastrowid) if inserted.rowcount else None
    key = inserted.inserted_primary_key
    return int(key[0]) if key else None


def insert_or_count(connection: Connection, counter: "Column[int]", **values: int) -> Insert:
    """Return the INSERT of a row that holds a count of 1, or counts on where a row of its primary key is there."""
    table = counter.table
    keys = [column.name for column in table.primary_key]
    added = _insert(connection.dialect.name)(table).values({**values, counter.name: 1})
    counted: Insert = added.on_conflict_do_update(index_elements=keys, set_={counter.name: counter + 1})
    return counted


@cache
def _unless_there(dialect: str, table: Table, column: str) -> Insert:
    added: Insert = _insert(dialect)(table).on_conflict_do_nothing(index_elements=[column])
    return added


def _insert(dialect: str) -> Any:
    # To import PostgreSQL's takes longer than to create a database.
    return import_module(f"sqlalchemy.dialects.{dialect}").insert
