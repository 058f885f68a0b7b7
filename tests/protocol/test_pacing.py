"""Light tasks wait until the event loop has taken in what comes, and not much longer."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from runware_mock.grouping import GROUP_LIMIT, GroupingThread
from runware_mock.web.pacing import Pacing

MANY_TURNS = 100


class Loop:
    """A loop whose turns the test takes."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self._ready: list[Callable[[], object]] = []

    def time(self) -> float:
        """Return what the test says."""
        return self.now_s

    def call_soon(self, callback: Callable[..., object], *args: Any) -> None:
        """Call in the next turn."""
        self._ready.append(partial(callback, *args))

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: Any) -> None:
        """Call in the next turn."""
        self.call_soon(callback, *args)

    def turn(self) -> None:
        """Call what is ready, and not what gets ready meanwhile."""
        ready, self._ready = self._ready, []
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


@pytest.fixture
def light(loop: Loop) -> Iterator[Light]:
    light = Light()
    light.pace(Pacing(light, loop))
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
