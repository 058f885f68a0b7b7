"""`runware-mock migrate` creates the database or brings it to this version's tables."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import inspect

from runware_mock.storage.migrations import HEAD
from runware_mock.storage.models import metadata
from tests.process import scenes
from tests.process.clients import fetched, rest
from tests.running import mock_process, run_command
from tests.stores import Store, store_of
from tests.talking import upload

pytestmark = pytest.mark.both_databases


@pytest.fixture
def empty(database: str, tmp_path: Path) -> Iterator[Store]:
    """Name a database that nobody has used: SQLite's is not even there."""
    with store_of(database, tmp_path / "new" / "folder", is_empty=True) as store:
        yield store


def migrate(store: Store) -> None:
    ended = run_command("migrate", *store.arguments)
    assert ended.returncode == 0
    assert ended.stdout == f"{store.name} is at version {HEAD}\n"
    assert ended.stderr == ""


def table_names(store: Store) -> set[str]:
    return set(inspect(store.engine).get_table_names())


def everything(store: Store) -> dict[str, list[tuple[object, ...]]]:
    return {name: store.rows(f"SELECT * FROM {name}") for name in table_names(store)}  # noqa: S608 - its own names


def test_a_fresh_database_gets_its_tables_and_a_file_is_made_if_need_be(empty: Store) -> None:
    migrate(empty)
    assert table_names(empty) == {*metadata.tables, "alembic_version"}


@pytest.mark.parametrize("is_relative", [False, True])
def test_an_address_may_name_a_file_of_sqlite(tmp_path: Path, *, is_relative: bool) -> None:
    file = tmp_path / "new" / "mine.db"
    named = os.path.relpath(file) if is_relative else str(file)
    ended = run_command("migrate", RUNWARE_MOCK_DATABASE_URL=f"sqlite:///{named}")
    assert (ended.stdout, ended.stderr) == (f"{named} is at version {HEAD}\n", "")
    assert file.exists()


def test_a_second_run_changes_nothing(empty: Store) -> None:
    migrate(empty)
    before = everything(empty)
    migrate(empty)
    assert everything(empty) == before


def test_an_empty_database_of_alembic_gets_its_tables(empty: Store) -> None:
    if not empty.is_postgres:
        Path(empty.name).parent.mkdir(parents=True)
    empty.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    migrate(empty)
    assert table_names(empty) == {*metadata.tables, "alembic_version"}


def test_a_server_starts_on_a_migrated_database_and_keeps_what_is_in_it(tmp_path: Path, empty: Store) -> None:
    migrate(empty)
    with mock_process(tmp_path, *empty.arguments) as server, rest(server.url) as talker:
        item = talker.ask(upload(scenes.small(1))).item
        migrate(empty)
        assert fetched(server.url, item["imageURL"]).content == scenes.small(1)
    migrate(empty)
    with mock_process(tmp_path, *empty.arguments) as server:
        assert fetched(server.url, item["imageURL"]).content == scenes.small(1)
