"""What a fault can happen to, and what every kind of fault has: how often it happens, and hooks that do nothing."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self, get_args

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
from pydantic.fields import FieldInfo

from runware_mock.faults.patterns import Check, FieldPatterns, TextPattern, check_of, prompt_of, steps_of, value_at
from runware_mock.images.fetch import Fetch
from runware_mock.protocol.errors import Refusal
from runware_mock.protocol.messages import Task, head_of
from runware_mock.protocol.response_plan import HttpAnswer, ResponsePlan
from runware_mock.values import parse_duration, write_duration

Point = Literal["task", "upgrade", "authentication", "ping", "upload", "download", "webhook"]
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
    task: Task | None = None
    prompt: str | None = None

    @classmethod
    def of_task(cls, task: Task, transport: Transport, plan: str | None = None, *, fetches: bool = False) -> Self:
        """Return the event that a task is."""
        prompt = prompt_of(task)
        task_type, task_uuid = (str(task.get(name, "")) for name in ("taskType", "taskUUID"))
        return cls("task", transport, task_type, task_uuid, plan, fetches, task=task, prompt=prompt)


class Condition(NamedTuple):
    """What a plan asks of one field of a task."""

    path: str
    steps: tuple[str | int, ...]
    check: Check
    pattern: object

    def value(self, event: Event) -> object:
        """Return the value of the field."""
        return value_at(event.task, self.steps) if self.steps else event.prompt


class Matching(BaseModel):
    """For which tasks or connections something is planned."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task_type: str | None = Field(None, max_length=64, description="Only tasks of this type.")
    task_uuid: str | None = Field(None, max_length=36, description="Only the task with this UUID.")
    model: TextPattern = Field(
        None,
        description='Only tasks with this model: a text in which * and ? are wildcards, `{"regex": ...}` or '
        '`{"exact": ...}`.',
    )
    prompt: TextPattern = Field(None, description="Only tasks with this prompt, which is written in the same ways.")
    where: FieldPatterns = Field(
        default_factory=dict,
        description='Only tasks with these fields, each a path with such a pattern or a JSON value: `{"width": 512}`.',
    )
    nth: int | None = Field(None, ge=1, le=1_000_000_000, description="Only the n-th match, counted from 1.")
    transport: Transport | None = Field(None, description="Only over REST (`rest`), or only over WebSocket (`ws`).")

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """What is asked of the fields of a task."""
        # Without steps, it is the prompt: its field has several names.
        named: list[tuple[str, tuple[str | int, ...], object]] = [
            ("prompt", (), self.prompt),
            ("model", ("model",), self.model),
        ]
        asked = [one for one in named if one[2] is not None]
        asked += [(path, steps_of(path), pattern) for path, pattern in self.where.items()]
        return tuple(Condition(path, steps, check_of(pattern), pattern) for path, steps, pattern in asked)

    def matches(self, event: Event) -> bool:
        """Tell whether a task has the UUID and the fields that are asked for."""
        if self.task_uuid is not None and self.task_uuid.lower() != (event.task_uuid or "").lower():
            return False
        return all(one.check(one.value(event)) for one in self.conditions)

    def mismatches(self, event: Event) -> list[str]:
        """Return a sentence about each thing that is asked for and that a task has not."""
        asked = {"taskType": (self.task_type, event.task_type), "transport": (self.transport, event.transport)}
        found = [f"{name} is {has}, not {wanted}" for name, (wanted, has) in asked.items() if wanted not in (None, has)]
        if self.task_uuid is not None and self.task_uuid.lower() != (event.task_uuid or "").lower():
            found.append(f"taskUUID is not {self.task_uuid}")
        values = [(one, one.value(event)) for one in self.conditions]
        found += [
            f"{one.path} is {'missing' if value is None else head_of(value)}, which does not match "
            f"{head_of(one.pattern)}"
            for one, value in values
            if not one.check(value)
        ]
        return found


def _complete(schema: dict[str, Any], model: type["Fault"]) -> None:
    """Add the example, and write the defaults of durations as a plan does: pydantic writes them as ISO 8601."""
    schema["examples"] = [model.example()]
    for name, value in schema["properties"].items():
        if "default" in value:
            value["default"] = written(model.model_fields[name].default)


def written(value: Any) -> Any:
    """Return a value of a field as a plan has it: a duration is a string."""
    return write_duration(value) if isinstance(value, timedelta) else value


class Fault(Matching):
    """One fault of a plan. A kind overrides the hooks that it needs."""

    model_config = ConfigDict(json_schema_extra=_complete)

    point: ClassVar[Point] = "task"
    transports: ClassVar[tuple[Transport, ...]] = ("rest", "ws")
    is_random: ClassVar[bool] = False
    # Whether a task that has met one of these, of whichever plan, meets no other.
    is_only_one: ClassVar[bool] = False
    # Fields of the response plan that the fault sets: to a value, or to that of one of its own fields.
    effect: ClassVar[Mapping[str, Any]] = {}
    effect_of: ClassVar[Mapping[str, str]] = {}

    times: int | None = Field(1, ge=1, le=1_000_000, description="How many times it happens; null for every time.")
    probability: float = Field(1.0, gt=0, le=1, description="Chance that it happens to a match.")
    seed: int | None = Field(None, ge=0, lt=2**63, description="Seed for random choices; a random one if left out.")

    @model_validator(mode="after")
    def _can_match(self) -> Self:
        if self.transport is not None and self.transport not in self.transports:
            raise ValueError(f"a fault of this kind never happens over {self.transport}")
        if self.point not in ("task", "webhook") and (self.task_type or self.task_uuid or self.conditions):
            raise ValueError(
                "a fault of this kind meets connections, not tasks: leave out task_type, task_uuid, model, prompt and "
                "where"
            )
        return self

    @classmethod
    def own_fields(cls) -> dict[str, FieldInfo]:
        """Return the fields that not every kind has, or not with this meaning."""
        common = {name: field.description for name, field in Fault.model_fields.items()}
        return {
            name: field
            for name, field in cls.model_fields.items()
            if name != "kind" and (name not in common or field.description != common[name])
        }

    @classmethod
    def example(cls) -> dict[str, Any]:
        """Return a fault of this kind: with the fields that have examples, or else the first number or duration."""
        own = cls.own_fields()
        given = {name: field.examples[0] for name, field in own.items() if field.examples}
        for name, field in own.items():
            if not given and type(field.default) in (int, float, timedelta):
                given[name] = written(field.default)
        return {"kind": get_args(cls.model_fields["kind"].annotation)[0], **given}

    def concerns(self, point: Point, transport: Transport, task_type: str | None) -> bool:
        """Tell whether the fault may be meant for events of this kind."""
        return (
            point == self.point
            and transport in self.transports
            and self.transport in (None, transport)
            and self.task_type in (None, task_type)
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
        own = {name: getattr(self, field) for name, field in self.effect_of.items()}
        return replace(plan, **self.effect, **own) if self.effect or own else plan

    def spoiled(self, fetch: Fetch) -> Fetch:
        """Return the function that fetches the task's URLs."""
        return fetch

    def media_times(self, now_at: int) -> Mapping[str, int]:  # noqa: ARG002 - a hook
        """Return `expires_at` or `visible_at` of what the task has stored, in milliseconds of its account's clock."""
        return {}


class InsteadFault(Fault):
    """A fault that takes the place of the answer, and of the work unless `after_work`."""

    after_work: bool = Field(default=False, description="Whether the task is done first.")

    @property
    def works(self) -> bool:
        """Whether the task is done nevertheless."""
        return self.after_work


class DelayFault(Fault):
    """A fault that delays what is sent; a kind has the default of `delay`."""

    delay: Delay = Field(description="How long the delay is, such as 500ms or 2s.")

    def add_to(self, plan: ResponsePlan, draw: random.Random) -> ResponsePlan:
        """Add to the delay."""
        return replace(plan, delay_s=min(plan.delay_s + self.delay_s(draw), LONGEST_DELAY.total_seconds()))

    def delay_s(self, _draw: random.Random) -> float:
        """Return the delay in seconds."""
        return self.delay.total_seconds()


class RefuseFault(Fault):
    """A fault that answers with a status and nothing else."""

    status: int = Field(503, ge=400, le=599, description="HTTP status of the answer.")

    def add_to(self, plan: ResponsePlan, _draw: random.Random) -> ResponsePlan:
        """Answer with the status."""
        return replace(plan, answer=HttpAnswer(self.status, b"", "text/plain"))


class GarbleFault(Fault):
    """A fault that changes some of the bytes that are sent."""

    share: float = Field(0.1, gt=0, le=1, description="Share of the bytes that are changed.")

    is_random: ClassVar[bool] = True

    def add_to(self, plan: ResponsePlan, draw: random.Random) -> ResponsePlan:
        """Change bytes."""
        return replace(plan, garbled_share=self.share, seed=draw.getrandbits(32))
