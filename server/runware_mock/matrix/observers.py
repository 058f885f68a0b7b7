"""The hooks with which pytest watches a test: in the first run, and in the process of each cell."""

import inspect
import os
import threading
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

from runware_mock.clock import monotonic_s
from runware_mock.matrix.cells import Cell, Run, Watch, counting
from runware_mock.testing import RunwareMock

# The name under which the plugin finds the observer of this run.
NAME = "runware-mock-matrix"
PROPERTY = "runware_mock_matrix"
_PACKAGE = Path(__file__).parents[1]
# An application that ends with one of these has tripped over an answer, rather than refused it.
_MISTAKES = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    NameError,
    RecursionError,
    SystemError,
    TypeError,
)


class _Observer:
    """Watches the account of each test from when its fixture is made until its other fixtures end."""

    __name__ = NAME

    def __init__(self) -> None:
        self._watch: Watch | None = None
        self._began_s = monotonic_s()
        self.run = Run()

    def begin(self, mock: RunwareMock, *, is_alone: bool) -> None:
        """Plan the faults of this run for the test's account, or for a server that no other test uses now."""
        self._began_s = monotonic_s()
        self._watch = Watch(mock, self.faults(), is_alone=is_alone)

    def faults(self) -> list[dict[str, Any]]:
        raise NotImplementedError

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:  # noqa: ARG002 - the hook's signature
        self._watch, self.run = None, Run()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: "pytest.CallInfo[None]"
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.outcome != "passed" and self.run.outcome == "passed":
            self.run.outcome = "failed"
            self.run.detail = report.longreprtext.strip().rpartition("\n")[2] if report.longrepr else report.outcome
        if call.excinfo is not None and report.outcome == "failed":
            self.run.detail = call.excinfo.exconly().partition("\n")[0][:300]
            file = Path(call.excinfo.traceback[-1].path)
            self.run.by_mock = file.is_relative_to(_PACKAGE)
            if isinstance(call.excinfo.value, _MISTAKES) and file != item.path:
                self.run.outcome = "crashed"
        return report

    def end(self, kinds: Sequence[str] = ()) -> None:
        self.run.duration_s = monotonic_s() - self._began_s
        if self._watch is not None:
            self._watch.look(self.run, kinds)
            self._watch = None


class FirstRun(_Observer):
    """Counts in each test where faults could happen."""

    def __init__(self, kinds: Sequence[str]) -> None:
        super().__init__()
        self._kinds = kinds

    def faults(self) -> list[dict[str, Any]]:
        """Return faults that never happen."""
        return counting(self._kinds)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """Put what was counted into the report of the teardown, which reaches the process that writes the matrix."""
        if self._watch is None:
            return
        self.end(self._kinds)
        test = f"{item.path}::{item.nodeid.partition('::')[2]}"
        item.user_properties.append((PROPERTY, {"test": test, "source": _source(item), **self.run.to_json()}))


class CellRun(_Observer):
    """Runs one test with the fault of a cell, and sends what it has shown, at the latest when its time is over."""

    def __init__(self, cell: Cell, limit_s: float, send: Callable[[dict[str, Any]], None]) -> None:
        super().__init__()
        self._cell, self._limit_s, self._send = cell, limit_s, send
        self._lock, self._is_sent = threading.RLock(), False

    def faults(self) -> list[dict[str, Any]]:
        """Return the fault of the cell; from now on, the test's time runs."""
        timer = threading.Timer(self._limit_s, self._hangs)
        timer.daemon = True
        timer.start()
        return self._cell.faults()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self) -> None:
        """Look before the test's fixtures end."""
        self.end()

    def pytest_runtest_logfinish(self) -> None:
        """Send what the test has shown."""
        self.send()

    def send(self) -> None:
        """Send what the test has shown, once."""
        with self._lock:
            if not self._is_sent:
                self._is_sent = True
                self._send(self.run.to_json())

    def _hangs(self) -> None:
        with self._lock:
            if self._is_sent:
                return
            self.run.outcome, self.run.detail = "hung", f"was still running after {self._limit_s:.1f} s"
            self.end()
            self.send()
        os._exit(1)


def _source(item: pytest.Item) -> str:
    try:
        return inspect.getsource(item.obj) if isinstance(item, pytest.Function) else ""
    except OSError:
        return ""
