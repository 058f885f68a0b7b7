"""Tell all open pages when something has changed, with one look at the database for all of them."""

import asyncio
from collections.abc import AsyncIterator, Callable

_LOOK_EVERY_S = 0.4
# A comment now and then keeps the connection alive through proxies, and detects closed ones.
_COMMENT_EVERY_S = 15.0


class Changes:
    """Streams server-sent events; `look` returns a value that differs when anything has changed."""

    def __init__(self, look: Callable[[], object]) -> None:
        self._look = look
        self._changed = asyncio.Condition()
        self._number = 0
        self._listeners = 0
        self._watching: asyncio.Task[None] | None = None
        self._is_closed = False

    async def events(self) -> AsyncIterator[bytes]:
        """Yield an event now, and one after each change."""
        self._listeners += 1
        if self._watching is None:
            # Look before the first event: the page loads the present state after it.
            self._watching = asyncio.create_task(self._watch(await asyncio.to_thread(self._look)))
        seen = -1
        try:
            while not self._is_closed:
                if seen != self._number:
                    seen = self._number
                    yield b"event: change\ndata: %d\n\n" % seen
                try:
                    async with asyncio.timeout(_COMMENT_EVERY_S), self._changed:
                        await self._changed.wait_for(lambda: self._is_closed or self._number != seen)  # noqa: B023 - asked at once
                except TimeoutError:
                    yield b": still here\n\n"
        finally:
            self._listeners -= 1

    async def close(self) -> None:
        """End every stream: a server that stops must not wait for them."""
        self._is_closed = True
        async with self._changed:
            self._changed.notify_all()
        if self._watching is not None:
            self._watching.cancel()

    async def _watch(self, last: object) -> None:
        while self._listeners and not self._is_closed:
            await asyncio.sleep(_LOOK_EVERY_S)
            now = await asyncio.to_thread(self._look)
            if now != last:
                last = now
                async with self._changed:
                    self._number += 1
                    self._changed.notify_all()
        self._watching = None
