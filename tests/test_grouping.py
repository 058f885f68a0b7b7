"""Light tasks that wait together are answered together: one write to disk serves them all."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from threading import Event

import pytest

from runware_mock.tasks.batch import GroupingThread

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


def answer_of(future: Future[int]) -> int:
    return future.result(10)


def submit_while_the_first_is_answered(
    desk: Desk, thread: GroupingThread[int, int], numbers: Sequence[int]
) -> list[Future[int]]:
    thread.submit(0)
    assert desk.first_began.wait(10)
    return [thread.submit(number) for number in numbers]


def test_what_waits_together_is_answered_together_and_in_order(desk: Desk, thread: GroupingThread[int, int]) -> None:
    futures = submit_while_the_first_is_answered(desk, thread, [1, 2, 3])
    desk.opened.set()
    assert [answer_of(future) for future in futures] == [1, 4, 9]
    assert desk.groups == [[0], [1, 2, 3]]


def test_a_group_has_a_limit(desk: Desk, thread: GroupingThread[int, int]) -> None:
    futures = submit_while_the_first_is_answered(desk, thread, range(MOST_IN_A_GROUP + 1))
    desk.opened.set()
    assert [answer_of(future) for future in futures] == [n * n for n in range(MOST_IN_A_GROUP + 1)]
    assert [len(group) for group in desk.groups] == [1, MOST_IN_A_GROUP, 1]


def test_what_is_cancelled_before_its_turn_is_never_looked_at(desk: Desk, thread: GroupingThread[int, int]) -> None:
    first, second = submit_while_the_first_is_answered(desk, thread, [1, 2])
    assert first.cancel()
    desk.opened.set()
    assert answer_of(second) == 4
    assert desk.groups == [[0], [2]]


def test_closing_finishes_what_was_submitted(desk: Desk, thread: GroupingThread[int, int]) -> None:
    futures = submit_while_the_first_is_answered(desk, thread, [1, 2])
    desk.opened.set()
    thread.close()
    assert [future.result() for future in futures] == [1, 4]


def test_closing_twice_is_closing_once(desk: Desk, thread: GroupingThread[int, int]) -> None:
    desk.opened.set()
    thread.close()
    thread.close()
    assert desk.groups == []


@pytest.fixture
def told(thread: GroupingThread[int, int]) -> list[str]:
    """Note each time that something waits."""
    told: list[str] = []
    thread.pace(lambda: told.append("waiting"))
    return told


def test_nothing_begins_before_it_is_begun(desk: Desk, thread: GroupingThread[int, int], told: list[str]) -> None:
    desk.opened.set()
    futures = [thread.submit(number) for number in (1, 2)]
    assert (told, thread.waiting(), desk.groups) == (["waiting"], 2, [])
    thread.begin()
    assert [answer_of(future) for future in futures] == [1, 4]
    assert desk.groups == [[1, 2]]


def test_who_came_meanwhile_is_told_of_after_each_group(
    desk: Desk, thread: GroupingThread[int, int], told: list[str]
) -> None:
    thread.submit(1)
    thread.begin()
    assert desk.first_began.wait(10)
    second = thread.submit(2)
    assert told == ["waiting"]
    desk.opened.set()
    while len(told) < 2:
        pass
    assert not second.done()
    thread.begin()
    assert answer_of(second) == 4


def test_closing_finishes_what_was_never_begun(desk: Desk, thread: GroupingThread[int, int], told: list[str]) -> None:
    futures = [thread.submit(number) for number in range(MOST_IN_A_GROUP + 1)]
    desk.opened.set()
    thread.close()
    # Too late, and without harm.
    thread.begin()
    assert futures[-1].result() == MOST_IN_A_GROUP**2
    assert told == ["waiting"]
