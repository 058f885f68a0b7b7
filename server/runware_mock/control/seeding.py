"""Media that are stored at the start: a folder of files, or a manifest with a UUID, an age and an owner for each."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from uuid import UUID

from msgspec import Struct
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from runware_mock.control.calls import ControlRefused, dotted
from runware_mock.control.media import add_medium
from runware_mock.services import Services
from runware_mock.values import parse_duration

MANIFEST = "manifest.json"


# The key of the examples in README.md: it owns what nobody else is said to own.
DEFAULT_OWNER = "a-key-for-tests-0123456789abcdef"

_Owner = Annotated[str, Field(min_length=1, description="API key of the account.")]
_Age = Annotated[timedelta, BeforeValidator(parse_duration), WithJsonSchema({"type": "string", "examples": ["29d"]})]


class Listed(BaseModel):
    """One medium of a manifest."""

    model_config = ConfigDict(extra="forbid")

    file: str = Field(description="Path of the file, relative to the manifest.")
    uuid: UUID | None = Field(None, description="Its imageUUID. Default: made from the path, the same in every run.")
    age: _Age | None = Field(None, description="How long ago it was uploaded. Default: now.")
    owner: _Owner | None = None


class Manifest(BaseModel):
    """What `--fixtures` stores."""

    media: list[Listed]
    owner: _Owner | None = None


class _Fixture(Struct, frozen=True):
    field: str
    file: Path
    owner: str
    uuid: UUID
    age: timedelta | None = None


def seed(services: Services, path: Path) -> int:
    """Store what a folder or a manifest names, in place of what an earlier start stored; return how many files.

    What names no owner belongs to the first `--api-key`, or to DEFAULT_OWNER. Raises ControlRefused, whose field is
    where in the manifest.
    """
    fixtures = list(_fixtures(path, next(iter(services.settings.api_keys()), DEFAULT_OWNER)))
    if not fixtures:
        raise ControlRefused("there is nothing to store: put pictures there, or list some in manifest.json", str(path))
    seen: set[UUID] = set()
    for one in fixtures:
        if one.uuid in seen:
            raise ControlRefused(f"the UUID {one.uuid} appears twice", one.field)
        seen.add(one.uuid)
        account_id = services.accounts.open(one.owner).id
        try:
            add_medium(services, account_id, one.file.read_bytes(), uuid=str(one.uuid), age=one.age, replaces=True)
        except (OSError, ValueError) as error:
            # ValueError: the name of the file has a NUL.
            raise ControlRefused(f"{one.file}: {getattr(error, 'strerror', error)}", one.field) from None
        except ControlRefused as refused:
            raise ControlRefused(f"{one.file}: {refused.message}", one.field) from None
    return len(fixtures)


def _fixtures(path: Path, default_owner: str) -> Iterator[_Fixture]:
    file = path / MANIFEST if path.is_dir() else path
    if file.is_file():
        manifest = _read(file)
        for index, one in enumerate(manifest.media):
            owner = one.owner or manifest.owner or default_owner
            uuid = one.uuid or _stable_uuid(one.file)
            yield _Fixture(f"media[{index}]", file.parent / one.file, owner, uuid, one.age)
        return
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path)
        if file.is_file() and not any(part.startswith(".") for part in name.parts):
            yield _Fixture(str(name), file, default_owner, _stable_uuid(name.as_posix()))


def _read(file: Path) -> Manifest:
    try:
        return Manifest.model_validate_json(file.read_bytes())
    except OSError as error:
        raise ControlRefused(f"{file} cannot be read: {error.strerror}", "manifest") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise ControlRefused(f"{file}: {first['msg']}", dotted(first["loc"]) or "manifest") from None


def _stable_uuid(name: str) -> UUID:
    """Make a UUID of version 4 from a file's name, so that tests can write it down."""
    return UUID(bytes=hashlib.sha256(name.encode()).digest()[:16], version=4)
