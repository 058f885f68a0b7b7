"""Do with a connection what no well-behaved server does: break it, end it, cut or garble what it carries."""

import asyncio
import os
import random
import socket
import struct
from contextlib import suppress
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from runware_mock.api.connections import PROTOCOL
from runware_mock.faults.event import Event
from runware_mock.protocol.errors import Refusal
from runware_mock.protocol.messages import Reply, ws_frame
from runware_mock.protocol.response_plan import ResponsePlan
from runware_mock.services import Services

# SO_LINGER with a time of 0: closing sends RST instead of FIN.
_NO_LINGER = struct.pack("ii", 1, 0)


class PlannedResponse(Response):
    """An HTTP response that is sent as the faults want it that were met, if it is sent at all."""

    def __init__(self, status: int, body: bytes, headers: dict[str, str], plan: ResponsePlan) -> None:
        self._plan = plan
        headers = {**headers, **dict(plan.headers)}
        if plan.answer is not None:
            super().__init__(plan.answer.body, plan.answer.status, headers, plan.answer.content_type)
        else:
            super().__init__(garbled(body.decode(), plan).encode(), status, headers, "application/json")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response, or break the connection."""
        plan = self._plan
        await pause(plan, ended(scope))
        if plan.hang_up is not None:
            if plan.hang_up == "drop":
                await ended(scope).wait()
            await end_request(scope, receive, is_reset=plan.hang_up == "reset")
        elif plan.kept_share is not None and plan.answer is None:
            await send_cut(scope, receive, self.status_code, bytes(self.body), plan.kept_share)
        else:
            await super().__call__(scope, receive, send)


def end(scope: Scope, *, is_reset: bool) -> None:
    """End a connection without another byte; by RST if `is_reset`."""
    transport: Any = scope[PROTOCOL].transport
    if not is_reset or transport.is_closing():
        transport.close()
        return
    original = transport.get_extra_info("socket")
    if original is not None:
        # The loop's own socket object takes no options; a duplicate of its descriptor is the same socket.
        with socket.socket(fileno=os.dup(original.fileno())) as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()


async def end_request(scope: Scope, receive: Receive, *, is_reset: bool) -> None:
    """End the connection of a request, and wait until the server has noticed: it would answer 500."""
    end(scope, is_reset=is_reset)
    while (await receive())["type"] != "http.disconnect":
        pass


async def send_cut(scope: Scope, receive: Receive, status: int, body: bytes, kept_share: float) -> None:
    """Send the head of a response and a part of its body."""
    protocol: Any = scope[PROTOCOL]
    own = ((b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()))
    lines = [b"%b: %b\r\n" % header for header in (*protocol.server_state.default_headers, *own)]
    head = b"HTTP/1.1 %d \r\n%b\r\n" % (status, b"".join(lines))
    protocol.transport.write(head + body[: int(len(body) * kept_share)])
    await end_request(scope, receive, is_reset=False)


def fall_silent(scope: Scope) -> None:
    """Read nothing more, and ping no more: the other side is left alone."""
    protocol: Any = scope[PROTOCOL]
    protocol.transport.pause_reading()
    protocol.stop_keepalive()


def frames_of(reply: Reply, response_plan: ResponsePlan) -> list[str]:
    """Return the frames that tell a reply; a task that a fault has kept from being done has none."""
    if reply.error is None and not reply.items:
        return []
    replies = [Reply(items=(item,)) for item in reply.items] if response_plan.is_split else []
    frames = [garbled(ws_frame(one), response_plan) for one in replies or [reply]]
    share = response_plan.kept_share
    return frames if share is None else [frame[: int(len(frame) * share)] for frame in frames]


def garbled(text: str, response_plan: ResponsePlan) -> str:
    """Return a text with some of its characters changed, at least one."""
    if response_plan.garbled_share is None or not text:
        return text
    draw = random.Random(response_plan.seed)  # noqa: S311 - to be repeated, not to be secret
    characters = list(text)
    for place in draw.sample(range(len(text)), max(1, int(len(text) * response_plan.garbled_share))):
        # Bit 1 is never part of what makes a byte control the terminal, and always makes it another one.
        characters[place] = chr(ord(characters[place]) ^ 1)
    return "".join(characters)


async def met_by(services: Services, account_id: int, occasion: Event) -> tuple[ResponsePlan | None, Refusal | None]:
    """Return what an occasion that is no task meets, and as what it is refused."""
    if not await is_planned(services, account_id):
        return None, None
    return await asyncio.to_thread(services.faults.meet_connection, account_id, occasion)


async def is_planned(services: Services, account_id: int) -> bool:
    """Tell whether a fault plan may be waiting for this account.

    Connections and pings are too frequent for a look into the database where no other process is meant to write to it:
    a plan that one has made nevertheless is known with the next task, or when webhooks are next looked after, within a
    second.
    """
    if services.database.is_shared:
        # What cannot be read now is answered for by the task.
        with suppress(services.database.failure):
            await asyncio.to_thread(services.refresh)
    return services.clocks.is_planned(account_id)


def ended(scope: Scope) -> asyncio.Event:
    """Return what is set as soon as the connection of a request has ended, or the server is to stop."""
    protocol: Any = scope[PROTOCOL]
    is_over: asyncio.Event = protocol.is_over
    return is_over


async def pause(response_plan: ResponsePlan, is_over: asyncio.Event) -> None:
    """Let the planned time go by, unless all is over before."""
    if response_plan.delay_s:
        with suppress(TimeoutError):
            await asyncio.wait_for(is_over.wait(), response_plan.delay_s)
