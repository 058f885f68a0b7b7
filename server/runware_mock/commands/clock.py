"""`runware-mock clock`."""

from typing import Any

import click

from runware_mock.commands.base import Call, control_command, yes_option


@click.group()
def clock() -> None:
    """Freeze, move and reset the clock of one account or of all."""


@control_command("show", clock)
def show(call: Call) -> Any:
    """Show the clock."""
    return call.control.clock.get()


@control_command("freeze", clock)
def freeze(call: Call) -> Any:
    """Stop the clock."""
    return call.control.clock.freeze()


@control_command("resume", clock)
def resume(call: Call) -> Any:
    """Let the clock run on from the time it shows."""
    return call.control.clock.resume()


@control_command("reset", clock)
def reset(call: Call) -> Any:
    """Go back to the real time."""
    return call.control.clock.reset()


@control_command("set", clock)
@click.argument("at")
@yes_option
def set_to(call: Call, at: str, *, yes: bool) -> Any:
    """Move the clock forward to AT: 2026-12-31T23:59:59Z, or milliseconds since 1970."""
    instant = int(at) if at.isdecimal() else at
    _confirm_purge(call, yes=yes, at=instant)
    return call.control.clock.set(instant)


@control_command("advance", clock)
@click.argument("by")
@yes_option
def advance(call: Call, by: str, *, yes: bool) -> Any:
    """Move the clock forward BY a duration such as 31d or 2h30m, and show what was purged."""
    _confirm_purge(call, yes=yes, within=by)
    return call.control.clock.advance(by)


def _confirm_purge(call: Call, *, yes: bool, **when: Any) -> None:
    if not (call.api_key or yes) and (media := call.control.media.forecast(**when).would_purge.media):
        call.confirm(f"purge {media} expired media", yes=yes)
