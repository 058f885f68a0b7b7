"""Faults of the messages that come in over a WebSocket.

The application gets a message when all of it is there. So this stands between the connection and its protocol, by
asyncio's `set_protocol`, and counts the bytes of the frames (RFC 6455, section 5.2) on their way.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from runware_mock.api.fault_effects import end
from runware_mock.protocol.response_plan import ResponsePlan

_DATA_OPCODES = (0x1, 0x2)
_SHORTEST_HEAD_BYTES, _MASK_BYTES = 2, 4
# How many bytes of a longer length follow these numbers.
_LENGTH_BYTES = {126: 2, 127: 8}
# As much of a message waits for a fault; then the client does.
_MOST_HELD_BYTES = 64 * 2**10


class Frames:
    """Follows the frames of a stream of bytes."""

    def __init__(self) -> None:
        self.left_bytes = 0
        self._head = bytearray()

    def next_message(self, data: bytes, start: int = 0) -> tuple[int, int | None]:
        """Go on to where the head of the next message ends; return that place in the data, and how long its frame is.

        If there is none, go on to the end of the data and return None.
        """
        while True:
            skipped = min(self.left_bytes, len(data) - start)
            self.left_bytes -= skipped
            start += skipped
            if start == len(data):
                return start, None
            head = self._head
            taken = data[start : start + _head_bytes(head) - len(head)]
            head += taken
            start += len(taken)
            if len(head) < _head_bytes(head):
                continue
            size_bytes, more = head[1] & 0x7F, _LENGTH_BYTES.get(head[1] & 0x7F)
            if more:
                size_bytes = int.from_bytes(head[2 : 2 + more], "big")
            is_message = head[0] & 0xF in _DATA_OPCODES
            head.clear()
            self.left_bytes = size_bytes
            if is_message:
                return start, size_bytes


def _head_bytes(head: bytearray) -> int:
    """Return how long a head is, as far as its first bytes say."""
    if len(head) < _SHORTEST_HEAD_BYTES:
        return _SHORTEST_HEAD_BYTES
    return _SHORTEST_HEAD_BYTES + _LENGTH_BYTES.get(head[1] & 0x7F, 0) + (_MASK_BYTES if head[1] & 0x80 else 0)


class Incoming(asyncio.Protocol):
    """Passes on what comes over a connection; `met_by` returns what a message of so many bytes meets.

    `refuse` closes the socket. Nothing is looked at while `is_planned` says that nothing can be met.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        is_planned: Callable[[], bool],
        met_by: Callable[[int], Awaitable[ResponsePlan | None]],
        refuse: Callable[[], Awaitable[None]],
    ) -> None:
        self._transport = transport
        self._is_planned, self._met_by, self._refuse = is_planned, met_by, refuse
        self._inner: Any = transport.get_protocol()
        self._frames = Frames()
        self._held = bytearray()
        self._has_more = asyncio.Event()
        self._passing_on: asyncio.Task[None] | None = None
        transport.set_protocol(self)

    def data_received(self, data: bytes) -> None:
        """Pass it on, or hold it while a message meets a fault."""
        if self._passing_on is not None:
            self._held += data
            self._has_more.set()
            if len(self._held) > _MOST_HELD_BYTES:
                self._transport.pause_reading()
            return
        place = 0
        while place < len(data):
            place, size_bytes = self._frames.next_message(data, place)
            if size_bytes is not None and self._is_planned():
                self._held += data[place:]
                self._inner.data_received(data[:place])
                self._passing_on = asyncio.create_task(self._pass_on(size_bytes))
                return
        self._inner.data_received(data)

    def eof_received(self) -> Any:
        """Pass it on."""
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        """Pass it on."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass it on, and wait for nothing more."""
        if self._passing_on is not None:
            self._passing_on.cancel()
        self._inner.connection_lost(exc)

    async def _pass_on(self, left_bytes: int) -> None:
        """Pass on one message as its plan says, and then what came after it."""
        plan = await self._met_by(left_bytes) or ResponsePlan()
        taken_bytes, is_cut = 0, False
        while left_bytes > 0 and not is_cut:
            piece = await self._next_piece(left_bytes) if plan.kept_bytes != 0 else b""
            taken_bytes += len(piece)
            left_bytes -= len(piece)
            if plan.bytes_per_s:
                await asyncio.sleep(len(piece) / plan.bytes_per_s)
            is_cut = plan.kept_bytes is not None and taken_bytes >= plan.kept_bytes
            if is_cut and plan.hang_up == "reset":
                end(self._transport, is_reset=True)
                return
            if is_cut and plan.hang_up == "drop":
                # What comes is held, and soon not read any more.
                return
            if is_cut:
                await self._refuse()
            self._inner.data_received(piece)
        self._frames.left_bytes = left_bytes
        self._passing_on = None
        held, self._held = bytes(self._held), bytearray()
        self._transport.resume_reading()
        self.data_received(held)

    async def _next_piece(self, most_bytes: int) -> bytes:
        while not self._held:
            self._has_more.clear()
            self._transport.resume_reading()
            await self._has_more.wait()
        piece = bytes(self._held[:most_bytes])
        del self._held[:most_bytes]
        return piece
