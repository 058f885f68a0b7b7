"""Limits for clients: the size of a message, the memory of all messages, the number of clients, and time.

A client may be slow as long as it moves 16 KiB in each `--stall-timeout`.
"""

import asyncio
import sys
from contextlib import suppress

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from runware_mock.api.failures import refused
from runware_mock.api.transport import TRANSPORT
from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.settings import Settings

try:
    import resource
except ImportError:  # pragma: no cover - Windows has no such limit
    resource = None  # type: ignore[assignment]

LEAST_BYTES = 16 * 2**10
# A shorter message always has room.
_SMALL_BYTES = 64 * 2**10
# How often to check a client's reading, and how much may wait for it before anything more is sent.
_LOOK_EVERY_S, _UNREAD_BYTES = 0.02, 64 * 2**10
_WATCH_EVERY_S = 1.0
_FEWEST_CONNECTIONS = 64

BUSY = "More is being received than --message-budget-bytes has room for."
_TOO_SLOW = f"Fewer than {LEAST_BYTES} bytes have come within --stall-timeout."


def most_connections(settings: Settings, files: int | None = None) -> int:
    """Return how many requests and sockets to serve at once in a process that may open `files` files."""
    files = _most_files() if files is None else files
    # The database and fetched images need files, too.
    return min(settings.max_connections or files, max(_FEWEST_CONNECTIONS, files // 2))


def _most_files() -> int:
    if resource is None:  # pragma: no cover
        return sys.maxsize
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if files == resource.RLIM_INFINITY else files


def allow_files(wanted: int) -> None:
    """Raise this process's limit of open files to `wanted`, if it is lower and the system allows it."""
    if resource is None:  # pragma: no cover
        return
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY != files < wanted:
        soft = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, most))


class Body:
    """A request body that is being received, and how long its client may take for the next 16 KiB."""

    def __init__(self, now_s: float) -> None:
        self.taken_bytes = 0
        # How long the client was waited for: not while a fault keeps the application from reading.
        self.waited_s = now_s
        self.is_whole = False
        self.refusal: Refusal | None = None
        self._since_s = now_s
        self._moved_bytes = 0

    def take(self, size_bytes: int, now_s: float) -> None:
        """Count a piece that has come."""
        self.taken_bytes += size_bytes
        self._moved_bytes += size_bytes
        if self._moved_bytes >= LEAST_BYTES:
            self._since_s, self._moved_bytes = now_s, 0

    def left_s(self, stall_s: float, now_s: float) -> float | None:
        """Return how long the client may still take, or None (forever) if `stall_s` is 0."""
        return self._since_s + stall_s - now_s if stall_s else None


class Room:
    """The memory of one process for messages that were received and are not answered yet.

    It counts what has arrived, not what was declared: a client that declares much and sends little blocks nobody.
    """

    def __init__(self, settings: Settings) -> None:
        self.budget_bytes = settings.message_budget()
        self.taken_bytes = 0

    def has_room(self, size_bytes: int) -> bool:
        """Return whether there is room for a message that is already counted; a small one always has room."""
        return size_bytes <= _SMALL_BYTES or self.taken_bytes <= self.budget_bytes

    def take(self, size_bytes: int) -> None:
        """Count what has arrived."""
        self.taken_bytes += size_bytes

    def release(self, size_bytes: int) -> None:
        """Free the memory of a message."""
        self.taken_bytes -= size_bytes


def _unread_bytes(transport: asyncio.Transport) -> int:
    try:
        return transport.get_write_buffer_size()
    except AttributeError:
        # asyncio's transport for TLS has forgotten its connection, as it was closed twice.
        return 0


class Readers:
    """Watches clients that are slow to read what was sent to them."""

    def __init__(self, settings: Settings) -> None:
        self._stall_s = settings.stall_timeout.total_seconds()
        self._budget_bytes = settings.message_budget()
        self._unread: dict[asyncio.Transport, int] = {}

    async def until_read(self, transport: asyncio.Transport, most_bytes: int = _UNREAD_BYTES) -> None:
        """Return when at most `most_bytes` wait to be read, or the client has stalled or gone."""
        unread_bytes = _unread_bytes(transport)
        if unread_bytes <= most_bytes:
            return
        loop = asyncio.get_running_loop()
        judged_bytes, judged_s = unread_bytes, loop.time()
        try:
            while unread_bytes > most_bytes and not self._is_let_go(transport, unread_bytes):
                await asyncio.sleep(_LOOK_EVERY_S)
                unread_bytes = _unread_bytes(transport)
                if judged_bytes - unread_bytes >= LEAST_BYTES:
                    judged_bytes, judged_s = unread_bytes, loop.time()
                elif self._stall_s and loop.time() - judged_s >= self._stall_s:
                    transport.abort()
                    return
        finally:
            self._unread.pop(transport, None)

    async def watch(self, transport: asyncio.Transport) -> None:
        """Watch the client of a socket until cancelled: the library's pongs may pile up unread, too."""
        while True:
            await asyncio.sleep(_WATCH_EVERY_S)
            await self.until_read(transport)

    def _is_let_go(self, transport: asyncio.Transport, unread_bytes: int) -> bool:
        """Disconnect the client with most to read if all together have too much; return whether it is this one."""
        self._unread[transport] = unread_bytes
        if unread_bytes > 2 * self._budget_bytes:
            transport.abort()
            return True
        # A single client may have as much to read as one answer is long.
        if len(self._unread) > 1 and sum(self._unread.values()) > self._budget_bytes:
            largest = max(self._unread, key=self._unread.__getitem__)
            del self._unread[largest]
            largest.abort()
            return largest is transport
        return False


class Limits:
    """ASGI middleware that enforces these limits; `app` sees a refused client as disconnected."""

    def __init__(self, app: ASGIApp, settings: Settings, room: Room, readers: Readers) -> None:
        self._app = app
        self._room = room
        self._readers = readers
        self._stall_s = settings.stall_timeout.total_seconds()
        self._most_bytes = settings.max_message_bytes
        self._most_in_use = most_connections(settings)
        self._in_use = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        self._in_use += 1
        try:
            if scope["type"] == "http":
                await self._serve(scope, receive, send)
            elif self._in_use > self._most_in_use:
                await WebSocket(scope, receive, send).send_denial_response(_response(_too_many()))
            else:
                await self._app(scope, receive, send)
        finally:
            self._in_use -= 1

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = Body(0)
        transport: asyncio.Transport = scope[TRANSPORT]
        is_answered = False

        async def guarded_receive() -> Message:
            if body.is_whole:
                return await receive()
            if body.refusal is None:
                try:
                    return await self._next(body, receive)
                except Refusal as refusal:
                    body.refusal = refusal
            return {"type": "http.disconnect"}

        async def guarded_send(message: Message) -> None:
            nonlocal is_answered
            if body.refusal is None or is_answered:
                is_answered = True
                await self._readers.until_read(transport)
                await send(message)

        body.refusal = self._refused_at_once(scope)
        try:
            if body.refusal is None:
                # A client that has gone away gets no answer.
                with suppress(ClientDisconnect):
                    await self._app(scope, guarded_receive, guarded_send)
            if body.refusal is not None and not is_answered:
                await self._refuse(body.refusal, receive, send)
            await self._readers.until_read(transport, 0)
        finally:
            self._room.release(body.taken_bytes)

    def _refused_at_once(self, scope: Scope) -> Refusal | None:
        if self._in_use > self._most_in_use:
            return _too_many()
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
        return self._too_large() if declared.isdigit() and int(declared) > self._most_bytes else None

    async def _next(self, body: Body, receive: Receive) -> Message:
        """Return the next piece of a body; raises the refusal of a client that sends too much or too slowly."""
        before_bytes = body.taken_bytes
        message = await self._received(body, receive)
        self._room.take(body.taken_bytes - before_bytes)
        if body.taken_bytes > self._most_bytes:
            raise self._too_large()
        if not self._room.has_room(body.taken_bytes):
            raise refuse("serviceUnavailable", BUSY)
        return message

    async def _received(self, body: Body, receive: Receive) -> Message:
        """Return and count the next piece of a body; raises requestTimeout."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        try:
            async with asyncio.timeout(body.left_s(self._stall_s, body.waited_s)):
                message = await receive()
        except TimeoutError:
            raise refuse("requestTimeout", _TOO_SLOW) from None
        body.waited_s += loop.time() - began_s
        body.take(len(message.get("body", b"")), body.waited_s)
        body.is_whole = not message.get("more_body", False)
        return message

    async def _refuse(self, refusal: Refusal, receive: Receive, send: Send) -> None:
        """Answer in place of the application; a client still sending would lose the answer if we closed at once."""
        response = _response(refusal)
        await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
        await send({"type": "http.response.body", "body": response.body, "more_body": True})
        thrown_away = Body(0)
        if refusal.code != "requestTimeout":
            with suppress(Refusal):
                while not thrown_away.is_whole and thrown_away.taken_bytes <= self._most_bytes:
                    await self._received(thrown_away, receive)
        await send({"type": "http.response.body", "body": b""})

    def _too_large(self) -> Refusal:
        return refuse("requestTooLarge", f"The limit is {self._most_bytes} bytes (--max-message-bytes).")


def _too_many() -> Refusal:
    return refuse("serviceUnavailable", "There are as many connections as --max-connections allows.")


def _response(refusal: Refusal) -> Response:
    response = refused(refusal)
    response.headers["Connection"] = "close"
    if refusal.code != "requestTooLarge":
        response.headers["Retry-After"] = "1"
    return response
