"""Faults of media: of those a task stores, and of those it fetches."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from pydantic import Field

from runware_mock.clock import in_ms
from runware_mock.faults.base import Fault, Span
from runware_mock.faults.event import Event
from runware_mock.images.fetch import Fetch
from runware_mock.images.picture import FetchFailed


class VanishFault(Fault):
    """What the task has stored vanishes, at once or after a time on the account's clock."""

    kind: Literal["vanish"]
    after: Span = timedelta(0)

    def media_times(self, now_at: int) -> Mapping[str, int]:
        """Let it end."""
        return {"expires_at": now_at + in_ms(self.after)}


class LateFault(Fault):
    """What the task has stored appears only after a time on the account's clock."""

    kind: Literal["late"]
    by: Span = timedelta(seconds=2)

    def media_times(self, now_at: int) -> Mapping[str, int]:
        """Let it begin later."""
        return {"visible_at": now_at + in_ms(self.by)}


class SourceFault(Fault):
    """The URLs of the task cannot be fetched."""

    kind: Literal["source"]
    reason: Literal["unreachable", "timeout", "status", "no_picture"] = "unreachable"
    status: int = Field(404, ge=300, le=599)

    def fits(self, event: Event) -> bool:
        """Leave alone the tasks that fetch nothing."""
        return event.fetches and super().fits(event)

    def spoiled(self, _fetch: Fetch) -> Fetch:
        """Fail every time."""

        def failing(url: str) -> bytes:  # noqa: ARG001 - whichever it is
            if self.reason == "no_picture":
                return b"<!doctype html><title>No picture</title>"
            raise FetchFailed(
                {
                    "unreachable": "The connection failed: Connection refused.",
                    "timeout": "It took too long.",
                    "status": f"The server answered {self.status}.",
                }[self.reason]
            )

        return failing
