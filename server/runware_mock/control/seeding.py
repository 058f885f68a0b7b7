"""Media that are there from the start: a folder of pictures, a manifest, each with a stable UUID, an age, an owner."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from msgspec import Struct

from runware_mock.control.media import add_medium
from runware_mock.control.refusals import ControlRefused
from runware_mock.services import Services

MANIFEST = "manifest.json"


class Fixture(Struct, frozen=True):
    """One file to be stored."""

    field: str
    file: Path
    uuid: str
    age: str | None
    owner: str


def seed(services: Services, path: Path, default_owner: str | None) -> int:
    """Store what a folder or a manifest names, in place of what an earlier start stored; return how many files.

    Raises ControlRefused, whose field tells where in the manifest.
    """
    fixtures = list(_fixtures(path, default_owner))
    for one in fixtures:
        account_id = services.accounts.open(one.owner).id
        try:
            data = one.file.read_bytes()
        except OSError as error:
            raise ControlRefused(f"{one.file}: {error.strerror}", one.field) from None
        try:
            add_medium(services, account_id, data, uuid=one.uuid, age=one.age, replaces=True)
        except ControlRefused as refused:
            raise ControlRefused(f"{one.file}: {refused.message}", one.field) from None
    return len(fixtures)


def _fixtures(path: Path, default_owner: str | None) -> Iterator[Fixture]:
    manifest = path / MANIFEST if path.is_dir() else path
    if manifest.is_file():
        yield from _listed(manifest, default_owner)
        return
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path)
        if file.is_file() and not any(part.startswith(".") for part in name.parts):
            yield Fixture(str(name), file, _stable_uuid(name.as_posix()), None, _owner(default_owner, str(name)))


def _listed(manifest: Path, default_owner: str | None) -> Iterator[Fixture]:
    try:
        document = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ControlRefused(f"{manifest} cannot be read: {error}", "manifest") from None
    listed = document.get("media") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ControlRefused(f'{manifest} is not {{"media": [{{"file": …}}, …]}}', "media")
    for index, entry in enumerate(listed):
        field = f"media[{index}]"
        if not isinstance(entry, dict) or not isinstance(entry.get("file"), str):
            raise ControlRefused("it names no file", f"{field}.file")
        if unknown := entry.keys() - {"file", "uuid", "age", "owner"}:
            raise ControlRefused("there is no such field", f"{field}.{min(unknown)}")
        yield Fixture(
            field,
            manifest.parent / entry["file"],
            _uuid(entry, field),
            entry.get("age"),
            _owner(entry.get("owner") or document.get("owner") or default_owner, f"{field}.owner"),
        )


def _uuid(entry: dict[str, Any], field: str) -> str:
    given = entry.get("uuid")
    try:
        return _stable_uuid(entry["file"]) if given is None else str(UUID(given))
    except (ValueError, AttributeError):
        raise ControlRefused(f"{given!r} is no UUID", f"{field}.uuid") from None


def _stable_uuid(name: str) -> str:
    """Make a UUID of the form of version 4 from a file's name, so that tests can write it down."""
    return str(UUID(bytes=hashlib.sha256(name.encode()).digest()[:16], version=4))


def _owner(owner: str | None, field: str) -> str:
    if not owner:
        raise ControlRefused('whose is it? Name an API key: "owner" in the manifest, or --api-key', field)
    return owner
