"""The lock of the database is handed on in order."""

import threading

import pytest

from runware_mock.storage.sqlite import FairLock


def test_who_left_does_not_get_in_again_before_those_who_wait() -> None:
    turns, order, inside = FairLock(), list[str](), threading.Event()

    def wait_for_a_turn() -> None:
        inside.set()
        with turns:
            order.append("the one who waited")

    waiting = threading.Thread(target=wait_for_a_turn)
    with turns:
        waiting.start()
        inside.wait()
        while not turns.has_waiting():
            pass
    with turns:
        order.append("the one who came back")
    waiting.join()
    assert order == ["the one who waited", "the one who came back"]


def test_nobody_is_in_beside_another() -> None:
    turns, inside, most = FairLock(), list[int](), list[int]()

    def come_and_go() -> None:
        for _ in range(500):
            with turns:
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=come_and_go) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(most), max(most)) == (4000, 1)


def test_a_turn_ends_where_an_error_leaves_it() -> None:
    turns = FairLock()
    with pytest.raises(LookupError), turns:
        raise LookupError
    with turns:
        assert not turns.has_waiting()
