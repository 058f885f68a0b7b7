"""Memory and processor time are shared out: what fits goes ahead, the rest waits its turn, and nothing starves."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from runware_mock.images.limits import Budget, OverBudget

PATIENCE_S = 30


class WatchedCondition(threading.Condition):
    """Tells when a thread lies down to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = threading.Semaphore(0)

    def wait(self, timeout: float | None = None) -> bool:
        """Say so, then wait; the lock is held in between, so nobody acts on the word before the thread sleeps."""
        self.waits.release()
        return super().wait(timeout)


class Shared:
    """A budget of 100 bytes whose guests come and go when the test says so."""

    def __init__(self, slots: int = 10) -> None:
        self.budget = Budget(100, slots)
        self.condition = WatchedCondition()
        self.budget._changed = self.condition
        self.entered: list[str] = []
        self._threads = ThreadPoolExecutor(8)

    @contextmanager
    def guest(self, name: str, needed_bytes: int) -> Iterator["Guest"]:
        """Ask for memory on a thread of its own."""
        guest = Guest(self, name, needed_bytes)
        guest.stay = self._threads.submit(guest.run)
        try:
            yield guest
        finally:
            guest.leave()

    def until_one_waits(self) -> None:
        """Block until one more thread waits."""
        assert self.condition.waits.acquire(timeout=PATIENCE_S)


class Guest:
    """One who asks for memory, holds it, and gives it back."""

    stay: Future[None]

    def __init__(self, shared: Shared, name: str, needed_bytes: int) -> None:
        self._shared = shared
        self._name = name
        self._needed_bytes = needed_bytes
        self.is_in = threading.Event()
        self._may_leave = threading.Event()

    def run(self) -> None:
        """Come and go."""
        with self._shared.budget.reserve(self._needed_bytes):
            self._shared.entered.append(self._name)
            self.is_in.set()
            assert self._may_leave.wait(PATIENCE_S)

    def until_in(self) -> None:
        """Block until the memory is given."""
        assert self.is_in.wait(PATIENCE_S)

    def leave(self) -> None:
        """Give the memory back."""
        self._may_leave.set()
        self.stay.result(PATIENCE_S)


@pytest.mark.parametrize("needed_bytes", [0, 1, 99, 100])
def test_what_fits_is_given_at_once(needed_bytes: int) -> None:
    with Budget(100, 1).reserve(needed_bytes):
        pass


def test_what_can_never_fit_is_refused_at_once_and_takes_nothing() -> None:
    budget = Budget(100, 1)
    with pytest.raises(OverBudget) as refused, budget.reserve(101):
        pytest.fail("it was let in")
    assert (refused.value.needed_bytes, refused.value.budget_bytes) == (101, 100)
    with budget.reserve(100):
        pass


def test_what_can_never_fit_is_refused_even_while_others_wait() -> None:
    shared = Shared()
    with shared.guest("first", 100) as first:
        first.until_in()
        with pytest.raises(OverBudget), shared.budget.reserve(101):
            pytest.fail("it was let in")


def test_two_that_fit_together_are_in_together() -> None:
    shared = Shared()
    with shared.guest("first", 60) as first, shared.guest("second", 40) as second:
        first.until_in()
        second.until_in()


def test_one_byte_too_much_waits_until_the_other_leaves() -> None:
    shared = Shared()
    with shared.guest("first", 60) as first:
        first.until_in()
        with shared.guest("second", 41) as second:
            shared.until_one_waits()
            assert not second.is_in.is_set()
            first.leave()
            second.until_in()


def test_one_more_than_the_slots_waits_though_memory_is_free() -> None:
    shared = Shared(slots=2)
    with shared.guest("first", 1) as first, shared.guest("second", 1) as second:
        first.until_in()
        second.until_in()
        with shared.guest("third", 1) as third:
            shared.until_one_waits()
            assert not third.is_in.is_set()
            second.leave()
            third.until_in()


def test_first_come_first_served_so_that_a_big_one_never_starves() -> None:
    shared = Shared()
    with shared.guest("first", 60) as first:
        first.until_in()
        with shared.guest("big", 100) as big:
            shared.until_one_waits()
            # It would fit beside the first, but came after the big one.
            with shared.guest("small", 10) as small:
                shared.until_one_waits()
                first.leave()
                big.until_in()
                assert not small.is_in.is_set()
                big.leave()
                small.until_in()
    assert shared.entered == ["first", "big", "small"]


def test_all_that_fit_wake_when_one_leaves() -> None:
    shared = Shared()
    with shared.guest("first", 100) as first:
        first.until_in()
        with shared.guest("second", 30) as second, shared.guest("third", 30) as third:
            shared.until_one_waits()
            shared.until_one_waits()
            first.leave()
            second.until_in()
            third.until_in()


def test_memory_and_slot_come_back_when_decoding_fails() -> None:
    budget = Budget(100, 1)
    for _ in range(3):
        with pytest.raises(ValueError, match="broken"), budget.reserve(100):
            raise ValueError("broken")
    with budget.reserve(100):
        pass


def test_a_crowd_is_never_given_more_than_there_is() -> None:
    budget = Budget(100, 4)
    lock, start = threading.Lock(), threading.Barrier(8)
    held_bytes, most_bytes, held_slots, most_slots = 0, 0, 0, 0

    def come_and_go(needed_bytes: int) -> None:
        nonlocal held_bytes, most_bytes, held_slots, most_slots
        start.wait(PATIENCE_S)
        for _ in range(50):
            with budget.reserve(needed_bytes):
                with lock:
                    held_bytes, held_slots = held_bytes + needed_bytes, held_slots + 1
                    most_bytes, most_slots = max(most_bytes, held_bytes), max(most_slots, held_slots)
                with lock:
                    held_bytes, held_slots = held_bytes - needed_bytes, held_slots - 1

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(come_and_go, [10, 20, 30, 40, 50, 60, 70, 100]))
    assert (held_bytes, held_slots) == (0, 0)
    assert 0 < most_bytes <= 100
    assert 0 < most_slots <= 4


def test_it_tells_how_many_slots_nobody_has() -> None:
    budget = Budget(100, slots=2)
    assert budget.free_slots() == 2
    with budget.reserve(1):
        assert budget.free_slots() == 1
        with budget.reserve(1):
            assert budget.free_slots() == 0
    assert budget.free_slots() == 2
