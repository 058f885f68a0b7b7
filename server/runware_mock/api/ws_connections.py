"""uvicorn's WebSocket, within the limits of a server."""

import asyncio
import logging
from collections import deque
from collections.abc import Generator
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.streams import StreamReader

from runware_mock.api.connections import BUSY, PROTOCOL, TOO_SLOW
from runware_mock.api.gathering import READ_AT_ONCE_BYTES, Gathering
from runware_mock.api.limits import Limits, Pace, Unread
from runware_mock.api.unmasking import Unmasking, can_unmask
from runware_mock.storage.outage import crash

_logger = logging.getLogger("uvicorn.error.runware_mock")
_logger.addFilter(lambda record: record.levelno >= logging.WARNING)
_log = logging.getLogger(__name__)
_MOST_FRAGMENTS = 200_000
_CLOSE_FAILED, _CLOSE_TRY_LATER = 1011, 1013
_MASK_BYTES = 4
LONG_CHARS = 64 * 1024
# The first two bytes of a long masked frame that is a whole message, RFC 6455, section 5.2: FIN and the opcode, then a
# length of 8 bytes.
_WHOLE_MESSAGES = {b"\x81\xff": Opcode.TEXT, b"\x82\xff": Opcode.BINARY}
# Where less of a frame is still to come, it is as well received as all else is.
GATHERED_FROM_BYTES = 2**18


class _Reader(StreamReader):
    """Knows how much the parser waits for, and does not copy it."""

    awaited_bytes = 0
    # The last of no more than four bytes that were read: of a long frame, its first two and its mask.
    head = mask = b""

    def read_exact(self, n: int) -> Generator[None, None, bytearray]:
        """Read that many bytes."""
        self.awaited_bytes = n
        while len(self.buffer) < n and not self.eof:
            yield
        self.awaited_bytes = 0
        if len(self.buffer) > n or self.eof:
            whole = yield from super().read_exact(n)
        else:
            whole, self.buffer = self.buffer, bytearray()
        if n <= _MASK_BYTES:
            self.head, self.mask = self.mask, bytes(whole)
        return whole


class WsProtocol(WebSocketsSansIOProtocol):
    """uvicorn's, but within limits; the application can reach it."""

    def __init__(self, *, limits: Limits, **given: Any) -> None:
        super().__init__(**given)
        # Both would log what clients send, API keys and all: the address of each socket, each frame at level DEBUG.
        self.logger = self.conn.logger = _logger
        # The parser has begun to read with it, so that it cannot be another one.
        self.conn.reader.__class__ = _Reader
        self._gathering: Gathering | None = None
        # Only of a frame that is a whole message, which needs no parser any more.
        self._unmasking: Unmasking | None = None
        self._is_ascii = False
        self._limits = limits
        self._reading = Pace()
        self._unread = Unread()
        self._heard_s = 0.0
        # Of the message that is being received, and of those that are not done, the oldest first.
        self._begun_bytes = 0
        self._framed_bytes = 0
        self._sizes: deque[int] = deque()
        self._held_bytes = 0

    def is_receiving(self) -> bool:
        """Tell whether a message has begun and not ended."""
        return self._begun_bytes > 0

    def take_size(self) -> int:
        """Return the length of the oldest message that was not asked for yet; it is to be released when it is done."""
        return self._sizes.popleft()

    def release(self, size_bytes: int) -> None:
        """Let go of a message."""
        if not self.disconnected:
            self._hold(-size_bytes)

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        self._hold(-self._held_bytes)
        self._gathering = self._unmasking = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has come, unless it is too much."""
        self._heard_s = self.loop.time()
        try:
            super().data_received(data)
            self._count(len(data))
        except MemoryError as error:
            _log.exception("a frame failed inside the mock")
            self._fail(_CLOSE_FAILED, crash(error).message[:100])

    def _count(self, size_bytes: int) -> None:
        """Count what was received, and see to the rest of a message that has begun."""
        begun_bytes = self._framed_bytes + len(self.conn.reader.buffer)
        self._hold(begun_bytes - self._begun_bytes)
        self._begun_bytes = begun_bytes
        if not begun_bytes:
            self._reading.end()
            return
        self._reading.begin(self._heard_s)
        self._reading.moved_bytes += size_bytes
        if len(self.frames) > _MOST_FRAGMENTS:
            self._fail(1009, f"more than {_MOST_FRAGMENTS} fragments")
        elif not self._limits.has_room(self._held_bytes):
            self._fail(_CLOSE_TRY_LATER, BUSY)
        elif not self.close_sent:
            self._gather()

    def _gather(self) -> None:
        """Let what is left of a long frame come to where the parser will find it."""
        reader: Any = self.conn.reader
        if reader.awaited_bytes - len(reader.buffer) >= GATHERED_FROM_BYTES:
            self._gathering = Gathering(self, reader.buffer, reader.awaited_bytes)
            reader.buffer = bytearray()
            if reader.head in _WHOLE_MESSAGES and self.conn.current_size is None and can_unmask():
                self._unmasking = Unmasking(self._gathering.place, reader.mask)
            self._go_on_as(self._gathering)

    def taken(self, size_bytes: int) -> None:
        """Count a piece of a frame that is gathered."""
        self._heard_s = self.loop.time()
        self._reading.moved_bytes += size_bytes
        self._begun_bytes += size_bytes
        self._hold(size_bytes)
        if not self._limits.has_room(self._held_bytes):
            self._fail(_CLOSE_TRY_LATER, BUSY)
            return
        if self._gathering is None:
            return
        if self._unmasking is not None:
            self._unmasking.go_on(self._gathering.received_bytes)
        if self._gathering.is_whole:
            self._end_frame(self._gathering)
        elif size_bytes == READ_AT_ONCE_BYTES:
            # There may be more already, but others have waited.
            self.transport.pause_reading()
            self.loop.call_soon(self._read_on)

    def _end_frame(self, gathering: Gathering) -> None:
        reader: Any = self.conn.reader
        if self._unmasking is None:
            reader.buffer = gathering.end()
        else:
            self._unmasking.end()
            self._is_ascii = self._unmasking.is_ascii
            self._unmasking = None
            self.conn.events.append(Frame(_WHOLE_MESSAGES[reader.head], gathering.end()))
            # One that waits for no frame.
            self.conn.parser = self.conn.parse()
            reader.awaited_bytes = 0
        self._gathering = None
        self._go_on_as(self)
        self.data_received(b"")

    def _read_on(self) -> None:
        if not self.read_paused and not self.transport.is_closing():
            self.transport.resume_reading()

    def _go_on_as(self, protocol: asyncio.BaseProtocol) -> None:
        # What is received goes to whom it went to when reading began.
        self.transport.pause_reading()
        self.transport.set_protocol(protocol)
        self._read_on()

    def handle_text(self, event: Frame) -> None:
        """Take the first piece of a message."""
        self._framed_bytes = len(event.data)
        super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        """Take the first piece of a message."""
        self._framed_bytes = len(event.data)
        super().handle_bytes(event)

    def handle_cont(self, event: Frame) -> None:
        """Take a further piece."""
        self._framed_bytes += len(event.data)
        super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        """Hand a message over."""
        if not self.close_sent:
            self._sizes.append(self._framed_bytes)
            self._hold(self._framed_bytes)
        if self._framed_bytes > LONG_CHARS and (self._is_ascii or all(piece.isascii() for piece in self.frames)):
            # Nobody needs it as a text, which takes as long to make as to decode the file in it.
            self.curr_msg_data_type = "bytes"
        self._framed_bytes = 0
        self._is_ascii = False
        super().send_receive_event_to_app()

    def handle_ping(self) -> None:
        """Answer, unless the other side reads nothing and would fill our memory with pongs."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def keepalive_timeout(self) -> None:
        """End a connection that was not heard of; while a long message comes in, no pong can."""
        if self._heard_s > self.ping_sent_at or self.read_paused:
            self.pong_timer = None
            self.pending_ping_payload = None
            self.schedule_ping()
        else:
            super().keepalive_timeout()

    async def run_asgi(self) -> None:
        """Serve a socket."""
        self.scope[PROTOCOL] = self  # type: ignore[literal-required] # a key of our own
        await super().run_asgi()

    def send_now(self, text: bytes) -> bool:
        """Send a text at once if nothing stands in the way; tell whether it went out."""
        if self.close_sent or self.disconnected or not self.writable.is_set() or self.conn.state is not State.OPEN:
            return False
        self._unread.sent_bytes += len(text)
        self.conn.send_text(text)
        self.transport.write(b"".join(self.conn.data_to_send()))
        return True

    async def send(self, message: Any) -> None:
        """Send a frame, and count it."""
        self._unread.sent_bytes += len(message.get("text") or message.get("bytes") or "")
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            # uvicorn takes a refused upgrade for one that was forgotten, and logs an error.
            self.handshake_complete = True

    def check(self, now_s: float) -> None:
        """End a connection whose client has stalled."""
        if self._gathering is not None:
            self._gathering.look()
        if self._unread.has_stalled(self.transport.get_write_buffer_size(), now_s, self._limits.stall_s):
            self.transport.abort()
        elif self.read_paused:
            # It is us who are slow.
            self._reading.end()
        elif self._reading.has_stalled(now_s, self._limits.stall_s):
            self._fail(_CLOSE_FAILED, TOO_SLOW)

    def _hold(self, size_bytes: int) -> None:
        self._held_bytes += size_bytes
        self._limits.taken_bytes += size_bytes

    def _fail(self, code: int, reason: str) -> None:
        self._reading.end()
        self._gathering = self._unmasking = None
        if self.transport.is_closing() or self.close_sent:
            return
        self.conn.fail(code, reason)
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.close()
