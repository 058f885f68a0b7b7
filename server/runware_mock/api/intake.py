"""Room for big request bodies: a client waits before its body is read, not after, when there is no memory for it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

# Smaller bodies are not worth waiting for.
SMALL_BYTES = 2**20
# While a task runs, its picture is held as text and as bytes.
COPIES = 2


class Intake:
    """`total_bytes` of room, given out in the order it is asked for; a body larger than all of it waits to be alone."""

    def __init__(self, total_bytes: int) -> None:
        self._total_bytes = total_bytes
        self._taken_bytes = 0
        self._queue: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def room(self, body_bytes: int) -> AsyncIterator[None]:
        """Wait for the room that a body of this length takes, and hold it."""
        needed_bytes = COPIES * body_bytes
        entered = asyncio.get_running_loop().create_future()
        self._queue.append((needed_bytes, entered))
        self._let_in()
        try:
            await entered
        except BaseException:
            self._leave(needed_bytes, entered)
            raise
        try:
            yield
        finally:
            self._leave(needed_bytes, entered)

    def _leave(self, needed_bytes: int, entered: asyncio.Future[None]) -> None:
        if entered.done() and not entered.cancelled():
            self._taken_bytes -= needed_bytes
        else:
            self._queue.remove((needed_bytes, entered))
        self._let_in()

    def _let_in(self) -> None:
        while self._queue and (not self._taken_bytes or self._taken_bytes + self._queue[0][0] <= self._total_bytes):
            needed_bytes, entered = self._queue.popleft()
            self._taken_bytes += needed_bytes
            entered.set_result(None)
