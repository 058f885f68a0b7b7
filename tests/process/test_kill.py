"""A server killed in the middle of uploads: what was answered is there whole, and nothing is there by half."""

import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BytesIO
from itertools import count
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.process import data_folder, scenes
from tests.process.clients import fetched, rest
from tests.running import MockProcess, mock_process
from tests.talking import Task, upload

KILLS = 20
CLIENTS = 4
# Answers after which the server is killed: in the first uploads as well as later on.
ANSWERS = [1 + 5 * kill % 17 for kill in range(KILLS)]


@dataclass
class Clients:
    """Upload pictures that nobody has sent before until the server is gone."""

    numbers: "count[int]" = field(default_factory=count)
    # imageURL -> the picture that was sent, and whether it is stored smaller.
    answered: dict[str, tuple[bytes, bool]] = field(default_factory=dict)
    task_uuids: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def upload_until_killed(self, server: MockProcess, kill_after: int) -> None:
        """Let all clients upload; kill the server when they have this many answers."""
        kill_at = len(self.answered) + kill_after
        with ThreadPoolExecutor(CLIENTS) as pool:
            for done in [pool.submit(self._upload, server, kill_at) for _ in range(CLIENTS)]:
                done.result()
        server.process.wait()

    def _upload(self, server: MockProcess, kill_at: int) -> None:
        with rest(server.url) as talker:
            while True:
                task, picture, is_big = self._next()
                try:
                    item = talker.ask(task).item
                except (httpx.TransportError, json.JSONDecodeError):
                    return
                with self._lock:
                    self.answered[item["imageURL"]] = picture, is_big
                    self.task_uuids.add(item["taskUUID"])
                    if len(self.answered) == kill_at:
                        server.process.kill()

    def _next(self) -> tuple[Task, bytes, bool]:
        with self._lock:
            number = next(self.numbers)
        paint = (scenes.small, scenes.heavy, scenes.big)[number % 3]
        picture = paint(number)
        return upload(picture), picture, paint is scenes.big


@pytest.mark.timeout(300)
def test_twenty_kills_lose_no_answered_upload_and_leave_no_half_one(tmp_path: Path) -> None:
    clients = Clients()
    for kill_after in ANSWERS:
        with mock_process(tmp_path) as server:
            clients.upload_until_killed(server, kill_after)
        assert data_folder.rows(tmp_path, "PRAGMA integrity_check") == [("ok",)]
        assert data_folder.rows(tmp_path, "PRAGMA foreign_key_check") == []
    assert len(clients.answered) >= sum(ANSWERS)
    with mock_process(tmp_path) as server:
        for image_url, (picture, is_big) in clients.answered.items():
            assert_whole(fetched(server.url, image_url), picture, is_big=is_big)
        server.stop()
    assert_nothing_is_there_by_half(tmp_path)
    recorded = {uuid for (uuid,) in data_folder.rows(tmp_path, "SELECT task_uuid FROM journal")}
    assert recorded >= clients.task_uuids


def assert_whole(response: httpx.Response, picture: bytes, *, is_big: bool) -> None:
    assert response.status_code == 200
    if not is_big:
        assert response.content == picture
        return
    with Image.open(BytesIO(response.content)) as image:
        image.load()
        assert (image.format, image.size) == ("JPEG", scenes.STORED_BIG_SIZE_PX)


def assert_nothing_is_there_by_half(folder: Path) -> None:
    media = dict(data_folder.rows(folder, "SELECT uuid, content_id FROM medium"))
    contents = data_folder.rows(folder, "SELECT id, sent_sha256, size_bytes, width_px, height_px, bytes FROM content")
    answers = data_folder.rows(folder, "SELECT outcome, answer FROM journal")
    # Every picture was sent once: so one content, one medium and one journal entry belong together.
    assert sorted(media.values()) == sorted(content_id for content_id, *_ in contents)
    assert {outcome for outcome, _ in answers} == {"success"}
    assert sorted(item["imageUUID"] for _, answer in answers for item in json.loads(answer)) == sorted(media)
    for _, sent_sha256, size_bytes, width_px, height_px, data in contents:
        assert len(data) == size_bytes
        with Image.open(BytesIO(data)) as image:
            image.load()
            assert image.size == (width_px, height_px)
            if image.size != scenes.STORED_BIG_SIZE_PX:
                assert hashlib.sha256(data).digest() == sent_sha256
