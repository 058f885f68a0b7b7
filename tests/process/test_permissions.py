"""Other users of the machine read nothing of what was uploaded."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import plain
from tests.pictures import png
from tests.running import mock_process
from tests.talking import upload


@pytest.fixture(autouse=True)
def open_hearted_umask() -> Iterator[None]:
    """Let new files be readable by all, unless somebody sees to it that they are not."""
    before = os.umask(0)
    yield
    os.umask(before)


def shared_files(folder: Path) -> list[str]:
    """Return the files below a folder that others than their owner may read or write."""
    return [file.name for file in folder.rglob("*") if stat.S_IMODE(file.stat().st_mode) & 0o077]


def test_the_database_is_readable_by_its_owner_alone_even_in_an_open_folder(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(0o777)
    with mock_process(tmp_path / "data") as mock:
        headers = {"Authorization": "Bearer a-key-for-tests-0123456789abcdef"}
        assert plain.post(mock.rest_url, json=[upload(png())], headers=headers).status_code == 200
        files = {file.name for file in (tmp_path / "data").iterdir()}
        assert {"runware-mock.sqlite3", "runware-mock.sqlite3-wal"} <= files
        assert shared_files(tmp_path / "data") == ["ready.json"]


def test_a_data_folder_that_is_made_is_closed_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with mock_process(tmp_path, RUNWARE_MOCK_DATA_DIR=str(folder)):
        pass
    with mock_process(tmp_path, "--data-dir", str(folder)):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_state_that_is_kept_in_memory_is_closed_to_others_too(tmp_path: Path) -> None:
    places = tmp_path / "tmp"
    places.mkdir()
    with mock_process(tmp_path, "--in-memory", TMPDIR=str(places)):
        (folder,) = places.glob("runware-mock-*")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
