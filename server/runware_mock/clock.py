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

# Clocks are corrected by seconds all the time.
_JUMP = timedelta(minutes=1)


def monotonic_s(read: Callable[[], float] = time.monotonic) -> float:
    """Return the seconds of a clock that is never set, for deadlines and durations.

    A test tool that freezes time replaces `time.monotonic`, but not the default value that a parameter already has.
    """
    return read()


class Clock(Protocol):
    """A source of the present instant."""

    def now_at(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        ...

    def elapsed_s(self) -> float:
        """Seconds since some instant, by a clock that is never set."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_at(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1_000_000

    def elapsed_s(self) -> float:
        """Seconds since the machine started, including sleep."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class UnfrozenClock:
    """The machine's clock, for a server inside a test process: it runs on while a test freezes or moves time.

    It reads the wall clock once, when this module is imported, and adds the time that has passed since.
    """

    _imported_at = time.time() - monotonic_s()

    def now_at(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        return int((self._imported_at + monotonic_s()) * 1000)

    def elapsed_s(self) -> float:
        """Seconds since some instant."""
        return monotonic_s()


class ClockJumpDetector:
    """Tells whether a clock has kept pace with elapsed time, so that it may be trusted with irreversible actions.

    A clock that has jumped ahead is trusted again when it has come back, or has stayed there for `patience`.
    """

    def __init__(self, clock: Clock, patience: timedelta, ahead_ms: int | None = None) -> None:
        self._clock = clock
        self._patience_s = patience.total_seconds()
        # How far the trusted clock is ahead of elapsed time; if that is not known, the clock is trusted as it is.
        self.ahead_ms = self._now_ahead_ms() if ahead_ms is None else ahead_ms
        self._doubted_s: float | None = None

    def jump(self) -> timedelta:
        """Return how far the clock has jumped ahead, or zero if it may be trusted."""
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
    """Return the ID of this start of the machine, or an empty string if the system has none."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return ""


def in_ms(span: timedelta) -> int:
    """Return a span in whole milliseconds."""
    return span // timedelta(milliseconds=1)
