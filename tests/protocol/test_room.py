"""How many clients there may be at once, and how much memory all their messages together may take."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from runware_mock.api.limits import Readers, most_connections
from runware_mock.settings import Settings
from tests import plain
from tests.pictures import png
from tests.protocol.test_slow_clients import Slow
from tests.protocol.wires import Wire, connections, wait_until
from tests.running import RunningMock, running_mock
from tests.talking import talking, upload

pytestmark = pytest.mark.both_transports

KEY = "a-key-for-tests-0123456789abcdef"
MIB = 2**20


@pytest.fixture(scope="module")
def small_mock() -> Iterator[RunningMock]:
    """Run a server for three connections, and four MiB of messages."""
    with running_mock(max_connections=3, max_message_bytes=4 * MIB, message_budget_bytes=MIB) as running:
        yield running


@pytest.fixture
def places(small_mock: RunningMock) -> Iterator[ExitStack]:
    """Let connections be taken, and give them back in the end."""
    wait_until(lambda: not connections(small_mock))
    with ExitStack() as taken:
        yield taken
    wait_until(lambda: not connections(small_mock))


def take(mock: RunningMock, places: ExitStack, count: int) -> None:
    """Begin requests and leave them."""
    before = mock.room.taken_bytes
    for _ in range(count):
        places.enter_context(closing(client := Wire(mock)))
        client.send(request_head(2) + b" ")
    wait_until(lambda: mock.room.taken_bytes == before + count)


@pytest.mark.parametrize("taken", [1, 2])
def test_there_is_room_up_to_the_limit(
    small_mock: RunningMock, places: ExitStack, transport: str, api_key: str, taken: int
) -> None:
    take(small_mock, places, taken)
    with talking(small_mock, transport, api_key) as talker:
        assert talker.ask(upload(png())).item


def test_one_connection_more_is_answered_503(small_mock: RunningMock, places: ExitStack) -> None:
    take(small_mock, places, 3)
    refused = plain.post(small_mock.rest_url, json=[upload(png())], headers={"Authorization": f"Bearer {KEY}"})
    assert refused.status_code == 503
    assert (refused.headers["Retry-After"], refused.headers["Connection"]) == ("1", "close")
    (error,) = refused.json()["errors"]
    assert (error["code"], "--max-connections" in error["message"]) == ("serviceUnavailable", True)
    with pytest.raises(InvalidStatus) as no_socket, connect(small_mock.ws_url):
        pass
    assert no_socket.value.response.status_code == 503
    assert json.loads(no_socket.value.response.body)["errors"][0]["code"] == "serviceUnavailable"


def test_there_is_room_again_when_one_has_gone(small_mock: RunningMock, places: ExitStack, api_key: str) -> None:
    take(small_mock, places, 2)
    with ExitStack() as third:
        take(small_mock, third, 1)
    wait_until(lambda: small_mock.room.taken_bytes == 2)
    with talking(small_mock, "rest", api_key) as talker:
        assert talker.ask(upload(png())).item


@pytest.mark.parametrize(
    ("wanted", "files", "most"), [(1000, 20_000, 1000), (1000, 1024, 512), (1000, 100, 64), (0, 5000, 2500)]
)
def test_no_more_connections_are_served_than_there_are_files_for(wanted: int, files: int, most: int) -> None:
    assert most_connections(Settings(max_connections=wanted), files) == most


def request_head(length: int) -> bytes:
    """Return the head of an upload."""
    return f"POST /v1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {length}\r\n\r\n".encode()


def test_messages_beyond_the_memory_are_refused_and_small_ones_are_not(
    small_mock: RunningMock, places: ExitStack, transport: str, api_key: str
) -> None:
    assert small_mock.room.budget_bytes == 4 * MIB
    first = places.enter_context(closing(Wire(small_mock)))
    first.send(request_head(4 * MIB) + b" " * (3 * MIB))
    wait_until(lambda: small_mock.room.taken_bytes == 3 * MIB)
    with closing(Wire(small_mock)) as second:
        second.send(request_head(2 * MIB) + b" " * (2 * MIB - 1))
        status, envelope = second.answer()
        assert (status, envelope["errors"][0]["code"]) == (503, "serviceUnavailable")
        assert "--message-budget-bytes" in envelope["errors"][0]["message"]
    with talking(small_mock, transport, api_key) as talker:
        assert talker.ask(upload(png())).item
    first.send(b" " * MIB)
    assert first.answer()[1]["errors"][0]["code"] == "invalidJson"
    wait_until(lambda: not small_mock.room.taken_bytes)


def test_a_socket_whose_frame_finds_no_room_is_told_to_come_again(small_mock: RunningMock, places: ExitStack) -> None:
    first = places.enter_context(closing(Wire(small_mock)))
    first.send(request_head(4 * MIB) + b" " * (4 * MIB - 1))
    wait_until(lambda: small_mock.room.taken_bytes == 4 * MIB - 1)
    with closing(Wire(small_mock)) as client:
        client.upgrade(KEY)
        client.send(client.frame(b" " * 200_000))
        assert client.close_code() == 1013


def test_what_a_socket_holds_is_given_back_when_it_is_answered(small_mock: RunningMock, api_key: str) -> None:
    with talking(small_mock, "ws", api_key) as talker:
        for _ in range(20):
            talker.ask(upload(png()), upload(" " * 100_000))
        wait_until(lambda: not small_mock.room.taken_bytes)


def test_clients_that_declare_much_and_send_little_keep_nobody_out(api_key: str) -> None:
    picture = png()
    with running_mock(max_message_bytes=200 * MIB, message_budget_bytes=200 * MIB) as mock, ExitStack() as idle:
        for _ in range(4):
            slow = idle.enter_context(closing(Wire(mock)))
            slow.send(request_head(200 * MIB) + b" " * (MIB + 1000))
        wait_until(lambda: mock.room.taken_bytes >= 4 * MIB)
        with talking(mock, "rest", api_key) as talker:
            assert talker.ask({**upload(picture), "pad": " " * 3 * MIB}).item


@pytest.mark.parametrize(
    ("unread_mib", "let_go"),
    [([8], []), ([9], [9]), ([1, 1, 2], []), ([1, 1, 1, 2], [2]), ([1, 3, 2], [3]), ([3, 3, 3], [3, 3])],
)
def test_answers_that_wait_to_be_read_have_a_limit_and_the_largest_goes_first(
    unread_mib: list[int], let_go: list[int]
) -> None:
    readers = Readers(Settings(max_message_bytes=4 * MIB, message_budget_bytes=MIB))
    clients = [Slow(size * MIB + 1, 1) for size in unread_mib]

    async def wait() -> None:
        waiting = [asyncio.create_task(readers.until_read(client, 0)) for client in clients]
        await asyncio.sleep(0)
        for client in clients:
            client.read_bytes = 9 * MIB
        await asyncio.gather(*waiting)

    asyncio.run(wait())
    assert [size for client, size in zip(clients, unread_mib, strict=True) if client.is_aborted] == let_go
