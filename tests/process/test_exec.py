"""`runware-mock exec` and signals: they reach the command, and nothing is left behind."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen

import pytest

from tests.running import STOPPED_WITHIN_S, clean_environment, command

# Prints where the server is, then waits for a signal and exits with 40 and its number.
WAITS = """
import os, signal, sys
signal.signal(signal.{caught}, lambda number, _: sys.exit(40 + number))
print(os.environ["RUNWARE_MOCK_URL"], flush=True)
signal.pause()
"""
IGNORES_SIGTERM = """
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.environ["RUNWARE_MOCK_URL"], flush=True)
while True:
    signal.pause()
"""


@contextmanager
def executing(program: str, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a program under `exec`; yield the process of `exec` and the server's URL."""
    process = subprocess.Popen(
        command("exec", *options, "--", sys.executable, "-c", program),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(),
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        url = process.stdout.readline().strip()
        with urlopen(f"{url}/health") as answer:  # noqa: S310 - the server's own address
            assert answer.status == 200
        yield process, url
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def ended(process: subprocess.Popen[str], url: str) -> int:
    """Wait for the end; return the exit status. The command and the server must be gone."""
    status = process.wait(STOPPED_WITHIN_S)
    assert process.stdout is not None
    # Ends once nobody is left who could write.
    assert process.stdout.read() == ""
    with pytest.raises(OSError, match="refused"):
        urlopen(f"{url}/health")  # noqa: S310 - the server's own address
    return status


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"])
def test_a_signal_reaches_the_command_which_decides_how_to_end(name: str) -> None:
    number = signal.Signals[name]
    with executing(WAITS.format(caught=name)) as (process, url):
        process.send_signal(number)
        assert ended(process, url) == 40 + number


def test_a_command_that_a_signal_ends_gives_the_status_that_shells_use() -> None:
    with executing(WAITS.format(caught="SIGUSR1")) as (process, url):
        process.send_signal(signal.SIGTERM)
        assert ended(process, url) == 128 + signal.SIGTERM


def test_a_command_that_ignores_sigterm_is_killed_after_a_while() -> None:
    with executing(IGNORES_SIGTERM, "--grace", "0.2") as (process, url):
        process.send_signal(signal.SIGTERM)
        assert ended(process, url) == 128 + signal.SIGKILL
        assert process.stderr is not None
        (line,) = process.stderr.read().splitlines()
        assert line == "runware-mock: the command did not end within 0.2 s of SIGTERM: killed"


def test_a_shell_and_what_it_runs_get_the_signal_both() -> None:
    shell = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {WAITS.format(caught='SIGUSR1')!r}])"
    with executing(shell) as (process, url):
        process.send_signal(signal.SIGTERM)
        assert ended(process, url) == 128 + signal.SIGTERM


COUNTS_SIGINTS = """
import signal, sys
seen = []
signal.signal(signal.SIGINT, lambda number, _: seen.append(number))
print("say", flush=True)
said = input()
print("heard", said, flush=True)
while not seen:
    signal.sigtimedwait([], 0.05)
signal.sigtimedwait([], 0.3)
sys.exit(40 + len(seen))
"""


def test_at_a_terminal_the_command_can_read_and_gets_ctrl_c_once() -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        arguments = command("exec", "--", sys.executable, "-c", COUNTS_SIGINTS)
        os.execve(arguments[0], arguments, clean_environment())  # noqa: S606 - no shell is wanted
    try:
        shown = b""
        for waited, typed in ((b"say", b"hello\n"), (b"heard hello", b"\x03")):
            while waited not in shown:
                shown += os.read(terminal, 1000)
            os.write(terminal, typed)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 41
    finally:
        # Whoever still uses the terminal gets SIGHUP.
        os.close(terminal)
