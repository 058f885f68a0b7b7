"""The one place that reads the wall clock.

An instant (every name that ends in `_at`) is a whole number of milliseconds since 1970-01-01 UTC, so that
"last use + retention" is exact on every database.
"""

import time
from datetime import timedelta
from typing import Protocol


class Clock(Protocol):
    """Whatever can tell the present instant."""

    def now_at(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_at(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1_000_000


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, start_at: int) -> None:
        self._now_at = start_at

    def now_at(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        return self._now_at

    def advance(self, step: timedelta) -> None:
        """Move forward by `step`."""
        self._now_at += in_ms(step)


def in_ms(span: timedelta) -> int:
    """Return a span in whole milliseconds."""
    return span // timedelta(milliseconds=1)
