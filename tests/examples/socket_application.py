"""An application that uses a WebSocket, and recovers from what goes wrong: as planned, or with three bugs.

The resilience matrix of its test finds the bugs, and nothing in the mended version.
"""

import base64
import json
import uuid
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

TRIES = 3
PATIENCE_S = 3.0


class Failed(Exception):
    """The service has said no, or cannot be reached."""


class _NoAnswer(Exception):
    """The connection is gone, or what came is no answer."""


class SocketApplication:
    """Sends tasks over one socket, which it opens anew when it is gone."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._url = environment["RUNWARE_WS_URL"]
        self._key = environment["RUNWARE_API_KEY"]
        self._socket: ClientConnection | None = None
        self._cleanup = ExitStack()

    def close(self) -> None:
        """Close the socket."""
        self._socket = None
        self._cleanup.close()

    def upload(self, picture: bytes) -> str:
        """Upload a picture and return its UUID."""
        return str(self._done({"taskType": "imageUpload", "image": base64.b64encode(picture).decode()})["imageUUID"])

    def keep(self, picture: bytes) -> None:
        """Store a picture that nobody asks for now."""
        image = base64.b64encode(picture).decode()
        self._done({"taskType": "mediaStorage", "operation": "upload", "media": image})

    def describe(self, image_uuid: str) -> str:
        """Return a text about a picture."""
        return str(self._done({"taskType": "caption", "inputImage": image_uuid})["text"])

    def _done(self, task: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a task. Each try has the same taskUUID, so that work is not done twice."""
        task_uuid = str(uuid.uuid4())
        for _ in range(TRIES):
            with suppress(_NoAnswer):
                item = self._asked({**task, "taskUUID": task_uuid})
                if item.get("code") == "conflictTaskUUID":
                    item = self._asked({"taskType": "getResponse", "taskUUID": task_uuid})
                if item.get("code") not in (None, "internalServerError", "rateLimitExceeded"):
                    raise Failed(item["code"])
                if "code" not in item:
                    return item
        raise Failed("no answer")

    def _asked(self, task: Mapping[str, Any], patience_s: float | None = PATIENCE_S) -> dict[str, Any]:
        """Send a task and return its answer; raises _NoAnswer."""
        try:
            socket = self._socket = self._socket or self._opened()
            socket.send(json.dumps([task]))
            while True:
                item = _item(socket.recv(timeout=patience_s))
                if item.get("taskUUID") == task["taskUUID"]:
                    return item
        except (ConnectionClosed, InvalidHandshake, TimeoutError, OSError, ValueError) as error:
            self.close()
            raise _NoAnswer from error

    def _opened(self) -> ClientConnection:
        opening = connect(self._url, open_timeout=PATIENCE_S, close_timeout=PATIENCE_S / 10, ping_interval=None)
        socket = self._cleanup.enter_context(opening)
        socket.send(json.dumps([{"taskType": "authentication", "apiKey": self._key}]))
        if "code" in _item(socket.recv(timeout=PATIENCE_S)):
            raise Failed("the key was refused")
        return socket


class BuggySocketApplication(SocketApplication):
    """The same with three bugs, one for each kind of task."""

    def upload(self, picture: bytes) -> str:
        """Upload a picture. If its answer is lost, send it again as another task: it is stored twice."""
        image = base64.b64encode(picture).decode()
        for _ in range(TRIES):
            with suppress(_NoAnswer):
                task = {"taskType": "imageUpload", "taskUUID": str(uuid.uuid4()), "image": image}
                item = self._asked(task)
                if "code" not in item:
                    return str(item["imageUUID"])
        raise Failed("no answer")

    def keep(self, picture: bytes) -> None:
        """Store a picture. If the socket is gone, take it for done."""
        image = base64.b64encode(picture).decode()
        task = {"taskType": "mediaStorage", "taskUUID": str(uuid.uuid4()), "operation": "upload", "media": image}
        with suppress(_NoAnswer):
            if code := self._asked(task).get("code"):
                raise Failed(code)

    def describe(self, image_uuid: str) -> str:
        """Return a text about a picture. Wait for it without end."""
        task = {"taskType": "caption", "taskUUID": str(uuid.uuid4()), "inputImage": image_uuid}
        try:
            item = self._asked(task, patience_s=None)
        except _NoAnswer:
            raise Failed("no answer") from None
        if "code" in item:
            raise Failed(item["code"])
        return str(item["text"])


def _item(frame: str | bytes) -> dict[str, Any]:
    """Return the one item, or the one error, of a frame; raises ValueError."""
    answer = json.loads(frame)
    items = answer.get("errors") or answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(items, list) or not items or not isinstance(items[0], dict):
        raise ValueError("this is no answer")
    return items[0]
