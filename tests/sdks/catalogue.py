"""The official SDKs under test: where each lives, how it is run, what it can send."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypedDict, cast

import pytest

from tests.running import RunningMock

HERE = Path(__file__).resolve().parent
ENVIRONMENTS = HERE.parents[1] / ".sdks"
SCENARIO_LIMIT_S = 30
# Over the scenario's own limit: interpreter start, import, disconnect.
PROCESS_LIMIT_S = SCENARIO_LIMIT_S + 10

Transport = Literal["websocket", "rest"]
AfterReset = Literal[
    "sends it again", "sends it again and takes no conflict", "sends it under a new taskUUID", "gives it up"
]


class Upload(TypedDict):
    """What one upload call of an SDK returned."""

    imageUUID: str
    imageURL: str
    taskUUID: str


class Refusal(TypedDict):
    """What a user of the SDK sees of a failed call."""

    type: str
    code: str | None
    message: str
    parameter: str | None


class Answer(TypedDict, total=False):
    """What became of one task that a driver sent."""

    ok: bool
    error: Refusal
    # The UUID of the picture that was uploaded for this task.
    given: str
    # Where it can be seen: the SDK returned before the result was there, and the driver asked for it.
    polled: bool
    items: list[dict[str, Any]]


class Outcome(TypedDict, total=False):
    """The one line a driver prints."""

    ok: bool
    seconds: float
    error: Refusal
    session: str
    results: list[Upload]
    first: Upload | None
    refusal: Refusal | None
    second: Upload
    answers: dict[str, Answer]


@dataclass(frozen=True, kw_only=True)
class Client:
    """One package over one transport, and the ways in which it takes a picture."""

    title: str
    environment: str
    driver: str
    transport: Transport
    ways: tuple[str, ...]

    def __str__(self) -> str:
        """Name the test after us."""
        return self.title.replace(" ", "-")

    @property
    def home(self) -> Path:
        """The environment that `make sdks` makes."""
        return ENVIRONMENTS / self.environment

    def url(self, server: RunningMock) -> str:
        """Return the address this SDK is pointed at."""
        return server.rest_url if self.transport == "rest" else server.ws_url

    def interpreter(self) -> Path:
        """Find what runs the driver; skip the test where it is missing."""
        python = self.home / ("Scripts" if os.name == "nt" else "bin") / "python"
        runner = str(python) if self.driver.endswith(".py") else shutil.which("node")
        if runner is None:
            pytest.skip(f"{self.title} needs Node, which is not on this machine")
        if not (self.home / ".installed").is_file():
            pytest.skip(f"{self.title} is not installed in .sdks/{self.environment}: run `make sdks`")
        return Path(runner)

    def run(
        self,
        scenario: str,
        url: str,
        key: str,
        *sources: Path | str,
        trusted: object = None,
        variables: Mapping[str, str] | None = None,
        **options: object,
    ) -> Outcome:
        """Run one scenario in the SDK's own environment and read the line it prints; it trusts a certificate."""
        command = {
            "scenario": scenario,
            "url": url,
            "key": key,
            "transport": self.transport,
            "environment": str(self.home),
            "files": [str(source) for source in sources],
            "way": self.ways[0],
            "connect_first": True,
            "limit_s": SCENARIO_LIMIT_S,
            **options,
        }
        done = subprocess.run(
            [str(self.interpreter()), str(HERE / self.driver)],
            input=json.dumps(command),
            capture_output=True,
            text=True,
            timeout=PROCESS_LIMIT_S,
            env={**clean_environment(), **(variables or {}), **({} if trusted is None else _trusting(trusted))},
            check=False,
        )
        if done.returncode != 0 or not done.stdout.strip():
            pytest.fail(f"the driver of {self.title} broke:\n{done.stdout}\n{done.stderr}")
        return cast("Outcome", json.loads(done.stdout.splitlines()[-1]))


@dataclass(frozen=True, kw_only=True)
class Sdk(Client):
    """A client that uploads; its ways are those of an upload."""

    # The word the SDK makes of the API's `invalidImage`.
    garbage_code: str
    # What the SDK does with an upload that was sent and whose connection is then reset.
    after_a_reset: AfterReset


def clean_environment() -> dict[str, str]:
    """Keep the developer's proxy and Runware settings, and their real key, out of the SDKs."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.upper().endswith("_PROXY")
        and not name.startswith(("RUNWARE_", "PYTHONPATH", "PYTHONHOME", "COVERAGE_"))
    }


def _trusting(certificate: object) -> dict[str, str]:
    return dict.fromkeys(("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"), str(certificate))


PY_LEGACY = Sdk(
    title="runware 0.5.24 over WebSocket",
    environment="py_legacy",
    driver="py_legacy/driver.py",
    transport="websocket",
    # It hands URLs, data URIs and base64 back unsent: only local files are uploaded.
    ways=("file",),
    garbage_code="invalidImage",
    after_a_reset="sends it again",
)
PY_NEW_WAYS = ("data_uri", "unlabelled_data_uri", "base64", "url")
PY_NEW_WS = Sdk(
    title="runware-sdk 1.8.0 over WebSocket",
    environment="py_new",
    driver="py_new/driver.py",
    transport="websocket",
    ways=PY_NEW_WAYS,
    garbage_code="validation",
    after_a_reset="gives it up",
)
PY_NEW_REST = Sdk(
    title="runware-sdk 1.8.0 over REST",
    environment="py_new",
    driver="py_new/driver.py",
    transport="rest",
    ways=PY_NEW_WAYS,
    garbage_code="validation",
    after_a_reset="sends it again and takes no conflict",
)
SDK_JS = Sdk(
    title="@runware/sdk-js 1.3.2 over WebSocket",
    environment="js",
    driver="js/sdk_js.mjs",
    transport="websocket",
    ways=("data_uri", "base64", "url"),
    garbage_code="invalidImage",
    after_a_reset="sends it under a new taskUUID",
)
# Uploads nothing itself: its ways are those in which a picture stands in `providerOptions.runware`.
AI_SDK = Client(
    title="@runware/ai-sdk-provider 2.0.0 over REST",
    environment="ai",
    driver="ai/driver.mjs",
    transport="rest",
    ways=("uuid", "url", "data_uri", "base64"),
)
SDKS = (PY_LEGACY, PY_NEW_WS, PY_NEW_REST, SDK_JS)
# Not py-0.5, which has no lock: of the many connect() calls that run side by side some wait for ever for
# an event that a later one has replaced, though each socket has had its answer.
MAY_CONNECT_LATE = (PY_NEW_WS, SDK_JS)
OVER_WEBSOCKET = tuple(sdk for sdk in SDKS if sdk.transport == "websocket")
EACH_WAY = tuple((sdk, way) for sdk in SDKS for way in sdk.ways)
