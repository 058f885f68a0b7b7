"""PostgreSQL that restarts, hangs or fills up under load, and one of two servers that is killed: nothing is lost."""

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from runware_mock.storage.postgres import PostgresDatabase
from tests import plain, postgres
from tests.postgres import PostgresServer
from tests.process.clients import fetched
from tests.process.load import assert_kept, load, metric
from tests.process.test_hardships import PATIENCE_S, assert_well, readiness, serving
from tests.running import mock_process
from tests.stores import Store, store_of

pytestmark = [
    pytest.mark.skipif(postgres.missing() is not None, reason=str(postgres.missing())),
    pytest.mark.timeout(300),
]
KILLS = 3


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """Run a database server that the test may stop."""
    with postgres.temporary_folder() as folder:
        server = PostgresServer(folder / "server")
        server.create()
        server.start()
        server.execute("CREATE DATABASE mock")
        yield server
        server.stop()


def test_a_statement_that_hangs_fails_in_time_and_others_go_on(own_server: PostgresServer) -> None:
    def wait_for_ever(database: PostgresDatabase) -> None:
        with database.reading() as connection:
            connection.execute(text("SELECT pg_sleep(1000)"))

    with (
        closing(PostgresDatabase(own_server.url("mock"), statement_timeout_s=1)) as database,
        ThreadPoolExecutor(3) as pool,
    ):
        waiting = [pool.submit(wait_for_ever, database) for _ in range(3)]
        assert all(isinstance(one.exception(), OperationalError) for one in waiting)
        assert database.problem() is None


def store_on(server: PostgresServer) -> Store:
    url = server.url("mock")
    return Store(url, url, {"database_url": url}, ("--database-url", url))


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_database_server_that_restarts(tmp_path: Path, own_server: PostgresServer, mode: str) -> None:
    store, log = store_on(own_server), tmp_path / "log"
    with serving(tmp_path, log, *store.arguments) as server, load(server.url) as running:
        for _ in range(2):
            running.wait_for_answers(8)
            own_server.stop(mode)
            running.wait_for_failures(20)
            status, missing = readiness(server)
            assert status == 503
            assert "database: " in missing, "beside it, deliveries may have failed again and again"
            assert plain.get(f"{server.url}/health").status_code == 200
            assert metric(server.url, "database_up") == 0
            assert metric(server.url, "tasks_total", outcome="crash") >= 20
            own_server.start()
            running.wait_for_answers(8)
        assert_well(server, running, store)
        server.stop()
    lines = log.read_text().splitlines()
    assert "Traceback (most recent call last):" not in lines
    # What a connection was told when it ended, and what those are told that want a new one.
    told = Counter(
        re.sub(r" \(\d+ more like this were not logged\)$", "", line.partition("the database cannot be used")[2])
        for line in lines
        if "the database cannot be used" in line
    )
    assert len(told) <= 8, told
    # Each is told once a minute.
    assert max(told.values()) <= 2, told


def test_one_of_two_servers_that_is_killed(tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(2)]
    for folder in folders:
        folder.mkdir()
    with (
        store_of("postgres", tmp_path, is_empty=True) as store,
        mock_process(folders[0], *store.arguments) as stays,
    ):
        for kill in range(KILLS):
            with (
                mock_process(folders[1], *store.arguments) as other,
                load(stays.url, other.url, first=10_000 * kill) as running,
            ):
                running.wait_for_answers(12)
                other.process.kill()
                other.process.wait()
                assert readiness(stays)[0] == 200
                running.wait_for_answers(12)
                running.end()
                assert running.lost
                assert not running.failed
                assert running.longest_s < PATIENCE_S
                for image_url, picture in running.answered.items():
                    assert fetched(stays.url, image_url).content == picture
        assert_kept(running, stays.url, store)
