"""A server killed in the middle of uploads: what was answered has its object, and what has no row is collected."""

import hashlib
import signal
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from runware_mock.clock import SystemClock
from runware_mock.purge import collect_orphans
from runware_mock.services import create_services, open_database
from runware_mock.settings import Settings
from tests.objects.places import Place, until
from tests.process import data_folder, scenes
from tests.process.clients import fetched, rest
from tests.process.test_kill import Clients, assert_whole
from tests.running import clean_environment, command, mock_process
from tests.talking import upload

KILLS = 8
MANY = 40


def keys(folder: Path) -> set[str]:
    """Return the objects that rows point at."""
    return {key for (key,) in data_folder.rows(folder, "SELECT object_key FROM content")}


def collect(folder: Path, place: Place) -> None:
    """Collect orphans however young."""
    with ExitStack() as cleanup:
        settings = Settings(data_dir=folder, **place.settings)
        collect_orphans(create_services(settings, SystemClock(), open_database(settings, cleanup)), age_s=0)


@pytest.mark.timeout(300)
def test_kills_lose_no_answered_upload_and_leave_no_row_without_its_object(tmp_path: Path, place: Place) -> None:
    clients = Clients()
    for kill in range(KILLS):
        with mock_process(tmp_path, *place.arguments) as server:
            clients.upload_until_killed(server, 1 + 5 * kill % 17)
        assert data_folder.rows(tmp_path, "PRAGMA integrity_check") == [("ok",)]
        assert data_folder.rows(tmp_path, "SELECT id FROM content WHERE bytes IS NOT NULL") == []
        assert keys(tmp_path) <= place.names()
    collect(tmp_path, place)
    assert place.names() == keys(tmp_path)
    with mock_process(tmp_path, *place.arguments) as server:
        for image_url, (picture, is_big) in clients.answered.items():
            assert_whole(fetched(server.url, image_url), picture, is_big=is_big)
        for size_bytes, sent_sha256, uuid in data_folder.rows(
            tmp_path, "SELECT size_bytes, sent_sha256, uuid FROM content JOIN medium ON content_id = content.id"
        ):
            data = fetched(server.url, f"/image/ii/{uuid}.png").content
            assert len(data) == size_bytes
            assert data.startswith(b"\xff\xd8") or hashlib.sha256(data).digest() == sent_sha256


def test_a_purge_that_is_killed_leaves_nothing_that_the_next_one_does_not_find(tmp_path: Path, place: Place) -> None:
    with mock_process(tmp_path, *place.arguments) as server, rest(server.url) as talker:
        young = talker.ask(upload(scenes.small(0))).item
        old = talker.ask(*(upload(scenes.small(1 + number)) for number in range(MANY))).data
        server.stop()
    data_folder.make_old(tmp_path, *(item["imageUUID"] for item in old))
    purge = ("purge", "--data-dir", str(tmp_path), *place.arguments)
    with subprocess.Popen(command(*purge), env=clean_environment(), stdout=subprocess.DEVNULL) as killed:
        for _ in until(lambda: data_folder.count(tmp_path, "medium") == 1 or killed.poll() is not None):
            pass
        killed.send_signal(signal.SIGKILL)
    assert keys(tmp_path) <= place.names()
    subprocess.run(command(*purge), env=clean_environment(), check=True, stdout=subprocess.DEVNULL)
    assert place.names() == keys(tmp_path)
    with mock_process(tmp_path, *place.arguments) as server:
        assert fetched(server.url, young["imageURL"]).content == scenes.small(0)
