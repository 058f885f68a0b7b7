"""What stands between a mock and its object storage, and can be shut or stuck."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

_CHUNK_BYTES = 64 * 1024


class Gate:
    """Forwards connections to a server while it is open."""

    def __init__(self, server_url: str) -> None:
        parts = urlsplit(server_url)
        self._server = (str(parts.hostname), int(parts.port or 80))
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._is_shut = False
        self._delay_s = 0.0
        self._over = threading.Event()
        self._passing = threading.Event()
        self._passing.set()
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def open(self) -> None:
        """Let everything through, what has been stuck too."""
        self._is_shut = False
        self._passing.set()

    def shut(self) -> None:
        """End every connection, and each new one at once."""
        self._is_shut = True
        self._passing.set()
        for one in self._sockets:
            _end(one)

    def stick(self) -> None:
        """Take what is sent, and let nothing through."""
        self._passing.clear()

    def slow_down(self, delay_s: float) -> None:
        """Let everything through, each piece so much later."""
        self._delay_s = delay_s

    def close(self) -> None:
        """Forward nothing more."""
        self._over.set()
        self.shut()
        _end(self._listening)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                if self._is_shut:
                    _end(near)
                    continue
                far = socket.create_connection(self._server)
                self._sockets += (near, far)
                if self._is_shut:
                    # `shut` may have gone through the others before these were among them.
                    _end(near)
                    _end(far)
                    continue
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._forward, args=pair, daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK_BYTES):
                self._passing.wait()
                self._over.wait(self._delay_s)
                sink.sendall(data)
        _end(source)
        _end(sink)


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextmanager
def gate_to(server_url: str) -> Iterator[Gate]:
    """Open a gate in front of a server."""
    gate = Gate(server_url)
    try:
        yield gate
    finally:
        gate.close()
