"""`runware-mock exec`: a server for the time that another command runs."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, Self

import click

from runware_mock.client import ControlError
from runware_mock.commands.base import EXIT_FAILED, EXIT_USAGE, fail
from runware_mock.commands.faults import plan_of_line
from runware_mock.testing import (
    ENV_NAMES,
    RunwareMock,
    counted,
    crash_report,
    fresh_key,
    serve,
    task_history,
    unmet_plan,
)

# As shells do it.
_EXIT_NOT_EXECUTABLE = 126
_EXIT_NOT_FOUND = 127
_EXIT_BY_SIGNAL = 128
# How long a command may take to end after SIGTERM. Docker kills a container after 10 s.
_GRACE_S = 8.0
_FORWARDED = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2")
# A terminal sends these to the command itself.
_FROM_TERMINAL = ("SIGHUP", "SIGINT", "SIGQUIT")
_VALUES = tuple(dict.fromkeys((*ENV_NAMES.values(), "url")))


@click.command("exec", context_settings={"allow_interspersed_args": False})
@click.option("--api-key", metavar="KEY", help="API key of the command's account. Default: a new one.")
@click.option(
    "--faults",
    multiple=True,
    metavar="PLAN",
    help="A fault plan: a kind and its fields, such as 'drop times=2', or a JSON file (repeatable).",
)
@click.option(
    "--env",
    "env_names",
    multiple=True,
    metavar="NAME=VALUE",
    help=f"Set the variable NAME, too; VALUE is {', '.join(_VALUES[:-1])} or {_VALUES[-1]} (repeatable).",
)
@click.option(
    "--setting",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="A setting of `serve`, such as retention=7d (repeatable).",
)
@click.option(
    "--grace",
    "grace_s",
    type=click.FloatRange(min=0, max=3600),
    default=_GRACE_S,
    help=f"Seconds that the command may take to end after SIGTERM.  [{_GRACE_S:g}]",
)
@click.option(
    "--leak-guard/--no-leak-guard",
    default=True,
    help="Refuse what the command sends to runware.ai, by a proxy that it finds in its environment.  [on]",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_command(
    *,
    api_key: str | None,
    faults: Sequence[str],
    env_names: Sequence[str],
    settings: Sequence[str],
    grace_s: float,
    leak_guard: bool,
    command: Sequence[str],
) -> None:
    """Run COMMAND against a server of its own.

    The server starts on a free port, keeps everything in memory, and ends with the command, whose exit status this
    command returns. The command finds the server in RUNWARE_API_KEY, RUNWARE_BASE_URL and RUNWARE_WS_URL, and
    `runware-mock` in RUNWARE_MOCK_URL.

    If the command succeeds but a fault plan was not fully met, something was sent to the real service, or the mock
    itself crashed, the exit status is 1.
    """
    names = {name: _checked(value) for name, value in _pairs("--env", env_names).items()}
    plans = [plan_of_line(line) for line in faults]
    program = _found(command[0])
    from runware_mock.commands.refusing_proxy import refusing_proxy

    with ExitStack() as cleanup:
        child = cleanup.enter_context(_Child(grace_s))
        try:
            proxy = cleanup.enter_context(refusing_proxy()) if leak_guard else None
        except ValueError as error:
            fail(f"{error}: add --no-leak-guard", EXIT_USAGE)
        mock = cleanup.enter_context(_server(_pairs("--setting", settings), api_key or fresh_key(), names))
        # The server has no other clients: whichever key the command uses, it meets these plans.
        everyone = mock.account("")
        for plan in plans:
            _add(everyone, plan)
        proxied = {} if proxy is None else proxy.environment(os.environ)
        environment = {**os.environ, **proxied, "RUNWARE_MOCK_URL": mock.url, **mock.env()}
        status = child.run([program, *command[1:]], environment)
        problems = _problems(everyone, {} if proxy is None else proxy.refused)
        if problems:
            click.echo(f"runware-mock: {problems}", err=True)
    sys.exit(status or (EXIT_FAILED if problems else 0))


@contextmanager
def _server(settings: Mapping[str, Any], api_key: str, names: Mapping[str, str]) -> Iterator[RunwareMock]:
    """Run a server, and give the command's account on it; end the program if the settings do not make a server."""
    from runware_mock.server import UNUSABLE

    with ExitStack() as cleanup:
        try:
            server = cleanup.enter_context(serve(**settings))
        except (ValueError, OSError, *UNUSABLE) as error:
            fail(str(error), EXIT_USAGE)
        given = {**ENV_NAMES, **names}
        yield RunwareMock(server.url, api_key, token=server.token, env_names=given, ca_file=server.ca_file)


def _add(everyone: RunwareMock, plan: Mapping[str, Any]) -> None:
    try:
        added = everyone.faults.add(plan)
    except ControlError as error:
        fail(f"--faults: {error.field or 'plan'}: {error.message}", EXIT_USAGE)
    for warning in added.warnings:
        click.echo(f"runware-mock: --faults: {warning}", err=True)


def _problems(everyone: RunwareMock, leaks: Mapping[str, int]) -> str:
    """Return why the run must not count as a success, or nothing."""
    problems = [unmet_plan(plan) for plan in everyone.faults.unmet()]
    if problems:
        problems.append(task_history(everyone.tasks))
    problems += [f"refused to reach the real service: {leak}, {counted(n, 'time')}" for leak, n in leaks.items()]
    if crashes := everyone.crashes():
        problems.append(crash_report(crashes))
    return "\n".join(problems)


def _found(command: str) -> str:
    program = shutil.which(command)
    if program is None and Path(command).name != command and Path(command).exists():
        fail(f"{command} cannot be executed", _EXIT_NOT_EXECUTABLE)
    return program or fail(f"there is no command {command!r}", _EXIT_NOT_FOUND)


def _pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    pairs = [one.partition("=") for one in given]
    for name, equals, value in pairs:
        if not (name and equals):
            fail(f"{option}: write NAME=VALUE instead of {name + equals + value!r}", EXIT_USAGE)
    return {name: value for name, _, value in pairs}


def _checked(value: str) -> str:
    if value not in _VALUES:
        fail(f"--env: {value!r} is not one of {', '.join(_VALUES)}", EXIT_USAGE)
    return value


class _Child:
    """The command's process. Signals to this process go on to it; SIGTERM gives it `grace_s` to end."""

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []
        # A command in a process group of its own could not read from the terminal.
        self._has_group = os.name == "posix" and not os.isatty(0)
        self._handlers: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        """Begin to catch signals."""
        for name in _FORWARDED:
            if number := getattr(signal, name, None):
                self._handlers[number] = signal.signal(number, self._forward)
        return self

    def __exit__(self, *_error: object) -> None:
        """Kill the command if it still runs, and catch no more signals."""
        if self._process is not None and self._process.poll() is None:
            self._kill()
            self._process.wait()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def run(self, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """Run the command to its end; return its exit status, or 128 and the number of the signal that ended it."""
        if self._early:
            return _EXIT_BY_SIGNAL + self._early[0]
        try:
            process = self._process = subprocess.Popen(  # noqa: S603 - the user's own command
                command, env=environment, process_group=0 if self._has_group else None
            )
        except OSError as error:
            fail(f"cannot run {command[0]}: {error.strerror or error}", _EXIT_NOT_EXECUTABLE)
        for number in self._early:
            self._send(number)
        status = process.wait()
        return status if status >= 0 else _EXIT_BY_SIGNAL - status

    def _forward(self, number: int, _frame: FrameType | None) -> None:
        if self._process is None:
            self._early.append(number)
        elif not (signal.Signals(number).name in _FROM_TERMINAL and _in_foreground()):
            self._send(number)

    def _send(self, number: int) -> None:
        assert self._process is not None  # noqa: S101 - narrows the type
        if number == signal.SIGTERM:
            timer = threading.Timer(self._grace_s, self._kill_late)
            timer.daemon = True
            timer.start()
        with suppress(ProcessLookupError):
            if self._has_group:
                os.killpg(self._process.pid, number)
            else:
                self._process.send_signal(number)

    def _kill_late(self) -> None:
        if self._process is not None and self._process.poll() is None:
            click.echo(f"runware-mock: the command did not end within {self._grace_s:g} s of SIGTERM: killed", err=True)
            self._kill()

    def _kill(self) -> None:
        assert self._process is not None  # noqa: S101 - narrows the type
        with suppress(ProcessLookupError):
            if self._has_group:
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()


def _in_foreground() -> bool:
    """Tell whether this process is in the group to which its terminal sends signals."""
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except (AttributeError, OSError):
        return False
