"""`serve --workers N`: processes that are one server, on one port and one database."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

import runware_mock
from runware_mock.storage.models import content, medium
from runware_mock.storage.sqlite import FILE_NAME
from tests import plain
from tests.control.calling import calling
from tests.faults.planning import met, plan
from tests.pictures import png
from tests.process import scenes
from tests.process.clients import fetched, rest, ws
from tests.process.slow_source import SlowSource
from tests.process.test_stop import wait_until_nobody_is_let_in
from tests.protocol.test_sockets import break_connection, resume, session_of
from tests.running import (
    STOPPED_WITHIN_S,
    MockProcess,
    clean_environment,
    command,
    mock_process,
    mock_process_logging,
    run_command,
)
from tests.stores import Store
from tests.talking import Answer, upload

WORKERS = 3
COUNTED_WITHIN_S = 30

has_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only /proc tells the children of a process")


@pytest.fixture
def server(tmp_path: Path, store: Store) -> Iterator[MockProcess]:
    """Run a server of several processes."""
    with mock_process(tmp_path, *store.arguments, "--workers", str(WORKERS)) as running:
        yield running


def workers_of(server: MockProcess) -> list[int]:
    """Return the processes that a server has started to serve; Python's own one, which cleans up, is another."""
    pid = server.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children if _is_worker(child)]


def _is_worker(pid: str) -> bool:
    with suppress(OSError):
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def is_running(pid: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.mark.both_databases
def test_they_are_ready_together_and_end_together(tmp_path: Path, server: MockProcess) -> None:
    assert [line for line in server.started if "ready on" in line] == [f"runware-mock ready on {server.url}\n"]
    assert f"--workers {WORKERS}\n" in server.started
    assert server.url in (tmp_path / "ready.json").read_text()
    assert run_command("ready", "--url", server.url).returncode == 0
    with rest(server.url) as talker:
        item = talker.ask(upload(scenes.small(1))).item
    assert fetched(server.url, item["imageURL"]).content == scenes.small(1)
    assert server.stop() == ""
    assert server.process.returncode == 0


def test_each_of_them_serves(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()

    def served() -> int:
        """Return how many of them have answered a task, as they tell one another."""
        return sum("runware_mock_tasks_total{" in file.read_text() for file in temporary.glob("*/*.prom"))

    with (
        mock_process(tmp_path, "--workers", str(WORKERS), TMPDIR=str(temporary)) as server,
        ThreadPoolExecutor(8) as pool,
    ):
        give_up_s = time.monotonic() + COUNTED_WITHIN_S
        while served() < WORKERS:
            assert time.monotonic() < give_up_s
            list(pool.map(lambda _: ask_once(server), range(16)))


@pytest.mark.both_databases
def test_many_clients_at_once_are_served_and_nothing_is_lost_or_stored_twice(store: Store, server: MockProcess) -> None:
    def send(number: int) -> list[tuple[str, bytes]]:
        pictures = (scenes.small(number), scenes.small(1000), scenes.heavy(number % 2))
        with (rest, ws)[number % 2](server.url) as talker:
            return [(talker.ask(upload(picture)).item["imageURL"], picture) for picture in pictures]

    with ThreadPoolExecutor(12) as pool:
        stored = [one for some in pool.map(send, range(24)) for one in some]
    for url, picture in stored:
        assert fetched(server.url, url).content == picture
    assert store.count(medium) == 72
    assert store.count(content) == 27


@has_proc
def test_one_that_dies_is_started_again_and_the_others_go_on(tmp_path: Path, store: Store) -> None:
    log = tmp_path / "log"
    with (
        log.open("w") as file,
        mock_process_logging(file, tmp_path, *store.arguments, "--workers", str(WORKERS)) as server,
    ):
        for number in (signal.SIGKILL, signal.SIGTERM):
            before = workers_of(server)
            os.kill(before[0], number)
            while before[0] in workers_of(server) or len(workers_of(server)) < WORKERS:
                ask_once(server)
            assert set(before[1:]) < set(workers_of(server))
        server.stop()
        assert server.process.returncode == 0
    lines = log.read_text().splitlines()
    assert [line.partition("has ended with ")[2] for line in lines if "has ended with" in line] == [
        f"status {-signal.SIGKILL}; another is started",
        f"status {-signal.SIGTERM}; another is started",
    ]


def ask_once(server: MockProcess) -> None:
    # One that is killed takes its connections along.
    with suppress(httpx.TransportError), rest(server.url) as talker:
        assert talker.ask(upload(png())).item


@has_proc
def test_they_end_when_the_one_that_started_them_is_killed(server: MockProcess) -> None:
    workers = workers_of(server)
    server.process.kill()
    give_up_s = time.monotonic() + STOPPED_WITHIN_S
    while any(map(is_running, workers)):
        assert time.monotonic() < give_up_s
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_runs_in_any_of_them_is_finished_when_they_stop(
    store: Store, server: MockProcess, slow_source: SlowSource, number: signal.Signals
) -> None:
    with ExitStack() as cleanup, ThreadPoolExecutor(6) as pool:
        talkers = [cleanup.enter_context(rest(server.url)) for _ in range(6)]
        answers: list[Future[Answer]] = [pool.submit(talker.ask, upload(slow_source.url)) for talker in talkers]
        idle = [cleanup.enter_context(ws(server.url)) for _ in range(6)]
        for _ in talkers:
            slow_source.wait_until_asked()
        server.process.send_signal(number)
        wait_until_nobody_is_let_in(server)
        slow_source.go_on.set()
        uuids = {answer.result().item["imageUUID"] for answer in answers}
        for talker in idle:
            with pytest.raises(ConnectionClosed) as closed:
                talker.frame()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == CloseCode.SERVICE_RESTART
    assert server.process.wait(STOPPED_WITHIN_S) == 0
    assert {uuid for (uuid,) in store.rows("SELECT uuid FROM medium")} == uuids


def test_in_memory_they_share_a_database_that_is_gone_at_the_end(tmp_path: Path) -> None:
    data, temporary = tmp_path / "data", tmp_path / "temporary"
    data.mkdir()
    temporary.mkdir()
    with mock_process(data, "--in-memory", "--workers=2", TMPDIR=str(temporary)) as server:
        for number in range(8):
            with rest(server.url) as talker:
                item = talker.ask(upload(scenes.small(number))).item
            for _ in range(4):
                assert fetched(server.url, item["imageURL"]).content == scenes.small(number)
        assert server.stop() == ""
    assert list(data.iterdir()) == []
    assert list(temporary.iterdir()) == []


@pytest.mark.both_databases
def test_plans_clocks_and_lost_answers_are_known_to_all_of_them(server: MockProcess, api_key: str) -> None:
    """Each connection may be another worker's."""
    for rounds in range(1, 6):
        with calling(server, api_key) as control:
            name = plan(control, {"kind": "refuse_authentication"}, {"kind": "error", "code": "rateLimitExceeded"})
        for code in ("invalidApiKey", "rateLimitExceeded"):
            with rest(server.url, api_key) as talker:
                assert talker.ask(upload(png())).codes == [code]
        with calling(server, api_key) as control:
            assert met(control, name) == [1, 1]
            control.delete(f"/faults/{name}")
        with ws(server.url, api_key) as first, ws(server.url, "") as second:
            session, item = session_of(first), first.ask(upload(png())).item
            break_connection(first)
            resume(second, api_key, session)
            assert second.frame()["data"] == [item]
        with calling(server, api_key) as control:
            assert control.post("/clock/advance", by="30d")["purged"]["uuids"] == [item["imageUUID"]]
        assert plain.get(item["imageURL"]).status_code == 404
        with calling(server, api_key) as control:
            assert control.get("/clock")["offset"] == f"{30 * rounds}d"


@pytest.mark.both_databases
def test_fixtures_are_stored_once_before_any_of_them_is_ready(tmp_path: Path, store: Store) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "cat.png").write_bytes(png())
    arguments = ("--workers=2", "--fixtures", str(pictures), "--api-key", "the-key")
    with mock_process(tmp_path, *store.arguments, *arguments) as server, calling(server, "the-key") as control:
        assert control.get("/media")["total"] == 1
        assert control.get("/journal/count") == {"count": 0}


def test_the_metrics_are_those_of_all_of_them(server: MockProcess) -> None:
    for _ in range(12):
        with rest(server.url) as talker:
            assert talker.ask(upload(png())).item
    give_up_s = time.monotonic() + COUNTED_WITHIN_S
    with ws(server.url), ws(server.url):
        while (found := metrics(server)) != {"tasks_total": 12, "sockets": 2, "media": 12}:
            assert time.monotonic() < give_up_s, found


@has_proc
def test_what_a_worker_has_done_counts_when_it_is_gone(server: MockProcess) -> None:
    with rest(server.url) as talker:
        assert talker.ask(upload(png())).item
    give_up_s = time.monotonic() + COUNTED_WITHIN_S
    for worker in workers_of(server):
        while metrics(server)["tasks_total"] != 1:
            assert time.monotonic() < give_up_s
        os.kill(worker, signal.SIGKILL)
        while worker in workers_of(server):
            pass


def metrics(server: MockProcess) -> dict[str, float]:
    """Return a few metrics, added up over their labels."""
    found = {"tasks_total": 0.0, "sockets": 0.0, "media": 0.0}
    with suppress(httpx.TransportError):
        for family in text_string_to_metric_families(plain.get(f"{server.url}/metrics").text):
            for sample in family.samples:
                if (name := sample.name.removeprefix("runware_mock_")) in found:
                    found[name] += sample.value
    return found


def test_what_keeps_them_from_starting_is_told_once(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("no database")
    ended = run_command("serve", "--port=0", "--workers=2", f"--data-dir={tmp_path}")
    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"runware-mock: cannot use the database {tmp_path / FILE_NAME}: ")


def test_a_signal_during_the_start_is_status_0_as_well_and_leaves_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("serve", "--port=0", "--in-memory", "--workers=4"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(TMPDIR=str(tmp_path)),
    )
    # The database is made before the workers run.
    while not list(tmp_path.glob("runware-mock-server-*/*")):
        assert process.poll() is None
    process.terminate()
    _, problems = process.communicate(timeout=STOPPED_WITHIN_S)
    assert (process.returncode, problems) == (0, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("workers", ["0", "65", "many"])
def test_a_number_that_is_none_refuses_to_start_in_one_line(workers: str) -> None:
    ended = run_command("serve", f"--workers={workers}")
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("runware-mock: bad value for --workers (or RUNWARE_MOCK_WORKERS): ")


def test_a_server_in_the_test_process_is_one_process() -> None:
    with pytest.raises(ValueError, match="only the command"), runware_mock.serve(workers=2):
        pass
