"""The official SDKs, each in a process of its own environment, and what they were answered."""

import json
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.sdks.catalogue import PY_LEGACY, PY_NEW_REST, PY_NEW_WS, SDK_JS, Sdk, clean_environment

_DRIVERS = Path(__file__).parent / "sdks"
_CALLS_ON_A_REPLICA = 40
_USES = 0.4
_ENDED_WITHIN_S = 90.0
SDKS: dict[str, tuple[Sdk, str]] = {
    "runware 0.5, WebSocket": (PY_LEGACY, "py_legacy.py"),
    "runware-sdk 1.8, WebSocket": (PY_NEW_WS, "py_new.py"),
    "runware-sdk 1.8, REST": (PY_NEW_REST, "py_new.py"),
    "@runware/sdk-js, WebSocket": (SDK_JS, "js.mjs"),
}


def missing() -> list[str]:
    """Return which SDKs are not installed here."""
    return [name for name, (sdk, _) in SDKS.items() if not (sdk.home / ".installed").is_file()]


@dataclass(frozen=True)
class Outcome:
    """One call, of the account of `key`, at a replica; times in s since 1970."""

    sdk: str
    what: str
    key: str
    replica: int
    began_s: float
    ended_s: float
    uuid: str | None = None
    url: str | None = None
    task_uuid: str | None = None
    picture: int | None = None
    error: dict[str, Any] | None = None

    @property
    def is_refused(self) -> bool:
        """Whether a use was refused because the medium is not there."""
        return self.error is not None and "of this UUID" in str(self.error["message"])


@dataclass(frozen=True)
class Lane:
    """A client of an account, which sends the pictures of these numbers."""

    key: str
    seed: int
    pictures: range


class SdkProcess:
    """One SDK, which works until it is stopped; it adds its outcomes to a list."""

    def __init__(self, name: str, lanes: Sequence[Lane], urls: Sequence[str], pictures: Sequence[Path]) -> None:
        self.name = name
        sdk, driver = SDKS[name]
        self._process = subprocess.Popen(
            [str(sdk.interpreter()), str(_DRIVERS / driver)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=clean_environment(),
        )
        self._command = {
            "urls": [url + "/v1" if sdk.transport == "rest" else f"ws{url[4:]}/v1" for url in urls],
            "environment": str(sdk.home),
            "lanes": [
                {"key": lane.key, "seed": lane.seed, "first": lane.pictures.start, "count": len(lane.pictures)}
                for lane in lanes
            ],
            "pictures": [str(picture) for picture in pictures],
            "calls_on_a_replica": _CALLS_ON_A_REPLICA,
            "uses": _USES,
        }

    def start(self, outcomes: list[Outcome]) -> None:
        """Begin to work."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(self._command) + "\n")
        self._process.stdin.flush()
        self._reading = threading.Thread(target=self._read, args=(outcomes,), daemon=True)
        self._reading.start()

    def _read(self, outcomes: list[Outcome]) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            # Some of the SDKs print what they have to say.
            with suppress(ValueError):
                outcomes.append(Outcome(sdk=self.name, **json.loads(line)))

    def is_working(self) -> bool:
        """Tell whether the process runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Let what runs come to its end, and wait for it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(_ENDED_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reading.join()
        self._process.stdout.close()
