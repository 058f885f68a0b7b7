"""An answer that is to come, told to those who asked to be called back, and never twice."""

from collections.abc import Callable
from concurrent.futures import CancelledError
from threading import Barrier, Thread

import pytest

from runware_mock.promise import Promise

TIMES = 200


@pytest.fixture
def promise() -> Promise[int]:
    return Promise()


@pytest.fixture
def told(promise: Promise[int]) -> list[int]:
    told: list[int] = []
    promise.add_done_callback(lambda kept: told.append(kept.result()))
    return told


def test_whoever_waits_is_called_back_once_it_is_kept(promise: Promise[int], told: list[int]) -> None:
    assert promise.begin()
    assert (promise.done(), told) == (False, [])
    promise.keep(7)
    assert (promise.done(), told) == (True, [7])


def test_whoever_comes_later_is_called_at_once(promise: Promise[int], told: list[int]) -> None:
    promise.keep(7)
    promise.add_done_callback(lambda kept: told.append(-kept.result()))
    assert told == [7, -7]


def test_one_that_is_cancelled_is_never_begun(promise: Promise[int]) -> None:
    called: list[Promise[int]] = []
    promise.add_done_callback(called.append)
    assert promise.cancel()
    assert not promise.begin()
    assert not promise.cancel()
    assert (promise.done(), called) == (True, [promise])
    with pytest.raises(CancelledError):
        promise.result()


def test_one_that_has_begun_is_not_cancelled(promise: Promise[int], told: list[int]) -> None:
    assert promise.begin()
    assert not promise.cancel()
    promise.keep(7)
    assert told == [7]


def test_one_who_cannot_take_the_answer_keeps_it_from_nobody(
    promise: Promise[int], told: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    promise.add_done_callback(lambda _: [].pop())
    promise.keep(7)
    assert told == [7]
    assert "could not take it" in caplog.text


def at_once(*acts: Callable[[], object]) -> None:
    barrier = Barrier(len(acts))

    def act(one: Callable[[], object]) -> None:
        barrier.wait(10)
        one()

    threads = [Thread(target=act, args=(one,)) for one in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)


def test_whoever_asks_while_it_is_kept_is_called_once() -> None:
    for _ in range(TIMES):
        promise, called = Promise[int](), list[Promise[int]]()
        at_once(lambda: promise.keep(7), lambda: promise.add_done_callback(called.append))  # noqa: B023 - called here
        assert called == [promise]


def test_it_is_begun_or_cancelled_and_never_both() -> None:
    for _ in range(TIMES):
        promise, won = Promise[int](), list[bool]()
        at_once(lambda: won.append(promise.begin()), lambda: won.append(promise.cancel()))  # noqa: B023 - called here
        assert sorted(won) == [False, True]
