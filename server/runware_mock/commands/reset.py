"""`runware-mock accounts` and `reset`."""

from typing import Any

import click

from runware_mock.commands.base import Call, Printed, control_command, yes_option
from runware_mock.commands.tables import text_of


@control_command("accounts")
def accounts(call: Call) -> Any:
    """List the accounts and how much each of them has."""
    return call.control.accounts()


@control_command("reset")
@click.argument("scope", default="all", metavar="[all|media|journal|faults|clock]")
@yes_option
def reset(call: Call, scope: str, *, yes: bool) -> Any:
    """Delete everything, or one part, of one account or of all."""
    call.confirm(f"delete {'everything' if scope == 'all' else f'the {scope}'}", yes=yes)
    answer = call.control.reset(scope)
    return Printed(f"reset {call.account}\n{text_of(answer)}", answer)
