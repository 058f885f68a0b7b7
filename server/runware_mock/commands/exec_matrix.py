"""`runware-mock exec --matrix`: a command, run again with each fault at each place where one could happen."""

import os
import shlex
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryFile
from types import FrameType
from typing import Any, TypeVar

import click

from runware_mock.clock import monotonic_s
from runware_mock.commands.base import EXIT_FAILED, EXIT_USAGE, fail
from runware_mock.commands.child import EXIT_BY_SIGNAL, kill
from runware_mock.matrix.cells import Cell, Run, Watch, chosen_kinds, counting
from runware_mock.matrix.report import Subject, document, limit_in_s, new_lines, page, read_accepted, text
from runware_mock.testing import RunwareMock

T = TypeVar("T")
Server = Callable[[], AbstractContextManager[tuple[RunwareMock, dict[str, str]]]]
# Of what a command writes to standard error, its last line may be as far from the end.
_TAIL_BYTES = 4096
_SHOWN_CHARS = 300
_HAS_GROUP = os.name == "posix"


class _Runs:
    """Runs of one command, each on a server of its own. A signal that ends this process ends them all."""

    def __init__(self, command: Sequence[str], server: Server) -> None:
        self._command, self._server = command, server
        self._processes: set[subprocess.Popen[bytes]] = set()
        self.stopped_by = 0

    def stop(self, number: int, _frame: FrameType | None) -> None:
        self.stopped_by = number
        for process in list(self._processes):
            kill(process, has_group=_HAS_GROUP)

    def first(self, kinds: Sequence[str]) -> Run:
        """Run the command without a fault, and count where each kind could happen. It prints as usual."""
        return self._watched(counting(kinds), kinds)

    def again(self, cell: Cell, limit_s: float) -> Run:
        """Run the command with the fault of a cell. Nobody sees what it prints."""
        return Run() if self.stopped_by else self._watched(cell.faults(), limit_s=limit_s)

    def _watched(
        self, faults: Sequence[Mapping[str, Any]], kinds: Sequence[str] = (), limit_s: float | None = None
    ) -> Run:
        with self._server() as (mock, environment):
            watch = Watch(mock, faults, is_alone=True)
            run = self._run(environment, limit_s)
            watch.look(run, kinds)
        return run

    def _run(self, environment: dict[str, str], limit_s: float | None) -> Run:
        began_s = monotonic_s()
        with TemporaryFile() as errors:
            is_shown = limit_s is None
            process = subprocess.Popen(  # noqa: S603 - the user's own command
                self._command,
                env=environment,
                process_group=0 if _HAS_GROUP else None,
                stdin=subprocess.DEVNULL,
                stdout=None if is_shown else subprocess.DEVNULL,
                stderr=None if is_shown else errors,
            )
            self._processes.add(process)
            try:
                if self.stopped_by:
                    kill(process, has_group=_HAS_GROUP)
                status = process.wait(limit_s)
                run = _ended(status, "" if is_shown else _last_line(errors.fileno()))
            except subprocess.TimeoutExpired:
                run = Run("hung", f"was still running after {limit_s:.1f} s")
            finally:
                if process.poll() is None:
                    kill(process, has_group=_HAS_GROUP)
                    process.wait()
                self._processes.discard(process)
        run.duration_s = monotonic_s() - began_s
        return run


def run_matrix(
    command: Sequence[str],
    server: Server,
    kinds: str,
    *,
    matrix_limit: str,
    matrix_jobs: int,
    matrix_json: Path | None,
    matrix_html: Path | None,
    matrix_accepted: Path | None,
) -> int:
    """Run the matrix of a command, show it, and return the exit status."""
    chosen = _given("--matrix", lambda: chosen_kinds(kinds))
    limit_s = _given("--matrix-limit", lambda: limit_in_s(matrix_limit))
    accepted = _given("--matrix-accepted", lambda: read_accepted(matrix_accepted))
    runs = _Runs(command, server)
    for name in ("SIGHUP", "SIGINT", "SIGTERM"):
        if number := getattr(signal, name, None):
            signal.signal(number, runs.stop)
    # On one line, so that a line of a file can accept its cells.
    name = " ".join(shlex.join([Path(command[0]).name, *command[1:]]).split())
    subject = Subject(name, runs.first(chosen))
    cells = subject.wanted()
    if cells and not runs.stopped_by:
        with ThreadPoolExecutor(matrix_jobs) as pool:
            limit_s += subject.plain.duration_s
            shown = list(pool.map(lambda cell: (cell, runs.again(cell, limit_s)), cells))
        subject.judge(shown)
    if runs.stopped_by:
        return EXIT_BY_SIGNAL + runs.stopped_by
    click.echo(text([subject], accepted, "command"))
    if matrix_json is not None:
        _write("--matrix-json", matrix_json, document([subject], accepted))
    if matrix_html is not None:
        _write("--matrix-html", matrix_html, page([subject], accepted, "command"))
    return EXIT_FAILED if subject.excluded or new_lines([subject], accepted) else 0


def _given(option: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except (OSError, ValueError) as error:
        fail(f"{option}: {error}", EXIT_USAGE)


def _write(option: str, file: Path, content: str) -> None:
    try:
        file.write_text(content, encoding="utf-8")
    except OSError as error:
        fail(f"{option}: {error}")


def _ended(status: int, said: str) -> Run:
    if status < 0:
        return Run("crashed", f"ended by signal {-status}")
    return Run("failed", f"status {status}{said and ': '}{said}") if status else Run()


def _last_line(file: int) -> str:
    size_bytes = os.fstat(file).st_size
    os.lseek(file, max(0, size_bytes - _TAIL_BYTES), os.SEEK_SET)
    lines = os.read(file, _TAIL_BYTES).decode(errors="replace").strip().splitlines()
    return lines[-1][:_SHOWN_CHARS] if lines else ""
