"""Clients that take their time for ever are let go; those that are merely slow are not."""

import json
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import cache, partial
from time import monotonic
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from runware_mock.api.limits import LEAST_BYTES, Pace, Unread
from runware_mock.api.ws_connections import WsProtocol
from runware_mock.control.media import add_medium
from runware_mock.images.formats import url_path
from tests.images.painting import encoded, photo
from tests.pictures import png
from tests.protocol.wires import Wire, connections, in_loop, received_bytes, sweep_later, unread_bytes, wait_until
from tests.running import RunningMock, running_mock
from tests.talking import talking_ws, upload

KEY = "a-key-for-tests-0123456789abcdef"


@pytest.fixture(scope="module")
def watched_mock() -> Iterator[RunningMock]:
    """Run a server that waits for a minute, which tests let pass."""
    with running_mock() as running:
        yield running


@pytest.fixture(scope="module")
def patient_mock() -> Iterator[RunningMock]:
    """Run a server that waits for ever."""
    with running_mock(stall_timeout="0s") as running:
        yield running


HEAD = f"POST /v1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\n"


def request_of(tasks: list[dict[str, Any]]) -> tuple[bytes, bytes]:
    """Return head and body of a request."""
    body = json.dumps(tasks).encode()
    return f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode(), body


def test_a_connection_on_which_nothing_is_sent_is_closed_without_a_word() -> None:
    with running_mock(stall_timeout="300ms") as hasty_mock, closing(Wire(hasty_mock)) as client:
        assert client.rest() == b""


@pytest.mark.parametrize("sent", ["P", "POST /v1 HTTP/1.1\r\n", HEAD, f"{HEAD}Content-Length: 1000\r\n\r\n", "body"])
def test_a_request_that_does_not_arrive_is_answered_408_and_closed(watched_mock: RunningMock, sent: str) -> None:
    head, body = request_of([upload(png())])
    with closing(Wire(watched_mock)) as client:
        client.send(head + body[:-1] if sent == "body" else sent.encode())
        wait_until(lambda: received_bytes(watched_mock))
        sweep_later(watched_mock, 59)
        sweep_later(watched_mock, 61)
        status, envelope = client.answer()
        assert status == 408
        (error,) = envelope["errors"]
        assert error["code"] == "requestTimeout"
        assert "--stall-timeout" in error["message"]
        assert client.rest() == b""
    wait_until(lambda: not connections(watched_mock))
    assert watched_mock.server.limits.taken_bytes == 0


def has_taken(mock: RunningMock, size_bytes: int) -> bool:
    """Tell whether so much of messages has come that are not done."""
    return mock.server.limits.taken_bytes == size_bytes


def test_a_request_that_comes_slowly_but_steadily_is_served(watched_mock: RunningMock) -> None:
    head, body = request_of([upload(png()), upload(" " * 6 * LEAST_BYTES)])
    with closing(Wire(watched_mock)) as client:
        client.send(head)
        for minute in range(6):
            piece = body[minute * LEAST_BYTES : (minute + 1) * LEAST_BYTES]
            client.send(piece)
            wait_until(partial(has_taken, watched_mock, (minute + 1) * LEAST_BYTES))
            sweep_later(watched_mock, 61 * (minute + 1))
        client.send(body[6 * LEAST_BYTES :])
        assert client.answer()[0] == 200


def test_the_next_request_of_a_connection_may_not_stall_either(watched_mock: RunningMock) -> None:
    with closing(Wire(watched_mock)) as client:
        client.send(b"".join(request_of([upload(png())])))
        assert client.answer()[0] == 200
        client.send(HEAD.encode())
        wait_until(lambda: received_bytes(watched_mock))
        sweep_later(watched_mock, 61)
        assert client.answer()[0] == 408
        assert client.rest() == b""


def test_a_connection_between_two_requests_is_not_hurried(watched_mock: RunningMock) -> None:
    with closing(Wire(watched_mock)) as client:
        client.send(b"".join(request_of([upload(png())])))
        assert client.answer()[0] == 200
        sweep_later(watched_mock, 61)
        client.send(b"".join(request_of([upload(png())])))
        assert client.answer()[0] == 200


@pytest.mark.parametrize("cut", [0, 1, 100, -1])
def test_without_the_limit_a_request_may_take_for_ever(patient_mock: RunningMock, cut: int) -> None:
    whole = b"".join(request_of([upload(png())]))
    with closing(Wire(patient_mock)) as client:
        client.send(whole[:cut])
        sweep_later(patient_mock, 10**9)
        client.send(whole[cut:])
        assert client.answer()[0] == 200


def test_an_answer_that_nobody_reads_is_let_go(watched_mock: RunningMock) -> None:
    with closing(Wire(watched_mock, receive_buffer_bytes=4096)) as client:
        client.send(f"GET {stored(watched_mock)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        wait_until(lambda: unread_bytes(watched_mock))
        for seconds in (0, 61):
            sweep_later(watched_mock, seconds)
        wait_until(lambda: not connections(watched_mock))
        assert len(client.rest()) < len(bmp())


def test_an_answer_that_is_read_slowly_arrives_whole(watched_mock: RunningMock) -> None:
    with closing(Wire(watched_mock, receive_buffer_bytes=4096)) as client:
        client.send(f"GET {stored(watched_mock)} HTTP/1.0\r\nHost: x\r\n\r\n".encode())
        wait_until(lambda: unread_bytes(watched_mock))
        taken = b""
        for minute in range(5):
            sweep_later(watched_mock, 61 * minute)
            enough = unread_bytes(watched_mock) - LEAST_BYTES
            while unread_bytes(watched_mock) > enough:
                taken += client.take(65536)
        assert (taken + client.rest()).endswith(bmp())


def stored(mock: RunningMock) -> str:
    """Store a picture too large for the buffers of a connection, 12 MB, and return its path."""
    services = mock.services
    uuid = add_medium(services, services.accounts.open(KEY).id, bmp(), uuid=None, age=None)
    return url_path(uuid, "bmp")


@cache
def bmp() -> bytes:
    """Return a BMP of 2000 by 2000 pixels."""
    return encoded(photo((2000, 2000)), "BMP")


def test_a_web_socket_that_never_authenticates_is_closed_whatever_it_sends() -> None:
    ping = json.dumps([{"taskType": "ping", "ping": True}])
    with running_mock(idle_timeout="300ms") as hasty_mock, connect(hasty_mock.ws_url) as client:
        with suppress(ConnectionClosed):
            while True:
                client.send(ping)
                client.recv(timeout=60)
        assert (client.close_code, client.close_reason) == (1011, "idle")


def test_a_web_socket_that_has_authenticated_lives_on_as_long_as_it_speaks() -> None:
    with running_mock(idle_timeout="2s") as hasty_mock, talking_ws(hasty_mock, KEY) as talker:
        began_s = monotonic()
        while monotonic() - began_s < 2.5:
            assert talker.ask({"taskType": "ping", "ping": True}).item["pong"]


@pytest.mark.parametrize("part", [11, 100, 5000])
def test_a_frame_that_does_not_arrive_closes_its_socket(watched_mock: RunningMock, part: int) -> None:
    with closing(Wire(watched_mock)) as client:
        client.upgrade(KEY)
        client.send(client.frame(b"[" + b" " * 10_000)[:part])
        wait_until(lambda: watched_mock.server.limits.taken_bytes)
        sweep_later(watched_mock, 61)
        assert client.close_code() == 1011
    wait_until(lambda: not connections(watched_mock))
    assert watched_mock.server.limits.taken_bytes == 0


def test_a_message_that_comes_in_fragments_may_not_stall_either(watched_mock: RunningMock) -> None:
    with closing(Wire(watched_mock)) as client:
        client.upgrade(KEY)
        client.send(client.frame(b'[{"taskType":', is_last=False))
        wait_until(lambda: watched_mock.server.limits.taken_bytes)
        sweep_later(watched_mock, 61)
        assert client.close_code() == 1011


def test_a_socket_that_waits_for_something_to_say_has_not_stalled(watched_mock: RunningMock) -> None:
    with closing(Wire(watched_mock)) as client:
        client.upgrade(KEY)
        client.send(client.frame(b"", opcode=0x9))
        for seconds in (0, 61, 122):
            sweep_later(watched_mock, seconds)
        client.send(client.frame(json.dumps([upload(png())]).encode()))
        assert "imageUUID" in client.text()


def test_a_socket_whose_answers_nobody_reads_is_let_go(watched_mock: RunningMock) -> None:
    pings = [{"taskType": "ping", "ping": True}] * 100_000
    with closing(Wire(watched_mock, receive_buffer_bytes=4096)) as client:
        client.upgrade(KEY)
        client.send(client.frame(json.dumps(pings).encode()))
        wait_until(lambda: unread_bytes(watched_mock) > LEAST_BYTES)
        assert unread_bytes(watched_mock) < 2**20
        for seconds in (0, 61, 122):
            sweep_later(watched_mock, seconds)
        wait_until(lambda: not connections(watched_mock))
    assert watched_mock.server.limits.taken_bytes == 0


def test_a_long_frame_is_no_silence(patient_mock: RunningMock) -> None:
    """The idle time counts between messages, and pongs cannot come in the middle of one."""
    with closing(Wire(patient_mock)) as client:
        client.upgrade(KEY)
        message = client.frame(json.dumps([upload(png())]).encode())
        client.send(message[:-1])
        (connection,) = connections(patient_mock)
        assert isinstance(connection, WsProtocol)
        wait_until(connection.is_receiving)
        in_loop(patient_mock, connection.keepalive_timeout)
        client.send(message[-1:])
        assert "imageUUID" in client.text()


def test_pings_of_a_client_that_reads_nothing_do_not_pile_up(patient_mock: RunningMock) -> None:
    with closing(Wire(patient_mock, receive_buffer_bytes=4096)) as client:
        client.upgrade(KEY)
        ping = client.frame(b"x" * 125, opcode=0x9)
        for _ in range(400):
            client.send(ping * 256)
        assert unread_bytes(patient_mock) < 2 * 2**20


def test_headers_without_end_are_refused(patient_mock: RunningMock) -> None:
    with closing(Wire(patient_mock)) as client:
        client.send(HEAD.encode() + b"X-Long: " + b"a" * 400_000)
        status, envelope = client.answer()
        assert (status, envelope["errors"][0]["code"]) == (413, "requestTooLarge")
        assert "65536" in envelope["errors"][0]["message"]


@pytest.mark.parametrize("kind", ["trailers", "extension"])
def test_what_surrounds_the_pieces_of_a_body_has_an_end_too(patient_mock: RunningMock, kind: str) -> None:
    body = b"1\r\n[\r\n0\r\nX: " if kind == "trailers" else b"1\r\n[\r\n1;"
    with closing(Wire(patient_mock)) as client:
        client.send(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode() + body + b"a" * 400_000)
        status, envelope = client.answer()
        assert (status, envelope["errors"][0]["code"]) in ((413, "requestTooLarge"), (400, "invalidJson"))
        assert client.rest() == b""


def test_a_client_moves_at_least_16_kib_in_each_window() -> None:
    pace = Pace()
    assert not pace.has_stalled(10**6, 60)
    pace.begin(100)
    pace.moved_bytes += LEAST_BYTES - 1
    assert not pace.has_stalled(159.9, 60)
    assert pace.has_stalled(160, 60)
    pace.moved_bytes += 1
    assert not pace.has_stalled(160, 60)
    assert not pace.has_stalled(219.9, 60)
    assert pace.has_stalled(220, 60)
    pace.end()
    assert not pace.has_stalled(10**6, 60)


def test_a_client_reads_at_least_16_kib_in_each_window_of_what_is_there_for_it() -> None:
    unread = Unread()
    assert not unread.has_stalled(10**6, 100, 60)
    assert not unread.has_stalled(10**6 - LEAST_BYTES, 160, 60)
    assert not unread.has_stalled(10**6 - LEAST_BYTES, 219, 60)
    # More was sent, and as much was read.
    unread.sent_bytes += LEAST_BYTES
    assert not unread.has_stalled(10**6 - LEAST_BYTES, 220, 60)
    assert unread.has_stalled(10**6 - 2 * LEAST_BYTES + 1, 280, 60)
    assert not unread.has_stalled(0, 10**6, 60)
