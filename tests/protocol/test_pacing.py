"""Light tasks wait until the event loop has taken in what comes, and not much longer."""

from collections.abc import Callable, Iterator
from functools import partial
from threading import get_native_id
from typing import Any

import pytest

from runware_mock.api.pacing import Pacing
from runware_mock.cores import SameCore
from runware_mock.tasks.batch import GROUP_LIMIT, GroupingThread

MANY_TURNS = 100


class Loop:
    """A loop whose turns the test takes."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self._ready: list[Callable[[], object]] = []
        self._later: list[tuple[float, Callable[..., object]]] = []

    def time(self) -> float:
        """Return what the test says."""
        return self.now_s

    def call_soon(self, callback: Callable[..., object], *args: Any) -> None:
        """Call in the next turn."""
        self._ready.append(partial(callback, *args))

    def call_later(self, delay_s: float, callback: Callable[..., object]) -> None:
        """Call when the test says that so much time has gone by."""
        self._later.append((self.now_s + delay_s, callback))

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: Any) -> None:
        """Call in the next turn."""
        self.call_soon(callback, *args)

    def turn(self) -> None:
        """Call what is ready, and not what gets ready meanwhile."""
        ready, self._ready = self._ready, []
        ready += [call for at_s, call in self._later if at_s <= self.now_s]
        self._later = [(at_s, call) for at_s, call in self._later if at_s > self.now_s]
        for call in ready:
            call()


class Light(GroupingThread[int, int]):
    """Counts how many wait when it begins."""

    def __init__(self) -> None:
        super().__init__(list, "light")
        self.begun: list[int] = []

    def begin(self) -> None:
        """Keep them waiting."""
        self.begun.append(self.waiting())


@pytest.fixture
def loop() -> Loop:
    return Loop()


class Cores(SameCore):
    """Notes what it is told."""

    def __init__(self) -> None:
        super().__init__(get_native_id())
        self.told: list[str] = []

    def keep(self) -> None:
        """Keep nothing."""
        self.told.append("keep")

    def let_go(self) -> None:
        """Let nothing go."""
        self.told.append("let go")


@pytest.fixture
def light(loop: Loop) -> Iterator[Light]:
    light = Light()
    light.pace(Pacing(light, loop, Cores()))
    yield light
    light.close()


def test_they_begin_when_nothing_comes_any_more(loop: Loop, light: Light) -> None:
    for number in range(GROUP_LIMIT - 1):
        light.submit(number)
        loop.turn()
    assert light.begun == []
    for _ in range(MANY_TURNS):
        loop.turn()
    assert light.begun == [GROUP_LIMIT - 1]


def test_a_full_group_begins_at_once(loop: Loop, light: Light) -> None:
    for number in range(GROUP_LIMIT):
        light.submit(number)
    loop.turn()
    assert light.begun == [GROUP_LIMIT]


@pytest.mark.parametrize(("turn_s", "begun"), [(0.0003, []), (0.003, [2])])
def test_a_loop_with_much_to_do_keeps_nobody_waiting_for_long(
    loop: Loop, light: Light, turn_s: float, begun: list[int]
) -> None:
    light.submit(1)
    light.submit(2)
    loop.now_s += turn_s
    loop.turn()
    assert light.begun == begun


def test_both_threads_keep_to_one_core_which_is_chosen_anew_now_and_then(loop: Loop, light: Light) -> None:
    cores = Cores()
    pacing = Pacing(light, loop, cores)
    told_by_group = []
    for now_s in (1000.0, 1000.09, 1000.11, 1000.12, 1000.22, 1001.0):
        loop.now_s = now_s
        loop.turn()
        pacing()
        for _ in range(MANY_TURNS):
            loop.turn()
        told_by_group.append(tuple(cores.told))
        cores.told.clear()
    chosen_anew = ("let go", "keep")
    assert told_by_group == [("keep",), (), chosen_anew, (), chosen_anew, chosen_anew]
    assert len(light.begun) == len(told_by_group)
