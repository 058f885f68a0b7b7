"""A clock for tests."""

from datetime import timedelta

from runware_mock.clock import in_ms


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, start_at: int) -> None:
        self._now_at = start_at
        self._elapsed_s = 0.0

    def now_at(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        return self._now_at

    def elapsed_s(self) -> float:
        """Seconds that have gone by."""
        return self._elapsed_s

    def advance(self, step: timedelta) -> None:
        """Let `step` go by."""
        self._now_at += in_ms(step)
        self._elapsed_s += step.total_seconds()

    def jump(self, step: timedelta) -> None:
        """Move ahead or back, as when somebody sets the clock of a machine."""
        self._now_at += in_ms(step)
