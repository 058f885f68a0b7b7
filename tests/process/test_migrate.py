"""`runware-mock migrate` creates the database or brings it to this version's tables."""

from pathlib import Path

from runware_mock.storage.database import FILE_NAME
from runware_mock.storage.schema import HEAD
from runware_mock.storage.tables import metadata
from tests.process import data_folder, scenes
from tests.process.clients import fetched, rest
from tests.running import mock_process, run_command
from tests.talking import upload


def migrate(folder: Path) -> None:
    ended = run_command("migrate", "--data-dir", str(folder))
    assert ended.returncode == 0
    assert ended.stdout == f"{folder / FILE_NAME} is at version {HEAD}\n"
    assert ended.stderr == ""


def table_names(folder: Path) -> set[str]:
    return {name for (name,) in data_folder.rows(folder, "SELECT name FROM sqlite_master WHERE type = 'table'")}


def everything(folder: Path) -> list[str]:
    with data_folder.opened(folder) as connection:
        return list(connection.iterdump())


def test_a_fresh_folder_gets_a_database_and_is_made_if_need_be(tmp_path: Path) -> None:
    migrate(tmp_path / "new" / "folder")
    assert table_names(tmp_path / "new" / "folder") == {*metadata.tables, "alembic_version"}


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    migrate(tmp_path)
    before = everything(tmp_path)
    migrate(tmp_path)
    assert everything(tmp_path) == before


def test_an_empty_database_of_alembic_gets_its_tables(tmp_path: Path) -> None:
    with data_folder.opened(tmp_path) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    migrate(tmp_path)
    assert table_names(tmp_path) == {*metadata.tables, "alembic_version"}


def test_a_server_starts_on_a_migrated_folder_and_keeps_what_is_in_it(tmp_path: Path) -> None:
    migrate(tmp_path)
    with mock_process(tmp_path) as server, rest(server.url) as talker:
        item = talker.ask(upload(scenes.small(1))).item
        migrate(tmp_path)
        assert fetched(server.url, item["imageURL"]).content == scenes.small(1)
    migrate(tmp_path)
    with mock_process(tmp_path) as server:
        assert fetched(server.url, item["imageURL"]).content == scenes.small(1)
