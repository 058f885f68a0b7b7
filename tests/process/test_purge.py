"""The purge: by its schedule inside the server, and by `runware-mock purge`."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from runware_mock.purge import CHUNK, purge_expired
from runware_mock.storage.models import content, medium
from tests.control.calling import calling
from tests.process import data_folder, scenes
from tests.process.clients import API_KEY, fetched, rest
from tests.running import MockProcess, mock_process, run_command, running_mock
from tests.stores import Store
from tests.talking import upload

RETENTION = timedelta(days=30)
MANY = 20
WAIT_S = 30


@contextmanager
def purges_logged() -> Iterator[threading.Event]:
    """Set an event when the purge of a server in this process logs that it removed something."""
    happened = threading.Event()

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage().startswith("purged "):
                happened.set()

    logger, listener = logging.getLogger("runware_mock.purge"), Listener()
    level = logger.level
    logger.addHandler(listener)
    logger.setLevel(logging.INFO)
    try:
        yield happened
    finally:
        logger.setLevel(level)
        logger.removeHandler(listener)


@pytest.fixture
def server(tmp_path: Path, store: Store) -> Iterator[MockProcess]:
    """Run a server that leaves what the test makes old to the command, even if its own first purge is late."""
    with mock_process(tmp_path, *store.arguments, "--retention=36500d") as running:
        yield running


@pytest.mark.both_databases
def test_the_server_purges_by_itself_what_has_expired_and_nothing_else(store: Store) -> None:
    with (
        purges_logged() as purged,
        running_mock(**store.settings, purge_every="10ms") as mock,
        rest(mock.url) as talker,
    ):
        talker.ask(upload(scenes.small(1)), upload(scenes.small(2)))
        mock.clock.advance(RETENTION / 2)
        young = talker.ask(upload(scenes.small(2)), upload(scenes.small(3))).data
        assert mock.count(medium) == 4
        mock.clock.advance(RETENTION / 2)
        assert purged.wait(WAIT_S)
        assert (mock.count(medium), mock.count(content)) == (2, 2)
        pictures = {fetched(mock.url, item["imageURL"]).content for item in young}
        assert pictures == {scenes.small(2), scenes.small(3)}


@pytest.mark.both_databases
def test_the_server_purges_right_at_its_start_and_more_than_one_chunk(tmp_path: Path, store: Store) -> None:
    number = CHUNK + 1
    with mock_process(tmp_path, *store.arguments) as server, rest(server.url) as talker:
        young = talker.ask(upload(scenes.small(0))).item
        talker.ask(*(upload(scenes.small(1 + scene)) for scene in range(number)))
        server.stop()
    store.execute(f"UPDATE medium SET last_used_at = 0 WHERE uuid != '{young['imageUUID']}'")  # noqa: S608 - made by us
    with mock_process(tmp_path, *store.arguments, "--purge-every", "365d", "--log-level", "info") as server:
        while store.count(medium) > 1:
            pass
        assert fetched(server.url, young["imageURL"]).content == scenes.small(0)
        # It may be done before the server is ready.
        assert f"INFO purged {number} expired media, {number} contents\n" in "".join(server.started) + server.stop()
    assert store.count(content) == 1


@pytest.mark.both_databases
def test_a_dry_run_tells_what_would_go_and_removes_nothing(store: Store, server: MockProcess) -> None:
    with rest(server.url) as talker:
        old = talker.ask(upload(scenes.small(1)), upload(scenes.small(2)), upload(scenes.small(2))).data
        talker.ask(upload(scenes.small(1)))
    store.make_old(*(item["imageUUID"] for item in old))
    purge = ("purge", *store.arguments)
    # The content of the first one is shared by a medium that lives.
    size_bytes = len(scenes.small(2))
    for dry_run in (run_command(*purge, "--dry-run"), run_command(*purge, RUNWARE_MOCK_DRY_RUN="1")):
        assert (dry_run.returncode, dry_run.stderr) == (0, "")
        assert dry_run.stdout == f"would purge 3 media, {size_bytes} bytes\n"
        assert store.count(medium) == 4
    purged = run_command(*purge)
    assert (purged.returncode, purged.stdout, purged.stderr) == (0, f"purged 3 media, {size_bytes} bytes\n", "")
    assert (store.count(medium), store.count(content)) == (1, 1)
    assert run_command(*purge).stdout == "purged 0 media, 0 bytes\n"


def test_the_retention_can_be_given_to_the_command(store: Store, server: MockProcess) -> None:
    with rest(server.url) as talker:
        item = talker.ask(upload(scenes.small(1))).item
    assert run_command("purge", *store.arguments, "--retention=1h").stdout == "purged 0 media, 0 bytes\n"
    purged = run_command("purge", *store.arguments, "--retention=0s")
    assert purged.stdout == f"purged 1 media, {len(scenes.small(1))} bytes\n"
    assert fetched(server.url, item["imageURL"]).status_code == 404


@pytest.mark.parametrize("is_serving", [True, False])
def test_the_file_shrinks_again(tmp_path: Path, *, is_serving: bool) -> None:
    with mock_process(tmp_path, "--retention=36500d") as server:
        with rest(server.url) as talker:
            young = talker.ask(upload(scenes.small(1))).item
            old = [talker.ask(upload(scenes.heavy(number))).item["imageUUID"] for number in range(MANY)]
        if not is_serving:
            server.stop()
        assert data_folder.size_bytes(tmp_path) > MANY * scenes.HEAVY_AT_LEAST_BYTES
        data_folder.make_old(tmp_path, *old)
        assert run_command("purge", "--data-dir", str(tmp_path)).stdout.startswith(f"purged {MANY} media, ")
        assert data_folder.size_bytes(tmp_path) < scenes.HEAVY_AT_LEAST_BYTES
        if is_serving:
            assert fetched(server.url, young["imageURL"]).content == scenes.small(1)
    assert data_folder.rows(tmp_path, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.both_databases
def test_a_purge_that_runs_all_the_time_loses_no_upload(store: Store) -> None:
    """Each thread uploads the same few pictures, looks at each, and lets two of three expire."""
    uploads, threads = 30, 4

    def upload_and_look(url: str) -> list[str]:
        kept = []
        with rest(url) as talker:
            for number in range(uploads):
                item = talker.ask(upload(scenes.small(number % 3))).item
                assert fetched(url, item["imageURL"]).content == scenes.small(number % 3)
                if number % 3:
                    store.make_old(item["imageUUID"])
                else:
                    kept.append(item["imageURL"])
        return kept

    with (
        running_mock(**store.settings, purge_every="1ms") as mock,
        purges_logged() as purged,
        ThreadPoolExecutor(threads) as pool,
    ):
        kept = [url for urls in pool.map(upload_and_look, [mock.url] * threads) for url in urls]
        assert purged.wait(WAIT_S)
        while mock.count(medium) > len(kept):
            pass
        assert {fetched(mock.url, image_url).content for image_url in kept} == {scenes.small(0)}
        assert len(kept) == threads * uploads / 3
        # What two of three expired ones pointed at is gone, and nothing else.
        while mock.count(content) > 1:
            pass


@pytest.mark.both_databases
def test_a_picture_whose_id_was_given_to_another_is_stored_anew(store: Store) -> None:
    first, second = scenes.small(1), scenes.small(2)
    with running_mock(**store.settings) as mock, rest(mock.url) as talker, calling(mock, API_KEY) as control:
        control.delete(f"/media/{talker.ask(upload(first)).item['imageUUID']}")
        items = [talker.ask(upload(scene)).item for scene in (second, first)]
        assert [fetched(mock.url, item["imageURL"]).content for item in items] == [second, first]
        assert talker.ask(upload(first), upload(second)).data
        assert (mock.count(medium), mock.count(content)) == (4, 2)


@pytest.mark.both_databases
@pytest.mark.parametrize("steps", range(5))
def test_a_purge_that_was_stopped_leaves_the_rest_to_the_next(store: Store, steps: int) -> None:
    with running_mock(**store.settings, purge_every="365d") as mock, rest(mock.url) as talker:
        talker.ask(*(upload(scenes.small(scene)) for scene in range(CHUNK + 1)))
        store.execute("UPDATE medium SET last_used_at = 0")
        asked = count()
        purged = purge_expired(mock.services, lambda: next(asked) >= steps)
        assert mock.count(content) == mock.count(medium) == CHUNK + 1 - purged.media
        purge_expired(mock.services)
        assert (mock.count(medium), mock.count(content)) == (0, 0)
