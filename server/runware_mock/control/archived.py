"""The state of an account as an archive holds it: every row is checked before any of them is stored."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, TypeAdapter, ValidationError, model_validator

from runware_mock.control.account_state import check_version
from runware_mock.control.clocks import LATEST_AT
from runware_mock.control.refusals import ControlRefused, dotted
from runware_mock.control_models import FaultMet
from runware_mock.faults.kinds import FAULT
from runware_mock.faults.plans import PlanName
from runware_mock.images.formats import FORMATS

_LARGEST = 2**53
# The age of a medium is 100 years at most, and so is its time to live.
_CENTURY_MS = 36_525 * 86_400_000
_LAST_AT = LATEST_AT + _CENTURY_MS

_Count = Annotated[int, Strict(), Field(ge=0, le=_LARGEST)]
_At = Annotated[int, Strict(), Field(ge=-_CENTURY_MS, le=_LAST_AT)]
_Pixels = Annotated[int, Strict(), Field(ge=0, le=2**31 - 1)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _json_of(shape: Any) -> AfterValidator:
    """Check that a text is the JSON of something."""
    adapter: TypeAdapter[Any] = TypeAdapter(shape)

    def check(text: str) -> str:
        try:
            # The parser that will read it later, too.
            adapter.validate_python(msgspec.json.decode(text))
        except (msgspec.DecodeError, ValidationError, RecursionError):
            raise ValueError("this is not the JSON that it should be") from None
        return text

    return AfterValidator(check)


class _File(BaseModel):
    size_bytes: _Count
    width_px: _Pixels
    height_px: _Pixels


class _Sent(_File):
    sha256: str
    orientation: _Count


class _Audit(BaseModel):
    format: str
    frames: _Count
    sent: _Sent
    stored: _File


class _Error(BaseModel):
    """What is read of an answered error, to show and to explain it."""

    code: Annotated[str, Field(max_length=100)]
    message: str
    parameter: Any = None
    min: Annotated[float, Field(allow_inf_nan=False)] | None = None
    max: Annotated[float, Field(allow_inf_nan=False)] | None = None
    multiplier: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None


class _Upload(BaseModel):
    """What modelSearch counts on in an uploaded model."""

    tags: list[Any] | None = None


_ERRORS = TypeAdapter(list[_Error])


def _is_fault(spec: str) -> str:
    try:
        FAULT.validate_json(spec)
    except ValidationError:
        raise ValueError("this is not a fault") from None
    return spec


def _is_uuid(text: str) -> str:
    if str(UUID(text)) != text:
        raise ValueError("not a UUID in lower case")
    return text


def _is_format(name: str) -> str:
    if name not in FORMATS:
        raise ValueError("not a format of stored media")
    return name


class Content(_Row):
    """A file, and what is known of it; `bytes` is its name in the archive."""

    id: _Count
    sent_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    format: Annotated[str, AfterValidator(_is_format)]
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
    uuid: Annotated[str, AfterValidator(_is_uuid)]
    account_id: _Count
    content_id: _Count
    task_type: Annotated[str, Field(max_length=64)]
    created_at: _At
    last_used_at: _At
    expires_at: _At | None
    visible_at: _At | None


class _JournalRow(_Row):
    id: _Count
    account_id: _Count
    at: _At
    ready_at: _At
    transport: Literal["rest", "ws"]
    task_type: Annotated[str, Field(max_length=64)]
    task_uuid: Annotated[str, Field(max_length=36)]
    outcome: Literal["success", "error", "fault", "crash"]
    answer: Annotated[str, _json_of(list[dict[str, Any]])]
    task: Annotated[str, _json_of(dict[str, Any])]
    client: Annotated[str, Field(max_length=100)] | None
    audit: Annotated[str, _json_of(_Audit)] | None
    faults: Annotated[str, _json_of(list[FaultMet])] | None
    duration_us: _Count
    size_bytes: _Count

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
    spec: Annotated[str, AfterValidator(_is_fault)]
    seen: _Count
    met: _Count
    tokens: Annotated[float, Field(allow_inf_nan=False)] | None
    counted_at: _At | None


class _Clock(_Row):
    account_id: _Count
    offset_ms: Annotated[int, Strict(), Field(ge=-LATEST_AT, le=LATEST_AT)]
    frozen_at: Annotated[int, Strict(), Field(ge=0, le=LATEST_AT)] | None


class Archived(_Row):
    """All that one account has, with the files of its media."""

    version: str
    content: list[Content]
    medium: list[_Medium]
    journal: list[_JournalRow]
    fault_plan: list[_Plan]
    fault: list[_Fault]
    account_clock: Annotated[list[_Clock], Field(max_length=1)]

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        content_ids = {one.id for one in self.content}
        plan_ids = {one.id for one in self.fault_plan}
        if not content_ids.issuperset(one.content_id for one in self.medium):
            raise ValueError("a medium has no content")
        if not plan_ids.issuperset(one.plan_id for one in self.fault):
            raise ValueError("a fault has no plan")
        for what, named, rows in (
            ("two contents have one id", content_ids, self.content),
            ("two plans have one id", plan_ids, self.fault_plan),
            ("two plans have one name", {one.name for one in self.fault_plan}, self.fault_plan),
            ("two media have one UUID", {one.uuid for one in self.medium}, self.medium),
        ):
            if len(named) != len(rows):
                raise ValueError(what)
        return self


def read_state(text: bytes) -> Archived:
    """Return the state that an archive holds; raises ControlRefused, whose field is the path of what is wrong."""
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ControlRefused(f"state.json is no JSON: {error}", "body") from None
    if not isinstance(document, dict):
        raise ControlRefused("state.json is no JSON object", "body")
    check_version(document)
    try:
        return Archived.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        raise ControlRefused(f"state.json: {first['msg']}", dotted(first["loc"]) or "body") from None
