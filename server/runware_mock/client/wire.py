"""Calls over HTTP: what is sent, and how each way to fail is told."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from runware_mock.client.answers import Answer, Json, Listing
from runware_mock.client.reading import read

if TYPE_CHECKING:
    import ssl

A = TypeVar("A", bound=Answer)

DEFAULT_URL = "http://127.0.0.1:8080"
_BADGE = "X-Runware-Mock"


class ControlError(Exception):
    """A call that failed.

    `field` is a dotted path to what is wrong, such as `faults[0].kind`; `code` is badField, notFound, forbidden,
    conflict, timeout or crash, or unreachable where no mock answered; then `status`, that of HTTP, is None.
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
    """Sends the calls of one client."""

    def __init__(
        self, url: str, api_key: str | None, token: str | None, timeout_s: float, ca_file: Path | None = None
    ) -> None:
        import httpx

        self.url = url.rstrip("/")
        self._timeout_s = timeout_s
        headers = {}
        if api_key:
            headers["Authorization"] = f"Bearer {_fit(api_key, 'api_key')}"
        if token:
            headers["X-Control-Token"] = _fit(token, "token")
        try:
            self._http = httpx.Client(
                base_url=f"{self.url}/_mock/",
                headers=headers,
                # A proxy that the environment names has nothing to do with a server on this machine.
                trust_env=False,
                # Reading the certificates of the world takes longer than all the rest.
                verify=_trust(ca_file) if self.url.startswith("https:") else False,
            )
        except httpx.InvalidURL as error:
            raise ControlError(f"{self.url!r} is no URL: {error}", "url") from None

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def get(self, shape: type[A], path: str, query: Mapping[str, Any] | None = None, wait_s: float = 0) -> A:
        """Return what a GET answers with; it may take `wait_s` longer than other calls."""
        return self._read(shape, self.call("GET", path, query, wait_s=wait_s))

    def get_list(
        self, shape: type[A], path: str, query: Mapping[str, Any] | None = None, *, under: str, wait_s: float = 0
    ) -> Listing[A]:
        """Return the list that stands under a name in what a GET answers with."""
        answer = self.call("GET", path, query, wait_s=wait_s)
        return Listing([self._read(shape, one) for one in answer[under]], answer)

    def post(
        self,
        shape: type[A],
        path: str,
        body: Mapping[str, Any] | bytes | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> A:
        """Return what a POST of JSON, or of a file, answers with."""
        return self._read(shape, self.call("POST", path, query, body if body is not None else {}))

    def delete(self, path: str) -> int:
        """Return how many a DELETE has removed."""
        return int(self.call("DELETE", path)["deleted"])

    def download(self, path: str) -> bytes:
        """Return the file that a GET answers with."""
        content: bytes = self._send("GET", path, None, None, 0).content
        return content

    def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | bytes | None = None,
        wait_s: float = 0,
    ) -> Json:
        """Return the JSON of an answer; raises ControlError for all else."""
        answer = self._send(method, path, query, body, wait_s)
        try:
            document: Json = answer.json()
        except ValueError:
            raise self._stranger() from None
        return document

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        body: Mapping[str, Any] | bytes | None,
        wait_s: float,
    ) -> Any:
        import httpx

        given: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {"json": body}
        given["params"] = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            answer = self._http.request(method, path, timeout=self._timeout_s + wait_s, **given)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ControlError(
                f"no server can be reached at {self.url} ({str(error) or type(error).__name__}): "
                "start one with `runware-mock serve`, or give the URL of one that runs",
                code="unreachable",
            ) from error
        if _BADGE not in answer.headers:
            raise self._stranger()
        if not answer.is_success:
            raise _refusal(answer)
        return answer

    def _read(self, shape: type[A], value: Json) -> A:
        try:
            answer: A = read(shape, value)
        except ValueError as error:
            raise ControlError(str(error), code="unreachable") from None
        return answer

    def _stranger(self) -> ControlError:
        return ControlError(
            f"what answers at {self.url} is no runware-mock with a control API: start one with `runware-mock serve`",
            code="unreachable",
        )


def _trust(ca_file: Path | None) -> "ssl.SSLContext":
    from runware_mock.certificates import client_context

    try:
        return client_context(ca_file)
    except OSError as error:
        raise ControlError(f"cannot use the certificate {ca_file}: {error.strerror or error}", "ca_file") from None


def named(kind: str, name: str, field: str = "name") -> str:
    """Return the path of one of a kind; raises ControlError for a name that would make it the path of another."""
    text = str(name)
    if not text.strip(".") or "/" in text:
        raise ControlError(f"{text!r} names nothing", field, "notFound")
    return f"{kind}/{quote(text)}"


def _fit(secret: str, field: str) -> str:
    """Return what can stand in a header; else the library's own error would show it."""
    if not (secret.isascii() and secret.isprintable() and secret == secret.strip()):
        raise ControlError(f"the {field} has characters that a header cannot carry", field)
    return secret


def _refusal(answer: Any) -> ControlError:
    try:
        error = answer.json()["error"]
        return ControlError(error["message"], error.get("field"), error.get("code", "badField"), answer.status_code)
    except (ValueError, KeyError, TypeError):
        return ControlError(f"the server answers {answer.status_code}", status=answer.status_code)
