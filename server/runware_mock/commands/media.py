"""`runware-mock media` and `sample`."""

from pathlib import Path
from typing import Any

import click

from runware_mock.commands.base import EXIT_USAGE, Call, Printed, control_command, fail, table
from runware_mock.control_models import write_instant


@click.group()
def media() -> None:
    """List, add and delete stored media. Also says when they expire."""


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


@control_command("add", media, is_for_one=True)
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
    """Show when media expire. Also says what a purge would delete."""
    seen = call.control.media.forecast(at, within)
    gone = f"{seen.would_purge.media} media, {seen.would_purge.bytes} bytes"
    return Printed(f"{table(seen.media)}\na purge at {write_instant(seen.at)} would delete {gone}", seen)


_SIZE_PX = (3000, 2000)
_WRITTEN = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif")


@click.command("sample")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def sample(file: Path) -> None:
    """Write a sample picture to FILE.

    It is larger than 2048 px, so that an upload downsizes it. The extension chooses the format: .jpg, .png, .webp, .bmp
    or .gif.
    """
    from PIL import Image, ImageDraw

    if file.suffix.lower() not in _WRITTEN:
        fail(f"cannot write {file}: its name must end in {', '.join(_WRITTEN[:-1])} or {_WRITTEN[-1]}", EXIT_USAGE)
    horizontal = Image.linear_gradient("L").rotate(90).resize(_SIZE_PX)
    vertical = Image.linear_gradient("L").resize(_SIZE_PX)
    picture = Image.merge("RGB", (horizontal, vertical, Image.new("L", _SIZE_PX, 160)))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((1050, 550, 1950, 1450), fill=(250, 220, 120))
    draw.text((60, 60), "runware-mock sample", fill="white", font_size=160)
    try:
        picture.save(file)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"cannot write {file}: {error}") from error
    click.echo(f"wrote {file}, {_SIZE_PX[0]}x{_SIZE_PX[1]} px")
