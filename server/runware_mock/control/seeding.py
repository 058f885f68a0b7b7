"""Fixtures: media stored at the start from a folder of files, or from a manifest with a UUID and age for each.

`export` writes such a folder from what an account has.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from uuid import UUID

from msgspec import Struct
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema
from sqlalchemy import select

from runware_mock.clock import in_ms
from runware_mock.control.archive import stored_bytes
from runware_mock.control.calls import ControlRefused, not_found
from runware_mock.control.field_errors import field_error, first_of
from runware_mock.control.media import add_medium
from runware_mock.images.codec import MAX_SIDE_PX
from runware_mock.images.formats import FORMATS
from runware_mock.services import Services
from runware_mock.storage.contents import FILE, StoredFile
from runware_mock.storage.media import is_over
from runware_mock.storage.models import content, medium
from runware_mock.values import parse_duration, write_duration

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
    unchanged: bool = Field(
        default=False, description="Whether it is stored as it is even beyond 2048 px or as an SVG, like a result."
    )


class Manifest(BaseModel):
    """What `--fixtures` stores."""

    model_config = ConfigDict(extra="forbid")

    media: list[Listed]
    owner: _Owner | None = None


class _Fixture(Struct, frozen=True):
    field: str
    file: Path
    owner: str
    uuid: UUID
    age: timedelta | None = None
    unchanged: bool = False


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
            add_medium(
                services,
                account_id,
                one.file.read_bytes(),
                uuid=str(one.uuid),
                age=one.age,
                replaces=True,
                unchanged=one.unchanged,
            )
        except (OSError, ValueError) as error:
            # ValueError: the name of the file has a NUL.
            raise ControlRefused(f"{one.file}: {getattr(error, 'strerror', error)}", one.field) from None
        except ControlRefused as refused:
            raise ControlRefused(f"{one.file}: {refused.message}", one.field) from None
    return len(fixtures)


def export(services: Services, account_id: int) -> bytes:
    """Return a zip of the media of an account that have not expired, with the manifest that `--fixtures` reads.

    The age of a medium is the time since its last use. Raises ControlRefused if there is no medium.
    """
    out = io.BytesIO()
    listed: list[dict[str, object]] = []
    files: dict[bytes, str] = {}
    with services.database.viewing() as connection, zipfile.ZipFile(out, "w") as archive:
        services.clocks.refresh(connection)
        now_at, retention_ms = services.now_at(account_id), in_ms(services.settings.retention)
        own = (medium.c.account_id == account_id) & ~is_over(now_at, retention_ms)
        found = select(medium.c.uuid, medium.c.last_used_at, *FILE).join_from(medium, content).where(own)
        for uuid, last_used_at, *row in connection.execute(found.order_by(medium.c.id)):
            file = StoredFile(*row)
            if (name := files.get(file.sent_sha256)) is None:
                name = files[file.sent_sha256] = f"{uuid}.{FORMATS[file.format].extension}"
                archive.writestr(name, stored_bytes(services, file, uuid))
            age = timedelta(milliseconds=max(0, now_at - last_used_at))
            one: dict[str, object] = {"file": name, "uuid": uuid, "age": write_duration(age)}
            is_result = file.format == "svg" or max(file.width_px, file.height_px) > MAX_SIDE_PX
            listed.append({**one, "unchanged": True} if is_result else one)
        if not listed:
            raise not_found("the account has no media that could be exported: upload or add one first", "media")
        archive.writestr(MANIFEST, json.dumps({"media": listed}, indent=2) + "\n")
    return out.getvalue()


def _fixtures(path: Path, default_owner: str) -> Iterator[_Fixture]:
    file = path / MANIFEST if path.is_dir() else path
    if file.is_file():
        manifest = _read(file)
        for index, one in enumerate(manifest.media):
            owner = one.owner or manifest.owner or default_owner
            uuid = one.uuid or _stable_uuid(one.file)
            yield _Fixture(f"media[{index}]", file.parent / one.file, owner, uuid, one.age, one.unchanged)
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
        wrong = field_error(first_of(error.errors()), Manifest, whole="manifest")
        raise ControlRefused(f"{file}: {wrong.message}", wrong.field) from None


def _stable_uuid(name: str) -> UUID:
    """Make a UUID of version 4 from a file's name, so that tests can write it down."""
    return UUID(bytes=hashlib.sha256(name.encode()).digest()[:16], version=4)
