"""Light tasks begin when the event loop has taken in all that has come: side by side both wait for the interpreter."""

from collections.abc import Callable
from typing import Any, Protocol

from runware_mock.cores import SameCore
from runware_mock.tasks.batch import GROUP_LIMIT, GroupingThread

# Of some microseconds each; a client that was just answered needs more to ask again.
_IDLE_TURNS = 8
_LONGEST_S = 0.002
# So long both threads keep to one core; then the system may choose another one, if somebody else is busy there.
_TOGETHER_S = 0.1


class Loop(Protocol):
    """What it needs of an event loop."""

    def time(self) -> float:
        """Return seconds that only grow."""

    def call_soon(self, callback: Callable[..., object], *args: Any) -> object:
        """Call in the next turn; only in the thread of the loop."""

    def call_later(self, delay_s: float, callback: Callable[..., object]) -> object:
        """Call after a time; only in the thread of the loop."""

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: Any) -> object:
        """Call in the next turn, asked in any thread."""


class Pacing:
    """Called in any thread when light tasks wait, it lets them begin when the loop has nothing else to do."""

    def __init__(self, light: GroupingThread[Any, Any], loop: Loop, same_core: SameCore) -> None:
        self._light = light
        self._loop = loop
        self._same_core = same_core
        self._is_together = False

    def __call__(self) -> None:
        """Look after each turn of the loop how many wait."""
        self._loop.call_soon_threadsafe(self._look, self._loop.time() + _LONGEST_S, 0, 0)

    def _look(self, until_s: float, seen: int, idle_turns: int) -> None:
        waiting = self._light.waiting()
        idle_turns = idle_turns + 1 if waiting == seen else 0
        if idle_turns < _IDLE_TURNS and waiting < GROUP_LIMIT and self._loop.time() < until_s:
            self._loop.call_soon(self._look, until_s, waiting, idle_turns)
        else:
            self._stay_together()
            self._light.begin()

    def _stay_together(self) -> None:
        if not self._is_together:
            self._is_together = True
            self._same_core.keep()
            self._loop.call_later(_TOGETHER_S, self.part)

    def part(self) -> None:
        """Let each thread run where it likes, until a group begins."""
        self._is_together = False
        self._same_core.let_go()
