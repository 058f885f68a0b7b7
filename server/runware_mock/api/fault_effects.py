"""Carry out a fault plan on a response or a socket: delay, break, cut or garble it."""

import asyncio
import os
import random
import socket
import struct
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from runware_mock.api.dependencies import plan_of, transport_of
from runware_mock.api.request_records import Noted
from runware_mock.api.transport import STOPPING, TRANSPORT
from runware_mock.faults.base import LONGEST_DELAY, Event, Point
from runware_mock.faults.matching import effects_of
from runware_mock.protocol.errors import Refusal
from runware_mock.protocol.messages import Reply, ws_frame
from runware_mock.protocol.response_plan import ResponsePlan
from runware_mock.services import Services
from runware_mock.storage.accounts import Account
from runware_mock.storage.journal import NOTHING_SENT

try:
    import fcntl
    import termios
except ImportError:  # pragma: no cover - Windows cannot tell what has not been acknowledged
    fcntl = termios = None  # type: ignore[assignment]

# How often a slow transfer moves on, and how long a reset waits for a client that reads nothing.
_TICK_S, _UNREAD_S = 0.02, 10.0
# How often to look whether a client has gone.
_LOOK_S = 0.25
# SO_LINGER with a time of 0: closing sends RST instead of FIN.
_NO_LINGER = struct.pack("ii", 1, 0)


class PlannedResponse(Response):
    """An HTTP response that is sent as a fault plan says, if at all.

    `headers` are kept whatever the plan does with the rest.
    """

    def __init__(
        self,
        status: int,
        body: bytes,
        headers: dict[str, str],
        plan: ResponsePlan,
        content_type: str | None = "application/json",
        encoding: str = "utf-8",
    ) -> None:
        self._plan = plan
        headers = {**headers, **dict(plan.headers)}
        if (answer := plan.answer) is not None:
            super().__init__(answer.body, answer.status, headers, answer.content_type)
        else:
            garbled_body = body if plan.garbled_share is None else garbled(body.decode(encoding), plan).encode(encoding)
            super().__init__(garbled_body, status, headers, content_type)

    @property
    def sent(self) -> tuple[int, str | None] | None:
        """The status and the body that are sent, 0 if nothing is; None if the answer is sent as it is."""
        plan = self._plan
        if plan.hang_up is not None:
            return NOTHING_SENT, None
        whole, kept = bytes(self.body), kept_of(bytes(self.body), plan)
        if plan.answer is None and plan.garbled_share is None and kept == whole:
            return None
        return self.status_code, kept.decode("utf-8", "replace")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response, or break the connection."""
        plan = self._plan
        if plan.delay_s:
            await _until_gone(scope, receive, plan.delay_s)
        if plan.hang_up == "drop":
            await _until_gone(scope, receive)
        if plan.hang_up is not None:
            end(scope[TRANSPORT], is_reset=plan.hang_up == "reset")
            await _until_disconnected(receive)
        elif plan.bytes_per_s or plan.kept_bytes is not None or (plan.kept_share is not None and plan.answer is None):
            await self._send_part(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def _send_part(self, scope: Scope, receive: Receive, send: Send) -> None:
        plan, transport = self._plan, scope[TRANSPORT]
        body = kept_of(bytes(self.body), plan)
        # The headers declare the length of the whole body.
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for piece in paced(body, plan.bytes_per_s, transport, scope["state"][STOPPING]):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if plan.kept_bytes is None and plan.kept_share is None:
            await send({"type": "http.response.body", "body": b""})
            return
        await end_after_delivery(transport, is_reset=plan.is_reset)
        await _until_disconnected(receive)


class UploadCut(Exception):
    """A fault has stopped the reading of a body before its last `left_bytes`."""

    def __init__(self, plan: ResponsePlan, left_bytes: int) -> None:
        self.plan = plan
        self.left_bytes = left_bytes


class CutUploadResponse(Response):
    """What becomes of a request whose body is not read any further: an answer, a reset, or silence."""

    def __init__(self, cut: UploadCut) -> None:
        self._plan, self._left_bytes = cut.plan, cut.left_bytes
        answer = cut.plan.answer
        super().__init__(b"", 500 if answer is None else answer.status, {"Connection": "close"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer while the client still sends, or break the connection."""
        if self._plan.hang_up is None:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": b"", "more_body": True})
            # Closing at once would lose the answer to a client that still sends.
            while self._left_bytes > 0 and (message := await receive())["type"] == "http.request":
                self._left_bytes -= len(message.get("body", b""))
            await send({"type": "http.response.body", "body": b""})
            return
        if self._plan.hang_up == "drop":
            # A client may go away without a trace, as nothing is read any more.
            await _until_closed(scope, LONGEST_DELAY.total_seconds())
        end(scope[TRANSPORT], is_reset=True)
        await _until_disconnected(receive)


async def uploaded(request: Request, plan: ResponsePlan | None) -> AsyncIterator[bytes]:
    """Yield the pieces of a body at the pace of the plan; raises UploadCut once its position is reached."""
    if plan is None:
        async for piece in request.stream():
            yield piece
        return
    # Faults that cut a body meet only those of a declared length.
    length_bytes, taken_bytes = int(request.headers.get("content-length", 0)), 0
    if plan.kept_bytes == 0:
        raise UploadCut(plan, length_bytes)
    async for piece in request.stream():
        taken_bytes += len(piece)
        if plan.bytes_per_s:
            await _until_closed(request.scope, len(piece) / plan.bytes_per_s)
        if plan.kept_bytes is not None and taken_bytes >= plan.kept_bytes:
            raise UploadCut(plan, length_bytes - taken_bytes)
        yield piece


def kept_of(body: bytes, plan: ResponsePlan) -> bytes:
    """Return the bytes that the plan lets through."""
    kept = len(body) if plan.kept_bytes is None else plan.kept_bytes
    if plan.kept_share is not None and plan.answer is None:
        kept = min(kept, int(len(body) * plan.kept_share))
    return body[:kept]


async def paced(
    data: bytes, bytes_per_s: int | None, transport: asyncio.Transport, stopping: asyncio.Event
) -> AsyncIterator[bytes]:
    """Yield data in pieces at a pace, until the client has gone; all the rest at once when the server stops."""
    loop = asyncio.get_running_loop()
    began_s, sent_bytes = loop.time(), 0
    while sent_bytes < len(data) and not transport.is_closing():
        due_bytes = len(data)
        if bytes_per_s and not stopping.is_set():
            await _wait_for(stopping, max(_TICK_S, 1 / bytes_per_s))
            due_bytes = min(due_bytes, int((loop.time() - began_s) * bytes_per_s))
        if due_bytes > sent_bytes:
            yield data[sent_bytes:due_bytes]
            sent_bytes = due_bytes


async def end_after_delivery(transport: asyncio.Transport, *, is_reset: bool) -> None:
    """Close a connection once the client's system has all that was sent: a reset would take back the rest."""
    if is_reset:
        with suppress(TimeoutError):
            async with asyncio.timeout(_UNREAD_S):
                while not transport.is_closing() and _undelivered(transport):  # noqa: ASYNC110 - the system sends no event
                    await asyncio.sleep(_TICK_S)
    end(transport, is_reset=is_reset)


def _undelivered(transport: asyncio.Transport) -> int:
    """Return how many bytes were sent and are not acknowledged yet."""
    waiting_bytes = transport.get_write_buffer_size()
    # Linux and others count what the system itself still has to send, or to send again.
    with suppress(OSError, AttributeError):
        counted = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
        waiting_bytes += int.from_bytes(counted, sys.byteorder)
    return waiting_bytes


def end(transport: asyncio.Transport, *, is_reset: bool) -> None:
    """Close a connection without sending another byte; by RST if `is_reset` and the system can."""
    if not is_reset or transport.is_closing():
        transport.close()
        return
    original: Any = transport.get_extra_info("socket")
    # Not every system can duplicate a socket by its descriptor.
    with suppress(OSError), socket.socket(fileno=os.dup(original.fileno())) as same:
        # The loop's own socket object takes no options; a duplicate of its descriptor is the same socket.
        same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()


def frames_of(reply: Reply, *, one_each: bool = False) -> list[str]:
    """Return the frames that answer a task, changed by its faults; with `one_each`, a frame for each item.

    A task that a fault has prevented has none.
    """
    plan = reply.response_plan or ResponsePlan()
    if reply.error is None and not reply.items:
        return []
    is_split = reply.error is None and (one_each or plan.is_split)
    replies: Sequence[Reply] = [Reply(items=(item,)) for item in reply.items] if is_split else [reply]
    frames = [garbled(ws_frame(one), plan) for one in replies]
    return frames if plan.kept_share is None else [frame[: int(len(frame) * plan.kept_share)] for frame in frames]


def garbled(text: str, plan: ResponsePlan) -> str:
    """Return a text with at least one of its characters changed, if the plan says so."""
    if plan.garbled_share is None or not text:
        return text
    draw = random.Random(plan.seed)  # noqa: S311 - to be repeated, not to be secret
    characters = list(text)
    for place in draw.sample(range(len(text)), max(1, int(len(text) * plan.garbled_share))):
        # Flipping the lowest bit always changes a character, and never to one below U+0020.
        characters[place] = chr(ord(characters[place]) ^ 1)
    return "".join(characters)


async def met_by(
    services: Services, scope: Scope, account: Account, point: Point, noted: Noted, size_bytes: int | None = None
) -> tuple[ResponsePlan | None, Refusal | None]:
    """Return the response plan for what a client does, and the refusal that answers it; note the faults."""
    if not await is_planned(services, account.id):
        return None, None
    event = Event(point, transport_of(scope), plan=plan_of(scope, account), size_bytes=size_bytes)
    if not services.faults.may_meet(account.id, event):
        return None, None
    met = await asyncio.to_thread(services.faults.meet, account.id, event)
    noted.add_faults(met)
    return effects_of(met)


async def is_planned(services: Services, account_id: int) -> bool:
    """Tell whether a fault plan may be waiting for this account.

    Connections and pings are too frequent to read the database each time unless other processes share it. If one has
    added a plan to an unshared database, it is noticed with the next task, or the next delivery of webhooks, within a
    second.
    """
    if services.database.is_shared:
        # If the database cannot be read, the task reports it.
        with suppress(SQLAlchemyError):
            await asyncio.to_thread(services.refresh)
    return services.clocks.is_planned(account_id)


async def pause(plan: ResponsePlan, stopping: asyncio.Event) -> None:
    """Wait for the planned time, or until the server stops."""
    if plan.delay_s:
        await _wait_for(stopping, plan.delay_s)


async def until(services: Services, account_id: int, at: int | None, scope: Scope) -> None:
    """Wait until an account's clock shows an instant, the client goes away, or the server stops."""
    stopping = scope["state"][STOPPING]
    while at is not None and (left_ms := at - services.now_at(account_id)) > 0:
        if stopping.is_set() or scope[TRANSPORT].is_closing():
            return
        if services.database.is_shared:
            with suppress(SQLAlchemyError):
                await asyncio.to_thread(services.refresh)
        await _wait_for(stopping, min(_LOOK_S, left_ms / 1000))


async def when_ready(reply: Reply, services: Services, account: Account | None, scope: Scope) -> AsyncIterator[Reply]:
    """Yield the parts of a reply as they are there."""
    for at, part in reply.parts():
        if account is not None:
            await until(services, account.id, at, scope)
        yield part


async def _wait_for(stopping: asyncio.Event, timeout_s: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), timeout_s)


async def _until_closed(scope: Scope, timeout_s: float) -> None:
    """Wait, without reading, until the connection is known to be closed, the server stops, or the time is up."""
    stopping, until_s = scope["state"][STOPPING], asyncio.get_running_loop().time() + timeout_s
    while not (scope[TRANSPORT].is_closing() or stopping.is_set()):
        left_s = until_s - asyncio.get_running_loop().time()
        if left_s <= 0:
            return
        await _wait_for(stopping, min(left_s, _LOOK_S))


async def _until_gone(scope: Scope, receive: Receive, timeout_s: float | None = None) -> None:
    """Wait until the client has gone, the server stops, or the time is up."""
    waiting = [
        asyncio.ensure_future(_until_disconnected(receive)),
        asyncio.ensure_future(scope["state"][STOPPING].wait()),
    ]
    await asyncio.wait(waiting, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    for one in waiting:
        one.cancel()


async def _until_disconnected(receive: Receive) -> None:
    message: Message = {"type": ""}
    while message["type"] != "http.disconnect":
        message = await receive()
