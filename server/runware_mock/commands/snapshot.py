"""`runware-mock snapshot`, `export` and `import`."""

from pathlib import Path
from typing import Any

import click

from runware_mock.commands.base import Call, Printed, control_command, fail


@click.group()
def snapshot() -> None:
    """Save the state of an account under a name, and return to it."""


@control_command("list", snapshot)
def list_snapshots(call: Call) -> Any:
    """List the snapshots."""
    return call.control.snapshots.list()


@control_command("save", snapshot)
@click.argument("name")
def save(call: Call, name: str) -> Any:
    """Save the current state as NAME."""
    saved = call.control.snapshots.save(name)
    return Printed(f"saved {name} of {call.account}: {saved.media} media", saved)


@control_command("restore", snapshot)
@click.argument("name")
def restore(call: Call, name: str) -> Any:
    """Return to the state saved as NAME; the snapshot is kept."""
    restored = call.control.snapshots.restore(name)
    return Printed(f"restored {name} of {call.account}: {restored.media} media", restored)


@control_command("delete", snapshot)
@click.argument("name")
def delete(call: Call, name: str) -> Any:
    """Delete the snapshot NAME."""
    deleted = call.control.snapshots.delete(name)
    return Printed(f"deleted {name} of {call.account}", {"deleted": deleted})


@control_command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export_state(call: Call, file: Path) -> Any:
    """Write the state of an account to FILE, a zip archive."""
    archive = call.control.export()
    try:
        file.write_bytes(archive)
    except OSError as error:
        fail(f"cannot write {file}: {error.strerror}")
    text = f"wrote the state of {call.account} to {file}, {len(archive)} bytes"
    return Printed(text, {"file": str(file), "size_bytes": len(archive)})


@control_command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_state(call: Call, file: Path) -> Any:
    """Replace the state of an account with the one in FILE."""
    loaded = call.control.load(file.read_bytes())
    text = f"imported into {call.account}: {loaded.media} media, {loaded.journal} journal entries, {loaded.plans} plans"
    return Printed(text, loaded)
