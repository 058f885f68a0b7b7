"""A web server that keeps the mock waiting for a picture until the test lets it go on."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.process import scenes

PICTURE = scenes.small(0x5107)
_WAIT_S = 60


class SlowSource(ThreadingHTTPServer):
    """Counts in `asked` how often the picture is asked for, and answers once `go_on` is set."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked = threading.Semaphore(0)
        self.go_on = threading.Event()

    @property
    def url(self) -> str:
        """Address of the picture."""
        return f"http://127.0.0.1:{self.server_port}/slow.png"

    def wait_until_asked(self) -> None:
        """Wait until the mock asks for the picture, once more than it did for earlier calls."""
        assert self.asked.acquire(timeout=_WAIT_S)


class _Handler(BaseHTTPRequestHandler):
    server: SlowSource

    def do_GET(self) -> None:
        """Answer with the picture, in time."""
        self.server.asked.release()
        self.server.go_on.wait(_WAIT_S)
        self.send_response(200)
        self.send_header("Content-Length", str(len(PICTURE)))
        self.end_headers()
        self.wfile.write(PICTURE)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def slow_source_running() -> Iterator[SlowSource]:
    """Run the web server."""
    with SlowSource() as source:
        threading.Thread(target=source.serve_forever, daemon=True).start()
        yield source
        source.go_on.set()
        source.shutdown()
