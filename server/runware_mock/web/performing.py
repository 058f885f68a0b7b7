"""Do with a connection what no well-behaved server does: break it, end it, cut or garble what it carries."""

import asyncio
import os
import random
import socket
import struct
from typing import Any

from starlette.types import Receive, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from runware_mock.protocol.performance import Performance

_TRANSPORT = "runware_mock.transport"
# SO_LINGER with a time of 0: closing sends RST instead of FIN.
_NO_LINGER = struct.pack("ii", 1, 0)


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's, but the application can reach the transport."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope[_TRANSPORT] = self.transport  # type: ignore[literal-required] # a key of our own


class WsProtocol(WebSocketsSansIOProtocol):
    """uvicorn's, but the application can reach the transport."""

    async def run_asgi(self) -> None:
        """Serve a socket."""
        self.scope[_TRANSPORT] = self.transport  # type: ignore[literal-required] # a key of our own
        await super().run_asgi()


def end(scope: Scope, *, is_reset: bool) -> None:
    """End a connection without another byte; by RST if `is_reset`."""
    transport: Any = scope[_TRANSPORT]
    if not is_reset:
        transport.close()
        return
    original = transport.get_extra_info("socket")
    if original is not None:
        # The loop's own socket object takes no options; a duplicate of its descriptor is the same socket.
        with socket.socket(fileno=os.dup(original.fileno())) as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()


async def end_request(scope: Scope, receive: Receive, *, is_reset: bool) -> None:
    """End the connection of a request, and wait until the server has noticed: it would answer 500."""
    end(scope, is_reset=is_reset)
    while (await receive())["type"] != "http.disconnect":
        pass


async def send_cut(scope: Scope, receive: Receive, status: int, body: bytes, kept_share: float) -> None:
    """Send the head of a response and a part of its body."""
    transport: Any = scope[_TRANSPORT]
    head = f"HTTP/1.1 {status} \r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    transport.write(head.encode() + body[: int(len(body) * kept_share)])
    await end_request(scope, receive, is_reset=False)


def fall_silent(scope: Scope) -> None:
    """Read nothing more, and ping no more: the other side is left alone."""
    transport: Any = scope[_TRANSPORT]
    transport.pause_reading()
    transport.get_protocol().stop_keepalive()


def cut(text: str, performance: Performance) -> str:
    """Return what is sent of a text."""
    return text if performance.kept_share is None else text[: int(len(text) * performance.kept_share)]


def garbled(text: str, performance: Performance) -> str:
    """Return a text with some of its characters changed, at least one."""
    if performance.garbled_share is None or not text:
        return text
    draw = random.Random(performance.seed)  # noqa: S311 - to be repeated, not to be secret
    characters = list(text)
    for place in draw.sample(range(len(text)), max(1, int(len(text) * performance.garbled_share))):
        # Bit 1 is never part of what makes a byte control the terminal, and always makes it another one.
        characters[place] = chr(ord(characters[place]) ^ 1)
    return "".join(characters)


async def pause(performance: Performance) -> None:
    """Let the planned time go by."""
    if performance.delay_s:
        await asyncio.sleep(performance.delay_s)
