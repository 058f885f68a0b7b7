"""A client down to its bytes."""

import base64
import json
import os
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

from websockets.utils import apply_mask

from tests.running import RunningMock

PATIENCE_S = 60
_TEXT, _CLOSE, _PONG = 0x1, 0x8, 0xA


class Wire:
    """A TCP connection that sends what it is told to."""

    def __init__(self, mock: RunningMock, receive_buffer_bytes: int | None = None) -> None:
        self._socket = socket.socket()
        self._socket.settimeout(PATIENCE_S)
        if receive_buffer_bytes is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        host, _, port = mock.url.removeprefix("http://").rpartition(":")
        self._socket.connect((host, int(port)))
        self._received = b""

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes; a server that has had enough may break the connection."""
        with suppress(ConnectionError):
            self._socket.sendall(data)

    def rest(self) -> bytes:
        """Return all that comes until the connection ends."""
        while chunk := self._chunk():
            self._received += chunk
        return self._received

    def answer(self) -> tuple[int, dict[str, Any]]:
        """Return status and JSON of a response."""
        head = self._until(b"\r\n\r\n")
        status = int(head.split(b" ")[1])
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
        return status, json.loads(self._exactly(int(fields[b"content-length"])))

    def upgrade(self, api_key: str) -> None:
        """Become a WebSocket, and authenticate."""
        nonce = base64.b64encode(os.urandom(16)).decode()
        self.send(
            "GET /v1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {nonce}\r\n\r\n".encode()
        )
        assert b" 101 " in self._until(b"\r\n\r\n")
        self.send(self.frame(json.dumps([{"taskType": "authentication", "apiKey": api_key}]).encode()))
        assert "connectionSessionUUID" in self.text()

    @staticmethod
    def frame(payload: bytes, *, opcode: int = _TEXT, is_last: bool = True, mask: bytes = bytes(4)) -> bytes:
        """Return a frame as clients send it."""
        size = len(payload)
        length = bytes((0x80 | size,)) if size < 126 else b"\xff" + struct.pack(">Q", size)
        # A mask of zeros changes nothing.
        masked = apply_mask(payload, mask) if any(mask) else payload
        return bytes((opcode | 0x80 * is_last,)) + length + mask + masked

    def text(self) -> str:
        """Return the next text frame."""
        opcode, payload = self._next_frame()
        while opcode == _PONG:
            opcode, payload = self._next_frame()
        assert opcode == _TEXT
        return payload.decode()

    def close_code(self) -> int:
        """Return the code of the close frame that comes next."""
        opcode, payload = self._next_frame()
        assert opcode == _CLOSE
        return int.from_bytes(payload[:2], "big")

    def is_quiet(self, for_s: float) -> bool:
        """Tell whether nothing comes for so long, not even an end."""
        self._socket.settimeout(for_s)
        try:
            return self._socket.recv(1, socket.MSG_PEEK) == b"never"
        except TimeoutError:
            return True
        finally:
            self._socket.settimeout(PATIENCE_S)

    def take(self, count: int) -> bytes:
        """Return so many bytes."""
        return self._exactly(count)

    def _next_frame(self) -> tuple[int, bytes]:
        first, size = self._exactly(2)
        if size == 126:
            size = int.from_bytes(self._exactly(2), "big")
        return first & 0xF, self._exactly(size)

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._received:
            self._more()
        end = self._received.index(mark) + len(mark)
        taken, self._received = self._received[:end], self._received[end:]
        return taken

    def _exactly(self, count: int) -> bytes:
        while len(self._received) < count:
            self._more()
        taken, self._received = self._received[:count], self._received[count:]
        return taken

    def _more(self) -> None:
        chunk = self._chunk()
        assert chunk, "the connection has ended"
        self._received += chunk

    def _chunk(self) -> bytes:
        try:
            return self._socket.recv(65536)
        except ConnectionError:
            return b""


def connections(mock: RunningMock) -> int:
    """Return how many connections a server has."""
    return len(mock.server.server_state.connections)


def wait_until(is_so: Callable[[], object]) -> None:
    """Ask until the answer is yes."""
    give_up_s = monotonic() + PATIENCE_S
    while not is_so():
        assert monotonic() < give_up_s
