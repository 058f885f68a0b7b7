"""Real servers for tests: in this process on a thread, or in a process of their own."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from sqlalchemy import Table, func, select

from runware_mock.api.limits import Room
from runware_mock.app import create_app
from runware_mock.certificates import server_context
from runware_mock.cli import main
from runware_mock.server import MockServer, address_of, listening_socket
from runware_mock.services import Services
from runware_mock.settings import Settings
from tests.manual_clock import ManualClock

# 2026-01-01T00:00:00Z; tests never depend on today.
START_AT = 1_767_225_600_000
STARTED_WITHIN_S = 30
STOPPED_WITHIN_S = 60

# A process that has imported the server once: a command forked from it starts in milliseconds, not in two seconds.
_IMPORTED = multiprocessing.get_context("forkserver")
_IMPORTED.set_forkserver_preload(["runware_mock.cli", "runware_mock.server", "tests.running"])


@dataclass(frozen=True)
class RunningMock:
    """A server under test. `clock` moves only when a test moves it."""

    url: str
    clock: ManualClock
    server: MockServer
    services: Services
    room: Room

    @property
    def rest_url(self) -> str:
        """Address of the REST API."""
        return f"{self.url}/v1"

    @property
    def ws_url(self) -> str:
        """Address of the WebSocket API."""
        return f"ws{self.url.removeprefix('http')}/v1"

    def count(self, table: Table) -> int:
        """Count the rows of a table."""
        with self.services.database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(table)) or 0


@contextmanager
def running_mock(**settings: Any) -> Iterator[RunningMock]:
    """Run a server on a thread, on a free port, in memory unless `data_dir` or `database_url` is given.

    What it does right after its start, such as a first purge, is over: it removes nothing that a test makes old.
    """
    settings.setdefault("in_memory", not {"data_dir", "database_url"} & settings.keys())
    clock = ManualClock(START_AT)
    configured = Settings(port=0, **settings)
    with listening_socket(configured.host, 0) as bound:
        is_ready = threading.Event()
        app = create_app(configured, clock)
        server = MockServer(app, configured, server_context(configured), is_ready.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        assert is_ready.wait(STARTED_WITHIN_S)
        try:
            for schedule in app.state.schedules:
                assert schedule.has_acted.wait(STARTED_WITHIN_S), schedule.name
            yield RunningMock(
                address_of(bound, is_tls=configured.uses_tls), clock, server, app.state.services, app.state.room
            )
        finally:
            server.should_exit = True
            thread.join()


@dataclass(frozen=True)
class MockProcess:
    """A server in a process of its own, as users run it. `started` is what it printed up to its ready line."""

    process: subprocess.Popen[str]
    url: str
    started: list[str]

    @property
    def rest_url(self) -> str:
        """Address of the REST API."""
        return f"{self.url}/v1"

    @property
    def ws_url(self) -> str:
        """Address of the WebSocket API."""
        return f"ws{self.url.removeprefix('http')}/v1"

    def stop(self, number: signal.Signals = signal.SIGTERM) -> str:
        """Send a signal, wait for the end, and return what was printed after the ready line."""
        self.process.send_signal(number)
        assert self.process.stdout is not None
        output = self.process.stdout.read()
        self.process.wait(STOPPED_WITHIN_S)
        return output


def command(*arguments: str) -> list[str]:
    """Return the command line of `runware-mock`."""
    return [sys.executable, "-m", "runware_mock", *arguments]


def clean_environment(**variables: str) -> dict[str, str]:
    """Return this process's environment without any setting of the mock but these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RUNWARE_MOCK_")}
    return {**kept, **variables}


def run_command(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command of `runware-mock` to its end, in a process of its own."""
    with TemporaryDirectory() as folder:
        printed = [Path(folder, name) for name in ("stdout", "stderr")]
        given = (arguments, clean_environment(**variables), Path.cwd(), printed)
        process = _IMPORTED.Process(target=_run, args=given)
        process.start()
        process.join(STOPPED_WITHIN_S)
        try:
            assert process.exitcode is not None, f"{arguments} did not end"
        finally:
            process.kill()
        return subprocess.CompletedProcess(arguments, process.exitcode, *[file.read_text() for file in printed])


def _run(arguments: Sequence[str], environment: dict[str, str], folder: Path, printed: Sequence[Path]) -> None:
    for descriptor, file in enumerate(printed, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    main(arguments, prog_name="runware-mock")


@contextmanager
def mock_process(folder: Path, *arguments: str, **variables: str) -> Iterator[MockProcess]:
    """Run `runware-mock serve` with its data in `folder`; it is killed at the end if it has not stopped by itself.

    It logs no requests: nobody reads what it prints before it stops, and a pipe holds the lines of a few hundred.
    """
    quiet = {"RUNWARE_MOCK_LOG_LEVEL": "warning", **variables}
    with mock_process_logging(subprocess.STDOUT, folder, *arguments, **quiet) as running:
        yield running


@contextmanager
def mock_process_logging(
    stderr: int | IO[str], folder: Path, *arguments: str, **variables: str
) -> Iterator[MockProcess]:
    """Do the same with the log lines apart."""
    ready_file = folder / "ready.json"
    ready_file.unlink(missing_ok=True)
    process = subprocess.Popen(
        command("serve", "--port", "0", "--data-dir", str(folder), "--ready-file", str(ready_file), *arguments),
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        env=clean_environment(**variables),
    )
    try:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("runware-mock ready on "):
                break
        assert ready_file.exists(), "".join(lines)
        yield MockProcess(process, json.loads(ready_file.read_text())["url"], lines)
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
