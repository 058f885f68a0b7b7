"""A thread that takes all that waits for it at once, so that one write to disk serves many small tasks."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock, get_native_id
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

# So many take a few milliseconds: the first of a group does not wait long for its last.
GROUP_LIMIT = 32


class GroupingThread(Generic[Asked, Answer]):
    """Answers what is submitted in groups, in order; `answer` gives one answer for each asked and never raises."""

    def __init__(self, answer: Callable[[Sequence[Asked]], Sequence[Answer]], name: str) -> None:
        self._answer = answer
        self._waiting: deque[tuple[Asked, Future[Answer]]] = deque()
        self._lock = Lock()
        # From when the first waits until none does.
        self._is_busy = False
        self._is_closing = False
        self._on_waiting: Callable[[], None] = self.begin
        self._thread = ThreadPoolExecutor(1, name)

    def start(self) -> int:
        """Start the thread, as later on the machine may have none left; return by what the system knows it."""
        return self._thread.submit(get_native_id).result()

    def pace(self, on_waiting: Callable[[], None]) -> None:
        """Leave it to somebody else when a group begins: told that one waits, it soon has to call `begin`."""
        self._on_waiting = on_waiting

    def submit(self, asked: Asked) -> Future[Answer]:
        """Return a future; what it asks is never looked at when it is cancelled before its turn."""
        future: Future[Answer] = Future()
        with self._lock:
            self._waiting.append((asked, future))
            is_first, self._is_busy = not self._is_busy, True
        if is_first:
            self._on_waiting()
        return future

    def begin(self) -> None:
        """Answer those who wait, up to the limit."""
        with self._lock:
            if not self._is_closing:
                self._thread.submit(self._work)

    def waiting(self) -> int:
        """Return how many wait for their turn."""
        return len(self._waiting)

    def close(self) -> None:
        """Finish what was submitted."""
        with self._lock:
            if self._waiting and not self._is_closing:
                self._thread.submit(self._finish)
            self._is_closing = True
        self._thread.shutdown()

    def _finish(self) -> None:
        while self._waiting:
            self._work()

    def _work(self) -> None:
        if group := self._next_group():
            answers = self._answer([asked for asked, _ in group])
            for (_, future), answer in zip(group, answers, strict=True):
                future.set_result(answer)
        with self._lock:
            self._is_busy = bool(self._waiting)
            go_on = self._is_busy and not self._is_closing
        if go_on:
            self._on_waiting()

    def _next_group(self) -> list[tuple[Asked, Future[Answer]]]:
        group: list[tuple[Asked, Future[Answer]]] = []
        with self._lock:
            while self._waiting and len(group) < GROUP_LIMIT:
                waiting = self._waiting.popleft()
                if waiting[1].set_running_or_notify_cancel():
                    group.append(waiting)
        return group
