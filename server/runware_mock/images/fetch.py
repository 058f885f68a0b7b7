"""Fetch a picture from a URL, and send webhooks, never to an address that `guard` forbids.

This uses the standard library's HTTP client over a socket of our own: tools that patch HTTP libraries in a user's test
process leave it alone.
"""

import io
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, Protocol, Self
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import certifi

from runware_mock.clock import monotonic_s
from runware_mock.images.content_encoding import ACCEPTED, decoder_of
from runware_mock.images.guard import Resolve, checked_addresses, resolve
from runware_mock.images.picture import FetchFailed
from runware_mock.settings import FetchMode

MAX_REDIRECTS = 5
# The control API recognises the mock's own requests by this.
USER_AGENT = "runware-mock"
_REDIRECTS = (301, 302, 303, 307, 308)
_OK = 200
_SUCCESS = 2
_PIECE_BYTES = 2**16
_PORTS = {"http": 80, "https": 443}
# RFC 3986: characters that have a meaning in a URL, or escape one, stay as they are.
_URL_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"


class Fetch(Protocol):
    """Whatever turns an image URL into bytes."""

    def __call__(self, url: str) -> bytes:
        """Return the bytes behind `url`; raises FetchFailed."""
        ...


class Send(Protocol):
    """Whatever sends a result to a client's URL."""

    def __call__(self, method: str, url: str, content_type: str, body: bytes, timeout_s: float) -> None:
        """Make the request; raises FetchFailed unless a success is answered within `timeout_s`."""
        ...


class UrlFetcher:
    """Fetches over http and https, and sends; `mode` is the setting `fetch`, `local_files` the setting `url_map`."""

    def __init__(
        self,
        mode: FetchMode,
        timeout: timedelta,
        max_bytes: int,
        local_files: Mapping[str, Path],
        resolve: Resolve = resolve,
    ) -> None:
        self._mode = mode
        self._timeout_s = timeout.total_seconds()
        self._max_bytes = max_bytes
        self._local_files = local_files
        self._resolve = resolve

    def __call__(self, url: str) -> bytes:
        """Return the bytes behind `url`, freed of their content encoding; raises FetchFailed."""
        if url in self._local_files:
            return self._read_file(self._local_files[url])
        deadline_s = self._begin("Fetching URLs", self._timeout_s)
        for _ in range(MAX_REDIRECTS + 1):
            body, location = self._get(url, deadline_s)
            if location is None:
                return body
            with _refusing_invalid_urls():
                url = urljoin(url, location)
                scheme = urlsplit(url).scheme
            if scheme not in _PORTS:
                raise FetchFailed(f"A redirect leads to {scheme}:, which is not fetched.")
        raise FetchFailed(f"More than {MAX_REDIRECTS} redirects.")

    def send(self, method: str, url: str, content_type: str, body: bytes, timeout_s: float) -> None:
        """Make the request; raises FetchFailed unless a success is answered in time. Redirects are not followed."""
        deadline_s = self._begin("Reaching out", timeout_s)
        with self._opened(method, url, deadline_s, {"Content-Type": content_type}, body, timeout_s) as response:
            if response.status // 100 != _SUCCESS:
                raise FetchFailed(f"The server answered {response.status}.")

    def _begin(self, what: str, timeout_s: float) -> float:
        if self._mode == "off":
            raise FetchFailed(f"{what} is switched off (--fetch off).")
        return monotonic_s() + timeout_s

    def _read_file(self, file: Path) -> bytes:
        try:
            return file.read_bytes()
        except OSError as error:
            raise FetchFailed(f"The file mapped to this URL cannot be read: {error.strerror}.") from None

    def _get(self, url: str, deadline_s: float) -> tuple[bytes, str | None]:
        """Return the body and None, or nothing and the URL of a redirect."""
        headers = {"Accept": "image/*", "Accept-Encoding": ACCEPTED}
        with self._opened("GET", url, deadline_s, headers, None) as response:
            if response.status in _REDIRECTS:
                location = response.getheader("Location")
                if location is None:
                    raise FetchFailed("A redirect does not say where it leads.")
                # http.client reads headers as Latin-1.
                return b"", quote(location.encode("latin-1"), safe=_URL_CHARACTERS)
            if response.status != _OK:
                raise FetchFailed(f"The server answered {response.status}.")
            return self._body(response), None

    def _body(self, response: HTTPResponse) -> bytes:
        decoder = decoder_of(response.getheader("Content-Encoding", ""), self._max_bytes + 1)
        body = bytearray()
        is_measured = response.length is not None
        while piece := response.read(_PIECE_BYTES):
            body += decoder.decode(piece, self._max_bytes + 1 - len(body))
            if len(body) > self._max_bytes:
                raise FetchFailed(f"The answer is longer than {self._max_bytes} bytes.")
        if is_measured and response.length:
            raise FetchFailed(f"The connection failed: {response.length} bytes of the answer are missing.")
        decoder.finish()
        return bytes(body)

    @contextmanager
    def _opened(
        self,
        method: str,
        url: str,
        deadline_s: float,
        headers: dict[str, str],
        body: bytes | None,
        timeout_s: float | None = None,
    ) -> Iterator[HTTPResponse]:
        with _refusing_invalid_urls():
            target = urlsplit(quote(url, safe=_URL_CHARACTERS))
            host, port = _host_of(url), target.port or _PORTS[target.scheme]
        path = f"{target.path or '/'}{'?' if target.query else ''}{target.query}"
        sent = {"Host": _authority(host, target), "User-Agent": USER_AGENT, **headers}
        addresses = checked_addresses(host, port, self._mode, self._resolve)
        try:
            with _Connection(addresses, port, host, deadline_s, is_tls=target.scheme == "https") as connection:
                connection.request(method, path, body, sent)
                yield connection.getresponse()
        except TimeoutError:
            raise FetchFailed(f"It took longer than {timeout_s or self._timeout_s:g} s.") from None
        except (HTTPException, OSError) as error:
            raise FetchFailed(f"The connection failed: {error or type(error).__name__}.") from None


@contextmanager
def _refusing_invalid_urls() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise FetchFailed(f"The URL is not valid: {error}.") from None


def _host_of(url: str) -> str:
    """Return the host as the resolver and TLS take it: names in other scripts are encoded by IDNA."""
    host = urlsplit(url).hostname or ""
    try:
        return host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError:
        return host


def _authority(host: str, target: SplitResult) -> str:
    name = f"[{host}]" if ":" in host else host
    # A host that cannot be sent is not known to the resolver either.
    name = name.encode("ascii", "replace").decode()
    return name if target.port is None else f"{name}:{target.port}"


class _Connection(HTTPConnection):
    """A connection to the first of the checked `addresses` that answers; it ends at the deadline, come what may."""

    def __init__(self, addresses: list[str], port: int, host: str, deadline_s: float, *, is_tls: bool) -> None:
        super().__init__(addresses[0], port)
        self._addresses = addresses
        self._tls_host = host if is_tls else None
        self._deadline_s = deadline_s
        self._open_socket: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        if self._open_socket is not None:
            self._open_socket.close()

    def connect(self) -> None:
        """Connect to a checked address, and to no other."""
        self._open_socket = self._connected()
        if self._tls_host is not None:
            self._open_socket.settimeout(_left_s(self._deadline_s))
            context = ssl.create_default_context(cafile=certifi.where())
            self._open_socket = context.wrap_socket(self._open_socket, server_hostname=self._tls_host)
        self.sock: Any = _TimedSocket(self._open_socket, self._deadline_s)

    def _connected(self) -> socket.socket:
        for address in self._addresses[:-1]:
            try:
                return socket.create_connection((address, self.port), _left_s(self._deadline_s))
            except ConnectionError:
                continue
        return socket.create_connection((self._addresses[-1], self.port), _left_s(self._deadline_s))


class _TimedSocket:
    """A socket whose every read and write ends at the deadline; a plain timeout begins anew with each of them."""

    def __init__(self, connected: socket.socket, deadline_s: float) -> None:
        self._socket = connected
        self._deadline_s = deadline_s

    def sendall(self, data: bytes) -> None:
        self._socket.settimeout(_left_s(self._deadline_s))
        self._socket.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._socket, self._deadline_s))

    def close(self) -> None:
        """Leave it open: http.client closes before it reads a body that ends with the connection."""


class _TimedReader(io.RawIOBase):
    def __init__(self, connected: socket.socket, deadline_s: float) -> None:
        super().__init__()
        self._socket = connected
        self._deadline_s = deadline_s

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._socket.settimeout(_left_s(self._deadline_s))
        return self._socket.recv_into(buffer)


def _left_s(deadline_s: float) -> float:
    left_s = deadline_s - monotonic_s()
    if left_s <= 0:
        raise TimeoutError
    return left_s
