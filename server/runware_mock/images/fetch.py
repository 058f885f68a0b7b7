"""Fetch pictures from URLs, and send webhooks, but never to an address that `guard` forbids.

This uses the standard library's HTTP client over a socket of our own, which tools that patch HTTP libraries in a user's
test process leave alone.
"""

import io
import socket
import ssl
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import brotli
import certifi
from msgspec import Struct

from runware_mock.clock import monotonic_s
from runware_mock.images.guard import FetchFailed, Resolve, checked_addresses, resolve
from runware_mock.settings import FetchMode

MAX_REDIRECTS = 5
# The control API recognises the mock's own requests by this.
USER_AGENT = "runware-mock"
_REDIRECTS = (301, 302, 303, 307, 308)
_OK = 200
_SUCCESS = 2
_PIECE_BYTES = 2**16
_PORTS = {"http": 80, "https": 443}
# RFC 3986: characters with a meaning in a URL, and the escape character, stay as they are.
_URL_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"

_ENCODINGS = "gzip, deflate, br"

# Returns the bytes behind a URL; raises FetchFailed.
Fetch = Callable[[str], bytes]
# Takes method, URL, content type, body and a timeout in seconds; returns the status, and raises FetchFailed unless a
# success is answered in that time.
Send = Callable[[str, str, str, bytes, float], int]


class UrlFetcher(Struct, frozen=True):
    """Fetches over http and https, and sends; `mode` is the setting `fetch`, `local_files` the setting `url_map`."""

    mode: FetchMode
    timeout: timedelta
    max_bytes: int
    local_files: Mapping[str, Path]
    resolve: Resolve = resolve

    def __call__(self, url: str) -> bytes:
        """Return the bytes behind `url`, without their content encoding; raises FetchFailed."""
        if file := self.local_files.get(url):
            try:
                return file.read_bytes()
            except OSError as error:
                raise FetchFailed(f"The file mapped to this URL cannot be read: {error.strerror}.") from None
        deadline_s = self._begin("Fetching URLs", self.timeout.total_seconds())
        headers = {"Accept": "image/*", "Accept-Encoding": _ENCODINGS}
        for _ in range(MAX_REDIRECTS + 1):
            with self._opened("GET", url, deadline_s, headers, None, self.timeout.total_seconds()) as response:
                if response.status == _OK:
                    return self._body(response)
                if response.status not in _REDIRECTS:
                    raise FetchFailed(f"The server answered {response.status}.")
                location = response.getheader("Location")
            if location is None:
                raise FetchFailed("A redirect does not say where it leads.")
            with _refusing_invalid_urls():
                # http.client reads headers as Latin-1.
                url = urljoin(url, quote(location.encode("latin-1"), safe=_URL_CHARACTERS))
                scheme = urlsplit(url).scheme
            if scheme not in _PORTS:
                raise FetchFailed(f"A redirect leads to {scheme}:, which is not fetched.")
        raise FetchFailed(f"More than {MAX_REDIRECTS} redirects.")

    def send(self, method: str, url: str, content_type: str, body: bytes, timeout_s: float) -> int:
        """Make the request, without redirects; return the status. Raises FetchFailed unless it is a success in time."""
        deadline_s = self._begin("Reaching out", timeout_s)
        with self._opened(method, url, deadline_s, {"Content-Type": content_type}, body, timeout_s) as response:
            if response.status // 100 != _SUCCESS:
                raise FetchFailed(f"The server answered {response.status}.", response.status)
            return response.status

    def _begin(self, what: str, timeout_s: float) -> float:
        if self.mode == "off":
            raise FetchFailed(f"{what} is switched off (--fetch off).")
        return monotonic_s() + timeout_s

    def _body(self, response: HTTPResponse) -> bytes:
        decoder = ContentDecoder(response.getheader("Content-Encoding", ""), self.max_bytes + 1)
        body = bytearray()
        is_measured = response.length is not None
        while piece := response.read(_PIECE_BYTES):
            body += decoder.decode(piece)
            if len(body) > self.max_bytes:
                raise FetchFailed(f"The answer is longer than {self.max_bytes} bytes.")
        if is_measured and response.length:
            raise FetchFailed(f"The connection failed: {response.length} bytes of the answer are missing.")
        decoder.finish()
        return bytes(body)

    @contextmanager
    def _opened(
        self, method: str, url: str, deadline_s: float, headers: dict[str, str], body: bytes | None, timeout_s: float
    ) -> Iterator[HTTPResponse]:
        with _refusing_invalid_urls():
            target = urlsplit(quote(url, safe=_URL_CHARACTERS))
            host, port = _host_of(url), target.port or _PORTS[target.scheme]
        # If a name cannot be sent in ASCII, the resolver does not know it either.
        name = (f"[{host}]" if ":" in host else host).encode("ascii", "replace").decode()
        authority = name if target.port is None else f"{name}:{target.port}"
        path = f"{target.path or '/'}{'?' if target.query else ''}{target.query}"
        addresses = checked_addresses(host, port, self.mode, self.resolve)
        try:
            with _connected(addresses, port, deadline_s, host if target.scheme == "https" else None) as connected:
                connection = HTTPConnection(addresses[0], port)
                timed: Any = _TimedSocket(connected, deadline_s)
                connection.sock = timed
                connection.request(method, path, body, {"Host": authority, "User-Agent": USER_AGENT, **headers})
                yield connection.getresponse()
        except TimeoutError:
            raise FetchFailed(f"It took longer than {timeout_s:g} s.") from None
        except (HTTPException, OSError) as error:
            raise FetchFailed(f"The connection failed: {error or type(error).__name__}.") from None


@contextmanager
def _refusing_invalid_urls() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise FetchFailed(f"The URL is not valid: {error}.") from None


def _host_of(url: str) -> str:
    """Return the host in the form for the resolver and TLS, with names in other scripts encoded by IDNA."""
    host = urlsplit(url).hostname or ""
    try:
        return host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError:
        return host


def _connected(addresses: list[str], port: int, deadline_s: float, tls_host: str | None) -> socket.socket:
    """Return a connection to the first of the checked addresses that answers."""
    for address in addresses:
        try:
            connected = socket.create_connection((address, port), _left_s(deadline_s))
            break
        except ConnectionError:
            if address == addresses[-1]:
                raise
    if tls_host is None:
        return connected
    connected.settimeout(_left_s(deadline_s))
    return ssl.create_default_context(cafile=certifi.where()).wrap_socket(connected, server_hostname=tls_host)


class _TimedSocket(io.RawIOBase):
    """A socket whose reads and writes all end at the deadline; a plain timeout would restart with each of them."""

    def __init__(self, connected: socket.socket, deadline_s: float) -> None:
        super().__init__()
        self._socket = connected
        self._deadline_s = deadline_s

    def sendall(self, data: bytes) -> None:
        self._socket.settimeout(_left_s(self._deadline_s))
        self._socket.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._socket.settimeout(_left_s(self._deadline_s))
        return self._socket.recv_into(buffer)

    def close(self) -> None:
        """Leave the socket open: http.client closes it before it reads a body that ends with the connection."""


def _left_s(deadline_s: float) -> float:
    left_s = deadline_s - monotonic_s()
    if left_s <= 0:
        raise TimeoutError
    return left_s


class ContentDecoder:
    """Undoes the encodings that a Content-Encoding names, in the reverse order; RFC 9110, 8.4.

    No step makes more than `max_bytes` from one piece: a few bytes may inflate to gigabytes.
    """

    def __init__(self, header: str, max_bytes: int) -> None:
        names = [name.strip().lower() for name in header.split(",")]
        self._steps: list[_Zlib | _Brotli] = []
        self._max_bytes = max_bytes
        for name in reversed([name for name in names if name not in ("", "identity")]):
            if name not in _STEPS:
                raise FetchFailed(f"The answer's Content-Encoding is {name[:40]!r}; {_ENCODINGS} are supported.")
            self._steps.append(_STEPS[name]())

    def decode(self, data: bytes) -> bytes:
        """Return the next data decoded; raises FetchFailed if they are broken."""
        try:
            for step in self._steps:
                data = step.decode(data, self._max_bytes)
        except (zlib.error, brotli.error) as error:
            raise FetchFailed(f"The answer's Content-Encoding is broken: {error}.") from None
        return data

    def finish(self) -> None:
        """Raise FetchFailed if the encoded data ended too early."""
        if not all(step.is_finished for step in self._steps):
            raise FetchFailed("The answer's Content-Encoding is broken: it ends too early.")


class _Zlib:
    """Gzip and deflate; the latter comes with zlib's header or, contrary to the specification, without it."""

    def __init__(self) -> None:
        self._inflater: zlib._Decompress | None = None

    @property
    def is_finished(self) -> bool:
        return self._inflater is not None and self._inflater.eof

    def decode(self, data: bytes, max_bytes: int) -> bytes:
        out = b""
        # RFC 1952, 2.2: "A gzip file consists of a series of 'members'".
        while data and len(out) < max_bytes and (not self.is_finished or _GZIP.startswith(data[:2])):
            if self._inflater is None or self.is_finished:
                # zlib recognises its own header and that of gzip, not that there is none. RFC 1950: the low half of the
                # first byte of its own is 8.
                is_raw = data[0] & 15 != 8 and data[0] != _GZIP[0]  # noqa: PLR2004 - see above
                self._inflater = zlib.decompressobj(-zlib.MAX_WBITS if is_raw else _ANY_HEADER + zlib.MAX_WBITS)
            out += self._inflater.decompress(data, max_bytes - len(out))
            data = self._inflater.unused_data
        return out


class _Brotli:
    def __init__(self) -> None:
        self._decompressor = brotli.Decompressor()

    @property
    def is_finished(self) -> bool:
        return bool(self._decompressor.is_finished())

    def decode(self, data: bytes, max_bytes: int) -> bytes:
        if not data or self.is_finished:
            return b""
        out: bytes = self._decompressor.process(data, output_buffer_limit=max_bytes)
        while len(out) < max_bytes and not self._decompressor.can_accept_more_data():
            out += self._decompressor.process(b"", output_buffer_limit=max_bytes - len(out))
        return out


# zlib.h: "Add 32 to windowBits to enable zlib and gzip decoding with automatic header detection".
_ANY_HEADER = 32
_GZIP = b"\x1f\x8b"
_STEPS: dict[str, type[_Zlib | _Brotli]] = {"gzip": _Zlib, "x-gzip": _Zlib, "deflate": _Zlib, "br": _Brotli}
