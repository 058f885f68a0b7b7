"""A process that runs the cells of a matrix, each in a process of its own: `python -m runware_mock.matrix.runner`.

It reads a job from standard input and writes a line for each cell, both as JSON. Where the system can fork, the
processes of the cells begin with everything imported.
"""

import gc
import json
import multiprocessing
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple, cast

import pytest

from runware_mock.clock import monotonic_s
from runware_mock.matrix.cells import Cell, Run
from runware_mock.matrix.observers import CellRun
from runware_mock.testing import serve

# How long pytest and the server may take to start, and a session to end after its test.
_STARTS_WITHIN_S = 60.0
_ENDS_WITHIN_S = 10.0


class Job(NamedTuple):
    """One run of one test. The arguments are those of pytest; the test has `limit_s` to end."""

    arguments: list[str]
    test: str
    cell: Cell
    limit_s: float


class _Running(NamedTuple):
    number: int
    job: Job
    process: multiprocessing.process.BaseProcess
    give_up_s: float


def run_all(jobs: Sequence[Job], parallel: int) -> Iterator[tuple[int, Run]]:
    """Run the jobs, so many at once; yield the number of each with what it has shown, as they end."""
    can_fork = "fork" in multiprocessing.get_all_start_methods()
    context: Any = multiprocessing.get_context("fork" if can_fork else "spawn")
    waiting = list(enumerate(jobs))[::-1]
    running: dict[Connection, _Running] = {}
    ending: list[multiprocessing.process.BaseProcess] = []
    while waiting or running:
        while waiting and len(running) < parallel:
            number, job = waiting.pop()
            receiver, sender = context.Pipe(duplex=False)
            process = context.Process(target=_run_one, args=(job, sender))
            process.start()
            sender.close()
            running[receiver] = _Running(number, job, process, monotonic_s() + _STARTS_WITHIN_S + job.limit_s)
        left_s = min(one.give_up_s for one in running.values()) - monotonic_s()
        for receiver in wait(list(running), timeout=max(left_s, 0)):
            one = running.pop(cast("Connection", receiver))
            yield one.number, _received(cast("Connection", receiver), one.process)
            ending.append(one.process)
        for receiver, one in list(running.items()):
            if one.give_up_s <= monotonic_s():
                del running[receiver]
                one.process.kill()
                yield one.number, Run("hung", "neither the test nor its process ended")
                ending.append(one.process)
    give_up_s = monotonic_s() + _ENDS_WITHIN_S
    for process in ending:
        process.join(max(0.0, give_up_s - monotonic_s()))
        process.kill()
        process.join()


def _received(receiver: Connection, process: multiprocessing.process.BaseProcess) -> Run:
    """Return what a process has sent, or that it ended without a word."""
    with receiver:
        try:
            return Run(**receiver.recv())
        except (EOFError, OSError):
            process.join()
            return Run("crashed", f"the process ended with status {process.exitcode}")


def _run_one(job: Job, sender: Connection) -> None:
    observer = CellRun(job.cell, job.limit_s, sender.send)
    status = pytest.main([*job.arguments, job.test], plugins=[observer])
    if observer.run.outcome == "passed" and status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        observer.run.outcome, observer.run.detail = "failed", f"pytest ended with status {int(status)}"
    observer.send()


def _be_quiet() -> int:
    """Let this process and its children print nothing; return a file descriptor for what standard output was."""
    output = os.dup(1)
    with open(os.devnull, "r+b") as nowhere:  # noqa: PTH123 - a device
        for number in range(3):
            os.dup2(nowhere.fileno(), number)
    return output


def _import_everything(arguments: Sequence[str], tests: Sequence[str]) -> None:
    """Import the tests and the server, once for all forks."""
    with serve() as mock:
        mock.control.status()
    with suppress(SystemExit):
        pytest.main([*arguments, "--collect-only", *tests])


def main() -> None:
    """Run what standard input describes."""
    given: Mapping[str, Any] = json.load(sys.stdin)
    sys.path[:] = given["path"]
    jobs = [Job(given["arguments"], one["test"], Cell(**one["cell"]), one["limit_s"]) for one in given["jobs"]]
    with open(_be_quiet(), "w", encoding="utf-8") as output:
        _import_everything(given["arguments"], list(dict.fromkeys(job.test for job in jobs)))
        # What is imported is never collected, so that no fork has to look at it.
        gc.freeze()
        for number, run in run_all(jobs, given["parallel"]):
            output.write(json.dumps({"number": number, "run": run.to_json()}) + "\n")
            output.flush()


def description(jobs: Sequence[tuple[str, Cell, float]], arguments: Sequence[str], parallel: int) -> str:
    """Return what `main` reads: jobs of test, cell and limit in seconds."""
    listed = [{"test": test, "cell": asdict(cell), "limit_s": limit_s} for test, cell, limit_s in jobs]
    return json.dumps({"path": sys.path, "arguments": list(arguments), "parallel": parallel, "jobs": listed})


if __name__ == "__main__":
    main()
