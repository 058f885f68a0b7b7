"""A long body on its way from the socket to one piece of memory, with nothing copied between."""

import asyncio

# Not when the first long body comes: where no file can be opened then, nothing can be imported.
import ctypes
from socket import SO_RCVLOWAT, SOL_SOCKET
from typing import Protocol

# Called without giving up the interpreter's lock, for which others would make it wait.
_set_option = ctypes.PyDLL(None).setsockopt

# After so much of a body the event loop looks after others.
READ_AT_ONCE_BYTES = 2**20


class Connection(Protocol):
    """Whose body it is, and who goes on when it is whole."""

    transport: asyncio.Transport

    def taken(self, size_bytes: int) -> None:
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
    """The protocol of a connection while a body of a known length comes in, of which `begun` was received.

    asyncio would make a piece of bytes of what has come, a parser another, and each would be copied to its place: for
    27 MB that is two thirds of what receiving takes.
    """

    def __init__(self, connection: Connection, begun: bytes | bytearray, length_bytes: int) -> None:
        self._connection = connection
        transport = connection.transport
        # TLS holds back what is not the whole of a record, so that nobody knows what is still to come.
        is_plain = transport.get_extra_info("sslcontext") is None
        self._descriptor: int | None = transport.get_extra_info("socket").fileno() if is_plain else None
        self._looks_from_bytes = 1
        self._body = _unset(length_bytes)
        self.received_bytes = len(begun)
        self._body[: len(begun)] = begun
        self.place = memoryview(self._body)

    @property
    def is_whole(self) -> bool:
        """Tell whether all has come."""
        return self.received_bytes == len(self._body)

    def get_buffer(self, _size_hint: int) -> memoryview:
        """Return where the next piece is to be put; nothing behind the body is read."""
        return self.place[self.received_bytes : self.received_bytes + READ_AT_ONCE_BYTES]

    def buffer_updated(self, size_bytes: int) -> None:
        """Count a piece that was put there."""
        self.received_bytes += size_bytes
        # A client as fast as that will have sent more soon: to look each time costs more than to receive.
        self._look_from(2 * size_bytes)
        self._connection.taken(size_bytes)

    def look(self) -> None:
        """Take what there is, however little: the client may have become slow."""
        self._look_from(1)

    def end(self) -> bytearray:
        """Hand over what has come."""
        self._look_from(1)
        body = self._body
        # uvloop knows its last buffered protocol for as long as a connection lasts, which must not keep the body.
        self._body, self.place = bytearray(), memoryview(b"")
        return body

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the connection."""
        self._descriptor = None
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
        from_bytes = max(1, min(size_bytes, len(self._body) - self.received_bytes, READ_AT_ONCE_BYTES))
        if self._descriptor is None or from_bytes == self._looks_from_bytes or self._connection.transport.is_closing():
            return
        self._looks_from_bytes = from_bytes
        # uvloop's own would open another descriptor each time, and fail where there is none left.
        value = ctypes.c_int(from_bytes)
        _set_option(self._descriptor, SOL_SOCKET, SO_RCVLOWAT, ctypes.byref(value), ctypes.sizeof(value))


def _unset(size_bytes: int) -> bytearray:
    """Return memory that nobody has filled with zeros, which takes as long as to fill it with a body."""
    make = ctypes.pythonapi.PyByteArray_FromStringAndSize
    make.restype, make.argtypes = ctypes.py_object, (ctypes.c_char_p, ctypes.c_ssize_t)
    body: bytearray = make(None, size_bytes)
    return body
