"""One process of `runware-mock serve` that may be killed and started again, on the same port each time."""

import re
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import httpx

from tests.process.ports import free_port
from tests.running import clean_environment, command

_READY_WITHIN_S = 120.0
_STOPPED_WITHIN_S = 60.0
_RECORD = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (DEBUG|INFO|WARNING|ERROR|CRITICAL) ")


class ServerProcess:
    """A server at `url`; all that its processes write goes to one log."""

    def __init__(self, number: int, folder: Path, arguments: tuple[str, ...], variables: Mapping[str, str]) -> None:
        self.number = number
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._log = folder / f"server-{number}.log"
        self._command = command("serve", "--port", str(port), "--data-dir", str(folder), *arguments)
        self._environment = clean_environment(**variables)
        self._process: subprocess.Popen[bytes] | None = None
        self._start_bytes = 0

    @property
    def pid(self) -> int:
        """Which process it is now."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start a process."""
        with self._log.open("ab") as log:
            self._start_bytes = log.tell()
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, env=self._environment)

    def wait_until_ready(self) -> None:
        """Wait until all its processes serve; start again what ended because its database was away."""
        give_up_s = time.monotonic() + _READY_WITHIN_S
        while not self._is_ready():
            if time.monotonic() > give_up_s:
                raise TimeoutError(f"server {self.number} is not ready: {self._log.read_text()[-2000:]}")
            if self._process is None or self._process.poll() is not None:
                self.start()
            time.sleep(0.1)

    def _is_ready(self) -> bool:
        # Each of its processes answers /ready for itself; the line comes once all of them serve.
        if b"ready on" not in self._log.read_bytes()[self._start_bytes :]:
            return False
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/ready", timeout=5, trust_env=False).status_code == httpx.codes.OK
        return False

    def kill(self) -> None:
        """End the process without a word, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> int:
        """Let the process finish what runs; return its exit status."""
        assert self._process is not None
        self._process.terminate()
        try:
            return self._process.wait(_STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return -1

    def complaints(self) -> list[str]:
        """Return the records of the log above INFO, each with its traceback."""
        records: list[str] = []
        for line in self._log.read_text(errors="replace").splitlines():
            if _RECORD.match(line) or not records:
                records.append(line)
            else:
                records[-1] += f"\n{line}"
        return [text for text in records if (found := _RECORD.match(text)) and found[1] not in {"DEBUG", "INFO"}]
