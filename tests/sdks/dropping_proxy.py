"""A loopback TCP proxy that resets one connection at a chosen moment, and then behaves."""

from __future__ import annotations

import select
import socket
import struct
import threading
from contextlib import suppress
from enum import Enum
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

CHUNK_BYTES = 64 * 1024
# More than a handshake, an authentication and some pings; less than any picture of ours.
CUT_AFTER_BYTES = 16 * 1024
# Only the answer to an upload holds it; server frames are neither masked nor compressed.
UPLOAD_ANSWER = b'"imageURL"'


class Drop(Enum):
    """When to reset the connection."""

    UPLOAD_CUT = "in the middle of the upload"
    ANSWER_LOST = "after the upload, before its answer"


class DroppingProxy:
    """Forward everything to one server, except for a single reset."""

    def __init__(self, server_url: str, drop: Drop) -> None:
        """Take the address to forward to; nothing listens before the `with` block."""
        parts = urlsplit(server_url)
        self._server = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._drop = drop
        self._armed = True
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self.connections = 0
        self.drops = 0
        self.lost_answer = b""

    @property
    def port(self) -> int:
        """Where the proxy listens."""
        return int(self._listener.getsockname()[1])

    def in_front_of(self, url: str) -> str:
        """Return the same address with our port in it."""
        return urlsplit(url)._replace(netloc=f"127.0.0.1:{self.port}").geturl()

    def __enter__(self) -> Self:
        """Start to accept."""
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all sockets, which ends their threads."""
        # shutdown, because close alone leaves accept() waiting in its thread.
        _shut(self._listener)
        with self._lock:
            for sock in self._open:
                _shut(sock)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._forward, args=(client,), daemon=True).start()

    def _forward(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self._server)
        except OSError:
            # A client that still tries to come back after the test: its server is gone.
            client.close()
            return
        with self._lock:
            self.connections += 1
            self._open |= {client, server}
        try:
            self._pump(client, server)
        except (OSError, ValueError):
            pass  # One side is gone, or closed by the end of the test; the other learns of it below.
        finally:
            with self._lock:
                self._open -= {client, server}
            client.close()
            server.close()

    def _pump(self, client: socket.socket, server: socket.socket) -> None:
        asked_bytes = 0
        answered = b""
        while True:
            readable, _, _ = select.select([client, server], [], [])
            if client in readable:
                data = client.recv(CHUNK_BYTES)
                if not data:
                    return
                asked_bytes += len(data)
                if asked_bytes > CUT_AFTER_BYTES and self._take(Drop.UPLOAD_CUT):
                    server.sendall(data[: len(data) // 2])
                    _reset(client, server)
                    return
                server.sendall(data)
            if server in readable:
                data = server.recv(CHUNK_BYTES)
                if not data:
                    return
                # An answer may arrive in pieces: look at the end of the last one too.
                answered = answered[-CHUNK_BYTES:] + data
                if UPLOAD_ANSWER in answered and self._take(Drop.ANSWER_LOST):
                    self.lost_answer = answered
                    _reset(client, server)
                    return
                client.sendall(data)

    def _take(self, moment: Drop) -> bool:
        """Say whether this is the one reset, and remember that it was."""
        with self._lock:
            if not self._armed or moment is not self._drop:
                return False
            self._armed = False
            self.drops += 1
            return True


def _reset(*sockets: socket.socket) -> None:
    """Close with a TCP reset: no WebSocket close frame, no orderly end."""
    for sock in sockets:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()


def _shut(sock: socket.socket) -> None:
    # Not connected, or closed already: either way it is shut.
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()
