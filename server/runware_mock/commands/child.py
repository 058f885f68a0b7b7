"""The process of a command that `exec` runs."""

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import FrameType
from typing import Any, Self

import click

from runware_mock.commands.base import fail

# As shells do it.
EXIT_NOT_EXECUTABLE = 126
EXIT_BY_SIGNAL = 128
_FORWARDED = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2")
# A terminal sends these to the command itself.
_FROM_TERMINAL = ("SIGHUP", "SIGINT", "SIGQUIT")


class Child:
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
            return EXIT_BY_SIGNAL + self._early[0]
        try:
            process = self._process = subprocess.Popen(  # noqa: S603 - the user's own command
                command, env=environment, process_group=0 if self._has_group else None
            )
        except OSError as error:
            fail(f"cannot run {command[0]}: {error.strerror or error}", EXIT_NOT_EXECUTABLE)
        for number in self._early:
            self._send(number)
        status = process.wait()
        return status if status >= 0 else EXIT_BY_SIGNAL - status

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
        kill(self._process, has_group=self._has_group)


def kill(process: "subprocess.Popen[bytes]", *, has_group: bool) -> None:
    """Kill a process, and with it the process group that it leads, if it has one of its own."""
    with suppress(ProcessLookupError, PermissionError):
        if has_group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _in_foreground() -> bool:
    """Tell whether this process is in the group to which its terminal sends signals."""
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except AttributeError:
        # The console of Windows sends Ctrl-C to all of its processes.
        return True
    except OSError:
        return False
