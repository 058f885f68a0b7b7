"""SIGTERM and SIGINT: what runs is finished and answered, sockets are closed with 1012, the exit status is 0."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from tests.process import scenes
from tests.process.clients import API_KEY, rest, ws
from tests.process.slow_source import SlowSource
from tests.running import STOPPED_WITHIN_S, MockProcess, clean_environment, command, mock_process
from tests.stores import Store
from tests.talking import Answer, WsTalker, new_uuid, upload

both_signals = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])


def wait_until_nobody_is_let_in(server: MockProcess) -> None:
    """Return once the server refuses connections."""
    port = int(server.url.rpartition(":")[2])
    while server.process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionError:
            return


@both_signals
def test_a_server_at_rest_ends_with_status_0_and_says_nothing(server: MockProcess, number: signal.Signals) -> None:
    assert server.stop(number) == ""
    assert server.process.returncode == 0


@both_signals
def test_an_upload_in_flight_over_rest_is_answered(
    store: Store, server: MockProcess, slow_source: SlowSource, number: signal.Signals
) -> None:
    with rest(server.url) as talker, ThreadPoolExecutor(1) as pool:
        answer: Future[Answer] = pool.submit(talker.ask, upload(slow_source.url))
        slow_source.wait_until_asked()
        server.process.send_signal(number)
        wait_until_nobody_is_let_in(server)
        slow_source.go_on.set()
        uuid = answer.result().item["imageUUID"]
    assert server.process.wait(STOPPED_WITHIN_S) == 0
    assert store.rows("SELECT uuid FROM medium") == [(uuid,)]


def test_an_upload_of_which_only_half_has_come_in_is_answered(server: MockProcess) -> None:
    body = json.dumps([upload(scenes.heavy(1))]).encode()
    host, port = server.url.removeprefix("http://").split(":")
    head = (
        f"POST /v1 HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {API_KEY}\r\n"
        f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body[:1000])
        server.process.terminate()
        wait_until_nobody_is_let_in(server)
        connection.sendall(body[1000:])
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
    assert server.process.wait(STOPPED_WITHIN_S) == 0


@both_signals
def test_an_upload_in_flight_over_websocket_is_answered_before_the_socket_closes_with_1012(
    store: Store, server: MockProcess, slow_source: SlowSource, number: signal.Signals
) -> None:
    with ws(server.url) as talker:
        talker.socket.send(json.dumps([upload(slow_source.url)]))
        slow_source.wait_until_asked()
        server.process.send_signal(number)
        wait_until_nobody_is_let_in(server)
        slow_source.go_on.set()
        uuid = talker.frame()["data"][0]["imageUUID"]
        with pytest.raises(ConnectionClosed) as closed:
            talker.frame()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == CloseCode.SERVICE_RESTART
    assert server.process.wait(STOPPED_WITHIN_S) == 0
    assert store.rows("SELECT uuid FROM medium") == [(uuid,)]


def test_an_idle_socket_is_closed_with_1012(server: MockProcess) -> None:
    with ws(server.url) as talker:
        server.process.terminate()
        with pytest.raises(ConnectionClosed) as closed:
            talker.frame()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == CloseCode.SERVICE_RESTART
    assert server.process.wait(STOPPED_WITHIN_S) == 0


def test_a_socket_that_has_not_authenticated_is_closed_too(server: MockProcess) -> None:
    with ws(server.url, api_key="") as talker:
        server.process.terminate()
        with pytest.raises(ConnectionClosed) as closed:
            talker.frame()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == CloseCode.SERVICE_RESTART


def test_what_comes_in_after_the_signal_is_not_begun(
    store: Store, server: MockProcess, slow_source: SlowSource
) -> None:
    with ws(server.url) as talker:
        talker.socket.send(json.dumps([upload(slow_source.url)]))
        slow_source.wait_until_asked()
        server.process.terminate()
        wait_until_nobody_is_let_in(server)
        talker.socket.send(json.dumps([upload(scenes.small(1))]))
        # The server has read the frame before this when it answers the ping.
        assert talker.socket.ping().wait(STOPPED_WITHIN_S)
        slow_source.go_on.set()
        answered, closed = every_answer(talker)
    assert len(answered) == 1
    assert closed.rcvd is not None
    assert closed.rcvd.code == CloseCode.SERVICE_RESTART
    assert store.rows("SELECT uuid FROM medium") == [(answered[0],)]


def test_a_client_that_never_stops_sending_gets_every_answer_and_the_server_stops(
    store: Store, server: MockProcess
) -> None:
    with ws(server.url) as talker, ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send_until_closed, talker)
        answered = [talker.frame()["data"][0]["imageUUID"] for _ in range(20)]
        server.process.terminate()
        rest_of_them, closed = every_answer(talker)
        sending.result()
    assert server.process.wait(STOPPED_WITHIN_S) == 0
    assert closed.rcvd is not None
    assert closed.rcvd.code == CloseCode.SERVICE_RESTART
    assert {uuid for (uuid,) in store.rows("SELECT uuid FROM medium")} == {*answered, *rest_of_them}


def send_until_closed(talker: WsTalker) -> None:
    """Send small and big frames without waiting for their answers."""
    heavy = json.dumps([upload(scenes.heavy(1))])
    with suppress(ConnectionClosed):
        for number in count():
            talker.socket.send(json.dumps([upload(scenes.small(number))]))
            if number % 10 == 0:
                talker.socket.send(heavy.replace(json.loads(heavy)[0]["taskUUID"], new_uuid()))


def every_answer(talker: WsTalker) -> tuple[list[str], ConnectionClosed]:
    """Return the imageUUIDs of all answers up to the end of the connection, and how it ended."""
    answered = []
    while True:
        try:
            answered.append(talker.frame()["data"][0]["imageUUID"])
        except ConnectionClosed as closed:
            return answered, closed


@contextmanager
def server_that_fetches_for_minutes(folder: Path, source: SlowSource, workers: int) -> Iterator[MockProcess]:
    """Run a server whose upload cannot be interrupted; at the end, its client must have got no answer."""
    with (
        mock_process(folder, "--fetch-timeout=5m", f"--workers={workers}") as server,
        rest(server.url) as talker,
        ThreadPoolExecutor(1) as pool,
    ):
        lost = pool.submit(talker.ask, upload(source.url))
        source.wait_until_asked()
        yield server
        assert lost.exception() is not None


@pytest.mark.parametrize("workers", [1, 2])
def test_work_that_cannot_be_interrupted_ends_with_the_server_within_ten_seconds(
    tmp_path: Path, slow_source: SlowSource, workers: int
) -> None:
    with server_that_fetches_for_minutes(tmp_path, slow_source, workers) as server:
        began_s = time.monotonic()
        server.process.terminate()
        server.process.wait(STOPPED_WITHIN_S)
        assert time.monotonic() - began_s < 10


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_signal_ends_the_server_at_once(tmp_path: Path, slow_source: SlowSource, workers: int) -> None:
    with server_that_fetches_for_minutes(tmp_path, slow_source, workers) as server:
        server.process.terminate()
        wait_until_nobody_is_let_in(server)
        began_s = time.monotonic()
        server.process.terminate()
        server.process.wait(STOPPED_WITHIN_S)
        assert time.monotonic() - began_s < 5


@both_signals
def test_a_signal_during_the_start_is_status_0_as_well_and_leaves_nothing(
    tmp_path: Path, number: signal.Signals
) -> None:
    process = subprocess.Popen(
        command("serve", "--port=0", "--in-memory"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(TMPDIR=str(tmp_path)),
    )
    # The database is made before the server runs.
    while not list(tmp_path.glob("runware-mock-server-*/*")):
        assert process.poll() is None
    os.kill(process.pid, number)
    _, problems = process.communicate(timeout=STOPPED_WITHIN_S)
    assert (process.returncode, problems) == (0, "")
    assert list(tmp_path.iterdir()) == []
