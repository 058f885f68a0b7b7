"""Calls to the control API over HTTP, and the error that each way to fail becomes."""

import json
import ssl
from collections.abc import Mapping

# Taken by name, once: libraries that record or refuse HTTP in tests put classes of their own into this module.
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from pydantic import ValidationError

from runware_mock.control_models import Answer, Deleted
from runware_mock.version import __version__

A = TypeVar("A", bound=Answer)
Query = Mapping[str, Any]

DEFAULT_URL = "http://127.0.0.1:8080"
_BADGE = "X-Runware-Mock"


class ControlError(Exception):
    """A call that failed.

    `field` is the dotted path of what is wrong, such as `faults[0].kind`. `code` is badField, notFound, forbidden,
    conflict, timeout or crash; it is unreachable where no mock answered, and then the HTTP `status` is None.
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


class Wire:
    """Sends the calls of one client, each over a connection of its own: nothing stays open, and threads may share it.

    It goes straight to the server: proxies that the environment names are not asked.
    """

    def __init__(
        self, url: str, api_key: str | None, token: str | None, timeout_s: float, ca_file: Path | None = None
    ) -> None:
        self.url = url.rstrip("/")
        self._timeout_s = timeout_s
        self._headers = {"User-Agent": f"runware-mock-client/{__version__}"}
        if api_key:
            self._headers["Authorization"] = f"Bearer {_header_value(api_key, 'api_key')}"
        if token:
            self._headers["X-Control-Token"] = _header_value(token, "token")
        try:
            parts = urlsplit(self.url)
            self._host, self._port = parts.hostname or "", parts.port
        except ValueError:
            self._host = ""
        if not self._host or parts.scheme not in ("http", "https"):
            raise ControlError(f"{url!r} is not the URL of a server, such as {DEFAULT_URL}", "url")
        self._path = quote(parts.path, safe="/%") + "/_mock/"
        self._trust = _trust(ca_file) if parts.scheme == "https" else None

    def get(self, model: type[A], path: str, query: Query | None = None, wait_s: float = 0) -> A:
        """Return the answer to a GET, which may take `wait_s` longer than other calls."""
        return self._read(model, self._send("GET", path, query, wait_s=wait_s))

    def post(
        self, model: type[A], path: str, body: Mapping[str, Any] | bytes | None = None, query: Query | None = None
    ) -> A:
        """Return the answer to a POST of JSON, or of a file."""
        return self._read(model, self._send("POST", path, query, {} if body is None else body))

    def delete(self, path: str) -> int:
        """Return how many things a DELETE has deleted."""
        return self._read(Deleted, self._send("DELETE", path)).deleted

    def download(self, path: str) -> bytes:
        """Return the file that a GET answers with."""
        return self._send("GET", path)

    def _read(self, model: type[A], content: bytes) -> A:
        try:
            return model.model_validate_json(content)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            message = f"the server's answer is not understood, is it of another version? {where}: {first['msg']}"
            raise ControlError(message, code="unreachable") from None

    def _send(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        body: Mapping[str, Any] | bytes | None = None,
        wait_s: float = 0,
    ) -> bytes:
        given = urlencode({name: value for name, value in (query or {}).items() if value is not None})
        headers = dict(self._headers)
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        connection = self._connection(self._timeout_s + wait_s)
        try:
            connection.request(method, f"{self._path}{path}{'?' if given else ''}{given}", body, headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException) as error:
            raise ControlError(
                f"no server can be reached at {self.url} ({str(error) or type(error).__name__}): "
                "start one with `runware-mock serve`, or give the URL of one that runs",
                code="unreachable",
            ) from error
        finally:
            connection.close()
        if _BADGE not in answer.headers:
            raise ControlError(
                f"the server at {self.url} is not a runware-mock with a control API: start one with "
                "`runware-mock serve`",
                code="unreachable",
            )
        if not 200 <= answer.status < 300:  # noqa: PLR2004 - HTTP's own numbers of success
            raise _refusal(answer.status, content)
        return content

    def _connection(self, timeout_s: float) -> HTTPConnection:
        if self._trust is None:
            return HTTPConnection(self._host, self._port, timeout=timeout_s)
        return HTTPSConnection(self._host, self._port, timeout=timeout_s, context=self._trust)


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
