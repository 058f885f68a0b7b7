"""Fetch a picture from a URL, never from an address that a mock on a developer's machine must not reach.

Every address of every hop is checked, see `runware_mock.images.guard`.
"""

import ssl
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, urljoin, urlsplit

from runware_mock.images.picture import FetchFailed
from runware_mock.settings import FetchMode

if TYPE_CHECKING:
    import httpcore


class Fetch(Protocol):
    """Whatever turns an image URL into bytes."""

    def __call__(self, url: str) -> bytes:
        """Return the bytes behind `url`; raises FetchFailed."""
        ...


class Send(Protocol):
    """Whatever brings a result to the URL of a client."""

    def __call__(self, method: str, url: str, content_type: str, body: bytes) -> None:
        """Make the request; raises FetchFailed unless it is met with success."""
        ...


class Resolve(Protocol):
    """Whatever knows the addresses of a host."""

    def __call__(self, host: str, port: int, /) -> Sequence[str]:
        """Return every address; raises OSError or UnicodeError."""
        ...


MAX_REDIRECTS = 5
# By this the control API knows what the mock itself was led to ask.
USER_AGENT = "runware-mock"
_REDIRECTS = (301, 302, 303, 307, 308)
_OK = 200
_SUCCESS = 2
# RFC 3986: what has a meaning in a URL, or is escaped already, stays as it is.
_URL_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"


class UrlFetcher:
    """Fetches over http and https, and sends; `mode` is the setting `fetch`, `local_files` the setting `url_map`.

    `resolve` stands for the system's resolver.
    """

    def __init__(
        self,
        mode: FetchMode,
        timeout: timedelta,
        max_bytes: int,
        local_files: Mapping[str, Path],
        resolve: Resolve | None = None,
    ) -> None:
        self._mode = mode
        self._timeout_s = timeout.total_seconds()
        self._max_bytes = max_bytes
        self._local_files = local_files
        self._resolve = resolve

    def __call__(self, url: str) -> bytes:
        """Return the bytes behind `url`; raises FetchFailed."""
        if url in self._local_files:
            return self._read_file(self._local_files[url])
        if self._mode == "off":
            raise FetchFailed("Fetching URLs is switched off (--fetch off).")
        try:
            return self._follow(quote(url, safe=_URL_CHARACTERS), time.monotonic() + self._timeout_s)
        except ValueError as error:
            raise FetchFailed(f"The URL is not valid: {error}.") from None

    def _follow(self, url: str, deadline_s: float) -> bytes:
        for _ in range(MAX_REDIRECTS + 1):
            scheme = urlsplit(url).scheme
            if scheme not in ("http", "https"):
                raise FetchFailed(f"A redirect leads to {scheme}:, which is not fetched.")
            body, location = self._get(url, deadline_s)
            if location is None:
                return body
            url = urljoin(url, location)
        raise FetchFailed(f"More than {MAX_REDIRECTS} redirects.")

    def _read_file(self, file: Path) -> bytes:
        try:
            return file.read_bytes()
        except OSError as error:
            raise FetchFailed(f"The file mapped to this URL cannot be read: {error.strerror}.") from None

    def send(self, method: str, url: str, content_type: str, body: bytes) -> None:
        """Make the request; raises FetchFailed unless it is met with success. Redirects are not followed."""
        if self._mode == "off":
            raise FetchFailed("Reaching out is switched off (--fetch off).")
        deadline_s = time.monotonic() + self._timeout_s
        headers: dict[bytes | str, bytes | str] = {"Content-Type": content_type, "Content-Length": str(len(body))}
        try:
            with self._opened(method, quote(url, safe=_URL_CHARACTERS), deadline_s, headers, body) as response:
                if response.status // 100 != _SUCCESS:
                    raise FetchFailed(f"The server answered {response.status}.")
        except ValueError as error:
            raise FetchFailed(f"The URL is not valid: {error}.") from None

    def _get(self, url: str, deadline_s: float) -> tuple[bytes, str | None]:
        """Return body and None, or nothing and where to go instead."""
        with self._opened("GET", url, deadline_s, {"Accept": "image/*"}, None) as response:
            if response.status in _REDIRECTS:
                return b"", _location(response.headers)
            if response.status != _OK:
                raise FetchFailed(f"The server answered {response.status}.")
            return self._body(response.iter_stream()), None

    @contextmanager
    def _opened(
        self, method: str, url: str, deadline_s: float, headers: dict[bytes | str, bytes | str], body: bytes | None
    ) -> "Iterator[httpcore.Response]":
        import httpcore

        from runware_mock.images.guard import GuardedBackend, resolve

        backend = GuardedBackend(self._mode, deadline_s, self._resolve or resolve)
        sent: dict[bytes | str, bytes | str] = {
            "Host": urlsplit(url).netloc.rpartition("@")[2],
            "User-Agent": USER_AGENT,
            **headers,
        }
        with httpcore.ConnectionPool(ssl_context=_tls(url), network_backend=backend) as pool:
            try:
                with pool.stream(method, url, headers=sent, content=body) as response:
                    yield response
            except httpcore.TimeoutException:
                raise FetchFailed(f"It took longer than {self._timeout_s:g} s.") from None
            except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
                raise FetchFailed(f"The connection failed: {error or type(error).__name__}.") from None

    def _body(self, chunks: Iterable[bytes]) -> bytes:
        body = bytearray()
        for chunk in chunks:
            body += chunk
            if len(body) > self._max_bytes:
                raise FetchFailed(f"The answer is longer than {self._max_bytes} bytes.")
        return bytes(body)


def _location(headers: Iterable[tuple[bytes, bytes]]) -> str:
    for name, value in headers:
        if name.lower() == b"location":
            return quote(value, safe=_URL_CHARACTERS)
    raise FetchFailed("A redirect names no place to go.")


def _tls(url: str) -> ssl.SSLContext | None:
    if not url.lower().startswith("https:"):
        return None
    import certifi

    return ssl.create_default_context(cafile=certifi.where())
