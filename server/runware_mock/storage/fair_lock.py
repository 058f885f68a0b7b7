"""A lock that is handed on in the order it was asked for."""

from collections import deque
from threading import Lock


class FairLock:
    """A mutual exclusion in which nobody overtakes: threading.Lock lets a thread that has just left in again first.

    A purge would keep uploads out for as long as it lasts, though it leaves between any two of its chunks.
    """

    def __init__(self) -> None:
        self._guard = Lock()
        self._waiting: deque[Lock] = deque()
        self._is_taken = False

    def __enter__(self) -> None:
        """Wait for one's turn."""
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return
            turn = Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()

    def __exit__(self, *_: object) -> None:
        """Hand the turn on."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False

    def has_waiting(self) -> bool:
        """Tell whether somebody waits for a turn."""
        return bool(self._waiting)
