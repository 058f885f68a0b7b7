"""`runware-mock clock`."""

from typing import Any

import click

from runware_mock.commands.base import Call, verb


@click.group()
def clock() -> None:
    """Freeze, move and reset the clock of an account, or of all."""


@verb("show", clock)
def show(call: Call) -> Any:
    """Show the clock."""
    return call.control.clock.get()


@verb("freeze", clock)
def freeze(call: Call) -> Any:
    """Stop the clock."""
    return call.control.clock.freeze()


@verb("resume", clock)
def resume(call: Call) -> Any:
    """Let the clock run on from where it stands."""
    return call.control.clock.resume()


@verb("reset", clock)
def reset(call: Call) -> Any:
    """Go back to the real time."""
    return call.control.clock.reset()


@verb("set", clock)
@click.argument("at")
def set_to(call: Call, at: str) -> Any:
    """Move the clock ahead to AT: 2026-12-31T23:59:59Z, or milliseconds since 1970."""
    return call.control.clock.set(int(at) if at.isdecimal() else at)


@verb("advance", clock)
@click.argument("by")
def advance(call: Call, by: str) -> Any:
    """Move the clock ahead BY a duration such as 31d or 2h30m, and tell what was purged."""
    return call.control.clock.advance(by)
