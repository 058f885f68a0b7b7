"""What SQLite is asked is compiled beforehand, so that no start has to import SQLAlchemy."""

import re
from pathlib import Path

import pytest

from runware_mock.storage.prepared import COMPILED_FILE, SQLITE
from runware_mock.storage.statements.compiling import compiled_for_sqlite
from tests import plain
from tests.process import scenes
from tests.process.clients import fetched, rest
from tests.running import mock_process
from tests.stores import store_of
from tests.talking import new_uuid, upload

PACKAGE = COMPILED_FILE.parents[1]


def test_it_is_what_sqlalchemy_makes_of_the_statements() -> None:
    assert COMPILED_FILE.read_bytes() == compiled_for_sqlite(), "run make statements"


def test_all_of_it_is_asked_and_nothing_else() -> None:
    asked = [re.findall(r'Prepared\("(.+?)"\)', file.read_text()) for file in PACKAGE.rglob("*.py")]
    assert {name for names in asked for name in names} == SQLITE.statements.keys()


@pytest.fixture
def unimportable(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a process in which SQLAlchemy cannot be imported."""
    folder = tmp_path / "first"
    folder.mkdir()
    (folder / "sqlalchemy.py").write_text("raise AssertionError('SQLAlchemy is imported')\n")
    return {"PYTHONPATH": str(folder)}


def test_a_server_stores_renews_serves_and_purges_without_sqlalchemy(
    tmp_path: Path, unimportable: dict[str, str]
) -> None:
    small, photo = scenes.small(1), scenes.heavy(2)
    with store_of("sqlite", tmp_path) as store:
        with mock_process(tmp_path, *store.arguments, **unimportable) as server, rest(server.url) as talker:
            uuids = [talker.ask(upload(scene)).item["imageUUID"] for scene in (small, small, photo, photo)]
            caption = {"taskType": "caption", "taskUUID": new_uuid(), "inputImage": uuids[0]}
            assert talker.ask(caption).item["text"]
            delete = {"taskType": "mediaStorage", "taskUUID": new_uuid(), "operation": "delete", "media": uuids[3]}
            assert talker.ask(delete).item["mediaUUID"] == uuids[3]
            assert talker.ask(delete).error["code"] == "conflictTaskUUID"
            assert fetched(server.url, f"/image/ii/{uuids[0]}.png").content == small
        store.make_old(uuids[1], uuids[2])
        # It purges when it starts.
        with mock_process(tmp_path, *store.arguments, **unimportable) as server, rest(server.url) as talker:
            while "runware_mock_purged_media_total 2.0" not in plain.get(server.url + "/metrics").text:
                assert talker.ask({"taskType": "ping", "ping": True}).item
            assert fetched(server.url, f"/image/ii/{uuids[0]}.png").content == small
