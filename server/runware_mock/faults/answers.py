"""Faults of tasks: answers that are wrong, late, broken or doubled, and media that vanish or cannot be fetched."""

import math
import random
from collections.abc import Mapping
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, ClassVar, Literal, Self

from msgspec.structs import replace
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from runware_mock.clock import in_ms
from runware_mock.faults.base import (
    PLANNED,
    REST_ONLY,
    WS_ONLY,
    Delay,
    DelayFault,
    Event,
    Fault,
    GarbleFault,
    InsteadFault,
    Span,
    Transport,
)
from runware_mock.images.fetch import Fetch
from runware_mock.images.guard import FetchFailed
from runware_mock.protocol.errors import CATALOGUE, OURS, Refusal, refuse
from runware_mock.protocol.response_plan import HttpAnswer, ResponsePlan

_MOST_COPIES = 100
_FRAMING = frozenset(("content-length", "transfer-encoding"))
_WITHOUT_A_BODY = (204, 304)
CODES = [code for code in CATALOGUE if code not in OURS]


class PlannedError(BaseModel):
    """An error from the catalogue."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(examples=CODES, description="Code of the error.")
    parameter: str | None = Field(None, max_length=100, description="Parameter that the error names.")
    message: str | None = Field(None, max_length=2000, description="Message of the error, instead of its usual one.")

    @field_validator("code")
    @classmethod
    def _known(cls, code: str) -> str:
        if code not in CODES:
            near = get_close_matches(code, CODES, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(CODES)}"
            raise ValueError(f"there is no error {code[:40]!r} in the catalogue; {hint}")
        return code

    @model_validator(mode="after")
    def _names_a_parameter(self) -> Self:
        if CATALOGUE[self.code].code is not None and not self.parameter:
            raise ValueError(f"{self.code} is a pattern of codes: name the parameter")
        return self

    def refused(self) -> Refusal:
        """Return the error."""
        row = CATALOGUE[self.code]
        # The messages that need a parameter, and have none of their own, are about images.
        parameter = self.parameter or row.parameter or ("image" if "{parameter}" in row.message else None)
        refusal = refuse(self.code, PLANNED, parameter=parameter)
        return refusal if self.message is None else refusal.but(message=self.message)


class ErrorFault(PlannedError, Fault):
    """The task fails with an error from the catalogue; other tasks of the request are not affected."""

    kind: Literal["error"]

    def refusal(self, _task: Mapping[str, object]) -> Refusal:
        """Return the error."""
        return self.refused()


class LatencyFault(DelayFault):
    """The answer is delayed, by the real clock."""

    kind: Literal["latency"]
    distribution: Literal["fixed", "uniform", "lognormal"] = Field("fixed", description="How delays are drawn.")
    delay: Delay = Field(timedelta(seconds=1), description="The delay if fixed, its median if lognormal.")
    least: Delay = Field(timedelta(0), description="The shortest delay if uniform.")
    most: Delay = Field(timedelta(seconds=1), description="The longest delay if uniform.")
    sigma: float = Field(
        0.5, gt=0, le=5, description="Spread if lognormal: the standard deviation of the delay's logarithm."
    )

    is_random: ClassVar[bool] = True

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.least > self.most:
            raise ValueError("least is more than most")
        return self

    def delay_s(self, draw: random.Random) -> float:
        """Draw the delay in seconds."""
        delay_s = self.delay.total_seconds()
        if self.distribution == "uniform":
            return draw.uniform(self.least.total_seconds(), self.most.total_seconds())
        if self.distribution == "lognormal":
            return draw.lognormvariate(math.log(max(delay_s, 1e-9)), self.sigma)
        return delay_s


class HttpFault(InsteadFault):
    """The whole request gets this status and body, either instead of the work or, with `after_work`, after it."""

    kind: Literal["http"]
    status: int = Field(503, ge=200, le=599, description="HTTP status of the answer.")
    body: str = Field("", max_length=1_000_000, description="Body of the answer.")
    content_type: str = Field(
        "text/html",
        pattern=r"^[!-~]+/[!-~]+( ?;[ -~]*)?$",
        max_length=100,
        description="The Content-Type that is sent.",
    )
    headers: dict[str, str] = Field(
        default_factory=dict, max_length=50, description='More headers of the answer, such as `{"Retry-After": "1"}`.'
    )

    transports: ClassVar[tuple[Transport, ...]] = REST_ONLY

    @field_validator("headers")
    @classmethod
    def _can_be_sent(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not (f"{name}{value}".isascii() and name.replace("-", "").isalnum() and value.isprintable()):
                raise ValueError(f"{name[:40]!r}: this header cannot be sent")
            if name.lower() in _FRAMING:
                raise ValueError(f"{name}: the body says how long it is; truncate or garble break it")
        return headers

    @model_validator(mode="after")
    def _may_have_a_body(self) -> Self:
        if self.body and self.status in _WITHOUT_A_BODY:
            raise ValueError(f"an answer of status {self.status} has no body")
        return self

    def add_to(self, plan: ResponsePlan, _draw: random.Random) -> ResponsePlan:
        """Answer instead."""
        answer = HttpAnswer(self.status, self.body.encode(), self.content_type)
        return replace(plan, answer=answer, headers=plan.headers + tuple(self.headers.items()))


class RateLimitFault(Fault):
    """Each task takes a token from a bucket of `burst`, refilled at `rate_per_s` by the real clock, or is refused."""

    kind: Literal["rate_limit"]
    rate_per_s: float = Field(gt=0, le=1_000_000, examples=[1], description="Tokens per second.")
    burst: int = Field(1, ge=1, le=1_000_000, description="How many tokens the bucket holds; it is full at first.")
    times: int | None = Field(
        None, ge=1, le=1_000_000, description="How many times it refuses; null for every time, which is the default."
    )

    def refusal(self, _task: Mapping[str, object]) -> Refusal:
        """Return the refusal of a task too many."""
        return refuse("rateLimitExceeded", PLANNED)

    def add_to(self, plan: ResponsePlan, _draw: random.Random) -> ResponsePlan:
        """Say when the next token is there."""
        retry_after = ("Retry-After", str(max(1, math.ceil(1 / self.rate_per_s))))
        return replace(plan, headers=(*plan.headers, retry_after))

    def tokens_at(self, tokens: float | None, counted_at: int | None, real_at: int) -> float:
        """Return how many tokens are in the bucket now."""
        if tokens is None or counted_at is None:
            return float(self.burst)
        return min(float(self.burst), tokens + max(0, real_at - counted_at) / 1000 * self.rate_per_s)


class TruncateFault(Fault):
    """The answer breaks off partway."""

    effect_of: ClassVar[Mapping[str, str]] = {"kept_share": "keep"}
    kind: Literal["truncate"]
    keep: float = Field(0.5, ge=0, lt=1, description="Share of the answer that is sent.")


class GarbleAnswerFault(GarbleFault):
    """Some bytes of the answer are changed."""

    kind: Literal["garble"]


class DuplicateFault(Fault):
    """The reply is sent more than once."""

    effect_of: ClassVar[Mapping[str, str]] = {"copies": "copies"}
    kind: Literal["duplicate"]
    copies: int = Field(2, ge=2, le=_MOST_COPIES, description="How many times it is sent.")

    transports: ClassVar[tuple[Transport, ...]] = WS_ONLY


class ReorderFault(Fault):
    """The reply is sent after the next one; over REST, after all the others."""

    effect: ClassVar[Mapping[str, Any]] = {"is_held": True}
    kind: Literal["reorder"]


class SplitFault(Fault):
    """Each item of the reply is sent in its own frame."""

    effect: ClassVar[Mapping[str, Any]] = {"is_split": True}
    kind: Literal["split"]

    transports: ClassVar[tuple[Transport, ...]] = WS_ONLY


class VanishFault(Fault):
    """What the task stored vanishes, at once or after some time on the account's clock."""

    kind: Literal["vanish"]
    after: Span = Field(timedelta(0), description="How long it exists before it is gone, such as 500ms or 2s.")

    def media_times(self, now_at: int) -> Mapping[str, int]:
        """Let it end."""
        return {"expires_at": now_at + in_ms(self.after)}


class LateFault(Fault):
    """What the task stored appears only after some time on the account's clock."""

    kind: Literal["late"]
    by: Span = Field(timedelta(seconds=2), description="How long it is missing, such as 500ms or 2s.")

    def media_times(self, now_at: int) -> Mapping[str, int]:
        """Let it begin later."""
        return {"visible_at": now_at + in_ms(self.by)}


class SourceFault(Fault):
    """The task's URLs cannot be fetched."""

    kind: Literal["source"]
    reason: Literal["unreachable", "timeout", "status", "no_picture"] = Field(
        "unreachable",
        description="Why: no connection, no answer in time, an HTTP status, or a file that is no picture.",
    )
    status: int = Field(404, ge=300, le=599, description="The HTTP status, with `reason=status`.")

    def matches(self, event: Event) -> bool:
        """Leave alone the tasks that fetch nothing."""
        return event.fetches and super().matches(event)

    def spoiled(self, _fetch: Fetch) -> Fetch:
        """Fail every time."""
        problems = {
            "unreachable": "The connection failed: Connection refused.",
            "timeout": "It took too long.",
            "status": f"The server answered {self.status}.",
        }

        def failing(url: str) -> bytes:  # noqa: ARG001 - whichever it is
            if self.reason == "no_picture":
                return b"<!doctype html><title>No picture</title>"
            raise FetchFailed(problems[self.reason])

        return failing
