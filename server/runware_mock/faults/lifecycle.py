"""The life of an asynchronous task, as a rule says: how long it is processed, and which results are there before."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Self

from msgspec import Struct
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from runware_mock.clock import in_ms
from runware_mock.faults.base import Span
from runware_mock.values import write_duration

# Webhooks that are due more than an hour ahead are taken for lost.
_LONGEST = timedelta(minutes=50)
_MOST_STAGES = 20


class Stage(BaseModel):
    """A part of the life of a task that is not finished: it lasts for some polls, or for a time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    polls: int | None = Field(None, ge=1, le=1000, description="How many times getResponse is answered with it.")
    lasts: Span | None = Field(None, description="How long it lasts on the account's clock.")
    progress: int | None = Field(None, ge=0, le=100, description="In percent; by default it grows from poll to poll.")
    results: int = Field(0, ge=0, le=20, description="How many results are there already.")

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if (self.polls is None) is (self.lasts is None):
            raise ValueError("a stage has either polls or lasts")
        return self


def _end_in_time(stages: list[Stage]) -> list[Stage]:
    if sum((one.lasts or timedelta() for one in stages), timedelta()) > _LONGEST:
        raise ValueError(f"together, the stages last more than {write_duration(_LONGEST)}")
    if any(later.results < earlier.results for earlier, later in pairwise(stages)):
        raise ValueError("results: a later stage cannot have fewer results")
    return stages


Lifecycle = Annotated[list[Stage], Field(max_length=_MOST_STAGES), AfterValidator(_end_in_time)]
LIFECYCLE: TypeAdapter[list[Stage]] = TypeAdapter(Lifecycle)


class Phase(Struct, frozen=True):
    """Where a task is: its progress in percent, and how many of its results are there."""

    progress: int
    results: int


def phase_at(stages: Sequence[Stage], began_at: int, polled_at: Sequence[int], now_at: int) -> Phase | None:
    """Return where a task is that is polled now, after it was polled at these instants; None if it is finished.

    A stage ends with its last poll, or with its time; the next one begins there.
    """
    stage_at, polls = began_at, list(polled_at)
    for index, stage in enumerate(stages):
        if stage.lasts is None:
            polls_due = stage.polls or 1
            share = (len(polls) + 1) / (polls_due + 1)
            is_over = len(polls) >= polls_due
            if is_over:
                stage_at, polls = polls[polls_due - 1], polls[polls_due:]
        else:
            lasts_ms = in_ms(stage.lasts)
            share = (now_at - stage_at) / max(1, lasts_ms)
            is_over = now_at >= stage_at + lasts_ms
            if is_over:
                stage_at += lasts_ms
                polls = [at for at in polls if at >= stage_at]
        if not is_over:
            progress = int(100 * (index + share) / len(stages)) if stage.progress is None else stage.progress
            return Phase(progress, stage.results)
    return None


def waits_ms(stages: Sequence[Stage], results: int) -> list[int]:
    """Return after how long each result is there; a stage that lasts for polls takes no time."""
    waits = []
    for number in range(results):
        before = [one for one in stages if one.results <= number]
        waits.append(sum(in_ms(one.lasts) for one in before if one.lasts is not None))
    return waits
