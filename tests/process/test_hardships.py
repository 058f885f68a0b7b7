"""A machine that fails a server: what was answered is there, the rest fails and says why, and all is well after."""

import resource
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from runware_mock.storage import media
from runware_mock.storage.migrations import prepare
from runware_mock.storage.models import content
from runware_mock.storage.sqlite import FILE_NAME, SqliteDatabase
from tests import plain
from tests.pictures import png
from tests.process import scenes
from tests.process.clients import API_KEY, fetched, rest
from tests.process.disks import breaking_disk, disk, filled
from tests.process.load import Load, assert_kept, load, metric
from tests.running import MockProcess, mock_process, mock_process_logging
from tests.stores import Store, store_of
from tests.talking import upload

pytestmark = pytest.mark.timeout(300)

SOON_S = 30.0
# None of them waits for the busy machine of a test longer than a client would.
PATIENCE_S = 20.0


@contextmanager
def serving(folder: Path, log: Path, *arguments: str) -> Iterator[MockProcess]:
    """Run a server with its log in a file."""
    with log.open("w") as file, mock_process_logging(file, folder, *arguments) as server:
        yield server


def readiness(server: MockProcess) -> tuple[int, str]:
    """Return the status of `/ready`, and what is missing."""
    answer = plain.get(f"{server.url}/ready", timeout=PATIENCE_S)
    return answer.status_code, "; ".join(answer.json().get("missing", []))


def wait_until(is_so: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + SOON_S
    while not is_so():
        assert time.monotonic() < give_up_s
        time.sleep(0.05)


def misses(server: MockProcess, problem: str) -> bool:
    """Return whether `/ready` says that a problem keeps the database from being written.

    It names schedules, too, that have failed again and again by then.
    """
    status, missing = readiness(server)
    return status == 503 and f"database: {problem}" in missing.split("; ")


def assert_one_line(log: Path, *causes: str, workers: int = 1) -> None:
    """Prove that the log tells a cause, each once a minute and process, and shows no traceback."""
    lines = log.read_text().splitlines()
    assert "Traceback (most recent call last):" not in lines, "\n".join(lines[:80])
    told = [len([line for line in lines if cause in line]) for cause in causes]
    assert any(told), "\n".join(lines[:80])
    assert max(told) <= 2 * workers, "\n".join(lines[:80])


def assert_well(server: MockProcess, running: Load, store: Store, others_failed: int = 0) -> None:
    """Prove that uploads succeed again, the server says so and has counted right, and nothing was lost."""
    running.wait_for_answers(8)
    running.end()
    wait_until(lambda: readiness(server)[0] == 200)
    assert running.longest_s < PATIENCE_S
    assert metric(server.url, "database_up") == 1
    # Processes tell one another once a second.
    wait_until(lambda: metric(server.url, "tasks_total", outcome="success") == len(running.answered))
    wait_until(lambda: metric(server.url, "tasks_total", outcome="crash") == running.failed.total() + others_failed)
    assert_kept(running, server.url, store)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk(tmp_path: Path, workers: int) -> None:
    folder, log = tmp_path / "disk", tmp_path / "log"
    folder.mkdir()
    with (
        disk(folder),
        store_of("sqlite", folder) as store,
        serving(folder, log, f"--workers={workers}") as server,
        load(server.url) as running,
    ):
        running.wait_for_answers(8)
        filler = filled(folder)
        running.wait_for_failures(20)
        assert readiness(server)[0] == 503
        assert "database: " in readiness(server)[1]
        with rest(server.url) as talker:
            assert "database or disk is full" in talker.ask(upload(scenes.heavy(10**6))).error["message"]
        filler.unlink()
        assert_well(server, running, store, others_failed=1)
        server.stop()
    assert_one_line(log, "database or disk is full", workers=workers)


def test_a_control_call_says_that_the_disk_is_full(tmp_path: Path) -> None:
    folder, log = tmp_path / "disk", tmp_path / "log"
    folder.mkdir()
    headers = {"Authorization": f"Bearer {API_KEY}"}
    with disk(folder), serving(folder, log) as server, rest(server.url) as talker:
        talker.ask(upload(scenes.heavy(1)))
        filled(folder)
        # If the log was moved meanwhile, what it took is free to be written again.
        numbers = count()
        wait_until(lambda: "database or disk is full" in str(talker.ask(upload(scenes.small(next(numbers)))).errors))
        told = plain.post(f"{server.url}/_mock/clock/advance", json={"by": "40d"}, headers=headers)
        assert (told.status_code, told.json()["error"]["code"]) == (503, "unavailable")
        assert "database or disk is full" in told.json()["error"]["message"]


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_starts_on_a_full_disk_to_read_and_to_purge(tmp_path: Path, ending: signal.Signals) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    keeping, headers = f"--data-dir={folder}", {"Authorization": f"Bearer {API_KEY}"}
    with disk(folder):
        with mock_process(tmp_path, keeping) as server, rest(server.url) as talker:
            item = talker.ask(upload(scenes.heavy(10**6))).item
            server.stop(ending)
        filled(folder)
        with mock_process(tmp_path, keeping) as server:
            path = urlsplit(item["imageURL"]).path
            assert plain.get(server.url + path).status_code == 200
            told = plain.post(f"{server.url}/_mock/clock/advance", json={"by": "40d"}, headers=headers)
            assert told.json()["purged"]["media"] == 1, told.json()


def test_a_database_on_a_full_disk_is_opened_to_be_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with disk(tmp_path):
        database = SqliteDatabase(tmp_path / FILE_NAME)
        prepare(database)
        filled(tmp_path)
        assert database.problem() == "database or disk is full"
        database.check()
        with database.reading() as connection:
            assert media.count(connection) == 0
        database.close()
    assert "nothing can be stored" in caplog.text


def test_a_file_that_may_not_grow(tmp_path: Path, store: Store) -> None:
    """As by a quota, or by a disk that fails; with SQLite's own words for it."""
    log = tmp_path / "log"
    with serving(tmp_path, log, *store.arguments) as server, load(server.url) as running:
        running.wait_for_answers(8)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (2**16, resource.RLIM_INFINITY))
        running.wait_for_failures(20)
        # A log that was just moved has room for the little that `/ready` writes, but not for long.
        wait_until(lambda: misses(server, "disk I/O error"))
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert_well(server, running, store)
        server.stop()
    assert_one_line(log, "disk I/O error")


def test_a_database_that_is_taken_away_and_brought_back(tmp_path: Path) -> None:
    folder, away, log = tmp_path / "data", tmp_path / "away", tmp_path / "log"
    folder.mkdir()
    with store_of("sqlite", folder) as store, serving(folder, log) as server, load(server.url) as running:
        running.wait_for_answers(8)
        folder.rename(away)
        running.wait_for_failures(20)
        assert misses(server, "its file cannot be found (No such file or directory)")
        away.rename(folder)
        assert_well(server, running, store)
        server.stop()
    assert_one_line(log, "its file cannot be found")


def test_another_database_in_its_place_is_not_written(tmp_path: Path) -> None:
    with mock_process_logging(subprocess.DEVNULL, tmp_path) as server, rest(server.url) as talker:
        assert talker.ask(upload(png())).item
        copy = tmp_path / "copy"
        shutil.copyfile(tmp_path / FILE_NAME, copy)
        copy.replace(tmp_path / FILE_NAME)
        before = (tmp_path / FILE_NAME).read_bytes()
        assert "start the server again" in talker.ask(upload(png())).error["message"]
        assert readiness(server)[0] == 503
        assert (tmp_path / FILE_NAME).read_bytes() == before


def test_a_disk_that_becomes_read_only(tmp_path: Path) -> None:
    """As Linux makes it after an error: even files that are open are written no more, until it was repaired."""
    folder, log, image = tmp_path / "disk", tmp_path / "log", tmp_path / "image"
    folder.mkdir()
    with breaking_disk(image, folder) as (break_disk, repair_disk), store_of("sqlite", folder) as store:
        with serving(folder, log, "--durable") as server, load(server.url) as running:
            running.wait_for_answers(8)
            before = dict(running.answered)
            break_disk()
            running.wait_for_failures(20)
            status, missing = readiness(server)
            assert status == 503
            assert "database: " in missing
            for image_url, picture in list(running.answered.items()):
                assert fetched(server.url, image_url).content == picture
            running.end()
            server.stop()
        repair_disk()
        with serving(folder, tmp_path / "later", "--durable") as server:
            assert readiness(server)[0] == 200
            # The kernel tells who writes at the very moment that all is well.
            running.answered = before
            assert_kept(running, server.url, store)
    assert_one_line(log, missing.removeprefix("database: "))


def test_no_more_files_may_be_opened(tmp_path: Path, store: Store) -> None:
    log, many = tmp_path / "log", 100
    with serving(tmp_path, log, *store.arguments, "--max-connections=0") as server, load(server.url) as running:
        running.wait_for_answers(8)
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (many, many))
        with ExitStack() as flood:
            address = httpx.URL(server.url)
            for _ in range(2 * many):
                # Told to go away at once, or let in until there is no room.
                with suppress(ConnectionError):
                    flood.enter_context(socket.create_connection((address.host, address.port), timeout=PATIENCE_S))
            with pytest.raises(httpx.TransportError):
                readiness(server)
            running.wait_for_answers(8)
        wait_until(lambda: is_let_in(server))
        assert_well(server, running, store)
        server.stop()
    assert "Traceback (most recent call last):" not in log.read_text()


@pytest.mark.parametrize("left_mib", [8, 16, 24, 32])
def test_no_more_memory(tmp_path: Path, store: Store, left_mib: int) -> None:
    log, photo = tmp_path / "log", scenes.photo()
    with serving(tmp_path, log, *store.arguments) as server, rest(server.url) as talker:
        small = png()
        item = talker.ask(upload(small)).item
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        (taken_kib,) = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmSize:")]
        # Where not even a piece of a message can be received its connection is lost, and nobody can be answered.
        left_bytes = taken_kib * 2**10 + left_mib * 2**20
        resource.prlimit(server.process.pid, resource.RLIMIT_AS, (left_bytes, resource.RLIM_INFINITY))
        for _ in range(3):
            answer = talker.ask(upload(photo))
            assert (answer.status, answer.codes) == (500, ["mockInternalError"]), answer.errors
        # Refused while all threads are at work: there may be no room for the stack of another one.
        wait_until(lambda: fetched(server.url, item["imageURL"]).content == small)
        resource.prlimit(server.process.pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert fetched(server.url, talker.ask(upload(photo)).item["imageURL"]).status_code == 200
        wait_until(lambda: readiness(server)[0] == 200)
        assert store.count(content) == 2
        server.stop()
    # What runs short first depends on the machine: the picture, or the stack of the thread that would read it.
    assert_one_line(log, "there is no memory left", "there is no room for another thread")


def is_let_in(server: MockProcess) -> bool:
    with suppress(httpx.TransportError):
        return readiness(server)[0] == 200
    return False
