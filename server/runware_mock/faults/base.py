"""What a fault can happen to, and what every kind of fault has: how often it happens, and hooks that do nothing."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal, Self

from msgspec.structs import replace
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from runware_mock.images.fetch import Fetch
from runware_mock.protocol.errors import Refusal
from runware_mock.protocol.response_plan import ResponsePlan
from runware_mock.values import parse_duration, write_duration

Point = Literal["task", "upgrade", "authentication", "ping", "upload", "download"]
Transport = Literal["rest", "ws"]

# No client waits longer for an answer.
LONGEST_DELAY = timedelta(hours=1)

WS_ONLY: tuple[Transport, ...] = ("ws",)
REST_ONLY: tuple[Transport, ...] = ("rest",)
PLANNED = "This error was planned."


def _bearable(delay: timedelta) -> timedelta:
    if delay > LONGEST_DELAY:
        raise ValueError(f"a delay of more than {write_duration(LONGEST_DELAY)}")
    return delay


_WRITTEN = WithJsonSchema({"type": "string", "description": "A duration such as 2s, 500ms or 1h30m."})
Span = Annotated[timedelta, BeforeValidator(parse_duration), PlainSerializer(write_duration), _WRITTEN]
Delay = Annotated[
    timedelta, BeforeValidator(parse_duration), AfterValidator(_bearable), PlainSerializer(write_duration), _WRITTEN
]


@dataclass(frozen=True, slots=True)
class Event:
    """A task, a transfer, or a step in the life of a connection, which may meet a planned fault.

    `plan` is the plan that the client has named; `fetches` tells whether the task needs a URL to be fetched;
    `size_bytes` is the declared length of an upload, if it has one.
    """

    point: Point
    transport: Transport
    task_type: str | None = None
    task_uuid: str | None = None
    plan: str | None = None
    fetches: bool = False
    size_bytes: int | None = None
    media_uuid: str | None = None


class Fault(BaseModel):
    """One fault of a plan. A kind overrides the hooks that it needs."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    point: ClassVar[Point] = "task"
    transports: ClassVar[tuple[Transport, ...]] = ("rest", "ws")
    is_random: ClassVar[bool] = False
    # Fields of the response plan that the fault sets, whatever its own fields are.
    effect: ClassVar[Mapping[str, Any]] = {}

    times: int | None = Field(1, ge=1, le=1_000_000, description="How many times it happens; null for every time.")
    task_type: str | None = Field(None, max_length=64, description="Only tasks of this type.")
    task_uuid: str | None = Field(None, max_length=36, description="Only the task with this UUID.")
    nth: int | None = Field(None, ge=1, le=1_000_000_000, description="Only the n-th match, counted from 1.")
    transport: Transport | None = Field(None, description="Only over REST, or only over WebSocket.")
    probability: float = Field(1.0, gt=0, le=1, description="Chance that it happens to a match.")
    seed: int | None = Field(None, ge=0, lt=2**63, description="Seed for random choices; a random one if left out.")

    @model_validator(mode="after")
    def _can_match(self) -> Self:
        if self.transport is not None and self.transport not in self.transports:
            raise ValueError(f"a fault of this kind never happens over {self.transport}")
        if self.point != "task" and (self.task_type or self.task_uuid):
            raise ValueError("a fault of this kind meets connections, not tasks: leave out task_type and task_uuid")
        return self

    def fits(self, event: Event) -> bool:
        """Tell whether the fault is meant for this event."""
        return (
            event.point == self.point
            and event.transport in self.transports
            and self.transport in (None, event.transport)
            and self.task_type in (None, event.task_type)
            and (self.task_uuid is None or self.task_uuid.lower() == (event.task_uuid or "").lower())
        )

    def is_drawn(self, seen: int) -> bool:
        """Tell whether chance picks the n-th event that fits."""
        # A generator of its own: the faults that happen would otherwise all begin with the same small number.
        chance = random.Random(f"{self.seed} {seen} chance")  # noqa: S311 - to be repeated, not to be secret
        return self.probability >= 1 or chance.random() < self.probability

    def draw(self, seen: int) -> random.Random:
        """Return the source of all else that is random about that event: the same in every run."""
        return random.Random(f"{self.seed} {seen}")  # noqa: S311 - to be repeated, not to be secret

    @property
    def works(self) -> bool:
        """Whether the task is done nevertheless."""
        return True

    def refusal(self, task: Mapping[str, object]) -> Refusal | None:  # noqa: ARG002 - a hook
        """Return the error that the task is answered with, if it is."""
        return None

    def add_to(self, plan: ResponsePlan, draw: random.Random) -> ResponsePlan:  # noqa: ARG002 - a hook
        """Return the response plan with this fault added."""
        return replace(plan, **self.effect) if self.effect else plan

    def spoiled(self, fetch: Fetch) -> Fetch:
        """Return the function that fetches the task's URLs."""
        return fetch

    def media_times(self, now_at: int) -> Mapping[str, int]:  # noqa: ARG002 - a hook
        """Return `expires_at` or `visible_at` of what the task has stored, in milliseconds of its account's clock."""
        return {}
