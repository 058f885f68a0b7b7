"""A web server on this machine that pictures are fetched from, in every way that may go wrong."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from tests.images.painting import encoded, photo

PICTURE = encoded(photo((120, 80)), "PNG")
PATIENCE_S = 60


class PictureHost(ThreadingHTTPServer):
    """Serves `/picture` and everything else a fetch may meet; remembers what it was asked."""

    daemon_threads = True
    block_on_close = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.bodies: dict[str, bytes] = {}
        self.is_closing = threading.Event()

    @property
    def url(self) -> str:
        """Address without a path."""
        return f"http://127.0.0.1:{self.server_port}"

    def at(self, path: str) -> str:
        """Return the address of a path."""
        return self.url + path


@contextmanager
def picture_host() -> Iterator[PictureHost]:
    """Run the server on a thread."""
    host = PictureHost()
    thread = threading.Thread(target=host.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield host
    finally:
        host.is_closing.set()
        host.shutdown()
        host.server_close()
        thread.join()


class _Answers(BaseHTTPRequestHandler):
    server: PictureHost

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        """Keep quiet."""

    def do_GET(self) -> None:
        """Answer by the first part of the path."""
        self.server.asked.append((self.path, dict(self.headers)))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        name, _, rest = urlsplit(self.path).path.removeprefix("/").partition("/")
        answer = getattr(self, f"_answer_{name}", None)
        # A client that has seen enough hangs up.
        with suppress(ConnectionError):
            if answer is None:
                self.send_error(404)
            else:
                answer(unquote(rest))

    do_POST = do_GET  # noqa: N815 - http.server asks for this name

    def _send(self, body: bytes, *, status: int = 200, content_type: str = "image/png", length: bool = True) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        if length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer_picture(self, _: str) -> None:
        self._send(PICTURE)

    def _answer_mislabelled(self, _: str) -> None:
        self._send(PICTURE, content_type="text/html", length=False)

    def _answer_page(self, _: str) -> None:
        self._send(b"<!doctype html><title>Sign in</title>", content_type="text/html")

    def _answer_status(self, code: str) -> None:
        self._send(PICTURE, status=int(code))

    def _answer_nothing(self, _: str) -> None:
        self._send(b"")

    def _answer_of_length(self, length: str) -> None:
        self._send(bytes(int(length)))

    def _answer_cut(self, _: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(2 * len(PICTURE)))
        self.end_headers()
        self.wfile.write(PICTURE)

    def _answer_endless(self, _: str) -> None:
        self.send_response(200)
        self.end_headers()
        while not self.server.is_closing.is_set():
            self.wfile.write(bytes(2**16))

    def _answer_to(self, location: str) -> None:
        self.send_response(302)
        self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _answer_hops(self, left: str) -> None:
        self._answer_to(f"/hops/{int(left) - 1}" if int(left) > 1 else "/picture")

    def _answer_loop(self, _: str) -> None:
        self._answer_to("/loop")

    def _answer_nowhere(self, _: str) -> None:
        self._send(b"", status=302)

    def _answer_encoded(self, header: str) -> None:
        """Send the body that the test has put into `bodies`, under a Content-Encoding."""
        body = self.server.bodies[header]
        self.send_response(200)
        self.send_header("Content-Encoding", header)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer_silence(self, _: str) -> None:
        self.server.is_closing.wait(PATIENCE_S)

    def _answer_trickle(self, part: str) -> None:
        """Send a byte now and then, for ever, within the header or the body."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\n" + (b"X-Slow: " if part == "header" else b"\r\n"))
        while not self.server.is_closing.wait(0.02):
            self.wfile.write(b"x")
