"""Two servers on one database do not disturb each other."""

import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from runware_mock.storage.migrations import HEAD
from runware_mock.storage.models import account, content, medium
from tests.process import scenes
from tests.process.clients import API_KEY, fetched, rest, ws
from tests.running import STOPPED_WITHIN_S, MockProcess, clean_environment, command, mock_process, run_command
from tests.stores import Store, store_of
from tests.talking import Answer, Talker, Task, upload

Pair = tuple[MockProcess, MockProcess]
OpenClient = Callable[[str], AbstractContextManager[Talker]]
WAIT_S = 60

pytestmark = pytest.mark.both_databases


@pytest.fixture
def pair(tmp_path: Path, store: Store) -> Iterator[Pair]:
    """Run two servers on the same database."""
    with mock_process(tmp_path, *store.arguments) as one, mock_process(tmp_path, *store.arguments) as other:
        yield one, other


def test_uploads_to_both_at_once_are_all_readable_from_the_other_one(store: Store, pair: Pair) -> None:
    threads, uploads = 4, 10
    stored: list[tuple[int, str, bytes]] = []

    def upload_to(server: int, thread: int) -> None:
        with rest(pair[server].url) as talker:
            for number in range(uploads):
                paint = scenes.heavy if number == 0 else scenes.small
                picture = paint(1000 * server + 100 * thread + number)
                stored.append((server, talker.ask(upload(picture)).item["imageURL"], picture))

    with ThreadPoolExecutor(2 * threads) as pool:
        for done in [pool.submit(upload_to, server, thread) for server in (0, 1) for thread in range(threads)]:
            done.result()
    assert len(stored) == 2 * threads * uploads
    for server, image_url, picture in stored:
        assert fetched(pair[1 - server].url, image_url).content == picture
    assert store.count(content) == len(stored)
    assert store.count(account) == 1
    if not store.is_postgres:
        assert store.rows("PRAGMA integrity_check") == [("ok",)]


def test_the_same_bytes_sent_to_both_at_once_are_stored_once(store: Store, pair: Pair) -> None:
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask, pair[number % 2].url, upload(scenes.big(1))) for number in range(8)]
        uuids = {future.result().item["imageUUID"] for future in asked}
    assert len(uuids) == 8
    assert store.count(content) == 1


def ask(url: str, *tasks: Task) -> Answer:
    with rest(url) as talker:
        return talker.ask(*tasks)


@pytest.mark.parametrize("open_client", [rest, ws])
def test_the_same_task_sent_to_both_at_once_succeeds_exactly_once(
    store: Store, pair: Pair, open_client: OpenClient
) -> None:
    rounds = 15
    together = threading.Barrier(2)
    tasks = [upload(scenes.small(number)) for number in range(rounds)]

    def ask_all(url: str) -> list[Answer]:
        answers = []
        with open_client(url) as talker:
            for task in tasks:
                together.wait(WAIT_S)
                answers.append(talker.ask(task))
        return answers

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(ask_all, [server.url for server in pair])
    for first, second in zip(one, other, strict=True):
        assert len(first.data) + len(second.data) == 1
        assert first.codes + second.codes == ["conflictTaskUUID"]
    assert store.count(medium) == rounds


def test_a_result_can_be_asked_for_at_the_other_server(pair: Pair) -> None:
    task = upload(scenes.small(1))
    item = ask(pair[0].url, task).item
    again = ask(pair[1].url, {"taskType": "getResponse", "taskUUID": task["taskUUID"]}).item
    assert (again["status"], again["imageUUID"]) == ("success", item["imageUUID"])


def test_when_one_server_stops_or_is_killed_the_other_goes_on(tmp_path: Path, store: Store) -> None:
    with mock_process(tmp_path, *store.arguments) as survivor:
        with mock_process(tmp_path, *store.arguments) as stopped:
            first = ask(stopped.url, upload(scenes.small(1))).item
            assert stopped.stop() == ""
        with mock_process(tmp_path, *store.arguments) as killed:
            second = ask(killed.url, upload(scenes.small(2))).item
            killed.process.kill()
            killed.process.wait()
        third = ask(survivor.url, upload(scenes.small(3))).item
        for number, item in enumerate((first, second, third), start=1):
            assert fetched(survivor.url, item["imageURL"]).content == scenes.small(number)


def test_a_purge_in_another_process_is_seen_at_once_and_disturbs_no_upload(tmp_path: Path, store: Store) -> None:
    # The server's own first purge, which may be late, leaves them to the command.
    with mock_process(tmp_path, *store.arguments, "--retention=36500d") as server, rest(server.url) as talker:
        for _ in range(5):
            item = talker.ask(upload(scenes.small(1))).item
            store.make_old(item["imageUUID"])
            assert run_command("purge", *store.arguments).stdout.startswith("purged 1 media")
            assert store.count(content) == 0


def test_many_that_begin_with_the_same_fresh_database_at_once_agree(database: str, tmp_path: Path) -> None:
    with store_of(database, tmp_path / "new", is_empty=True) as store:
        starting = [
            subprocess.Popen(
                command("migrate", *store.arguments),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                env=clean_environment(RUNWARE_MOCK_API_KEY=API_KEY),
            )
            for _ in range(6)
        ]
        for process in starting:
            output, _ = process.communicate(timeout=STOPPED_WITHIN_S)
            assert (process.returncode, output) == (0, f"{store.name} is at version {HEAD}\n")
