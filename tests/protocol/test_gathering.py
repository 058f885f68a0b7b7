"""A long body comes in as it comes: in pieces of any size, fast or slowly, with the next request right behind it."""

import gc
import json
import socket
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from runware_mock.api.gathering import READ_AT_ONCE_BYTES, Gathering
from runware_mock.api.intake import SMALL_BYTES
from runware_mock.api.limits import LEAST_BYTES
from runware_mock.storage.models import medium
from tests import plain
from tests.images.painting import encoded, photo
from tests.pictures import png
from tests.protocol.wires import Wire, connections, sweep_later, wait_until
from tests.running import RunningMock, running_mock
from tests.talking import talking_ws, upload

KEY = "a-key-for-tests-0123456789abcdef"


@pytest.fixture(scope="module")
def mock() -> Iterator[RunningMock]:
    """Run a server."""
    with running_mock() as running:
        yield running


@cache
def bmp() -> bytes:
    """Return a picture that is stored as it is sent, of 12 MB: many times what is read at once."""
    return encoded(photo((2000, 2000)), "BMP")


def request_of(*pictures: bytes) -> bytes:
    """Return a request that uploads pictures."""
    tasks = [upload(b64encode(picture).decode()) for picture in pictures]
    body = json.dumps(tasks).encode()
    head = f"POST /v1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def frame_of(picture: bytes) -> bytes:
    """Return a frame that uploads a picture."""
    return Wire.frame(json.dumps([upload(b64encode(picture).decode())]).encode())


def check_stored(answer: tuple[int, dict[str, Any]], mock: RunningMock, picture: bytes) -> None:
    """Compare what is stored with what was sent."""
    status, envelope = answer
    assert status == 200
    (item,) = envelope["data"]
    path = item["imageURL"].removeprefix("http://x")
    assert plain.get(mock.url + path).content == picture


def check_told(text: str, mock: RunningMock, picture: bytes) -> None:
    """Compare what is stored with what was sent over a WebSocket."""
    check_stored((200, json.loads(text)), mock, picture)


@pytest.mark.parametrize("piece_bytes", [1000, 65_536, 1_000_003, 50_000_000])
def test_a_long_body_is_the_one_that_was_sent_however_it_is_cut(mock: RunningMock, piece_bytes: int) -> None:
    sent = request_of(bmp())
    assert len(sent) > 3 * READ_AT_ONCE_BYTES
    with closing(Wire(mock)) as client:
        for start in range(0, len(sent), piece_bytes):
            client.send(sent[start : start + piece_bytes])
        check_stored(client.answer(), mock, bmp())


@pytest.mark.parametrize("piece_bytes", [1000, 65_536, 1_000_003, 50_000_000])
def test_so_is_a_long_frame(mock: RunningMock, piece_bytes: int) -> None:
    sent = frame_of(bmp())
    with closing(Wire(mock)) as client:
        client.upgrade(KEY)
        for start in range(0, len(sent), piece_bytes):
            client.send(sent[start : start + piece_bytes])
        check_told(client.text(), mock, bmp())


def test_a_long_frame_is_unmasked(mock: RunningMock) -> None:
    with talking_ws(mock, KEY) as talker:
        for picture in (bmp(), png(), bmp()):
            item = talker.ask(upload(picture)).item
            assert plain.get(item["imageURL"]).content == picture


def test_frames_follow_one_another_without_a_pause(mock: RunningMock) -> None:
    pictures = [bmp(), png(), bmp(), png()]
    with closing(Wire(mock)) as client:
        client.upgrade(KEY)
        for picture in pictures:
            client.send(frame_of(picture) + Wire.frame(b"", opcode=0x9))
        told = {len(plain.get(url_in(client.text(), mock)).content) for _ in pictures}
        assert told >= {len(bmp())}


def url_in(text: str, mock: RunningMock) -> str:
    """Return the address of what an answer tells of."""
    (item,) = json.loads(text)["data"]
    return mock.url + str(item["imageURL"]).removeprefix("http://x")


@pytest.mark.parametrize("more_bytes", [-1, 0, 1])
def test_a_body_about_as_long_as_a_short_one(mock: RunningMock, more_bytes: int) -> None:
    sent = request_of(png())
    head, _, body = sent.partition(b"\r\n\r\n")
    body += b" " * (SMALL_BYTES + more_bytes - len(body))
    head = head.rpartition(b" ")[0] + f" {len(body)}\r\n\r\n".encode()
    with closing(Wire(mock)) as client:
        for cut in range(0, len(body), 100_000):
            client.send((b"" if cut else head) + body[cut : cut + 100_000])
        assert client.answer()[0] == 200


def test_requests_follow_one_another_without_a_pause(mock: RunningMock) -> None:
    pictures = [bmp(), png(), bmp(), png()]
    with closing(Wire(mock)) as client:
        client.send(b"".join(request_of(picture) for picture in pictures))
        for picture in pictures:
            check_stored(client.answer(), mock, picture)


def test_a_client_that_becomes_slow_in_the_middle_is_waited_for(mock: RunningMock) -> None:
    sent = request_of(bmp())
    fast = 2 * READ_AT_ONCE_BYTES
    with closing(Wire(mock)) as client:
        client.send(sent[:fast])
        for minute in range(4):
            begun = fast + minute * LEAST_BYTES
            client.send(sent[begun : begun + LEAST_BYTES])
            wait_until(has_all_of(mock, sent, begun + LEAST_BYTES))
            sweep_later(mock, 61 * minute)
        client.send(sent[fast + 4 * LEAST_BYTES :])
        check_stored(client.answer(), mock, bmp())


def has_all_of(mock: RunningMock, sent: bytes, upto: int) -> Callable[[], bool]:
    """Return whether the body of a request has come up to there; what is less than awaited is seen by a sweep."""
    return has_come(mock, upto - sent.index(b"\r\n\r\n") - 4)


def has_come(mock: RunningMock, size_bytes: int) -> Callable[[], bool]:
    """Return whether so much has come that is not done."""

    def is_so() -> bool:
        sweep_later(mock, 0)
        return mock.server.limits.taken_bytes == size_bytes

    return is_so


def test_a_frame_that_becomes_slow_in_the_middle_is_waited_for(mock: RunningMock) -> None:
    sent = frame_of(bmp())
    fast = 2 * READ_AT_ONCE_BYTES
    with closing(Wire(mock)) as client:
        client.upgrade(KEY)
        client.send(sent[:fast])
        for minute in range(4):
            begun = fast + minute * LEAST_BYTES
            client.send(sent[begun : begun + LEAST_BYTES])
            # Two bytes, the length, and the mask.
            wait_until(has_come(mock, begun + LEAST_BYTES - 14))
            sweep_later(mock, 61 * minute)
        client.send(sent[fast + 4 * LEAST_BYTES :])
        check_told(client.text(), mock, bmp())


def test_a_frame_that_stalls_in_the_middle_closes_its_socket(mock: RunningMock) -> None:
    sent = frame_of(bmp())
    with closing(Wire(mock)) as client:
        client.upgrade(KEY)
        client.send(sent[:-1])
        wait_until(has_come(mock, len(sent) - 15))
        sweep_later(mock, 61)
        sweep_later(mock, 122)
        assert client.close_code() == 1011
    wait_until(lambda: not connections(mock))
    assert mock.server.limits.taken_bytes == 0


def test_a_socket_that_ends_in_the_middle_of_a_frame_leaves_nothing(mock: RunningMock) -> None:
    before = mock.count(medium)
    with closing(Wire(mock)) as client:
        client.upgrade(KEY)
        client.send(frame_of(bmp())[:-1])
    wait_until(lambda: not connections(mock))
    assert mock.server.limits.taken_bytes == 0
    assert mock.count(medium) == before


def test_a_client_that_stalls_in_the_middle_is_told(mock: RunningMock) -> None:
    sent = request_of(bmp())
    with closing(Wire(mock)) as client:
        client.send(sent[:-1])
        wait_until(has_all_of(mock, sent, len(sent) - 1))
        sweep_later(mock, 61)
        sweep_later(mock, 122)
        status, envelope = client.answer()
        assert (status, envelope["errors"][0]["code"]) == (408, "requestTimeout")
    wait_until(lambda: not connections(mock))
    assert mock.server.limits.taken_bytes == 0


def test_a_client_that_goes_away_in_the_middle_leaves_nothing(mock: RunningMock) -> None:
    before = mock.count(medium)
    with closing(Wire(mock)) as client:
        client.send(request_of(bmp())[:-1])
    wait_until(lambda: not connections(mock))
    assert mock.server.limits.taken_bytes == 0
    assert mock.count(medium) == before


@pytest.mark.parametrize("transport", ["rest", "ws"])
def test_no_idle_connection_keeps_a_body(mock: RunningMock, transport: str) -> None:
    with closing(Wire(mock)) as client:
        if transport == "ws":
            client.upgrade(KEY)
            client.send(frame_of(bmp()))
            check_told(client.text(), mock, bmp())
        else:
            client.send(request_of(bmp()))
            check_stored(client.answer(), mock, bmp())
        assert connections(mock)
        known = [one for one in gc.get_objects() if type(one) is Gathering]
        kept = [one for one in gc.get_referents(*known) if isinstance(one, bytearray | memoryview)]
        assert sum(map(len, kept)) == 0


def test_long_bodies_come_over_tls_too(tmp_path: Path) -> None:
    with running_mock(tls=True, data_dir=tmp_path) as secure:
        context = ssl.create_default_context(cafile=tmp_path / "tls" / "ca.pem")
        port = int(secure.url.rpartition(":")[2])
        with (
            socket.create_connection(("127.0.0.1", port), timeout=60) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as client,
        ):
            for picture in (bmp(), png(), bmp()):
                client.sendall(request_of(picture))
            received = b""
            while received.count(b'"imageUUID"') < 3:
                received += client.recv(65536) or pytest.fail("the connection has ended")
        assert received.count(b" 200 OK\r\n") == 3
