"""`runware-mock accounts`, `reset`, `snapshot`, `export` and `import`."""

from typing import Any

import click

from runware_mock.commands.base import Call, Printed, fail, verb


@verb("accounts")
def accounts(call: Call) -> Any:
    """List the accounts and how much each has."""
    return call.control.accounts()


@verb("reset")
@click.argument("scope", default="all", metavar="[all|media|journal|faults|clock]")
def reset(call: Call, scope: str) -> Any:
    """Forget everything of an account, or of all, or one part of it."""
    return call.control.reset(scope)


@click.group()
def snapshot() -> None:
    """Keep the state of an account under a name, and go back to it."""


@verb("list", snapshot)
def list_snapshots(call: Call) -> Any:
    """List the snapshots."""
    return call.control.snapshots.list()


@verb("save", snapshot)
@click.argument("name")
def save(call: Call, name: str) -> Any:
    """Keep the state under NAME."""
    return call.control.snapshots.save(name)


@verb("restore", snapshot)
@click.argument("name")
def restore(call: Call, name: str) -> Any:
    """Go back to the state of NAME, which stays."""
    return call.control.snapshots.restore(name)


@verb("delete", snapshot)
@click.argument("name")
def delete(call: Call, name: str) -> Any:
    """Forget the snapshot NAME."""
    deleted = call.control.snapshots.delete(name)
    return Printed(f"deleted {name}", {"deleted": deleted})


@verb("export")
@click.argument("file", type=click.Path(dir_okay=False))
def export(call: Call, file: str) -> Any:
    """Write the state of an account to FILE, a zip archive."""
    from pathlib import Path

    archive = call.control.export()
    try:
        Path(file).write_bytes(archive)
    except OSError as error:
        fail(f"cannot write {file}: {error.strerror}")
    return Printed(f"wrote {len(archive)} bytes to {file}", {"file": file, "size_bytes": len(archive)})


@verb("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
def load(call: Call, file: str) -> Any:
    """Give an account the state of FILE, in place of its own."""
    from pathlib import Path

    return call.control.load(Path(file).read_bytes())
