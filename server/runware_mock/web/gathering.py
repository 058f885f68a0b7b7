"""A long body on its way from the socket to one piece of memory, with nothing copied between."""

import asyncio
from socket import SO_RCVLOWAT, SOL_SOCKET, socket
from typing import Protocol

# After so much of a body the event loop looks after others.
READ_AT_ONCE_BYTES = 4 * 2**20


class Connection(Protocol):
    """Whose body it is, and who goes on when it is whole."""

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport

    def body_taken(self, size_bytes: int) -> None:
        """Count what has come."""

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""

    def eof_received(self) -> None:
        """Expect no more."""

    def pause_writing(self) -> None:
        """Wait."""

    def resume_writing(self) -> None:
        """Go on."""


class Gathering(asyncio.BufferedProtocol):
    """The protocol of a connection while a body of a declared length comes in, of which `begun` was received.

    asyncio would make a piece of bytes of what has come, the HTTP parser another, and each would be copied to its
    place: for 27 MB that is two thirds of what receiving takes.
    """

    def __init__(self, connection: Connection, begun: bytes, length_bytes: int) -> None:
        self._whole: asyncio.Future[bytearray | None] = connection.loop.create_future()
        self._connection = connection
        transport = connection.transport
        # TLS holds back what is not the whole of a record, so that nobody knows what is still to come.
        is_plain = transport.get_extra_info("sslcontext") is None
        self._socket: socket | None = transport.get_extra_info("socket") if is_plain else None
        self._looks_from_bytes = 1
        self._body = _unset(length_bytes)
        self._received_bytes = len(begun)
        self._body[: len(begun)] = begun
        self._place = memoryview(self._body)

    @property
    def is_whole(self) -> bool:
        """Tell whether all has come."""
        return self._received_bytes == len(self._body)

    def get_buffer(self, _size_hint: int) -> memoryview:
        """Return where the next piece is to be put; nothing behind the body is read."""
        return self._place[self._received_bytes : self._received_bytes + READ_AT_ONCE_BYTES]

    def buffer_updated(self, size_bytes: int) -> None:
        """Count a piece that was put there."""
        self._received_bytes += size_bytes
        # A client as fast as that will have sent more soon: to look each time costs more than to receive.
        self._look_from(2 * size_bytes)
        self._connection.body_taken(size_bytes)

    def look(self) -> None:
        """Take what there is, however little: the client may have become slow."""
        self._look_from(1)

    async def whole(self) -> bytearray | None:
        """Return the body once it has come; None where it will not."""
        return await self._whole

    def end(self, *, is_whole: bool) -> None:
        """Hand over the body, or None where the rest will not come."""
        self._look_from(1)
        if not self._whole.done():
            self._whole.set_result(self._body if is_whole else None)
        # uvloop knows its last buffered protocol for as long as a connection lasts, which must not keep the body.
        self._body, self._place, self._whole = bytearray(), memoryview(b""), self._connection.loop.create_future()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the connection."""
        self._socket = None
        self._connection.connection_lost(exc)

    def eof_received(self) -> None:
        """Tell the connection."""
        self._connection.eof_received()

    def pause_writing(self) -> None:
        """Tell the connection."""
        self._connection.pause_writing()

    def resume_writing(self) -> None:
        """Tell the connection."""
        self._connection.resume_writing()

    def _look_from(self, size_bytes: int) -> None:
        """Be woken only when so much has come, or all, or the other side has closed."""
        from_bytes = max(1, min(size_bytes, len(self._body) - self._received_bytes, READ_AT_ONCE_BYTES))
        if self._socket is not None and from_bytes != self._looks_from_bytes:
            self._looks_from_bytes = from_bytes
            self._socket.setsockopt(SOL_SOCKET, SO_RCVLOWAT, from_bytes)


def _unset(size_bytes: int) -> bytearray:
    """Return memory that nobody has filled with zeros, which takes as long as to fill it with a body."""
    import ctypes

    make = ctypes.pythonapi.PyByteArray_FromStringAndSize
    make.restype, make.argtypes = ctypes.py_object, (ctypes.c_char_p, ctypes.c_ssize_t)
    body: bytearray = make(None, size_bytes)
    return body
