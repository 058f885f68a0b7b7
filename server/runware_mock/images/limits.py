"""Memory and processor time shared out among the pictures that are decoded at the same moment."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class OverBudget(Exception):
    """One picture alone needs more than the whole budget."""

    def __init__(self, needed_bytes: int, budget_bytes: int) -> None:
        super().__init__(needed_bytes, budget_bytes)
        self.needed_bytes = needed_bytes
        self.budget_bytes = budget_bytes


class Budget:
    """`total_bytes` of memory and `slots` of processor, given out in the order they are asked for."""

    def __init__(self, total_bytes: int, slots: int) -> None:
        self.total_bytes = total_bytes
        self._free_bytes = total_bytes
        self._free_slots = slots
        self._changed = threading.Condition()
        self._queue: list[object] = []

    def reserved_bytes(self) -> int:
        """Return how much is given out now."""
        return self.total_bytes - self._free_bytes

    def free_slots(self) -> int:
        """Return how many slots nobody has now."""
        return self._free_slots

    @contextmanager
    def reserve(self, needed_bytes: int) -> Iterator[None]:
        """Wait for a slot and this much memory; refuse at once what can never fit."""
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
