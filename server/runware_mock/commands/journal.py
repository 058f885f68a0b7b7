"""`runware-mock journal`."""

from collections.abc import Callable
from typing import Any

import click

from runware_mock.commands.base import EXIT_USAGE, Call, Printed, fail, verb

_FILTERS: tuple[tuple[str, type, str], ...] = (
    ("--task-type", str, "Only this taskType."),
    ("--task-uuid", str, "Only this taskUUID."),
    ("--outcome", str, "Only success, error, fault or crash."),
    ("--transport", str, "Only rest or ws."),
    ("--code", str, "Only errors of this code."),
    ("--sha256", str, "Only uploads of the file with this digest."),
    ("--text", str, "Only where this stands in the task or its answer."),
    ("--since", int, "Only entries after this id."),
    ("--before", int, "Only entries before this id."),
)


@click.group()
def journal() -> None:
    """Read what was asked and answered."""


def filtered(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose entries."""
    for flag, kind, text in reversed(_FILTERS):
        function = click.option(flag, type=kind, help=text)(function)
    return function


@verb("list", journal)
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="How many to show.")
@filtered
def list_entries(call: Call, **chosen: Any) -> Any:
    """List entries, the newest first."""
    return call.control.journal.list(**chosen)


@verb("show", journal)
@click.argument("id", type=int)
def show(call: Call, id: int) -> Any:  # noqa: A002 - the name of the argument
    """Show one entry in full: task, answer, what became of its file, and why it was refused."""
    return call.control.journal.get(id)


@verb("count", journal)
@filtered
def count(call: Call, **chosen: Any) -> Any:
    """Count entries."""
    counted = call.control.journal.count(**chosen)
    return Printed(str(counted), {"count": counted})


@verb("wait", journal)
@click.option("--count", type=click.IntRange(1), default=1, show_default=True, help="How many to wait for.")
@click.option("--timeout", default="5s", show_default=True, help="How long to wait.")
@filtered
def wait(call: Call, count: int, timeout: str, **chosen: Any) -> Any:
    """Wait until so many entries are there; exit 1 when they do not come."""
    from runware_mock.units import parse_duration

    try:
        timeout_s = parse_duration(timeout).total_seconds()
    except ValueError as error:
        fail(f"--timeout: {timeout!r} is {error}", EXIT_USAGE)
    return call.control.journal.wait(count, timeout_s, **chosen)


@verb("clear", journal)
def clear(call: Call) -> Any:
    """Forget every entry."""
    deleted = call.control.journal.clear()
    return Printed(f"deleted {deleted} entries", {"deleted": deleted})
