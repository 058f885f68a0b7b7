"""uvicorn's HTTP, within the limits of a server."""

import asyncio
import logging
import sys
from collections.abc import Callable, Iterable
from typing import Any

from httptools import HttpParserCallbackError, HttpRequestParser
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from runware_mock.api.gathering import READ_AT_ONCE_BYTES, Gathering
from runware_mock.api.limits import LEAST_BYTES, Limits, Pace, Unread
from runware_mock.api.packets import OnePacket
from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.protocol.messages import Reply, rest_body
from runware_mock.storage.outage import crash

_log = logging.getLogger(__name__)

# Where a scope holds the connection it came in on, and what uvicorn knows of its request.
PROTOCOL = "runware_mock.protocol"
_CYCLE = "runware_mock.cycle"

_CLOSING = ((b"connection", b"close"),)
_HEAD_LIMIT_BYTES = 64 * 2**10
# So many connections too many are told that they are; further ones are not even listened to.
_TOLD_TOO_MANY = 100


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's, but within limits; the application can reach it, and is told when it ends or the server does."""

    def __init__(self, *, limits: Limits, **given: Any) -> None:
        super().__init__(**given)
        self._limits = limits
        self._reading = Pace()
        self._unread = Unread()
        self._held_bytes = 0
        # What was received since the last piece of a body: a head, trailers, or what surrounds the pieces.
        self._loose_bytes = 0
        self._is_surplus = False
        self._gathering: Gathering | None = None
        self._gathered: asyncio.Future[bytearray | None] = self.loop.create_future()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Begin a connection."""
        super().connection_made(transport)
        self.is_over = asyncio.Event()
        self.is_lost = False
        self.fail: Callable[[], None] | None = None
        self._reading.begin(self.loop.time())
        surplus = len(self.connections) - self._limits.most_connections
        if surplus > _TOLD_TOO_MANY:
            transport.abort()
        elif surplus > 0:
            self._is_surplus = True
            self.app = _too_many

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        self.is_over.set()
        self.is_lost = True
        self._end_gathering()
        if self.fail is not None:
            self.fail()
        self._release()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Begin to stop."""
        self.is_over.set()
        super().shutdown()

    def data_received(self, data: bytes) -> None:
        """Take what has come, unless it is too much."""
        self._loose_bytes += len(data)
        super().data_received(data)
        self._reading.moved_bytes += len(data)
        if self._loose_bytes > _HEAD_LIMIT_BYTES and self.transport.get_protocol() is self:
            if not (self._is_cycle_current() and self.cycle.response_complete):
                self._refuse(refuse("requestTooLarge", f"Its headers take more than {_HEAD_LIMIT_BYTES} bytes."))
            elif self._loose_bytes > self._limits.thrown_away_bytes:
                self.transport.abort()
        elif not self._limits.has_room(self._held_bytes):
            self._refuse(refuse("serviceUnavailable", BUSY))

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope[PROTOCOL] = self  # type: ignore[literal-required] # a key of our own
        self._reading.begin(self.loop.time())

    def on_headers_complete(self) -> None:
        """Begin to answer a request."""
        super().on_headers_complete()
        # A request for a WebSocket has none.
        if self._is_cycle_current():
            self.cycle.transport = OnePacket(self.transport, self.cycle)
        self.scope[_CYCLE] = self.cycle  # type: ignore[literal-required] # a key of our own

    async def answer(self, scope: Scope, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
        """Answer a request all at once: uvicorn takes two messages, and looks at every character of each header."""
        cycle: RequestResponseCycle = scope[_CYCLE]
        if self.flow.write_paused and not cycle.disconnected:
            await self.flow.drain()
        if cycle.disconnected:
            return
        last = () if cycle.keep_alive else _CLOSING
        self.transport.write(self._head(status, *headers, *last) + body)
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()

    async def gather(self, begun: bytes, length_bytes: int) -> bytearray | None:
        """Return a body of a declared length, of which `begun` was received; None if the client goes away before."""
        self._gathering = Gathering(self, begun, length_bytes)
        self._gathered = self.loop.create_future()
        self._go_on_as(self._gathering)
        return await self._gathered

    def taken(self, size_bytes: int) -> None:
        """Count a piece of a body that is gathered."""
        self._reading.moved_bytes += size_bytes
        self._hold(size_bytes)
        if not self._limits.has_room(self._held_bytes):
            self._refuse(refuse("serviceUnavailable", BUSY))
        elif self._gathering is not None and self._gathering.is_whole:
            # To the parser its body never came.
            self.parser = HttpRequestParser(self)
            self._go_on_as(self)
            self.on_message_complete()
        elif size_bytes == READ_AT_ONCE_BYTES:
            # There may be more already, but others have waited.
            self.flow.pause_reading()
            self.loop.call_soon(self._read_on)

    def _read_on(self) -> None:
        if not self.transport.is_closing():
            self.flow.resume_reading()

    def _go_on_as(self, protocol: asyncio.BaseProtocol) -> None:
        # What is received goes to whom it went to when reading began.
        self.flow.pause_reading()
        self.transport.set_protocol(protocol)
        self.flow.resume_reading()

    def _end_gathering(self, *, is_whole: bool = False) -> None:
        if self._gathering is not None:
            body, self._gathering = self._gathering.end(), None
            if not self._gathered.done():
                self._gathered.set_result(body if is_whole else None)
            # It must not keep the body until the next one.
            self._gathered = self.loop.create_future()

    def _hold(self, size_bytes: int) -> None:
        self._held_bytes += size_bytes
        self._limits.taken_bytes += size_bytes

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        super().on_body(body)
        if self.cycle is not None and not self.cycle.response_complete:
            self._loose_bytes = 0
            self._hold(len(body))

    def on_message_complete(self) -> None:
        """Expect nothing more of the client but that it reads the answer."""
        super().on_message_complete()
        self._end_gathering(is_whole=True)
        self._reading.end()
        self._loose_bytes = 0

    def on_response_complete(self) -> None:
        """Let go of the request."""
        self._release()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; where it was us who could not take it, say that instead."""
        error = sys.exc_info()[1]
        if isinstance(error, HttpParserCallbackError) and isinstance(error.__context__, Exception):
            _log.error("a request failed inside the mock", exc_info=error.__context__)
            self._refuse(crash(error.__context__))
        else:
            super().send_400_response(msg)

    def handle_websocket_upgrade(self) -> None:
        """Go on as a WebSocket, where there is room for one."""
        if self._is_surplus:
            self._refuse(refuse("serviceUnavailable", _TOO_MANY))
        else:
            super().handle_websocket_upgrade()

    def check(self, now_s: float) -> None:
        """End a connection whose client has stalled."""
        if self._gathering is not None:
            self._gathering.look()
        if self._unread.has_stalled(self.transport.get_write_buffer_size(), now_s, self._limits.stall_s):
            self.transport.abort()
        elif self.flow.read_paused:
            # It is us who are slow.
            self._reading.end()
            self._reading.begin(now_s)
        elif self._reading.has_stalled(now_s, self._limits.stall_s):
            if self._loose_bytes or self._held_bytes:
                self._refuse(refuse("requestTimeout", TOO_SLOW))
            else:
                # A browser that has opened it just in case.
                self.transport.close()

    def _is_cycle_current(self) -> bool:
        """Tell whether the application works on the request that comes in, not on an earlier one."""
        return self.cycle is not None and self.cycle.scope is self.scope

    def _head(self, status: int, *headers: tuple[bytes, bytes]) -> bytes:
        lines = [b"%b: %b\r\n" % header for header in (*self.server_state.default_headers, *headers)]
        return b"".join((STATUS_LINE[status], *lines, b"\r\n"))

    def _release(self) -> None:
        self._hold(-self._held_bytes)

    def _refuse(self, refusal: Refusal) -> None:
        """Answer in place of the application, which is told that the client went away."""
        self._loose_bytes = 0
        self._release()
        self._reading.end()
        if self.transport.is_closing():
            return
        if self.cycle is None or not (self.cycle.response_started and self._is_cycle_current()):
            status, body = rest_body([Reply.refused(refusal)])
            own = ((b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)))
            self.transport.write(self._head(status, *own, (b"retry-after", b"1"), *_CLOSING) + body)
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._end_gathering()
        self.transport.close()


BUSY = "More is being received than --message-budget-bytes has room for."
_TOO_MANY = "There are as many connections as --max-connections allows."
TOO_SLOW = f"Fewer than {LEAST_BYTES} bytes have come within --stall-timeout."


async def _too_many(scope: Scope, receive: Receive, send: Send) -> None:
    """Tell a client that there is no room for it."""
    status, body = rest_body([Reply.refused(refuse("serviceUnavailable", _TOO_MANY))])
    headers = {"Retry-After": "1", "Connection": "close"}
    await Response(body, status, headers, "application/json")(scope, receive, send)
