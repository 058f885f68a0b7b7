"""Clients that take their time for ever are let go; those that are merely slow are not."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import timedelta
from functools import cache
from time import monotonic
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from runware_mock.api.limits import LEAST_BYTES, Body, Readers
from runware_mock.control.media import add_medium
from runware_mock.images.formats import url_path
from runware_mock.settings import Settings
from tests.images.painting import encoded, photo
from tests.pictures import png
from tests.protocol.wires import Wire, connections, wait_until
from tests.running import RunningMock, running_mock
from tests.talking import talking_ws, upload

KEY = "a-key-for-tests-0123456789abcdef"
STALL = timedelta(milliseconds=300)


@pytest.fixture(scope="module")
def hasty_mock() -> Iterator[RunningMock]:
    """Run a server that does not wait long."""
    with running_mock(stall_timeout=STALL) as running:
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


@pytest.mark.parametrize("kept", [0, -1])
def test_a_body_that_does_not_arrive_is_answered_408_and_closed(hasty_mock: RunningMock, kept: int) -> None:
    head, body = request_of([upload(png())])
    with closing(Wire(hasty_mock)) as client:
        client.send(head + body[:kept])
        status, envelope = client.answer()
        assert status == 408
        (error,) = envelope["errors"]
        assert error["code"] == "requestTimeout"
        assert "--stall-timeout" in error["message"]
        assert client.rest() == b""
    wait_until(lambda: not connections(hasty_mock))
    assert hasty_mock.room.taken_bytes == 0


def test_the_next_body_of_a_connection_may_not_stall_either(hasty_mock: RunningMock) -> None:
    with closing(Wire(hasty_mock)) as client:
        client.send(b"".join(request_of([upload(png())])))
        assert client.answer()[0] == 200
        client.send(request_of([upload(png())])[0])
        assert client.answer()[0] == 408
        assert client.rest() == b""


def test_without_the_limit_a_body_may_take_for_ever() -> None:
    body = Body(0)
    assert body.left_s(0, 10**9) is None


def test_a_client_has_the_time_for_each_16_kib() -> None:
    body = Body(100)
    body.take(LEAST_BYTES - 1, 159)
    assert body.left_s(60, 159) == 1
    body.take(1, 159)
    assert body.left_s(60, 159) == 60
    body.take(10 * LEAST_BYTES, 200)
    assert body.left_s(60, 250) == 10
    assert body.left_s(60, 261) == -1


def test_an_answer_that_nobody_reads_is_let_go(hasty_mock: RunningMock) -> None:
    with closing(Wire(hasty_mock, receive_buffer_bytes=4096)) as client:
        client.send(f"GET {stored(hasty_mock)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert client.take(1)
        wait_until(lambda: not connections(hasty_mock))
        assert len(client.rest()) < len(bmp())


def test_an_answer_that_is_read_slowly_arrives_whole(mock: RunningMock) -> None:
    with closing(Wire(mock, receive_buffer_bytes=65536)) as client:
        client.send(f"GET {stored(mock)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert client.rest().endswith(bmp())


class Slow(asyncio.Transport):
    """A transport whose client reads so much each time that somebody looks."""

    def __init__(self, unread_bytes: int, read_bytes: int) -> None:
        super().__init__()
        self.unread_bytes, self.read_bytes = unread_bytes, read_bytes
        self.is_aborted = False

    def get_write_buffer_size(self) -> int:
        """Return what is not read yet, and read on."""
        self.unread_bytes -= min(self.read_bytes, self.unread_bytes)
        return self.unread_bytes

    def abort(self) -> None:
        """Give up."""
        self.is_aborted = True
        self.unread_bytes = 0


@pytest.mark.parametrize(("read_bytes", "is_aborted"), [(0, True), (1, True), (LEAST_BYTES, False)])
def test_a_client_has_the_time_for_each_16_kib_of_what_is_there_for_it(read_bytes: int, *, is_aborted: bool) -> None:
    client = Slow(40 * LEAST_BYTES, read_bytes)
    asyncio.run(Readers(Settings(stall_timeout=STALL)).until_read(client, 0))
    assert (client.is_aborted, client.unread_bytes) == (is_aborted, 0)


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
    with running_mock(idle_timeout="4s") as hasty_mock, talking_ws(hasty_mock, KEY) as talker:
        began_s = monotonic()
        while monotonic() - began_s < 4.5:
            assert talker.ask({"taskType": "ping", "ping": True}).item["pong"]


@pytest.mark.parametrize("is_last", [True, False])
def test_a_frame_that_does_not_arrive_leaves_its_socket_idle(*, is_last: bool) -> None:
    with running_mock(idle_timeout="2s") as mock, closing(Wire(mock)) as client:
        client.upgrade(KEY)
        client.send(client.frame(b"[" + b" " * 10_000, is_last=is_last)[: None if is_last is False else 5000])
        assert client.close_code() == 1011


def test_a_socket_whose_answers_nobody_reads_is_let_go(hasty_mock: RunningMock) -> None:
    with closing(Wire(hasty_mock, receive_buffer_bytes=4096)) as client:
        client.upgrade(KEY)
        pings = client.frame(json.dumps([{"taskType": "ping", "ping": True}] * 1000).encode())
        while connections(hasty_mock):
            client.send(pings)
    wait_until(lambda: not hasty_mock.room.taken_bytes)


def test_a_socket_that_pings_without_end_and_reads_nothing_is_let_go() -> None:
    with (
        running_mock(max_message_bytes=2**20, message_budget_bytes=2**20) as mock,
        closing(Wire(mock, receive_buffer_bytes=4096)) as client,
    ):
        client.upgrade(KEY)
        pings = client.frame(b"x" * 125, opcode=0x9) * 256
        while connections(mock):
            client.send(pings)


def test_a_head_without_end_is_refused(patient_mock: RunningMock) -> None:
    with closing(Wire(patient_mock)) as client:
        client.send(HEAD.encode() + b"X-Long: " + b"a" * 400_000)
        assert client.rest().startswith((b"HTTP/1.1 400 ", b""))


@pytest.mark.parametrize("kind", ["trailers", "extension"])
def test_what_surrounds_the_pieces_of_a_body_has_an_end_too(patient_mock: RunningMock, kind: str) -> None:
    body = b"1\r\n[\r\n0\r\nX: " if kind == "trailers" else b"1\r\n[\r\n1;"
    with closing(Wire(patient_mock)) as client:
        client.send(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode() + body + b"a" * 400_000)
        client.rest()
    wait_until(lambda: not connections(patient_mock))


UPGRADE = (
    "GET /v1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("a long cookie", f"Cookie: {'a' * 9000}\r\n\r\n"),
        ("many headers", "".join(f"X-{number}: a\r\n" for number in range(300)) + "\r\n"),
        ("a body", "Content-Length: 5\r\n\r\nhello"),
    ],
)
def test_an_upgrade_whose_head_is_refused_is_answered_and_closed(
    patient_mock: RunningMock, name: str, more: str
) -> None:
    with closing(Wire(patient_mock)) as client:
        client.send((UPGRADE + more).encode())
        assert client.rest().split(b" ")[1] in (b"400", b"431"), name


def test_an_upgrade_to_http_2_is_answered_as_if_it_had_not_been_asked_for(mock: RunningMock) -> None:
    """Java's HttpClient and `curl --http2` ask for it with each request."""
    body = json.dumps([upload(png())]).encode()
    h2c = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
    with closing(Wire(mock)) as client:
        client.send(f"{HEAD}{h2c}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        status, envelope = client.answer()
    assert status == 200
    assert envelope["data"][0]["imageUUID"]
