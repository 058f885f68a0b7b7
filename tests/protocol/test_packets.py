"""What an answer of a known length begins with leaves with its body, and nothing else of an answer changes."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from runware_mock.api.packets import OnePacket

LENGTH = (b"content-length", b"6")


class Packets(asyncio.Transport):
    """A transport that keeps what it is told to send, and how it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send one piece."""
        self.sent.append(bytes(data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """Send some pieces together."""
        self.sent.append(b"".join(list_of_data))

    def is_closing(self) -> bool:
        """Tell whether it has ended."""
        return self.is_closed

    def close(self) -> None:
        """End."""
        self.is_closed = True


def start(*headers: tuple[bytes, bytes], status: int = 200) -> Message:
    """Return the message that an answer begins with."""
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def piece(body: bytes, *, more_body: bool = False) -> Message:
    """Return the message that a part of a body is."""
    return {"type": "http.response.body", "body": body, "more_body": more_body}


class AnsweringError(Exception):
    """Raised by an application that breaks off."""


async def answered(messages: list[Message], method: str = "GET", *, at_once: bool, awaits_continue: bool) -> Packets:
    """Return what uvicorn sends for these messages, after which an application that is not done breaks off."""
    packets = Packets()
    log = logging.getLogger("tests.packets")
    cycle = RequestResponseCycle(
        scope={"type": "http", "method": method, "path": "/"},  # type: ignore[typeddict-item] # what it asks for
        transport=packets,
        flow=FlowControl(packets),
        logger=log,
        access_logger=log,
        access_log=False,
        default_headers=[],
        message_event=asyncio.Event(),
        expect_100_continue=awaits_continue,
        keep_alive=True,
        on_response=lambda: None,
    )
    if at_once:
        cycle.transport = OnePacket(packets, cycle)

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        if awaits_continue:
            cycle.more_body = False
            cycle.message_event.set()
            await receive()
        for message in messages:
            await send(message)
        if messages[-1].get("more_body", True):
            raise AnsweringError

    await cycle.run_asgi(app)  # type: ignore[arg-type] # uvicorn's own names of the same shapes
    return packets


@pytest.mark.parametrize("awaits_continue", [False, True], ids=["at once", "100-continue"])
@pytest.mark.parametrize(
    ("messages", "options", "packets"),
    [
        ([start(LENGTH), piece(b"abcdef")], {}, 1),
        ([start(LENGTH), piece(b"abc", more_body=True), piece(b"def")], {}, 2),
        ([start(LENGTH), piece(b"", more_body=True), piece(b"abcdef")], {}, 2),
        ([start(LENGTH, (b"connection", b"close")), piece(b"abcdef")], {}, 1),
        ([start(LENGTH), piece(b"abcdef")], {"method": "HEAD"}, 1),
        ([start(status=204), piece(b"")], {}, 2),
        ([start(), piece(b"abc", more_body=True), piece(b"def")], {}, 3),
        ([start(LENGTH)], {}, 1),
        ([start(LENGTH), piece(b"abc", more_body=True)], {}, 1),
    ],
    ids=["whole", "halves", "late", "closing", "HEAD", "no content", "no length", "broken off", "half"],
)
def test_a_head_and_its_body_are_one_packet(
    messages: list[Message], options: dict[str, Any], packets: int, *, awaits_continue: bool
) -> None:
    def sent(*, at_once: bool) -> Packets:
        return asyncio.run(answered(messages, at_once=at_once, awaits_continue=awaits_continue, **options))

    joined, plain = sent(at_once=True), sent(at_once=False)
    assert b"".join(joined.sent) == b"".join(plain.sent)
    assert joined.is_closed == plain.is_closed
    assert len(joined.sent) == packets + awaits_continue
