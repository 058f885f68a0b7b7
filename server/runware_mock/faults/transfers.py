"""Faults in the bytes of uploads, answers and downloads: broken off at a position, slow, wrong or refused."""

import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from msgspec.structs import replace
from pydantic import BeforeValidator, Field, WithJsonSchema

from runware_mock.faults.base import (
    PLANNED,
    REST_ONLY,
    Delay,
    DelayFault,
    Event,
    Fault,
    GarbleFault,
    Point,
    RefuseFault,
    Transport,
)
from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.protocol.response_plan import HttpAnswer, ResponsePlan
from runware_mock.values import parse_size

_MOST_BYTES = 2**40


def _as_json(least: int) -> WithJsonSchema:
    # The text first: a form has to take both.
    number = {"type": "integer", "minimum": least, "maximum": _MOST_BYTES}
    return WithJsonSchema({"anyOf": [{"type": "string"}, number], "examples": ["64KiB", 65536]})


_Position = Annotated[
    int,
    Field(ge=0, le=_MOST_BYTES, description="How many bytes pass, such as 64KiB."),
    BeforeValidator(parse_size),
    _as_json(0),
]
_Rate = Annotated[
    int,
    Field(ge=1, le=_MOST_BYTES, description="How many bytes pass in a second, such as 64KiB."),
    BeforeValidator(parse_size),
    _as_json(1),
]


class _Cut(Fault):
    after_bytes: _Position = 1024
    how: Literal["end", "reset"] = Field("end", description="Whether the connection then ends or is reset.")

    def add_to(self, plan: ResponsePlan, _draw: random.Random) -> ResponsePlan:
        return replace(plan, kept_bytes=self.after_bytes, is_reset=self.how == "reset")


class _Slow(Fault):
    effect_of: ClassVar[Mapping[str, str]] = {"bytes_per_s": "bytes_per_s"}
    bytes_per_s: _Rate = 1024


class _Upload(Fault):
    point: ClassVar[Point] = "upload"


class _Download(Fault):
    point: ClassVar[Point] = "download"
    transports: ClassVar[tuple[Transport, ...]] = REST_ONLY

    uuid: str | None = Field(None, max_length=36, description="Only the medium with this UUID.")

    def matches(self, event: Event) -> bool:
        return self.uuid in (None, event.media_uuid) and super().matches(event)


class CutUploadFault(_Upload):
    """A request or message of at least `after_bytes` is cut: it stalls, is reset, or is refused (`status`, or 1009)."""

    kind: Literal["cut_upload"]
    after_bytes: _Position = 1024
    how: Literal["stall", "reset", "refuse"] = Field(
        "reset", description="Whether nothing more is read, the connection is reset, or the upload is refused."
    )
    status: int = Field(413, ge=400, le=599, description="HTTP status of a refusal.")

    def matches(self, event: Event) -> bool:
        """Leave alone what is too short, or does not declare its length."""
        return (event.size_bytes or 0) >= max(1, self.after_bytes) and super().matches(event)

    def add_to(self, plan: ResponsePlan, _draw: random.Random) -> ResponsePlan:
        """Stop reading."""
        if self.how == "refuse":
            return replace(plan, kept_bytes=self.after_bytes, answer=HttpAnswer(self.status, b"", "text/plain"))
        return replace(plan, kept_bytes=self.after_bytes, hang_up="reset" if self.how == "reset" else "drop")


class SlowUploadFault(_Slow, _Upload):
    """The body of a request, or a WebSocket message, is read slowly."""

    kind: Literal["slow_upload"]


class CutAnswerFault(_Cut):
    """The connection ends, or is reset, once `after_bytes` of the answer were sent, or all of a shorter one."""

    kind: Literal["cut_answer"]


class SlowAnswerFault(_Slow):
    """The answer is sent slowly."""

    kind: Literal["slow_answer"]


class CutDownloadFault(_Cut, _Download):
    """The connection ends, or is reset, once `after_bytes` of a stored file were sent, or all of a shorter one."""

    kind: Literal["cut_download"]


class SlowDownloadFault(_Slow, _Download):
    """A stored file is sent slowly."""

    kind: Literal["slow_download"]


class DelayDownloadFault(_Download, DelayFault):
    """The answer to a download is delayed, by the real clock."""

    kind: Literal["delay_download"]
    delay: Delay = Field(timedelta(seconds=2), description="How long the delay is, such as 500ms or 2s.")


class RefuseDownloadFault(_Download, RefuseFault):
    """A download is answered with a status and no file."""

    kind: Literal["refuse_download"]


class LoseDownloadFault(_Download):
    """A download finds nothing, as if the file had expired."""

    kind: Literal["lose_download"]

    def refusal(self, _task: Mapping[str, object]) -> Refusal:
        """Return the refusal of what is not stored."""
        return refuse("mediaNotFound", PLANNED)


class MislabelDownloadFault(_Download):
    """A stored file is served with another Content-Type."""

    kind: Literal["mislabel_download"]
    content_type: str = Field(
        "text/html",
        pattern=r"^[!-~]+/[!-~]+( ?;[ -~]*)?$",
        max_length=100,
        description="The Content-Type that is sent.",
    )

    def add_to(self, plan: ResponsePlan, _draw: random.Random) -> ResponsePlan:
        """Replace the header."""
        return replace(plan, headers=(*plan.headers, ("Content-Type", self.content_type)))


class GarbleDownloadFault(_Download, GarbleFault):
    """Some bytes of a stored file are changed on their way."""

    kind: Literal["garble_download"]
