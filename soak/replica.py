"""One process of `runware-mock serve` that may be killed and started again, on the same port each time."""

import random
import re
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import httpx

from tests.running import clean_environment, command

_READY_WITHIN_S = 120.0
_STOPPED_WITHIN_S = 60.0
_POLL_S = 0.1
# Below those that the system gives to clients: one of them would keep a replica from starting again.
_PORTS = range(20_000, 32_000)


class Replica:
    """A server at `url`; all that its processes have written is in one log."""

    def __init__(self, number: int, folder: Path, arguments: tuple[str, ...], variables: Mapping[str, str]) -> None:
        self.number = number
        port = _port()
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / f"replica-{number}.log"
        self._command = command("serve", "--port", str(port), "--data-dir", str(folder), *arguments)
        self._environment = clean_environment(**variables)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Return which process it is now."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start a process."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, env=self._environment)

    def wait_until_ready(self) -> None:
        """Wait until an upload would succeed; one that began while its database was away ends, and is begun again."""
        give_up_s = time.monotonic() + _READY_WITHIN_S
        while not self.is_ready():
            if time.monotonic() > give_up_s:
                raise TimeoutError(f"replica {self.number} is not ready: {self.log.read_text()[-2000:]}")
            if self.has_ended():
                self.start()
            time.sleep(_POLL_S)

    def is_ready(self) -> bool:
        """Tell whether an upload would succeed."""
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/ready", timeout=5, trust_env=False).status_code == httpx.codes.OK
        return False

    def has_ended(self) -> bool:
        """Tell whether the process has ended, by itself or not."""
        return self._process is None or self._process.poll() is not None

    def kill(self) -> None:
        """End the process without a word, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> int:
        """Let the process finish what runs; return its exit status."""
        if self._process is None:
            return 0
        self._process.terminate()
        try:
            return self._process.wait(_STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return -1

    def lines(self) -> list[str]:
        """Return what was logged."""
        return self.log.read_text(errors="replace").splitlines()


# As logs.set_up_logging writes it.
_LINE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),(\d{3}) (DEBUG|INFO|WARNING|ERROR|CRITICAL) (.*)")


def logged(lines: list[str]) -> list[tuple[float, str, str]]:
    """Return each record: when (in s since 1970), its level, its text with the traceback that follows it."""
    records: list[tuple[float, str, str]] = []
    for line in lines:
        if match := _LINE.fullmatch(line):
            at_s = time.mktime(time.strptime(match[1], "%Y-%m-%d %H:%M:%S")) + int(match[2]) / 1000
            records.append((at_s, match[3], match[4]))
        elif records:
            at_s, level, text = records[-1]
            records[-1] = (at_s, level, f"{text}\n{line}")
    return records


def _port() -> int:
    for port in random.sample(_PORTS, len(_PORTS)):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise OSError("there is no free port")
