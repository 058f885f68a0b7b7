"""The tables: made at once on a fresh database, by migrations on an older one, and the same either way."""

import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Inspector, event, inspect
from sqlalchemy.engine.interfaces import ReflectedIndex
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from runware_mock.storage import media
from runware_mock.storage.database import Database
from runware_mock.storage.migrations import HEAD, migrate, prepare
from runware_mock.storage.models import metadata
from runware_mock.storage.sqlite import FILE_NAME
from tests.process import data_folder
from tests.running import clean_environment, mock_process
from tests.stores import Store, store_of

pytestmark = pytest.mark.both_databases

UUID = "8f14e45f-ceea-467f-a8d1-6b2f0c3e9a10"


@pytest.fixture
def empty(database: str, tmp_path: Path) -> Iterator[Store]:
    """Make a database without tables."""
    with store_of(database, tmp_path, is_empty=True) as store:
        yield store


@pytest.fixture
def created(empty: Store) -> Iterator[Database]:
    """Return a database whose tables were made at once."""
    with empty.opened() as opened:
        prepare(opened)
        yield opened


@pytest.fixture
def migrated(database: str, tmp_path: Path) -> Iterator[Database]:
    """Return a database whose tables were made by the migrations."""
    (tmp_path / "migrated").mkdir()
    with store_of(database, tmp_path / "migrated", is_empty=True) as store, store.opened() as opened:
        migrate(opened)
        yield opened


def described(inspector: Inspector, table: str) -> dict[str, Any]:
    """Return everything about a table that a migration can get wrong."""
    return {
        "columns": [{**column, "type": repr(column["type"])} for column in inspector.get_columns(table)],
        "primary key": inspector.get_pk_constraint(table),
        "foreign keys": sorted(inspector.get_foreign_keys(table), key=repr),
        "unique": sorted(inspector.get_unique_constraints(table), key=repr),
        "indexes": sorted(map(with_plain_options, inspector.get_indexes(table)), key=repr),
        "checks": inspector.get_check_constraints(table),
    }


def with_plain_options(index: ReflectedIndex) -> dict[str, Any]:
    """Write the condition of an index as text, which can be compared."""
    return {**index, "dialect_options": {name: str(value) for name, value in index.get("dialect_options", {}).items()}}


def all_described(connection: Connection) -> dict[str, dict[str, Any]]:
    inspector = inspect(connection)
    return {table: described(inspector, table) for table in inspector.get_table_names()}


def test_the_migrations_make_the_same_tables_as_a_fresh_start(created: Database, migrated: Database) -> None:
    with created.reading() as one, migrated.reading() as other:
        tables = all_described(one)
        assert tables.keys() == {*metadata.tables, "alembic_version"}
        assert all_described(other) == tables
        if one.dialect.name == "sqlite":
            # SQLite quotes the name of a table that a migration has renamed.
            stored = "SELECT type, name, tbl_name, replace(sql, '\"', '') FROM sqlite_master ORDER BY name"
            assert one.execute(sqlalchemy.text(stored)).all() == other.execute(sqlalchemy.text(stored)).all()


@pytest.mark.parametrize("made_by", ["created", "migrated"])
def test_alembic_finds_no_difference_to_the_tables_in_the_code(made_by: str, request: pytest.FixtureRequest) -> None:
    opened: Database = request.getfixturevalue(made_by)
    with opened.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_alembic_does_find_a_difference_where_there_is_one(created: Database) -> None:
    with created.writing() as connection:
        connection.execute(sqlalchemy.text("DROP INDEX ix_medium_last_used_at"))
    with created.reading() as connection:
        ((operation, index),) = compare_metadata(MigrationContext.configure(connection), metadata)
    assert (operation, index.name) == ("add_index", "ix_medium_last_used_at")


def test_head_is_the_newest_migration(created: Database, migrated: Database) -> None:
    with as_file(files("runware_mock.migrations")) as folder:
        script = ScriptDirectory(folder)
        assert script.get_heads() == [HEAD]
        # Versions are numbered without a gap, so that the newest one is the last in the folder.
        versions = sorted(revision.revision for revision in script.walk_revisions())
    assert versions == [f"{number:04}" for number in range(1, len(versions) + 1)]
    for opened in (created, migrated):
        with opened.reading() as connection:
            assert MigrationContext.configure(connection).get_current_revision() == HEAD


def test_an_error_of_the_database_names_no_values(created: Database) -> None:
    with pytest.raises(IntegrityError) as told, created.writing(1) as connection:
        # Neither the account nor the content is there.
        media.add(connection, 1, 1, UUID, 0, task_type="imageUpload")
    assert UUID not in str(told.value)


def test_a_medium_is_found_by_its_uuid_through_the_index(created: Database, empty: Store) -> None:
    asked: list[str] = []
    event.listen(created.engine, "before_cursor_execute", lambda _connection, _cursor, sql, *_: asked.append(sql))
    with created.viewing() as connection:
        if empty.is_postgres:
            # An empty table would be scanned.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        assert media.read_any(connection, UUID) is None
        explain, values = ("EXPLAIN", {"uuid_1": UUID}) if empty.is_postgres else ("EXPLAIN QUERY PLAN", (UUID,))
        plan = connection.exec_driver_sql(f"{explain} {asked[-1]}", values).all()
    assert "ix_medium_uuid" in str(plan)


def test_an_empty_database_that_alembic_has_touched_is_migrated(empty: Store) -> None:
    empty.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    with empty.opened() as opened:
        prepare(opened)
        with opened.reading() as connection_after:
            assert {*metadata.tables} < {*inspect(connection_after).get_table_names()}
            assert MigrationContext.configure(connection_after).get_current_revision() == HEAD


def test_a_migration_that_fails_leaves_the_database_as_it_was(empty: Store) -> None:
    empty.execute(
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
        "CREATE TABLE undelivered (stands INTEGER, in_the_way INTEGER)",
    )
    with empty.opened() as opened:
        with pytest.raises((OperationalError, ProgrammingError), match=r"undelivered.* already exists"):
            migrate(opened)
        with opened.reading() as connection_after:
            assert sorted(inspect(connection_after).get_table_names()) == ["alembic_version", "undelivered"]


_PREPARE = """
import sys
from pathlib import Path
from runware_mock.storage.sqlite import SqliteDatabase
from runware_mock.storage.migrations import prepare
database = SqliteDatabase(Path(sys.argv[1]))
prepare(database)
database.close()
print("alembic" in sys.modules)
"""


def prepared_with_alembic(folder: Path) -> bool:
    """Prepare the database in a new process; tell whether that imported Alembic."""
    program = [sys.executable, "-c", _PREPARE, str(folder / FILE_NAME)]
    ended = subprocess.run(program, check=True, capture_output=True, text=True, env=clean_environment())
    return ended.stdout == "True\n"


@pytest.mark.full
def test_alembic_is_imported_only_when_there_is_something_to_migrate(tmp_path: Path) -> None:
    assert not prepared_with_alembic(tmp_path), "a fresh database"
    assert not prepared_with_alembic(tmp_path), "a database at head"
    with data_folder.opened(tmp_path) as connection:
        connection.execute("DELETE FROM alembic_version")
        for table in reversed(metadata.sorted_tables):
            connection.execute(f"DROP TABLE {table.name}")
    assert prepared_with_alembic(tmp_path), "a database without tables"


@pytest.mark.full
def test_a_server_whose_database_is_at_head_starts_without_alembic(tmp_path: Path) -> None:
    with mock_process(tmp_path) as server:
        server.stop()
    with mock_process(tmp_path, PYTHONPROFILEIMPORTTIME="1") as server:
        imported = {line.rpartition("|")[2].strip() for line in server.started if line.startswith("import time:")}
    assert "runware_mock.storage.migrations" in imported
    assert not [name for name in imported if name.partition(".")[0] == "alembic"]
