"""Light tasks that wait together are answered together: one write to disk serves them all."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from threading import Event

import pytest

from runware_mock.grouping import GroupingThread

MOST_IN_A_GROUP = 32


class Desk:
    """Answers each number with its square, and keeps the groups in which they came."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.opened = Event()
        self.first_began = Event()

    def answer(self, group: Sequence[int]) -> list[int]:
        """Answer once the desk has opened."""
        self.groups.append(list(group))
        self.first_began.set()
        assert self.opened.wait(10)
        return [number * number for number in group]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def thread(desk: Desk) -> Iterator[GroupingThread[int, int]]:
    thread = GroupingThread(desk.answer, "desk")
    yield thread
    desk.opened.set()
    thread.close()


def submit_while_the_first_is_answered(
    desk: Desk, thread: GroupingThread[int, int], numbers: Sequence[int]
) -> list[Future[int]]:
    thread.submit(0)
    assert desk.first_began.wait(10)
    return [thread.submit(number) for number in numbers]


def test_what_waits_together_is_answered_together_and_in_order(desk: Desk, thread: GroupingThread[int, int]) -> None:
    futures = submit_while_the_first_is_answered(desk, thread, [1, 2, 3])
    desk.opened.set()
    assert [future.result(10) for future in futures] == [1, 4, 9]
    assert desk.groups == [[0], [1, 2, 3]]


def test_a_group_has_a_limit(desk: Desk, thread: GroupingThread[int, int]) -> None:
    futures = submit_while_the_first_is_answered(desk, thread, range(MOST_IN_A_GROUP + 1))
    desk.opened.set()
    assert [future.result(10) for future in futures] == [n * n for n in range(MOST_IN_A_GROUP + 1)]
    assert [len(group) for group in desk.groups] == [1, MOST_IN_A_GROUP, 1]


def test_what_is_cancelled_before_its_turn_is_never_looked_at(desk: Desk, thread: GroupingThread[int, int]) -> None:
    first, second = submit_while_the_first_is_answered(desk, thread, [1, 2])
    assert first.cancel()
    desk.opened.set()
    assert second.result(10) == 4
    assert desk.groups == [[0], [2]]


def test_closing_finishes_what_was_submitted(desk: Desk, thread: GroupingThread[int, int]) -> None:
    futures = submit_while_the_first_is_answered(desk, thread, [1, 2])
    desk.opened.set()
    thread.close()
    assert [future.result(0) for future in futures] == [1, 4]
