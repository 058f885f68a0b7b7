"""`runware-mock media`."""

from pathlib import Path
from typing import Any

import click

from runware_mock.commands.base import Call, Printed, control_command
from runware_mock.commands.tables import table
from runware_mock.control_models import write_instant


@click.group()
def media() -> None:
    """List, add and delete stored media, and see when they expire."""


@control_command("list", media)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many to show.")
@click.option("--before", type=int, help="Only media before this id.")
@click.option("--format", help="Only this format, such as png.")
@click.option("--task-type", help="Only media stored by tasks of this type.")
@click.option("--text", help="Only UUIDs that contain this.")
@click.option("--state", type=click.Choice(["alive", "expired", "all"]), default="alive", show_default=True)
def list_media(call: Call, **chosen: Any) -> Any:
    """List media, the newest first."""
    return call.control.media.list(**chosen)


@control_command("show", media)
@click.argument("uuid")
def show(call: Call, uuid: str) -> Any:
    """Show one medium, alive or expired."""
    return call.control.media.get(uuid)


@control_command("delete", media)
@click.argument("uuid")
def delete(call: Call, uuid: str) -> Any:
    """Delete one medium."""
    deleted = call.control.media.delete(uuid)
    return Printed(f"deleted {uuid}", {"deleted": deleted})


@control_command("add", media)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--uuid", help="UUID to give it. Default: a new one.")
@click.option("--age", help="How long ago it was uploaded, such as 29d.")
def add(call: Call, file: Path, uuid: str | None, age: str | None) -> Any:
    """Store FILE as if it had been uploaded."""
    return call.control.media.add(file, uuid=uuid, age=age)


@control_command("forecast", media)
@click.option("--at", help="The time of the purge, such as 2026-12-31T23:59:59Z. Default: now.")
@click.option("--in", "within", help="Or: how long from now, such as 31d.")
def forecast(call: Call, at: str | None, within: str | None) -> Any:
    """Show when media expire and what a purge would delete."""
    seen = call.control.media.forecast(at, within)
    gone = f"{seen.would_purge.media} media, {seen.would_purge.bytes} bytes"
    return Printed(f"{table(seen.media)}\na purge at {write_instant(seen.at)} would delete {gone}", seen)
