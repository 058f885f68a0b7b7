"""Small tasks that wait together are answered together: one transaction serves them all."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from threading import Event

import pytest

from runware_mock.tasks.batch import BatchThread

MOST_IN_A_BATCH = 32


class Desk:
    """Answers each number with its square, and keeps the batches in which they came."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.opened = Event()
        self.first_began = Event()

    def answer(self, batch: Sequence[int]) -> list[int]:
        """Answer once the desk has opened."""
        self.batches.append(list(batch))
        self.first_began.set()
        assert self.opened.wait(10)
        return [number * number for number in batch]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def thread(desk: Desk) -> Iterator[BatchThread[int, int]]:
    thread = BatchThread(desk.answer, "desk")
    yield thread
    desk.opened.set()
    thread.close()


def submit_while_the_first_is_answered(
    desk: Desk, thread: BatchThread[int, int], numbers: Sequence[int]
) -> list[Future[int]]:
    thread.submit(0)
    assert desk.first_began.wait(10)
    return [thread.submit(number) for number in numbers]


def test_what_waits_together_is_answered_together_and_in_order(desk: Desk, thread: BatchThread[int, int]) -> None:
    futures = submit_while_the_first_is_answered(desk, thread, [1, 2, 3])
    desk.opened.set()
    assert [future.result(10) for future in futures] == [1, 4, 9]
    assert desk.batches == [[0], [1, 2, 3]]


def test_a_batch_has_a_limit(desk: Desk, thread: BatchThread[int, int]) -> None:
    futures = submit_while_the_first_is_answered(desk, thread, range(MOST_IN_A_BATCH + 1))
    desk.opened.set()
    assert [future.result(10) for future in futures] == [n * n for n in range(MOST_IN_A_BATCH + 1)]
    assert [len(batch) for batch in desk.batches] == [1, MOST_IN_A_BATCH, 1]


def test_what_is_cancelled_before_its_turn_is_never_looked_at(desk: Desk, thread: BatchThread[int, int]) -> None:
    first, second = submit_while_the_first_is_answered(desk, thread, [1, 2])
    assert first.cancel()
    desk.opened.set()
    assert second.result(10) == 4
    assert desk.batches == [[0], [2]]


def test_closing_finishes_what_was_submitted(desk: Desk, thread: BatchThread[int, int]) -> None:
    futures = submit_while_the_first_is_answered(desk, thread, [1, 2])
    desk.opened.set()
    thread.close()
    assert [future.result() for future in futures] == [1, 4]


def test_closing_twice_is_closing_once(desk: Desk, thread: BatchThread[int, int]) -> None:
    desk.opened.set()
    thread.close()
    thread.close()
    assert desk.batches == []
