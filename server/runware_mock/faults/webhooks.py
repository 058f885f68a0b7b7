"""Faults of webhooks: calls that never come, come twice, late or in the wrong order, or say that the task failed."""

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar, Literal

from msgspec import Struct
from msgspec.structs import replace
from pydantic import Field

from runware_mock.clock import in_ms
from runware_mock.faults.answers import CODES, PlannedError
from runware_mock.faults.base import Delay, Fault, Point
from runware_mock.protocol.messages import Item

_MOST_COPIES = 100


class Call(Struct, frozen=True):
    """One webhook to be called with a result or error, at `due_at` or, by a fault, `delay_ms` later."""

    item: Item
    due_at: int
    is_error: bool = False
    delay_ms: int = 0
    is_lost: bool = False


class WebhookFault(Fault):
    """A fault that a task with a `webhookURL` meets when its result or error is to be sent there."""

    point: ClassVar[Point] = "webhook"

    def changed(self, calls: Sequence[Call]) -> Sequence[Call]:
        """Return the calls of a task, in the order of its results, with this fault added."""
        return calls


class LoseWebhookFault(WebhookFault):
    """The webhook is never called."""

    kind: Literal["lose_webhook"]

    def changed(self, calls: Sequence[Call]) -> Sequence[Call]:
        """Call nobody."""
        return [replace(one, is_lost=True) for one in calls]


class DuplicateWebhookFault(WebhookFault):
    """The webhook is called more than once with the same body."""

    kind: Literal["duplicate_webhook"]
    copies: int = Field(2, ge=2, le=_MOST_COPIES, description="How many times it is called.")

    def changed(self, calls: Sequence[Call]) -> Sequence[Call]:
        """Call again."""
        return [one for one in calls for _ in range(self.copies)]


class DelayWebhookFault(WebhookFault):
    """The webhook is called late, by the account's clock."""

    kind: Literal["delay_webhook"]
    delay: Delay = Field(timedelta(seconds=10), description="How long the delay is, such as 500ms or 2s.")

    def changed(self, calls: Sequence[Call]) -> Sequence[Call]:
        """Wait."""
        return [replace(one, delay_ms=one.delay_ms + in_ms(self.delay)) for one in calls]


class ReorderWebhookFault(WebhookFault):
    """A task's results are sent in reverse order, each `gap` after the one before: later tasks overtake them."""

    kind: Literal["reorder_webhook"]
    gap: Delay = Field(timedelta(seconds=1), description="Time between two results.")

    def changed(self, calls: Sequence[Call]) -> Sequence[Call]:
        """Let the last one begin."""
        gap_ms, count = in_ms(self.gap), len(calls)
        return [replace(one, delay_ms=one.delay_ms + gap_ms * (count - place)) for place, one in enumerate(calls)]


class ErrorWebhookFault(PlannedError, WebhookFault):
    """The webhook is called with an error from the catalogue, although the task succeeded."""

    kind: Literal["error_webhook"]
    code: str = Field("internalServerError", examples=CODES, description="Code of the error.")

    def changed(self, calls: Sequence[Call]) -> Sequence[Call]:
        """Send the error instead."""
        refusal = self.refused()
        return [
            replace(one, item=refusal.item(str(one.item.get("taskType")), str(one.item.get("taskUUID"))), is_error=True)
            for one in calls
        ]
