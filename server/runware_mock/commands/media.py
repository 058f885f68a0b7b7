"""`runware-mock media`."""

from typing import Any

import click

from runware_mock.commands.base import Call, Printed, verb


@click.group()
def media() -> None:
    """Look at what is stored, add to it, and foretell what expires."""


@verb("list", media)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many to show.")
@click.option("--before", type=int, help="Only media before this id.")
@click.option("--format", help="Only this format, such as png.")
@click.option("--task-type", help="Only what tasks of this type brought.")
@click.option("--text", help="Only UUIDs with this in them.")
@click.option("--state", type=click.Choice(["alive", "expired", "all"]), default="alive", show_default=True)
def list_media(call: Call, **chosen: Any) -> Any:
    """List media, the newest first."""
    return call.control.media.list(**chosen)


@verb("show", media)
@click.argument("uuid")
def show(call: Call, uuid: str) -> Any:
    """Show one medium, alive or expired."""
    return call.control.media.get(uuid)


@verb("delete", media)
@click.argument("uuid")
def delete(call: Call, uuid: str) -> Any:
    """Remove one medium."""
    deleted = call.control.media.delete(uuid)
    return Printed(f"deleted {uuid}", {"deleted": deleted})


@verb("add", media)
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--uuid", help="UUID it gets. Default: a new one.")
@click.option("--age", help="How long ago it was uploaded, such as 29d.")
def add(call: Call, file: str, uuid: str | None, age: str | None) -> Any:
    """Store FILE as if it had been uploaded."""
    from pathlib import Path

    return call.control.media.add(Path(file), uuid=uuid, age=age)


@verb("forecast", media)
@click.option("--at", help="The instant of the purge, such as 2026-12-31T23:59:59Z. Default: now.")
@click.option("--in", "within", help="Instead: how long from now, such as 31d.")
def forecast(call: Call, at: str | None, within: str | None) -> Any:
    """Tell when each medium expires and what a purge would remove, without removing it."""
    from runware_mock.commands.tables import table

    seen = call.control.media.forecast(at, within)
    lost = f"a purge at {seen.json['at']} would remove {seen.would_purge.media} media"
    return Printed(f"{table(seen.media)}\n{lost}, {seen.would_purge.bytes} bytes", seen.json)
