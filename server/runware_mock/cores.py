"""On which of the machine's cores threads run. A thread begins on those of whoever starts it."""

import ctypes
import os
import sys
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import get_native_id

if sys.platform == "linux":
    # Called without giving up the interpreter's lock.
    _current_core = ctypes.PyDLL(None).sched_getcpu

    def _allowed_cores() -> set[int]:
        return os.sched_getaffinity(0)

    def _run_on(thread_id: int, cores: Collection[int]) -> None:
        # What a process may use can change at any time, and a thread can end.
        with suppress(OSError):
            os.sched_setaffinity(thread_id, cores)
else:
    # Others leave nobody the choice.
    def _current_core() -> int:
        return 0

    def _allowed_cores() -> set[int]:
        return set()

    def _run_on(_thread_id: int, _cores: Collection[int]) -> None:
        return


def roaming_pool(threads: int | None, name: str) -> ThreadPoolExecutor:
    """Return threads that run on every core that this one may use now, whoever starts them."""
    return ThreadPoolExecutor(threads, name, _run_on, (0, _allowed_cores()))


class SameCore:
    """Keeps two threads that hand work to and fro, this one and another, on one core.

    Linux wakes either on a core that is idle, which takes time to wake up, and has in its cache nothing of what both
    work on.
    """

    def __init__(self, other_thread_id: int) -> None:
        self._threads = (get_native_id(), other_thread_id)
        self._cores = _allowed_cores()

    def keep(self) -> None:
        """Let both run where this thread runs now."""
        self._choose({_current_core()})

    def let_go(self) -> None:
        """Let both run wherever they may."""
        self._choose(self._cores)

    def _choose(self, cores: Collection[int]) -> None:
        if len(self._cores) > 1:
            for thread_id in self._threads:
                _run_on(thread_id, cores)
