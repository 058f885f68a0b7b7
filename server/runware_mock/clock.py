"""The one place that reads the wall clock.

An instant (every name that ends in `_at`) is a whole number of milliseconds since 1970-01-01 UTC, so that
"last use + retention" is exact on every database.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Protocol

# Clocks are put right by seconds all the time.
_JUMP = timedelta(minutes=1)


def monotonic_s(read: Callable[[], float] = time.monotonic) -> float:
    """Return seconds by a clock that nobody sets: for deadlines, and for how long something took.

    A test tool that freezes time replaces `time.monotonic`, but not what a parameter has held since before.
    """
    return read()


class Clock(Protocol):
    """Whatever can tell the present instant."""

    def now_at(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        ...

    def elapsed_s(self) -> float:
        """Seconds since some instant, by a clock that nobody sets."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_at(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1_000_000

    def elapsed_s(self) -> float:
        """Seconds since the machine was started, asleep or not."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class UnfrozenClock:
    """The machine's clock, for a server inside a test process: it goes on while a test freezes or moves time.

    It is read once, when this module is imported; afterwards the time that has passed since is added.
    """

    _imported_at = time.time() - monotonic_s()

    def now_at(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        return int((self._imported_at + monotonic_s()) * 1000)

    def elapsed_s(self) -> float:
        """Seconds since some instant."""
        return monotonic_s()


class ClockJumpDetector:
    """Tells whether a clock has gone as time has, so that what it says may be acted on for good.

    One that has jumped ahead is trusted again when it has come back, or has stayed there for `patience`.
    """

    def __init__(self, clock: Clock, patience: timedelta, ahead_ms: int | None = None) -> None:
        self._clock = clock
        self._patience_s = patience.total_seconds()
        # How far the trusted clock is ahead of elapsed time; where nobody remembers it, the clock is trusted as it is.
        self.ahead_ms = self._now_ahead_ms() if ahead_ms is None else ahead_ms
        self._doubted_s: float | None = None

    def jump(self) -> timedelta:
        """Return how far the clock has jumped ahead, or nothing where it may be trusted."""
        ahead_ms, now_s = self._now_ahead_ms(), self._clock.elapsed_s()
        by = timedelta(milliseconds=ahead_ms - self.ahead_ms)
        if by < _JUMP:
            self.ahead_ms, self._doubted_s = ahead_ms, None
            return timedelta()
        self._doubted_s = now_s if self._doubted_s is None else self._doubted_s
        if now_s - self._doubted_s < self._patience_s:
            return by
        self.ahead_ms, self._doubted_s = ahead_ms, None
        return timedelta()

    def _now_ahead_ms(self) -> int:
        return self._clock.now_at() - int(self._clock.elapsed_s() * 1000)


def boot_id() -> str:
    """Return what names the time since this machine was started, or nothing where the system does not tell."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return ""


def in_ms(span: timedelta) -> int:
    """Return a span in whole milliseconds."""
    return span // timedelta(milliseconds=1)
