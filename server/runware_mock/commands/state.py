"""`runware-mock accounts`, `clock`, `reset`, `snapshot`, `export` and `import`."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import click

from runware_mock.bundles import pack
from runware_mock.commands.base import EXIT_USAGE, Call, Printed, control_command, fail, text_of, yes_option

accounts = control_command("accounts", help="List the accounts and what each stores.")(
    lambda call: call.control.accounts()
)


# What each scope does to all accounts.
_RESETS = {
    "all": "delete everything",
    "media": "delete the media",
    "journal": "delete the journal",
    "faults": "delete the fault plans and answer rules",
    "clock": "reset the clock",
}


@control_command("reset")
@click.argument("scope", default="all", type=click.Choice(tuple(_RESETS)))
@yes_option
def reset(call: Call, scope: str, *, yes: bool) -> Any:
    """Delete everything, or one part. Acts on one account, or on all."""
    call.confirm(_RESETS[scope], yes=yes)
    answer = call.control.reset(scope)
    return Printed(f"reset {call.account}\n{text_of(answer)}", answer)


@click.group()
def clock() -> None:
    """Freeze, move and reset clocks. Each account has its own."""


control_command("show", clock, help="Show the clock.")(lambda call: call.control.clock.get())
control_command("freeze", clock, help="Stop the clock.")(lambda call: call.control.clock.freeze())
control_command("resume", clock, help="Let the clock run on from the time it shows.")(
    lambda call: call.control.clock.resume()
)
control_command("reset", clock, help="Go back to the real time.")(lambda call: call.control.clock.reset())


@control_command("set", clock)
@click.argument("at")
@yes_option
def set_clock(call: Call, at: str, *, yes: bool) -> Any:
    """Move the clock forward to an instant. AT is 2026-12-31T23:59:59Z or the like, or milliseconds since 1970."""
    _confirm_purge(call, yes=yes, at=at)
    return call.control.clock.set(at)


@control_command("advance", clock)
@click.argument("by")
@yes_option
def advance_clock(call: Call, by: str, *, yes: bool) -> Any:
    """Move the clock forward by a duration. BY is a duration such as 31d or 2h30m. Shows what was purged."""
    _confirm_purge(call, yes=yes, within=by)
    return call.control.clock.advance(by)


def _confirm_purge(call: Call, *, yes: bool, **when: Any) -> None:
    if not (call.api_key or yes) and (media := call.control.media.forecast(**when).would_purge.media):
        call.confirm(f"purge {media} expired media", yes=yes)


@click.group()
def snapshot() -> None:
    """Save and restore an account's state."""


control_command("list", snapshot, is_for_one=True, help="List the snapshots.")(
    lambda call: call.control.snapshots.list()
)


@control_command("save", snapshot, is_for_one=True)
@click.argument("name")
def save_snapshot(call: Call, name: str) -> Any:
    """Save the current state as NAME."""
    saved = call.control.snapshots.save(name)
    return Printed(f"saved {name} of {call.account}: {saved.media} media", saved)


@control_command("restore", snapshot, is_for_one=True)
@click.argument("name")
def restore_snapshot(call: Call, name: str) -> Any:
    """Return to the state saved as NAME. The snapshot is kept."""
    restored = call.control.snapshots.restore(name)
    return Printed(f"restored {name} of {call.account}: {restored.media} media", restored)


@control_command("delete", snapshot, is_for_one=True)
@click.argument("name")
def delete_snapshot(call: Call, name: str) -> Any:
    """Delete the snapshot NAME."""
    deleted = call.control.snapshots.delete(name)
    return Printed(f"deleted {name} of {call.account}", {"deleted": deleted})


@control_command("export", is_for_one=True)
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--fixtures",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the media to this empty or new folder instead, as `serve --fixtures` reads them.",
)
@click.option("--bundle", is_flag=True, help="Add the version and the settings, for `runware-mock open FILE`.")
def export_state(call: Call, file: Path | None, fixtures: Path | None, *, bundle: bool) -> Any:
    """Write an account's state to FILE. It is a zip archive."""
    if fixtures is not None and file is None:
        return _export_fixtures(call, fixtures)
    if file is None or fixtures is not None:
        fail("name either a FILE for the whole state, or --fixtures FOLDER for the media", EXIT_USAGE)
    archive = pack(call.control) if bundle else call.control.export()
    try:
        file.write_bytes(archive)
    except OSError as error:
        fail(f"cannot write {file}: {error.strerror}")
    text = f"wrote the state of {call.account} to {file}, {len(archive)} bytes"
    return Printed(text, {"file": str(file), "size_bytes": len(archive)})


def _export_fixtures(call: Call, folder: Path) -> Printed:
    if folder.is_dir() and any(folder.iterdir()):
        fail(f"{folder} is not empty: name a new folder, or empty it first")
    written: list[Path] = []
    with ZipFile(BytesIO(call.control.export_fixtures())) as archive:
        try:
            folder.mkdir(exist_ok=True)
            for name in archive.namelist():
                written.append(folder / name)
                archive.extract(name, folder)
        except OSError as error:
            for file in written:
                file.unlink(missing_ok=True)
            fail(f"cannot write {folder}: {error.strerror}")
        media = len(json.loads(archive.read("manifest.json"))["media"])
    text = f"wrote {media} media of {call.account} to {folder}: `runware-mock serve --fixtures {folder}` stores them"
    return Printed(text, {"folder": str(folder), "media": media})


@control_command("import", is_for_one=True)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_state(call: Call, file: Path) -> Any:
    """Restore an account's state from FILE. It replaces the present one."""
    loaded = call.control.load(file.read_bytes())
    text = f"imported into {call.account}: {loaded.media} media, {loaded.journal} journal entries, {loaded.plans} plans"
    return Printed(text, loaded)
