"""A thread that answers everything that waits for it at once, so that one transaction serves many small tasks."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

# This many take a few milliseconds, so that the first of a batch does not wait long for the last.
_LIMIT = 32


class BatchThread(Generic[Asked, Answer]):
    """Answers what is submitted in order, in batches: each is all that came while the previous one was answered.

    `answer` returns one answer for each item of a batch, and never raises.
    """

    def __init__(self, answer: Callable[[Sequence[Asked]], Sequence[Answer]], name: str) -> None:
        self._answer = answer
        self._waiting: SimpleQueue[tuple[Asked, Future[Answer]]] = SimpleQueue()
        self._thread = ThreadPoolExecutor(1, name)
        # Starts the thread now: later the machine may have no memory for it.
        self._thread.submit(int)

    def submit(self, asked: Asked) -> Future[Answer]:
        """Return the future answer; one cancelled before its turn is skipped. Raises RuntimeError after `close`."""
        future: Future[Answer] = Future()
        self._waiting.put((asked, future))
        # One call for each waiting item; a call does nothing if an earlier one has taken its item.
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
