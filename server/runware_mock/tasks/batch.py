"""A thread that answers all that waits for it at once, so that one transaction serves many small tasks."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

# So many take a few milliseconds: the first of a batch does not wait long for its last.
_LIMIT = 32


class BatchThread(Generic[Asked, Answer]):
    """Answers what is submitted in order, a batch at a time: all that came while the one before was answered.

    `answer` returns one answer for each item of a batch, and never raises.
    """

    def __init__(self, answer: Callable[[Sequence[Asked]], Sequence[Answer]], name: str) -> None:
        self._answer = answer
        self._waiting: SimpleQueue[tuple[Asked, Future[Answer]]] = SimpleQueue()
        self._thread = ThreadPoolExecutor(1, name)
        # This starts the thread: later on the machine may have no memory for one.
        self._thread.submit(int)

    def submit(self, asked: Asked) -> Future[Answer]:
        """Return the future answer; what is cancelled before its turn is never looked at.

        Raises RuntimeError after `close`.
        """
        future: Future[Answer] = Future()
        self._waiting.put((asked, future))
        # The thread has a call left for each that waits; a call whose turn comes after its item was taken does nothing.
        self._thread.submit(self._work)
        return future

    def close(self) -> None:
        """Answer what was submitted, then end the thread."""
        self._thread.shutdown()

    def _work(self) -> None:
        batch = self._next_batch()
        if batch:
            answers = self._answer([asked for asked, _ in batch])
            for (_, future), answer in zip(batch, answers, strict=True):
                future.set_result(answer)

    def _next_batch(self) -> list[tuple[Asked, Future[Answer]]]:
        batch: list[tuple[Asked, Future[Answer]]] = []
        try:
            while len(batch) < _LIMIT:
                asked, future = self._waiting.get_nowait()
                if future.set_running_or_notify_cancel():
                    batch.append((asked, future))
        except Empty:
            pass
        return batch
