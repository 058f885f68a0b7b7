"""Carry out a fault plan on a response or a socket: delay, break, cut or garble it."""

import asyncio
import os
import random
import socket
import struct
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from runware_mock.api.transport import STOPPING, TRANSPORT
from runware_mock.faults.base import Event
from runware_mock.protocol.errors import Refusal
from runware_mock.protocol.messages import Reply, ws_frame
from runware_mock.protocol.response_plan import ResponsePlan
from runware_mock.services import Services

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
        content_type: str = "application/json",
    ) -> None:
        self._plan = plan
        headers = {**headers, **dict(plan.headers)}
        if (answer := plan.answer) is not None:
            super().__init__(answer.body, answer.status, headers, answer.content_type)
        else:
            garbled_body = body if plan.garbled_share is None else garbled(body.decode(), plan).encode()
            super().__init__(garbled_body, status, headers, content_type)

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
        elif plan.kept_share is not None and plan.answer is None:
            # The headers declare the length of the whole body.
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            kept = bytes(self.body)[: int(len(self.body) * plan.kept_share)]
            await send({"type": "http.response.body", "body": kept, "more_body": True})
            end(scope[TRANSPORT], is_reset=False)
            await _until_disconnected(receive)
        else:
            await super().__call__(scope, receive, send)


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


async def met_by(services: Services, account_id: int, event: Event) -> tuple[ResponsePlan | None, Refusal | None]:
    """Return the response plan for an event that is not a task, and the refusal that answers it."""
    if not await is_planned(services, account_id):
        return None, None
    return await asyncio.to_thread(services.faults.meet_connection, account_id, event)


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
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), plan.delay_s)


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
