"""Media that are stored at the start: a folder of files, or a manifest with a UUID, an age and an owner for each."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from uuid import UUID

from msgspec import Struct
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from runware_mock.control.calls import ControlRefused, dotted
from runware_mock.control.media import add_medium
from runware_mock.services import Services
from runware_mock.values import parse_duration

MANIFEST = "manifest.json"


class _Listed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    file: str
    uuid: UUID | None = None
    age: Annotated[timedelta, BeforeValidator(parse_duration)] | None = None
    owner: str | None = None


class _Manifest(BaseModel):
    media: list[_Listed]
    owner: str | None = None


class _Fixture(Struct, frozen=True):
    field: str
    file: Path
    owner: str | None
    uuid: UUID
    age: timedelta | None = None


def seed(services: Services, path: Path, default_owner: str | None) -> int:
    """Store what a folder or a manifest names, in place of what an earlier start stored; return how many files.

    Raises ControlRefused, whose field is where in the manifest.
    """
    fixtures = list(_fixtures(path, default_owner))
    seen: set[UUID] = set()
    for one in fixtures:
        if one.uuid in seen:
            raise ControlRefused(f"the UUID {one.uuid} is there twice", one.field)
        seen.add(one.uuid)
        if not one.owner:
            no_owner = 'this medium has no owner: give an API key as "owner" in the manifest, or by --api-key'
            raise ControlRefused(no_owner, one.field)
        account_id = services.accounts.open(one.owner).id
        try:
            add_medium(services, account_id, one.file.read_bytes(), uuid=str(one.uuid), age=one.age, replaces=True)
        except (OSError, ValueError) as error:
            # ValueError: the name of the file has a NUL.
            raise ControlRefused(f"{one.file}: {getattr(error, 'strerror', error)}", one.field) from None
        except ControlRefused as refused:
            raise ControlRefused(f"{one.file}: {refused.message}", one.field) from None
    return len(fixtures)


def _fixtures(path: Path, default_owner: str | None) -> Iterator[_Fixture]:
    file = path / MANIFEST if path.is_dir() else path
    if file.is_file():
        manifest = _read(file)
        for index, one in enumerate(manifest.media):
            owner = one.owner or manifest.owner or default_owner
            uuid = one.uuid or _stable_uuid(one.file)
            yield _Fixture(
                f"media[{index}]" + ("" if owner else ".owner"), file.parent / one.file, owner, uuid, one.age
            )
        return
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path)
        if file.is_file() and not any(part.startswith(".") for part in name.parts):
            yield _Fixture(str(name), file, default_owner, _stable_uuid(name.as_posix()))


def _read(file: Path) -> _Manifest:
    try:
        manifest = _Manifest.model_validate_json(file.read_bytes())
    except OSError as error:
        raise ControlRefused(f"{file} cannot be read: {error.strerror}", "manifest") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise ControlRefused(f"{file}: {first['msg']}", dotted(first["loc"]) or "manifest") from None
    return manifest


def _stable_uuid(name: str) -> UUID:
    """Make a UUID of version 4 from a file's name, so that tests can write it down."""
    return UUID(bytes=hashlib.sha256(name.encode()).digest()[:16], version=4)
