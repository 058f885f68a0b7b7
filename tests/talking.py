"""One way to ask, over either transport, so that each behaviour is tested once for both."""

import base64
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx
from websockets.sync.client import ClientConnection, connect

from tests import plain
from tests.running import RunningMock

TIMEOUT_S = 60.0
Task = dict[str, Any]


@dataclass
class Answer:
    """What came back, the same for both transports; `status` is None over WebSocket."""

    data: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    status: int | None = None

    @property
    def item(self) -> dict[str, Any]:
        """The only item, where nothing failed."""
        assert not self.errors, self.errors
        (item,) = self.data
        return item

    @property
    def error(self) -> dict[str, Any]:
        """The only error, where nothing succeeded."""
        assert not self.data, self.data
        (error,) = self.errors
        return error

    @property
    def codes(self) -> list[str]:
        """The codes of all errors."""
        return [error["code"] for error in self.errors]


class Talker(Protocol):
    """A client of one account."""

    name: str

    def ask(self, *tasks: object) -> Answer:
        """Send tasks in one request and wait for the answers to all of them."""
        ...

    def send_raw(self, body: bytes) -> Answer:
        """Send a body as it is and wait for one answer."""
        ...


class RestTalker:
    """Speaks REST."""

    name = "rest"

    def __init__(self, client: httpx.Client, url: str, api_key: str | None) -> None:
        self._client = client
        self._url = url
        if api_key is not None:
            client.headers["Authorization"] = f"Bearer {api_key}"

    def ask(self, *tasks: object) -> Answer:
        """Send tasks in one request and wait for the answers to all of them."""
        return self.send_raw(json.dumps(tasks).encode())

    def send_raw(self, body: bytes) -> Answer:
        """Send a body as it is and wait for one answer."""
        response = self._client.post(self._url, content=body, headers={"Content-Type": "application/json"})
        envelope = response.json()
        assert isinstance(envelope["data"], list)
        assert envelope.get("errors") != []
        return Answer(envelope["data"], envelope.get("errors", []), response.status_code)


class WsTalker:
    """Speaks WebSocket, and has authenticated unless there is no key."""

    name = "ws"

    def __init__(self, socket: ClientConnection, api_key: str | None) -> None:
        self.socket = socket
        if api_key is not None:
            self.socket.send(json.dumps([{"taskType": "authentication", "apiKey": api_key}]))
            self.authenticated = self.frame()

    def frame(self) -> dict[str, Any]:
        """Wait for one frame."""
        envelope: dict[str, Any] = json.loads(self.socket.recv(TIMEOUT_S))
        assert ("data" in envelope) != ("errors" in envelope), "data and errors are never in one frame"
        assert isinstance(envelope.get("data", []), list)
        assert envelope.get("errors") != []
        return envelope

    def ask(self, *tasks: object) -> Answer:
        """Send tasks in one request and wait for the answers to all of them."""
        self.socket.send(json.dumps(tasks))
        answer = Answer()
        for _ in tasks:
            self._add_frame(answer)
        return answer

    def send_raw(self, body: bytes) -> Answer:
        """Send a body as it is and wait for one answer."""
        self.socket.send(body)
        answer = Answer()
        self._add_frame(answer)
        return answer

    def _add_frame(self, answer: Answer) -> None:
        envelope = self.frame()
        answer.data += envelope.get("data", [])
        answer.errors += envelope.get("errors", [])


@contextmanager
def talking(mock: RunningMock, transport: str, api_key: str | None) -> Iterator[RestTalker | WsTalker]:
    """Open a client of one account over one transport; without a key it does not authenticate."""
    if transport == "rest":
        with plain.Client(timeout=TIMEOUT_S) as client:
            yield RestTalker(client, mock.rest_url, api_key)
    else:
        with talking_ws(mock, api_key) as talker:
            yield talker


@contextmanager
def talking_ws(mock: RunningMock, api_key: str | None) -> Iterator[WsTalker]:
    """Open a WebSocket client."""
    with connect(mock.ws_url, max_size=None, open_timeout=TIMEOUT_S) as socket:
        yield WsTalker(socket, api_key)


def new_uuid() -> str:
    """Return a taskUUID nobody has used."""
    return str(uuid.uuid4())


def data_uri(picture: bytes, label: str = "image/png") -> str:
    """Return a picture as a data URI."""
    return f"data:{label};base64,{base64.b64encode(picture).decode()}"


def upload(image: object, **fields: object) -> Task:
    """Return an imageUpload task; bytes are sent as a data URI."""
    value = data_uri(image) if isinstance(image, bytes) else image
    return {"taskType": "imageUpload", "taskUUID": new_uuid(), "image": value, **fields}
