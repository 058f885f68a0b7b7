"""An account's whole state as one file: a zip of its rows and of the files they point at, all checked before use."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any, Literal, Self

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, TypeAdapter, ValidationError, model_validator
from sqlalchemy import select

from runware_mock import control_models as models
from runware_mock.control.calls import ControlRefused, changing, conflict
from runware_mock.control.clocks import LATEST_AT
from runware_mock.control.field_errors import field_error, first_of
from runware_mock.control.state import check_version, put_state, take_state
from runware_mock.faults.kinds import AnyFault
from runware_mock.faults.plans import PlanName
from runware_mock.images.formats import FORMATS, Picture, PictureRefused, detect_format
from runware_mock.images.source import decode_base64
from runware_mock.protocol.errors import Refusal
from runware_mock.services import Services
from runware_mock.storage import contents
from runware_mock.storage.blobs import ObjectGone
from runware_mock.storage.contents import FILE, Placed, StoredFile
from runware_mock.storage.database import retried
from runware_mock.storage.models import content
from runware_mock.tasks.uploads import stored_form

_STATE = "state.json"
# The age of a medium is 100 years at most, and so is its time to live.
_CENTURY_MS = 36_525 * 86_400_000

_Count = Annotated[int, Strict(), Field(ge=0, le=2**53)]
_At = Annotated[int, Strict(), Field(ge=-_CENTURY_MS, le=LATEST_AT + _CENTURY_MS)]
_Pixels = Annotated[int, Strict(), Field(ge=0, le=2**31 - 1)]
_Number = Annotated[float, Field(allow_inf_nan=False)]
_TaskType = Annotated[str, Field(max_length=64)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _json_of(shape: Any) -> AfterValidator:
    """Check that a text is the JSON of something."""
    adapter: TypeAdapter[Any] = TypeAdapter(shape)

    def check(text: str) -> str:
        try:
            # The journal is decoded with msgspec, which refuses some of what pydantic's own parser accepts.
            adapter.validate_python(msgspec.json.decode(text))
        except (msgspec.DecodeError, ValidationError, RecursionError):
            raise ValueError("this is not the JSON that belongs here") from None
        return text

    return AfterValidator(check)


class _Audit(BaseModel):
    format: str
    frames: int
    sent: models.SentFile
    stored: models.StoredFile


class _Error(BaseModel):
    """The fields of an answered error that are shown and explained."""

    code: Annotated[str, Field(max_length=100)]
    message: str
    parameter: Any = None
    min: _Number | None = None
    max: _Number | None = None
    multiplier: Annotated[_Number, Field(gt=0)] | None = None


class _Upload(BaseModel):
    """The field of an uploaded model that modelSearch needs."""

    tags: list[Any] | None = None


_ERRORS = TypeAdapter(list[_Error])


class _Content(_Row):
    """A file, and what is known of it; `bytes` is its name in the archive."""

    id: _Count
    sent_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    format: Annotated[str, Field(pattern=f"^({'|'.join(FORMATS)})$")]
    width_px: _Pixels
    height_px: _Pixels
    frames: _Pixels
    size_bytes: _Count
    created_at: _At
    sent_size_bytes: _Count
    sent_width_px: _Pixels
    sent_height_px: _Pixels
    orientation: Annotated[int, Strict(), Field(ge=1, le=8)]
    bytes: str


class _Medium(_Row):
    id: _Count
    uuid: Annotated[str, Field(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    account_id: _Count
    content_id: _Count
    task_type: _TaskType
    created_at: _At
    last_used_at: _At
    expires_at: _At | None
    visible_at: _At | None


class _JournalRow(_Row):
    id: _Count
    account_id: _Count
    at: _At
    ready_at: _At
    transport: Literal["rest", "ws", "hook"]
    task_type: _TaskType
    task_uuid: Annotated[str, Field(max_length=36)]
    outcome: Literal["success", "error", "fault", "crash"]
    answer: Annotated[str, _json_of(list[dict[str, Any]])]
    task: Annotated[str, _json_of(dict[str, Any])]
    client: Annotated[str, Field(max_length=100)] | None
    audit: Annotated[str, _json_of(_Audit)] | None
    faults: Annotated[str, _json_of(list[models.FaultMet])] | None
    duration_us: _Count
    size_bytes: _Count
    # Since 0007.
    kind: Literal["task", "lookup", "request", "webhook"] = "task"
    status: Annotated[int, Strict(), Field(ge=0, le=4999)] | None = None
    sent_body: Annotated[str, _json_of(str | dict[str, Any])] | None = None

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        if self.outcome == "error":
            _ERRORS.validate_json(self.answer)
        if self.task_type == "modelUpload" and self.outcome == "success":
            _Upload.model_validate_json(self.task)
        return self


class _Plan(_Row):
    id: _Count
    account_id: _Count
    name: PlanName
    created_at: _At
    must_be_met: bool
    by_name_only: bool


class _Fault(_Row):
    id: _Count
    plan_id: _Count
    position: _Count
    spec: Annotated[str, _json_of(AnyFault)]
    seen: _Count
    met: _Count
    tokens: _Number | None
    counted_at: _At | None


class _GivenPicture(_Row):
    plan_id: _Count
    position: _Count
    picture: str


class _Clock(_Row):
    account_id: _Count
    offset_ms: Annotated[int, Strict(), Field(ge=-LATEST_AT, le=LATEST_AT)]
    frozen_at: Annotated[int, Strict(), Field(ge=0, le=LATEST_AT)] | None


class _Archived(_Row):
    """All that one account has, with the files of its media."""

    version: str
    content: list[_Content]
    medium: list[_Medium]
    journal: list[_JournalRow]
    fault_plan: list[_Plan]
    fault: list[_Fault]
    given_picture: list[_GivenPicture] = []
    account_clock: Annotated[list[_Clock], Field(max_length=1)]

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        content_ids = {one.id for one in self.content}
        plan_ids = {one.id for one in self.fault_plan}
        if not content_ids.issuperset(one.content_id for one in self.medium):
            raise ValueError("a medium has no content")
        if not plan_ids.issuperset(one.plan_id for one in self.fault):
            raise ValueError("a fault has no plan")
        places = {(one.plan_id, one.position) for one in self.fault}
        given = {(one.plan_id, one.position) for one in self.given_picture}
        if len(given) != len(self.given_picture) or not places.issuperset(given):
            raise ValueError("a picture is given by no fault, or twice")
        for what, named, rows in (
            ("two contents have one id", content_ids, self.content),
            ("two plans have one id", plan_ids, self.fault_plan),
            ("two plans have one name", {one.name for one in self.fault_plan}, self.fault_plan),
            ("two media have one UUID", {one.uuid for one in self.medium}, self.medium),
        ):
            if len(named) != len(rows):
                raise ValueError(what)
        return self


def export(services: Services, account_id: int) -> bytes:
    """Return the archive of an account."""
    out = io.BytesIO()
    with services.database.viewing() as connection, zipfile.ZipFile(out, "w") as archive:
        taken = take_state(connection, account_id)
        kept = []
        for content_id, uuid in {row["content_id"]: row["uuid"] for row in taken["medium"]}.items():
            row = connection.execute(select(content).where(content.c.id == content_id)).mappings().one()
            file = f"media/{row['sent_sha256'].hex()}.{FORMATS[row['format']].extension}"
            archive.writestr(file, stored_bytes(services, StoredFile(*(row[column.name] for column in FILE)), uuid))
            facts = {name: value for name, value in row.items() if name != "object_key"}
            kept.append({**facts, "sent_sha256": row["sent_sha256"].hex(), "bytes": file})
        archive.writestr(_STATE, msgspec.json.encode({**taken, "content": kept}))
    return out.getvalue()


def stored_bytes(services: Services, file: StoredFile, uuid: str) -> bytes:
    """Return the bytes of a medium; raises ControlRefused if they are gone."""
    try:
        return services.blobs.read(file)
    except ObjectGone:
        raise conflict(f"the file of medium {uuid} is gone from the object storage: delete it", "media") from None


def load(services: Services, account_id: int, data: bytes) -> models.Loaded:
    """Give an account the state of an archive, in place of what it had; return how much that is.

    The whole archive is checked before anything is stored.
    """
    state, files = _read(data, services.settings.max_message_bytes)
    real_at = services.clocks.real_at()
    for clock in state.account_clock:
        if clock.frozen_at is None and not 0 <= real_at + clock.offset_ms <= LATEST_AT:
            raise ControlRefused("a clock can only show the years 1970 to 9799", "account_clock[0].offset_ms")
    pictures = {row.id: _proved(row, files[row.bytes], services) for row in state.content}
    for position, row in enumerate(state.given_picture):
        _check_given(row, services, f"given_picture[{position}].picture")
    # The files are stored before any row points at them. Other accounts find a file by its SHA-256, so it is the file's
    # own: nobody can prove what had been sent.
    placed = {
        row_id: services.blobs.place(hashlib.sha256(picture.data).digest(), picture)
        for row_id, picture in pictures.items()
    }
    try:
        _put(services, account_id, state, placed)
    except ControlRefused:
        # No row points at the objects that were stored for it; if they cannot be deleted now, they are orphans later.
        if unused := [one.object_key for one in placed.values() if one.object_key is not None]:
            with suppress(Refusal):
                services.blobs.delete(unused)
        raise
    return models.Loaded(media=len(state.medium), journal=len(state.journal), plans=len(state.fault_plan))


def _read(data: bytes, limit_bytes: int) -> tuple[_Archived, dict[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_size(archive, limit_bytes)
            state = _state_of(archive.read(_STATE))
            return state, {row.bytes: archive.read(row.bytes) for row in state.content}
    except ControlRefused:
        raise
    except Exception as error:
        # What zipfile raises for a broken file is not documented; the text of a KeyError has quotes around it.
        reason = str(error).strip('"') or "it ends too early"
        message = f"this is not an archive that runware-mock exported, or it is damaged: {reason}"
        raise ControlRefused(message[:200], "body") from error


def _check_size(archive: zipfile.ZipFile, limit_bytes: int) -> None:
    """Let no archive grow beyond what could have been sent; an exported one is not compressed at all."""
    if sum(part.file_size for part in archive.infolist()) > limit_bytes:
        raise ControlRefused("it inflates to more than --max-message-bytes", "body", status=413)


def _state_of(text: bytes) -> _Archived:
    """Return the state that an archive holds; raises ControlRefused, whose field is the path of what is wrong."""
    try:
        document = msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise ControlRefused(f"state.json is not a JSON object: {error}", "body") from None
    check_version(document)
    try:
        return _Archived.model_validate(document)
    except ValidationError as error:
        wrong = field_error(first_of(error.errors()), _Archived)
        raise ControlRefused(f"state.json: {wrong.message}", wrong.field) from None


def _proved(row: _Content, data: bytes, services: Services) -> Picture:
    """Return a file that is what its row says, by the same rules as an upload; raises ControlRefused."""
    if row.format == "svg" and detect_format(data) == "SVG":
        # It is a task's result: nobody can upload one.
        return Picture(row.format, row.width_px, row.height_px, row.frames, data)
    try:
        # A task's result may be larger than an upload is stored.
        picture = stored_form(data, services.codec, unchanged=True)
    except PictureRefused as error:
        raise ControlRefused(f"{row.bytes}: {error}", "body") from None
    found = (picture.data, picture.format, picture.width_px, picture.height_px)
    if found != (data, row.format, row.width_px, row.height_px):
        raise ControlRefused(f"{row.bytes} is not the {row.format} that state.json describes", "body")
    return picture


def _check_given(row: _GivenPicture, services: Services, field: str) -> None:
    try:
        stored_form(decode_base64(row.picture), services.codec)
    except PictureRefused as error:
        raise ControlRefused(f"state.json: {error}", field) from None


@retried
def _put(services: Services, account_id: int, state: _Archived, placed: Mapping[int, Placed]) -> None:
    with changing(services, account_id) as connection:
        ids = {row.id: contents.add(connection, placed[row.id], row.created_at).id for row in state.content}
        rows = state.model_dump(exclude={"content"})
        for row in rows["medium"]:
            row["content_id"] = ids[row["content_id"]]
        put_state(connection, account_id, rows)
