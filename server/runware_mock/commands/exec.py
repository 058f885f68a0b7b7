"""`runware-mock exec`: a server for the time that another command runs."""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runware_mock.client import ControlError
from runware_mock.commands.base import EXIT_FAILED, EXIT_USAGE, fail
from runware_mock.commands.child import EXIT_NOT_EXECUTABLE, Child
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

if TYPE_CHECKING:
    from runware_mock.commands.refusing_proxy import RefusingProxy

# As shells do it.
_EXIT_NOT_FOUND = 127
# How long a command may take to end after SIGTERM. Docker kills a container after 10 s.
_GRACE_S = 8.0
_VALUES = tuple(dict.fromkeys((*ENV_NAMES.values(), "url")))


@click.command("exec", context_settings={"allow_interspersed_args": False})
@click.option("--api-key", metavar="KEY", help="API key of the command's account. Default: a new one.")
@click.option(
    "--faults",
    multiple=True,
    metavar="PLAN",
    help="A fault plan: a kind and its fields, such as 'drop times=2', or a JSON file (repeatable).",
)
@click.option("--answers", metavar="PATH", help="Rules for scripted answers: a file, or a folder of files.")
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
@click.option(
    "--matrix",
    "kinds",
    is_flag=False,
    flag_value="all",
    metavar="[KINDS]",
    help="Run the command again with each kind of fault (or KINDS, with commas), wherever one could happen.",
)
@click.option(
    "--matrix-limit", metavar="SPAN", default="5s", help="How much longer it may take before it counts as hung.  [5s]"
)
@click.option("--matrix-jobs", type=click.IntRange(1, 64), default=1, help="How many runs at once.  [1]")
@click.option("--matrix-json", type=click.Path(path_type=Path), help="Write the matrix to this file.")
@click.option("--matrix-html", type=click.Path(path_type=Path), help="Write a page about the matrix to this file.")
@click.option("--matrix-accepted", type=click.Path(path_type=Path), help="File listing bad cells to accept.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_command(
    *,
    api_key: str | None,
    faults: Sequence[str],
    answers: str | None,
    env_names: Sequence[str],
    settings: Sequence[str],
    grace_s: float,
    leak_guard: bool,
    kinds: str | None,
    command: Sequence[str],
    **matrix: Any,
) -> None:
    """Run COMMAND against a server of its own.

    The server starts on a free port, keeps everything in memory, and ends with the command, whose exit status this
    command returns. The command finds the server in RUNWARE_API_KEY, RUNWARE_BASE_URL and RUNWARE_WS_URL, and
    `runware-mock` in RUNWARE_MOCK_URL.

    If the command succeeds but a fault plan was not fully met, something was sent to the real service, or the mock
    itself crashed, the exit status is 1. With --matrix, it is 1 if there are bad cells that nobody has accepted.
    """
    names = {name: _checked(value) for name, value in _pairs("--env", env_names).items()}
    plans = [plan_of_line(line) for line in faults]
    program = _found(command[0])
    given = {**_pairs("--setting", settings), **({} if answers is None else {"answers": answers})}
    from runware_mock.commands.refusing_proxy import refusing_proxy

    with ExitStack() as cleanup:
        try:
            proxy = cleanup.enter_context(refusing_proxy()) if leak_guard else None
        except ValueError as error:
            fail(f"{error}: add --no-leak-guard", EXIT_USAGE)
        server = partial(_server, given, api_key, names, proxy)
        if kinds is not None:
            from runware_mock.commands.exec_matrix import run_matrix

            if plans:
                fail("--matrix plans the faults itself: leave out --faults", EXIT_USAGE)
            status, problems = run_matrix([program, *command[1:]], server, kinds, **matrix), []
        else:
            child = cleanup.enter_context(Child(grace_s))
            mock, environment = cleanup.enter_context(server())
            # The server has no other clients: whichever key the command uses, it meets these plans.
            everyone = mock.account(None)
            for plan in plans:
                _add(everyone, plan)
            status = child.run([program, *command[1:]], environment)
            problems = _problems(everyone)
        leaks = {} if proxy is None else proxy.refused
        problems += [f"{leak} was refused {counted(n, 'time')}: this is the real service" for leak, n in leaks.items()]
        if problems:
            click.echo("runware-mock: " + "\n".join(problems), err=True)
    sys.exit(status or (EXIT_FAILED if problems else 0))


@contextmanager
def _server(
    settings: Mapping[str, Any], api_key: str | None, names: Mapping[str, str], proxy: "RefusingProxy | None"
) -> Iterator[tuple[RunwareMock, dict[str, str]]]:
    """Run a server; give the command's account on it and its environment. Bad settings end the program."""
    from runware_mock.server import UNUSABLE

    with ExitStack() as cleanup:
        try:
            server = cleanup.enter_context(serve(**settings))
        except (ValueError, OSError, *UNUSABLE) as error:
            fail(str(error), EXIT_USAGE)
        key, given = api_key or fresh_key(), {**ENV_NAMES, **names}
        mock = RunwareMock(server.url, key, token=server.token, env_names=given, ca_file=server.ca_file)
        proxied = {} if proxy is None else proxy.environment(os.environ)
        yield mock, {**os.environ, **proxied, "RUNWARE_MOCK_URL": mock.url, **mock.env()}


def _add(everyone: RunwareMock, plan: Mapping[str, Any]) -> None:
    try:
        added = everyone.faults.add(plan)
    except ControlError as error:
        fail(f"--faults: {error.field or 'plan'}: {error.message}", EXIT_USAGE)
    for warning in added.warnings:
        click.echo(f"runware-mock: --faults: {warning}", err=True)


def _problems(everyone: RunwareMock) -> list[str]:
    """Return why the run must not count as a success; the command may have made plans of its own."""
    problems = [unmet_plan(plan) for plan in everyone.faults.unmet()]
    if problems:
        problems.append(task_history(everyone.tasks))
    if crashes := everyone.crashes():
        problems.append(crash_report(crashes))
    return problems


def _found(command: str) -> str:
    program = shutil.which(command)
    if program is None and Path(command).name != command and Path(command).exists():
        fail(f"{command} cannot be executed", EXIT_NOT_EXECUTABLE)
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
