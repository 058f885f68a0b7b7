"""The memory, processor time and work that decoding may take, checked before it begins."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from runware_mock.clock import monotonic_s

# Pixels in all passes over a picture: frames of an animation, scans of a JPEG. A thousand frames of 1920 by 1080.
MOST_WORK_PX = 2**31
# An animation is read frame by frame in Python; this many take some seconds.
MOST_FRAMES = 100_000


@dataclass(eq=False)
class OverBudget(Exception):
    """One picture alone needs more than the whole budget."""

    needed_bytes: int
    budget_bytes: int


@dataclass(eq=False)
class TookTooLong(Exception):
    """A picture took longer than its time limit."""

    limit_s: float


class Deadline:
    """When work on one picture has to end; decoders check it between their steps."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._ends_s = monotonic_s() + limit_s

    def left_s(self) -> float:
        """Return the seconds that are left, at least 0."""
        return max(0.0, self._ends_s - monotonic_s())

    def check(self) -> None:
        """Raise TookTooLong once the time is up."""
        if monotonic_s() >= self._ends_s:
            raise TookTooLong(self._limit_s)


class Budget:
    """`total_bytes` of memory and `slots` of processor, given out in the order of the requests."""

    def __init__(self, total_bytes: int, slots: int) -> None:
        self.total_bytes = total_bytes
        self._free_bytes = total_bytes
        self._free_slots = slots
        self._changed = threading.Condition()
        self._queue: list[object] = []

    def reserved_bytes(self) -> int:
        """Return how much is reserved now."""
        return self.total_bytes - self._free_bytes

    def free_slots(self) -> int:
        """Return how many slots are free now."""
        return self._free_slots

    @contextmanager
    def reserve(self, needed_bytes: int) -> Iterator[None]:
        """Wait for a slot and this much memory; raises OverBudget at once for what can never fit."""
        if needed_bytes > self.total_bytes:
            raise OverBudget(needed_bytes, self.total_bytes)
        ticket = object()
        with self._changed:
            self._queue.append(ticket)
            # First come, first served: a big picture is not starved by a stream of small ones.
            self._changed.wait_for(
                lambda: self._queue[0] is ticket and self._free_slots > 0 and self._free_bytes >= needed_bytes
            )
            self._queue.pop(0)
            self._free_slots -= 1
            self._free_bytes -= needed_bytes
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._free_slots += 1
                self._free_bytes += needed_bytes
                self._changed.notify_all()
