"""A data folder that cannot be used is told in one clear line, whatever is wrong with it."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from runware_mock.storage.migrations import HEAD
from runware_mock.storage.sqlite import FILE_NAME
from tests.process import data_folder
from tests.running import run_command


def no_database(folder: Path) -> str:
    (folder / FILE_NAME).write_text("this is no database at all\n" * 100)
    return f"cannot use the database {folder / FILE_NAME}: file is not a database"


def folder_instead_of_database(folder: Path) -> str:
    (folder / FILE_NAME).mkdir()
    return f"cannot use the database {folder / FILE_NAME}: unable to open database file"


def file_instead_of_folder(folder: Path) -> str:
    folder.rmdir()
    folder.touch()
    return f"cannot use the data folder {folder}: File exists"


def newer_version(folder: Path) -> str:
    assert run_command("migrate", "--data-dir", str(folder)).returncode == 0
    with data_folder.opened(folder) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    return (
        f"the database {folder / FILE_NAME} was written by a newer runware-mock (its version is 9999, this program "
        f"knows up to {HEAD}): update runware-mock, or use another --data-dir or --database-url"
    )


def another_program(folder: Path) -> str:
    with data_folder.opened(folder) as connection:
        connection.execute("CREATE TABLE account (name TEXT)")
    return f"the database {folder / FILE_NAME} holds tables of another program"


def truncated_database(folder: Path) -> str:
    assert run_command("migrate", "--data-dir", str(folder)).returncode == 0
    with (folder / FILE_NAME).open("r+b") as file:
        file.truncate(5000)
    return f"cannot use the database {folder / FILE_NAME}: database disk image is malformed"


UNUSABLE = [
    no_database,
    folder_instead_of_database,
    file_instead_of_folder,
    newer_version,
    another_program,
    truncated_database,
]


@pytest.mark.parametrize("spoil", UNUSABLE, ids=lambda spoil: spoil.__name__)
@pytest.mark.parametrize("command", ["serve", "migrate", "purge"])
def test_it_is_told_in_one_line_and_with_status_2(tmp_path: Path, spoil: Callable[[Path], str], command: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    problem = spoil(folder)
    before = contents(folder)
    port = ["--port=0"] if command == "serve" else []
    ended = run_command(command, *port, f"--data-dir={folder}")
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr == f"runware-mock: {problem}\n"
    assert contents(folder) == before


def contents(folder: Path) -> list[str]:
    """Return everything in the database, where there is one."""
    try:
        with data_folder.opened(folder) as connection:
            return list(connection.iterdump())
    except sqlite3.DatabaseError as error:
        return [str(error)]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("has_database", [True, False])
def test_a_folder_that_may_not_be_written_is_told_in_one_line(tmp_path: Path, *, has_database: bool) -> None:
    if has_database:
        assert run_command("migrate", "--data-dir", str(tmp_path)).returncode == 0
        (tmp_path / FILE_NAME).chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        ended = run_command("serve", "--port=0", f"--data-dir={tmp_path}")
    finally:
        tmp_path.chmod(0o755)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"runware-mock: cannot use the database {tmp_path / FILE_NAME}: ")
