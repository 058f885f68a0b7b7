"""`pytest --runware-mock-matrix`: collects what the tests of a session have shown, then runs and reports the matrix."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from runware_mock.matrix.cells import Cell, Run
from runware_mock.matrix.observers import PROPERTY
from runware_mock.matrix.report import Subject, document, limit_in_s, new_lines, page, read_accepted, text
from runware_mock.matrix.runner import description

# Options that would make no sense in the process of a cell.
_LEFT_OUT = ("--pdb", "--trace", "--runware-mock-matrix")


class MatrixSession:
    """The hooks of the process that reports: the only one, or the controller of pytest-xdist."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        try:
            self._limit_s = limit_in_s(config.getoption("--runware-mock-matrix-limit"))
        except ValueError as error:
            raise pytest.UsageError(f"--runware-mock-matrix-limit: {error}") from None
        accepted = config.getoption("--runware-mock-matrix-accepted")
        try:
            self._accepted = read_accepted(Path(accepted) if accepted else None)
        except (OSError, ValueError) as error:
            raise pytest.UsageError(f"--runware-mock-matrix-accepted: {error}") from None
        self._files = [
            (_writable(config, option), write)
            for option, write in (("--runware-mock-matrix-json", document), ("--runware-mock-matrix-html", page))
            if config.getoption(option)
        ]
        # By node id: the arguments that run the test, and the test.
        self._tests: dict[str, tuple[str, Subject]] = {}
        self._fails: dict[str, str] = {}
        self._error = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect what the first runs have shown."""
        if report.outcome == "failed":
            self._fails[report.nodeid] = f"in its {report.when}"
        for name, value in report.user_properties:
            if name == PROPERTY and report.when == "teardown":
                shown: dict[str, Any] = dict(value)  # type: ignore[call-overload] # what FirstRun has put there
                test, source = shown.pop("test"), shown.pop("source")
                self._tests[report.nodeid] = (test, Subject(report.nodeid, Run(**shown), source))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Run the matrix, and fail the session if there are bad cells that nobody has accepted."""
        jobs: list[tuple[Subject, str, Cell]] = []
        for name, (test, subject) in self._tests.items():
            if name in self._fails:
                subject.plain.outcome = "failed"
                subject.plain.detail = subject.plain.detail or self._fails[name]
            jobs += [(subject, test, cell) for cell in subject.wanted()]
        shown: dict[str, list[tuple[Cell, Run]]] = {}
        # Those without a fault first.
        jobs.sort(key=lambda job: job[2].kind is not None)
        for number, run in self._run(jobs):
            subject, _, cell = jobs[number]
            shown.setdefault(subject.name, []).append((cell, run))
        for subject in self._subjects():
            order = {kind: number for number, kind in enumerate(subject.plain.seen)}
            runs = shown.get(subject.name, [])
            subject.judge(sorted(runs, key=lambda one: (order.get(str(one[0].kind), -1), one[0].position)))
        if self._error or new_lines(self._subjects(), self._accepted):
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
        for file, write in self._files:
            file.write_text(write(self._subjects(), self._accepted), encoding="utf-8")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show the matrix."""
        terminalreporter.section("runware-mock matrix")
        subjects = self._subjects()
        if self._error:
            terminalreporter.line(self._error)
        terminalreporter.line(text(subjects, self._accepted) if subjects else "no test that passed uses the mock")

    def _subjects(self) -> list[Subject]:
        return [subject for _, subject in self._tests.values()]

    def _run(self, jobs: Sequence[tuple[Subject, str, Cell]]) -> Iterator[tuple[int, Run]]:
        if not jobs:
            return
        listed = [(test, cell, self._limit_s + subject.plain.duration_s) for subject, test, cell in jobs]
        process = subprocess.Popen(
            [sys.executable, "-m", "runware_mock.matrix.runner"],
            cwd=self._config.invocation_params.dir,
            env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_CURRENT")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None  # noqa: S101 - narrows the type
        assert process.stdout is not None  # noqa: S101 - narrows the type
        with process, TemporaryDirectory() as cache:
            process.stdin.write(description(listed, _arguments(self._config, cache), self._parallel()))
            process.stdin.close()
            ended = 0
            for line in process.stdout:
                answer = json.loads(line)
                ended += 1
                yield answer["number"], Run(**answer["run"])
        if ended < len(jobs):
            self._error = f"only {ended} of {len(jobs)} cells were run: the process that runs them ended early"

    def _parallel(self) -> int:
        """Return how many cells run at once: as many as pytest-xdist has workers."""
        return len(getattr(self._config.option, "tx", None) or [None])


def _writable(config: pytest.Config, option: str) -> Path:
    file = Path(config.getoption(option)).absolute()
    if not file.parent.is_dir() or file.is_dir():
        raise pytest.UsageError(f"{option}: {file} is not a file that can be written")
    return file


def _arguments(config: pytest.Config, cache: str) -> list[str]:
    """Return the arguments of this run for that of one test: without its paths, and writing nothing."""
    given: list[str] = []
    is_value = False
    for argument in map(str, config.invocation_params.args):
        is_option = argument.startswith("-")
        is_left_out = argument.startswith(_LEFT_OUT) or argument in config.option.file_or_dir
        if not is_left_out and (is_option or not is_value):
            given.append(argument)
        is_value = is_option and is_left_out and "=" not in argument
    has = config.pluginmanager.has_plugin
    # Everything is imported before pytest could rewrite its assertions for a second time.
    quiet = ["-o", f"cache_dir={cache}", "-W", "ignore::pytest.PytestAssertRewriteWarning", "--tb=native"]
    quiet += ["-n", "0"] if has("xdist") else []
    quiet += ["--no-cov"] if has("_cov") or has("pytest_cov") else []
    return [*given, *quiet]
