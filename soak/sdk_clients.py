"""The official SDKs, each in a process of its own environment, and what SDKs cannot do by plain REST."""

import base64
import json
import os
import random
import subprocess
import threading
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from soak.ledger import Ledger, Outcome
from tests.sdks.catalogue import PY_LEGACY, PY_NEW_REST, PY_NEW_WS, SDK_JS, Sdk

_DRIVERS = Path(__file__).parent / "sdks"
_CALLS_ON_A_REPLICA = 40
_USES = 0.4
_ENDED_WITHIN_S = 90.0
# Longer than a database is ever away, and than any request waits for another.
_REST_TIMEOUT_S = 40.0
_PAUSE_S = 0.05
RAW = "plain REST"


@dataclass(frozen=True)
class Lane:
    """A client of an account, which goes from replica to replica and sends the pictures of these numbers."""

    key: str
    seed: int
    pictures: range


DRIVERS: dict[str, tuple[Sdk, str]] = {
    "runware 0.5, WebSocket": (PY_LEGACY, "py_legacy.py"),
    "runware-sdk 1.8, WebSocket": (PY_NEW_WS, "py_new.py"),
    "runware-sdk 1.8, REST": (PY_NEW_REST, "py_new.py"),
    "@runware/sdk-js, WebSocket": (SDK_JS, "js.mjs"),
}


def missing() -> list[str]:
    """Return which SDKs are not installed here."""
    return [name for name, (sdk, _) in DRIVERS.items() if not (sdk.home / ".installed").is_file()]


class SdkProcess:
    """One SDK, which works until it is stopped; its outcomes go to the ledger."""

    def __init__(self, name: str, lanes: Sequence[Lane], urls: Sequence[str], pictures: Sequence[Path]) -> None:
        self.name = name
        sdk, driver = DRIVERS[name]
        ways = [url + "/v1" if sdk.transport == "rest" else f"ws{url.removeprefix('http')}/v1" for url in urls]
        self._command = {
            "urls": ways,
            "environment": str(sdk.home),
            "lanes": [
                {"key": lane.key, "seed": lane.seed, "first": lane.pictures.start, "count": len(lane.pictures)}
                for lane in lanes
            ],
            "pictures": [str(picture) for picture in pictures],
            "calls_on_a_replica": _CALLS_ON_A_REPLICA,
            "uses": _USES,
        }
        self._process = subprocess.Popen(
            [str(sdk.interpreter()), str(_DRIVERS / driver)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=_clean_environment(),
        )

    def start(self, ledger: Ledger) -> None:
        """Begin to work."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(self._command) + "\n")
        self._process.stdin.flush()
        self._reading = threading.Thread(target=self._read, args=(ledger,), daemon=True)
        self._reading.start()

    def _read(self, ledger: Ledger) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            # Some of the SDKs print what they have to say.
            with suppress(ValueError):
                ledger.add(Outcome(sdk=self.name, **json.loads(line)))

    def is_working(self) -> bool:
        """Tell whether the process runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Let what runs come to its end."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()

    def join(self) -> None:
        """Wait for the end."""
        try:
            self._process.wait(_ENDED_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reading.join()
        if self._process.stdout is not None:
            self._process.stdout.close()


def _clean_environment() -> dict[str, str]:
    """Keep the developer's proxy and settings, and their real key, out of the SDKs."""
    ours = ("RUNWARE_", "PYTHONPATH", "PYTHONHOME", "COVERAGE_")
    return {
        name: value
        for name, value in os.environ.items()
        if not name.upper().endswith("_PROXY") and not name.startswith(ours)
    }


class RawLane(threading.Thread):
    """Uploads, uses with a webhook for each result, and deletes."""

    def __init__(self, lane: Lane, urls: Sequence[str], pictures: Sequence[bytes], hook_url: str) -> None:
        super().__init__(daemon=True)
        self.ledger = Ledger()
        self._lane, self._urls, self._pictures, self._hook_url = lane, urls, pictures, hook_url
        self._draw = random.Random(lane.seed)
        self._mine: list[str] = []
        self._is_over = threading.Event()
        self._at = lane.seed

    def stop(self) -> None:
        """Come to an end after this call."""
        self._is_over.set()

    def run(self) -> None:
        """Work until it is stopped."""
        with httpx.Client(timeout=_REST_TIMEOUT_S, trust_env=False) as client:
            while not self._is_over.is_set():
                outcome = self._call(client)
                # One that is as fast as it can be would leave the SDKs nothing.
                self._is_over.wait(_PAUSE_S)
                self.ledger.add(outcome)
                if not outcome.is_answered or self._draw.random() < 1 / _CALLS_ON_A_REPLICA:
                    self._at += 1

    def _call(self, client: httpx.Client) -> Outcome:
        chance = self._draw.random()
        given: dict[str, Any] = {"task_uuid": str(uuid.uuid4())}
        task: dict[str, Any] = {"taskUUID": given["task_uuid"]}
        if not self._mine or chance > _USES:
            given |= {"what": "upload", "picture": self._draw.choice(self._lane.pictures)}
            image = base64.b64encode(self._pictures[given["picture"]]).decode()
            task |= {"taskType": "imageUpload", "image": image}
        elif chance > _USES / 4:
            given |= {"what": "use", "uuid": self._draw.choice(self._mine), "hook": given["task_uuid"]}
            hook = f"{self._hook_url}/{given['hook']}"
            task |= {"taskType": "caption", "inputs": {"image": given["uuid"]}, "webhookURL": hook}
        else:
            given |= {"what": "delete", "uuid": self._draw.choice(self._mine)}
            self._mine.remove(given["uuid"])
            task |= {"taskType": "mediaStorage", "operation": "delete", "media": given["uuid"]}
        place = self._at % len(self._urls)
        began_s = time.time()
        found = self._asked(client, self._urls[place], task)
        if given["what"] == "upload" and "error" not in found:
            self._mine.append(found["uuid"])
        named: dict[str, Any] = {
            "sdk": RAW,
            "key": self._lane.key,
            "replica": place,
            "began_s": began_s,
            "ended_s": time.time(),
        }
        return Outcome(**named, **{**given, **found})

    def _asked(self, client: httpx.Client, url: str, task: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._lane.key}"}
        try:
            answer = client.post(f"{url}/v1", json=[task], headers=headers)
            document = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            return {"error": {"type": type(error).__name__, "message": str(error)}}
        if errors := document.get("errors"):
            return {"error": {**errors[0], "status": answer.status_code}}
        (item,) = document["data"]
        return {} if task["taskType"] != "imageUpload" else {"uuid": item["imageUUID"], "url": item["imageURL"]}
