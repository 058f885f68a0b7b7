"""Faults in the bytes of uploads, answers and downloads, seen by sockets that count."""

import json
import socket
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from time import monotonic
from urllib.parse import urlsplit

import pytest
from websockets.sync.client import connect

from tests import plain
from tests.control.calling import Calls, calling
from tests.faults.planning import is_met, met, plan
from tests.pictures import png
from tests.protocol.wires import Wire, connections, wait_until
from tests.running import RunningMock, running_mock
from tests.talking import Talker, WsTalker, new_uuid, talking_ws, upload

POSITION = 8192
# Long beside the time that an answer takes, if there is one.
QUIET_S = 0.3


@contextmanager
def connected(mock: RunningMock, receive_buffer_bytes: int | None = None) -> Iterator[socket.socket]:
    """Open a bare connection."""
    address = urlsplit(mock.url)
    with socket.socket() as bare:
        if receive_buffer_bytes is not None:
            bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        bare.settimeout(20)
        bare.connect((address.hostname, address.port))
        yield bare


def body_of(size_bytes: int) -> bytes:
    """Return the body of an upload, padded to a length."""
    return json.dumps([upload(png())]).encode().ljust(size_bytes)


def head_of(api_key: str, size_bytes: int) -> bytes:
    """Return the head of a POST of such a body."""
    return (
        f"POST /v1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api_key}\r\nContent-Length: {size_bytes}\r\n\r\n"
    ).encode()


def all_of(bare: socket.socket) -> tuple[bytes, str]:
    """Return what comes until the connection ends, and how it does."""
    received = b""
    try:
        while part := bare.recv(65536):
            received += part
    except ConnectionResetError:
        return received, "reset"
    return received, "end"


def is_quiet(bare: socket.socket) -> bool:
    """Tell whether nothing comes, not even an end."""
    bare.settimeout(QUIET_S)
    try:
        return bare.recv(1) == b"never"
    except TimeoutError:
        return True
    finally:
        bare.settimeout(20)


def answer_of(bare: socket.socket) -> tuple[int, bytes]:
    """Return status and body of an answer after which the connection stays open."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += bare.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    (length,) = [int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while len(body) < length:
        body += bare.recv(65536)
    return int(head.split()[1]), body


# Uploads


@pytest.mark.parametrize("how", ["stall", "reset", "refuse"])
def test_an_upload_one_byte_shorter_than_the_position_is_left_alone(
    mock: RunningMock, api_key: str, control: Calls, how: str
) -> None:
    name = plan(control, {"kind": "cut_upload", "after_bytes": POSITION, "how": how})
    with connected(mock) as bare:
        bare.sendall(head_of(api_key, POSITION - 1) + body_of(POSITION - 1))
        assert answer_of(bare)[0] == 200
    assert met(control, name) == [0]


@pytest.mark.parametrize("more", [0, 1, 10_000])
@pytest.mark.parametrize(("how", "status"), [("stall", None), ("reset", None), ("refuse", 413), ("refuse", 503)])
def test_an_upload_is_cut_at_the_very_byte(
    mock: RunningMock, api_key: str, control: Calls, how: str, status: int | None, more: int
) -> None:
    given = {} if status is None else {"status": status}
    name = plan(control, {"kind": "cut_upload", "after_bytes": "8KiB", "how": how, **given})
    body = body_of(POSITION + more)
    with connected(mock) as bare:
        bare.sendall(head_of(api_key, len(body)) + body[: POSITION - 1])
        assert is_quiet(bare)
        bare.sendall(body[POSITION - 1 : POSITION])
        if how == "reset":
            assert all_of(bare) == (b"", "reset")
        elif how == "refuse":
            assert answer_of_open_request(bare) == status
            bare.sendall(body[POSITION:])
            assert all_of(bare)[1] == "end"
        else:
            assert is_quiet(bare)
    assert is_met(control, name)
    assert control.get("/media")["total"] == 0


def answer_of_open_request(bare: socket.socket) -> int:
    """Return the status of an answer that comes while the request is still being sent."""
    return int(bare.recv(65536).split()[1])


def test_a_stalled_upload_ends_when_its_client_goes_away(api_key: str) -> None:
    with running_mock() as mock, calling(mock, api_key) as control:
        plan(control, {"kind": "cut_upload", "how": "stall"})
        before = connections(mock)
        with connected(mock) as bare:
            bare.sendall(head_of(api_key, POSITION) + body_of(POSITION))
            assert is_quiet(bare)
            assert connections(mock) == before + 1
        wait_until(lambda: connections(mock) <= before)
        wait_until(lambda: mock.room.taken_bytes == 0)


def test_a_stalled_upload_does_not_hold_up_a_stop() -> None:
    key = "a-key-for-tests-0123456789abcdef"
    began_s = monotonic()
    with running_mock() as mock, calling(mock, key) as control, connected(mock) as bare:
        plan(control, {"kind": "cut_upload", "how": "stall"})
        bare.sendall(head_of(key, POSITION) + body_of(POSITION))
        assert is_quiet(bare)
    assert monotonic() - began_s < 9


def test_an_upload_is_read_as_slowly_as_planned_and_its_client_is_not_to_blame() -> None:
    key = "a-key-for-tests-0123456789abcdef"
    with (
        running_mock(stall_timeout=timedelta(milliseconds=300)) as mock,
        calling(mock, key) as control,
        connected(mock) as bare,
    ):
        name = plan(control, {"kind": "slow_upload", "bytes_per_s": POSITION // 2})
        began_s = monotonic()
        bare.sendall(head_of(key, POSITION) + body_of(POSITION)[:-1])
        assert is_quiet(bare)
        bare.sendall(b" ")
        assert answer_of(bare)[0] == 200
        assert monotonic() - began_s >= 1.9
        assert is_met(control, name)


def test_an_upload_without_a_declared_length_or_of_another_account_is_not_cut(
    mock: RunningMock, api_key: str, control: Calls
) -> None:
    name = plan(control, {"kind": "cut_upload", "after_bytes": 1})
    body = body_of(0)
    url = f"{mock.url}/v1"
    chunked = plain.post(url, content=iter([body]), headers={"Authorization": f"Bearer {api_key}"})
    other = plain.post(url, content=body_of(0), headers={"Authorization": f"Bearer another-{api_key}"})
    assert (chunked.status_code, other.status_code, met(control, name)) == (200, 200, [0])


def test_uploads_are_counted_like_tasks(mock: RunningMock, api_key: str, control: Calls) -> None:
    name = plan(control, {"kind": "cut_upload", "how": "refuse", "status": 500, "nth": 2, "after_bytes": 0})
    headers = {"Authorization": f"Bearer {api_key}"}
    statuses = [plain.post(f"{mock.url}/v1", json=[upload(png())], headers=headers).status_code for _ in range(3)]
    assert (statuses, is_met(control, name)) == ([200, 500, 200], True)


@pytest.mark.parametrize(("how", "status"), [("reset", 0), ("refuse", 413)])
def test_the_journal_tells_of_an_upload_that_was_cut(
    mock: RunningMock, api_key: str, control: Calls, how: str, status: int
) -> None:
    plan(control, {"kind": "cut_upload", "how": how})
    with connected(mock) as bare:
        bare.sendall(head_of(api_key, POSITION) + body_of(POSITION))
        all_of(bare)
    # The connection may be broken before the entry is written.
    (entry,) = control.get("/journal/wait", kind="request", timeout="60s")["entries"]
    assert (entry["outcome"], entry["status"], entry["answer"]) == ("fault", status, [])


@pytest.mark.parametrize("more", [-1, 0, 1, 100_000])
@pytest.mark.parametrize("how", ["stall", "reset", "refuse"])
def test_a_message_over_a_websocket_is_cut_at_the_very_byte(
    mock: RunningMock, api_key: str, control: Calls, how: str, more: int
) -> None:
    with closing(Wire(mock)) as wire:
        wire.upgrade(api_key)
        name = plan(control, {"kind": "cut_upload", "after_bytes": POSITION, "how": how})
        frame = Wire.frame(body_of(POSITION + more))
        head_bytes = len(frame) - POSITION - more
        wire.send(frame[: head_bytes + POSITION - 1])
        if more < 0:
            assert "imageUUID" in wire.text()
            assert met(control, name) == [0]
            return
        assert wire.is_quiet(QUIET_S)
        wire.send(frame[head_bytes + POSITION - 1 :][:1])
        if how == "refuse":
            wire.send(frame[head_bytes + POSITION :])
            assert wire.close_code() == 1009
        elif how == "reset":
            assert wire.rest() == b""
        else:
            assert wire.is_quiet(QUIET_S)
    assert is_met(control, name)
    assert control.get("/media")["total"] == 0


@pytest.mark.parametrize("piece_bytes", [1, 7, 10**6])
def test_messages_pass_unharmed_however_they_are_cut_into_pieces(
    mock: RunningMock, api_key: str, control: Calls, piece_bytes: int
) -> None:
    name = plan(control, {"kind": "slow_upload", "bytes_per_s": 10**7, "times": 3})
    with closing(Wire(mock)) as wire:
        wire.upgrade(api_key)
        ping = Wire.frame(json.dumps([{"taskType": "ping", "ping": True}]).encode())
        control_ping = Wire.frame(b"still there?", opcode=0x9)
        stream = ping + control_ping + Wire.frame(body_of(0), mask=b"\1\2\3\4") + control_ping + ping
        for start in range(0, len(stream), piece_bytes):
            wire.send(stream[start : start + piece_bytes])
        texts = [wire.text() for _ in range(3)]
    assert sum("imageUUID" in text for text in texts) == 1
    assert sum("pong" in text for text in texts) == 2
    assert is_met(control, name)


@pytest.mark.both_transports
def test_an_upload_over_either_transport_is_read_as_slowly_as_planned(talker: Talker, control: Calls) -> None:
    name = plan(control, {"kind": "slow_upload", "bytes_per_s": 500})
    began_s = monotonic()
    assert talker.ask(upload(png())).item
    assert monotonic() - began_s > 0.3
    assert is_met(control, name)


# Answers


@pytest.mark.parametrize("how", ["end", "reset"])
@pytest.mark.parametrize("short_bytes", [200, 1, 0, -1])
def test_an_answer_over_rest_is_cut_at_the_very_byte(
    mock: RunningMock, api_key: str, control: Calls, how: str, short_bytes: int
) -> None:
    body = body_of(0)
    with connected(mock) as bare:
        bare.sendall(head_of(api_key, len(body)) + body)
        whole_bytes = len(answer_of(bare)[1])
    name = plan(control, {"kind": "cut_answer", "after_bytes": whole_bytes - short_bytes, "how": how})
    body = body_of(0)
    with connected(mock) as bare:
        bare.sendall(head_of(api_key, len(body)) + body)
        received, ended = all_of(bare)
    head, _, kept = received.partition(b"\r\n\r\n")
    assert (len(kept), ended) == (whole_bytes - max(0, short_bytes), how)
    assert f"content-length: {whole_bytes}".encode() in head.lower()
    assert is_met(control, name)
    assert control.get("/media")["total"] == 2


@pytest.mark.parametrize("how", ["end", "reset"])
@pytest.mark.parametrize("short_bytes", [100, 1, 0, -1])
def test_an_answer_over_a_websocket_is_cut_at_the_very_byte(
    mock: RunningMock, api_key: str, control: Calls, how: str, short_bytes: int
) -> None:
    with closing(Wire(mock)) as wire:
        wire.upgrade(api_key)
        wire.send(Wire.frame(body_of(0)))
        whole_bytes = len(wire.text())
        name = plan(control, {"kind": "cut_answer", "after_bytes": whole_bytes - short_bytes, "how": how})
        wire.send(Wire.frame(body_of(0)))
        received = wire.rest()
    assert received[:4] == struct.pack("!BBH", 0x81, 126, whole_bytes)
    assert len(received) - 4 == whole_bytes - max(0, short_bytes)
    assert is_met(control, name)


def test_a_client_that_comes_back_after_a_cut_answer_gets_it(mock: RunningMock, api_key: str, control: Calls) -> None:
    plan(control, {"kind": "cut_answer", "after_bytes": 10, "how": "reset"})
    task = upload(png())
    authentication = {"taskType": "authentication", "apiKey": api_key, "connectionSessionUUID": new_uuid()}
    with connect(mock.ws_url) as first:
        first.send(json.dumps([authentication]))
        first.recv()
        first.send(json.dumps([task]))
        with pytest.raises(Exception, match="no close frame received"):
            first.recv(10)
    with connect(mock.ws_url) as second:
        second.send(json.dumps([authentication]))
        second.recv()
        assert json.loads(second.recv(10))["data"][0]["taskUUID"] == task["taskUUID"]


@pytest.mark.both_transports
def test_an_answer_is_sent_as_slowly_as_planned(talker: Talker, control: Calls) -> None:
    name = plan(control, {"kind": "slow_answer", "bytes_per_s": 600})
    began_s = monotonic()
    assert talker.ask(upload(png())).item
    assert monotonic() - began_s > 0.3
    assert is_met(control, name)
    assert talker.ask(upload(png())).item


def test_pings_and_pongs_pass_between_the_fragments_of_a_slow_answer(
    mock: RunningMock, api_key: str, control: Calls
) -> None:
    plan(control, {"kind": "slow_answer", "bytes_per_s": 600})
    with talking_ws(mock, api_key) as talker:
        assert isinstance(talker, WsTalker)
        talker.socket.send(json.dumps([upload(png())]))
        fragments = map(str, talker.socket.recv_streaming())
        first = next(fragments)
        talker.socket.send(json.dumps([{"taskType": "ping", "ping": True}]))
        assert talker.socket.ping().wait(10)
        assert json.loads("".join([first, *fragments]))["data"][0]["imageUUID"]
        assert json.loads(talker.socket.recv(10))["data"][0]["pong"]


# Downloads


@pytest.fixture
def picture(control: Calls) -> str:
    """Store a picture that no socket takes in at once; return its URL."""
    return str(control.post("/media", content=large_picture())["url"])


def large_picture() -> bytes:
    """Return a BMP of 3 MiB."""
    head = struct.pack("<2sIHHIIiiHHIIiiII", b"BM", 54 + 3 * 2**20, 0, 0, 54, 40, 1024, 1024, 1, 24, 0, 0, 0, 0, 0, 0)
    return head + bytes(range(256)) * (3 * 2**12)


@pytest.mark.parametrize("how", ["end", "reset"])
@pytest.mark.parametrize("after_bytes", [0, 1024, 2**20, 3 * 2**20 + 53, 3 * 2**20 + 54, 3 * 2**20 + 55])
def test_a_download_is_cut_at_the_very_byte_even_if_it_is_read_slowly(
    mock: RunningMock, control: Calls, picture: str, after_bytes: int, how: str
) -> None:
    name = plan(control, {"kind": "cut_download", "after_bytes": after_bytes, "how": how})
    with connected(mock, receive_buffer_bytes=16_384) as bare:
        bare.sendall(f"GET {urlsplit(picture).path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        received, ended = all_of(bare)
    head, _, kept = received.partition(b"\r\n\r\n")
    whole = large_picture()
    assert (kept == whole[:after_bytes], len(kept), ended) == (True, min(len(whole), after_bytes), how)
    assert f"content-length: {len(whole)}".encode() in head.lower()
    assert is_met(control, name)
    assert plain.get(picture).content == whole


def test_a_download_is_sent_as_slowly_as_planned(control: Calls) -> None:
    small = png()
    url = control.post("/media", content=small)["url"]
    plan(control, {"kind": "slow_download", "bytes_per_s": 2 * len(small)})
    began_s = monotonic()
    assert plain.get(url).content == small
    assert monotonic() - began_s >= 0.45


def test_a_download_is_late(control: Calls, picture: str) -> None:
    plan(control, {"kind": "delay_download", "delay": "300ms"})
    began_s = monotonic()
    assert plain.get(picture).content == large_picture()
    assert monotonic() - began_s >= 0.3


def test_a_download_is_answered_otherwise(control: Calls, picture: str) -> None:
    plan(
        control,
        {"kind": "refuse_download", "status": 502},
        {"kind": "lose_download"},
        {"kind": "mislabel_download", "content_type": "text/plain"},
    )
    refused, lost, mislabelled, usual = (plain.get(picture) for _ in range(4))
    assert (refused.status_code, refused.content) == (502, b"")
    assert (lost.status_code, lost.json()["errors"][0]["code"]) == (404, "mediaNotFound")
    assert (mislabelled.headers["Content-Type"], mislabelled.content) == ("text/plain", large_picture())
    assert (usual.headers["Content-Type"], usual.status_code) == ("image/bmp", 200)


def test_the_same_seed_garbles_the_same_bytes(control: Calls, picture: str) -> None:
    garbled = []
    for seed in (1, 1, 2):
        plan(control, {"kind": "garble_download", "share": 0.001, "seed": seed})
        garbled.append(plain.get(picture).content)
    assert garbled[0] == garbled[1] != garbled[2]
    assert len(garbled[0]) == len(large_picture())
    changed = sum(one != other for one, other in zip(garbled[0], large_picture(), strict=True))
    assert changed == len(large_picture()) // 1000


def test_a_fault_of_downloads_is_met_by_the_medium_it_names_and_by_get_alone(control: Calls, picture: str) -> None:
    uuid = urlsplit(picture).path.rpartition("/")[2].partition(".")[0]
    other = control.post("/media", content=png())["url"]
    name = plan(control, {"kind": "lose_download", "uuid": uuid, "times": None})
    own_page = plain.get(picture, headers={"Sec-Fetch-Site": "same-origin"})
    assert [plain.get(other).status_code, plain.head(picture).status_code, own_page.status_code] == [200, 200, 200]
    assert met(control, name) == [0]
    assert [plain.get(picture).status_code for _ in range(2)] == [404, 404]
    assert met(control, name) == [2]


def test_a_part_of_a_file_is_cut_like_a_whole(control: Calls, picture: str, mock: RunningMock) -> None:
    plan(control, {"kind": "cut_download", "after_bytes": 10})
    with connected(mock) as bare:
        request = f"GET {urlsplit(picture).path} HTTP/1.1\r\nHost: x\r\nRange: bytes=100-199\r\n\r\n"
        bare.sendall(request.encode())
        head, _, kept = all_of(bare)[0].partition(b"\r\n\r\n")
    assert (b" 206 " in head, kept) == (True, large_picture()[100:110])
