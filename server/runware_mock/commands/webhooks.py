"""`runware-mock webhooks`."""

from typing import Any

import click

from runware_mock.commands.base import Call, Printed, control_command


@click.group()
def webhooks() -> None:
    """See how webhooks were called, and call them again."""


@control_command("list", webhooks)
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="How many to show.")
@click.option("--task-uuid", help="Only webhooks of this task.")
@click.option("--outcome", help="Only success, error or fault.")
@click.option("--status", type=int, help="Only calls that were answered with this status; 0: without an answer.")
def list_calls(call: Call, **chosen: Any) -> Any:
    """List the calls, one line for each attempt, the newest first."""
    return call.control.webhooks.list(**chosen)


@control_command("resend", webhooks)
@click.argument("id", type=int)
def resend(call: Call, id: int) -> Any:  # noqa: A002 - the name of the argument
    """Call a webhook again with the body of an earlier call; ID is the first column of the list."""
    queued = call.control.webhooks.resend(id)
    return Printed(f"calling {queued.url.partition('?')[0]} again", queued)
