"""The application that the examples test: it uploads pictures to wherever its environment points."""

import base64
import uuid
from collections.abc import Mapping
from typing import Any

import httpx

TRIES = 3


class Refused(Exception):
    """The service has said no."""


class Application:
    """Uploads pictures and uses them."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._url = environment["RUNWARE_BASE_URL"]
        self._http = httpx.Client(headers={"Authorization": f"Bearer {environment['RUNWARE_API_KEY']}"}, timeout=60)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def upload(self, picture: bytes) -> str:
        """Upload a picture and return its UUID; trouble on the way is tried again."""
        image = base64.b64encode(picture).decode()
        return str(self._ask({"taskType": "imageUpload", "image": image})["imageUUID"])

    def describe(self, image_uuid: str) -> str:
        """Use an uploaded picture."""
        return str(self._ask({"taskType": "caption", "inputImage": image_uuid})["text"])

    def _ask(self, task: dict[str, str]) -> dict[str, Any]:
        # The same taskUUID each time, so that work which was done is not done again.
        task_uuid = str(uuid.uuid4())
        answers = self._post({"taskUUID": task_uuid, **task})
        if answers.get("errors", [{}])[0].get("code") == "conflictTaskUUID":
            answers = self._post({"taskUUID": task_uuid, "taskType": "getResponse"})
        if errors := answers.get("errors"):
            raise Refused(errors[0]["code"])
        item: dict[str, Any] = answers["data"][0]
        return item

    def _post(self, task: dict[str, str]) -> dict[str, Any]:
        for tries_left in reversed(range(TRIES)):
            try:
                answer = self._http.post(self._url, json=[task])
            except httpx.TransportError:
                if not tries_left:
                    raise
            else:
                if not answer.is_server_error or not tries_left:
                    break
        answers: dict[str, Any] = answer.json()
        return answers
