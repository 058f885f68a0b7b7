"""Calls to a server over HTTP, and the error that each way to fail becomes."""

import json
import ssl
from collections.abc import Iterable, Mapping
from contextlib import closing
from email.message import Message

# Imported by name, once: libraries that record or refuse HTTP in tests replace these classes in `http.client`.
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from pydantic import ValidationError

from runware_mock.control_models import Answer, Deleted
from runware_mock.version import __version__

A = TypeVar("A", bound=Answer)
T = TypeVar("T")
Query = Mapping[str, Any]

DEFAULT_URL = "http://127.0.0.1:8080"
BADGE = "X-Runware-Mock"
# How far the path of a bad value is followed.
_DEEPEST = 20


class ControlError(Exception):
    """A call that failed.

    `field` is the dotted path of what is wrong, such as `faults[0].kind`. `code` is badField, notFound, forbidden,
    conflict, timeout, crash or, if no mock answered, unreachable; the HTTP `status` is then None.
    """

    def __init__(
        self, message: str, field: str | None = None, code: str = "badField", status: int | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.code = code
        self.status = status

    def __reduce__(self) -> tuple[Any, ...]:
        """Let it pass from one test worker to another."""
        return type(self), (self.message, self.field, self.code, self.status)


class Listing(list[T]):
    """The items of a list, the newest first; `page` is the whole answer."""

    def __init__(self, items: Iterable[T], page: Answer) -> None:
        super().__init__(items)
        self.page = page

    @property
    def next_before(self) -> int | None:
        """The `before` of the next page; None on the last page."""
        return getattr(self.page, "next_before", None)

    @property
    def total(self) -> int | None:
        """How many media there are on all pages; None for other lists."""
        return getattr(self.page, "total", None)


class Unreachable(Exception):
    """No web server answers; the message says why."""


class Answered(NamedTuple):
    """An HTTP response."""

    status: int
    headers: Message
    content: bytes


def send(
    method: str,
    url: str,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    timeout_s: float = 5.0,
    trust: ssl.SSLContext | None = None,
) -> Answered:
    """Send one request over a connection of its own, and return the answer; raises Unreachable.

    It goes straight to the server: proxies that the environment names are not used.
    """
    try:
        parts = urlsplit(url)
        if not parts.hostname or parts.scheme not in ("http", "https"):
            raise Unreachable(f"this is not the URL of a server, such as {DEFAULT_URL}")
        connection = HTTPConnection(parts.hostname, parts.port, timeout=timeout_s)
        if parts.scheme == "https":
            connection = HTTPSConnection(parts.hostname, parts.port, timeout=timeout_s, context=trust)
        with closing(connection):
            target = quote(parts.path, safe="/%") + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, body, headers or {})
            answer = connection.getresponse()
            return Answered(answer.status, answer.headers, answer.read())
    except HTTPException as error:
        raise Unreachable(f"no web server answers there ({str(error).strip() or type(error).__name__})") from error
    except (OSError, ValueError) as error:
        raise Unreachable(str(error) or type(error).__name__) from error


class Wire:
    """Sends the calls of one client. Nothing stays open between calls, and threads may share it."""

    def __init__(
        self, url: str, api_key: str | None, token: str | None, timeout_s: float, ca_file: Path | None = None
    ) -> None:
        self.url = url.rstrip("/")
        self._timeout_s = timeout_s
        self._headers = {"User-Agent": f"runware-mock-client/{__version__}"}
        # An empty key is sent, so that the server refuses it: it may be a variable that is not set.
        if api_key is not None:
            self._headers["Authorization"] = f"Bearer {_header_value(api_key, 'api_key')}"
        if token:
            self._headers["X-Control-Token"] = _header_value(token, "token")
        self._trust = _trust(ca_file) if self.url.startswith("https:") else None

    def get(self, model: type[A], path: str, query: Query | None = None, wait_s: float = 0) -> A:
        """Return the answer to a GET, which may take `wait_s` longer than other calls."""
        return _read(model, self._send("GET", path, query, wait_s=wait_s))

    def post(
        self, model: type[A], path: str, body: Mapping[str, Any] | bytes | None = None, query: Query | None = None
    ) -> A:
        """Return the answer to a POST of JSON, or of a file."""
        return _read(model, self._send("POST", path, query, {} if body is None else body))

    def delete(self, path: str) -> int:
        """Return how many things a DELETE has deleted."""
        return _read(Deleted, self._send("DELETE", path)).deleted

    def download(self, path: str) -> bytes:
        """Return the file that a GET answers with."""
        return self._send("GET", path)

    def _send(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        body: Mapping[str, Any] | bytes | None = None,
        wait_s: float = 0,
    ) -> bytes:
        given = urlencode({name: value for name, value in (query or {}).items() if value is not None})
        headers = self._headers
        if isinstance(body, Mapping):
            body, headers = _json_of(body), {**headers, "Content-Type": "application/json"}
        url = f"{self.url}/_mock/{path}{'?' if given else ''}{given}"
        try:
            answer = send(method, url, body, headers, timeout_s=self._timeout_s + wait_s, trust=self._trust)
        except Unreachable as error:
            raise ControlError(
                f"no server can be reached at {self.url} ({error}): start one with `runware-mock serve`, or give the "
                "URL of one that runs",
                code="unreachable",
            ) from error
        if BADGE not in answer.headers:
            raise ControlError(
                f"the server at {self.url} is not a runware-mock with a control API: start one with "
                "`runware-mock serve`",
                code="unreachable",
            )
        if not 200 <= answer.status < 300:  # noqa: PLR2004 - HTTP's own numbers of success
            raise _refusal(answer.status, answer.content)
        return answer.content


def _json_of(body: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(body).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ControlError(f"this is not JSON: {error}", _path_of_no_json(body)) from None


def _path_of_no_json(value: Any, path: str = "", above: tuple[Any, ...] = ()) -> str | None:
    """Return the path of the first part that JSON cannot express, that holds itself, or that is very deep."""
    above = (*above, value)
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    for name, part in parts:
        if len(above) > _DEEPEST or any(part is one for one in above):
            break
        try:
            json.dumps(part)
        except (TypeError, ValueError, RecursionError):
            return _path_of_no_json(part, f"{path}[{name}]" if isinstance(name, int) else f"{path}.{name}", above)
    return path.lstrip(".") or None


def _read(model: type[A], content: bytes) -> A:
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        message = f"the server's answer makes no sense, is it of another version? {where}: {first['msg']}"
        raise ControlError(message, code="unreachable") from None


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    # Only servers with TLS need what this imports.
    from runware_mock.certificates import client_context

    try:
        return client_context(ca_file)
    except OSError as error:
        raise ControlError(f"cannot use the certificate {ca_file}: {error.strerror or error}", "ca_file") from None


def named(kind: str, name: str, field: str = "name") -> str:
    """Return the path of one thing of a kind; raises ControlError for a name that would lead elsewhere."""
    text = str(name)
    if not text.strip(".") or "/" in text:
        raise ControlError(f"{text!r} is not a name: it is empty, or has a slash in it", field, "notFound")
    return f"{kind}/{quote(text)}"


def _header_value(secret: str, field: str) -> str:
    """Return a secret that fits into a header; for one that does not, the library's own error would show it."""
    if not (secret.isascii() and secret.isprintable() and secret == secret.strip()):
        raise ControlError(f"the {field} has characters that an HTTP header cannot carry", field)
    return secret


def _refusal(status: int, content: bytes) -> ControlError:
    try:
        error = json.loads(content)["error"]
        return ControlError(error["message"], error.get("field"), error.get("code", "badField"), status)
    except (ValueError, KeyError, TypeError):
        return ControlError(f"the server answered with status {status}", status=status)
