"""What the statements of an upload meet is told in the same words by every database."""

import sqlite3
from pathlib import Path
from typing import Any, NoReturn

import pytest
from sqlalchemy import Select, insert, select, text
from sqlalchemy.exc import ProgrammingError

from runware_mock.storage import media, tables
from runware_mock.storage.connection import Connection
from runware_mock.storage.schema import prepare
from runware_mock.storage.statements import media as written
from tests.stores import DATABASES, INTEGRITY_ERRORS, store_of

UUID = "8f14e45f-ceea-467f-a8d1-6b2f0c3e9a10"


@pytest.mark.parametrize("kind", DATABASES)
def test_a_row_that_cannot_be_is_an_integrity_error(kind: str, tmp_path: Path) -> None:
    with store_of(kind, tmp_path) as store, store.opened() as database:
        prepare(database)
        with pytest.raises(INTEGRITY_ERRORS) as told, database.writing(1) as connection:
            # Neither the account nor the content is there.
            media.add(connection, 1, 1, UUID, 0, task_type="imageUpload")
        assert UUID not in str(told.value)
        assert store.rows("SELECT count(*) FROM medium") == [(0,)]


@pytest.mark.parametrize("kind", DATABASES)
def test_a_table_that_is_gone_is_an_error_of_the_database(kind: str, tmp_path: Path) -> None:
    with (
        store_of(kind, tmp_path, is_empty=True) as store,
        store.opened() as database,
        pytest.raises((sqlite3.OperationalError, ProgrammingError), match="medium"),
        database.writing(1) as connection,
    ):
        media.add(connection, 1, 1, UUID, 0, task_type="imageUpload")


def spoil(connection: Connection) -> NoReturn:
    connection.core.execute(insert(tables.secret), {"name": "first", "value": b""})
    # Nothing can be undone on a connection that is closed.
    connection.driver.close()
    raise OSError("no")


def test_what_could_not_be_undone_is_not_in_the_way_of_what_is_written_next(tmp_path: Path) -> None:
    with store_of("sqlite", tmp_path) as store, store.opened() as database:
        prepare(database)
        with pytest.raises(OSError, match="no"), database.writing(1) as connection:
            spoil(connection)
        with database.writing(1) as connection:
            connection.core.execute(insert(tables.secret), {"name": "second", "value": b""})
        assert store.rows("SELECT name FROM secret WHERE value = x''") == [("second",)]


@pytest.mark.parametrize(
    "statement", [written.SERVED.written("any"), select(tables.medium.c.id).where(written.named(UUID, UUID))]
)
@pytest.mark.parametrize("kind", DATABASES)
def test_a_medium_is_found_by_its_uuid_through_the_index(kind: str, statement: Select[Any], tmp_path: Path) -> None:
    with store_of(kind, tmp_path) as store, store.opened() as database:
        prepare(database)
        with database.viewing() as connection:
            given = statement.params({"uuid": UUID})
            compiled = given.compile(connection.core, compile_kwargs={"literal_binds": True})
            if store.is_postgres:
                # An empty table would be looked through.
                connection.core.execute(text("SET LOCAL enable_seqscan = off"))
            explain = "EXPLAIN" if store.is_postgres else "EXPLAIN QUERY PLAN"
            plan = connection.core.execute(text(f"{explain} {compiled}")).all()
    assert "ix_medium_uuid" in str(plan)
