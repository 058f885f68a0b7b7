"""`runware-mock journal` and `runware-mock webhooks`: what was asked, and whom the mock has called."""

from typing import Any

import click

from runware_mock.commands.base import Call, Function, Printed, control_command, duration_of, yes_option

_FILTERS: tuple[tuple[str, type, str], ...] = (
    ("--task-type", str, "Only this taskType."),
    ("--task-uuid", str, "Only this taskUUID."),
    ("--outcome", str, "Only success, error, fault or crash."),
    ("--transport", str, "Only rest or ws."),
    ("--code", str, "Only errors with this code."),
    ("--sha256", str, "Only uploads of the file with this SHA-256."),
    ("--text", str, "Only where the task or its answer contains this."),
    ("--since", int, "Only entries after this id."),
    ("--before", int, "Only entries before this id."),
    ("--status", int, "Only this HTTP status or close code; 0: nothing was sent."),
    ("--kind", str, "Only task, lookup, request, webhook; or all. Default: all for list, else task."),
)


@click.group()
def journal() -> None:
    """Read what was requested and answered."""


def filtered(function: Function) -> Function:
    """Add the options that choose entries."""
    for flag, kind, text in reversed(_FILTERS):
        function = click.option(flag, type=kind, help=text)(function)
    return function


@control_command("list", journal)
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="How many to show.")
@filtered
def list_entries(call: Call, **chosen: Any) -> Any:
    """List entries of every kind, the newest first."""
    return call.control.journal.list(**{**chosen, "kind": chosen["kind"] or "all"})


@control_command("show", journal)
@click.argument("id", type=int)
def show(call: Call, id: int) -> Any:  # noqa: A002 - the name of the argument
    """Show one entry in full. Says what was done to its file, and why it was refused."""
    return call.control.journal.get(id)


@control_command("count", journal)
@filtered
def count(call: Call, **chosen: Any) -> Any:
    """Count entries."""
    counted = call.control.journal.count(**chosen)
    return Printed(str(counted), {"count": counted})


@control_command("wait", journal)
@click.option("--count", type=click.IntRange(1), default=1, show_default=True, help="How many to wait for.")
@click.option("--timeout", default="5s", show_default=True, help="How long to wait.")
@filtered
def wait(call: Call, count: int, timeout: str, **chosen: Any) -> Any:
    """Wait until there are that many entries. Exits with status 1 if they do not come in time."""
    return call.control.journal.wait(count, duration_of(timeout, "--timeout").total_seconds(), **chosen)


@control_command("clear", journal)
@yes_option
def clear(call: Call, *, yes: bool) -> Any:
    """Delete every entry."""
    call.confirm("delete the journal", yes=yes)
    deleted = call.control.journal.clear()
    return Printed(f"deleted {deleted} entries of {call.account}", {"deleted": deleted})


@click.group()
def webhooks() -> None:
    """List calls of webhooks, and repeat them."""


@control_command("list", webhooks)
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="How many to show.")
@click.option("--task-uuid", help="Only webhooks of this task.")
@click.option("--outcome", help="Only success, error or fault.")
@click.option("--status", type=int, help="Only calls that were answered with this status; 0: without an answer.")
def list_calls(call: Call, **chosen: Any) -> Any:
    """List the calls, the newest first. Each attempt has a line."""
    return call.control.webhooks.list(**chosen)


@control_command("resend", webhooks)
@click.argument("id", type=int)
def resend(call: Call, id: int) -> Any:  # noqa: A002 - the name of the argument
    """Call a webhook again. Sends the body of an earlier call. ID is the first column of the list."""
    queued = call.control.webhooks.resend(id)
    return Printed(f"calling {queued.url.partition('?')[0]} again", queued)
