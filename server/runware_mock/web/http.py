"""POST: one request, one body.

An ASGI application of its own, not a FastAPI endpoint: the seven layers in front of one cost a small upload a third of
its time.
"""

import asyncio
import logging
import uuid as uuids
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from runware_mock.engine import Engine
from runware_mock.faults.occasion import Occasion
from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.protocol.messages import Reply, parse_tasks, rest_body
from runware_mock.protocol.performance import Performance, combined
from runware_mock.protocol.session import (
    AUTHENTICATION,
    PONG,
    authenticated,
    first_authentication,
    is_authentication,
    is_ping,
)
from runware_mock.web.callers import bearer_key, caller_of, open_account
from runware_mock.web.performing import end_request, ended, garbled, is_planned, met_by, pause, send_cut

_log = logging.getLogger(__name__)

# A web application under test calls the API from its own origin.
CORS_HEADERS = {"Access-Control-Allow-Origin": "*"}
PREFLIGHT_HEADERS = {
    **CORS_HEADERS,
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Range, X-Runware-Mock-Plan",
    "Access-Control-Max-Age": "600",
}

# Parsing a longer body would hold up the other clients of the event loop.
_PARSED_IN_LOOP_BYTES = 64 * 1024
# Only a request that takes longer is worth watching for a client that goes away.
_WATCHED_AFTER_S = 0.25


class RestApi:
    """Answers `POST /v1`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._services = engine.services
        self._settings = engine.services.settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the tasks of one request and answer them together."""
        try:
            replies = await self._replies(Request(scope, receive))
        except Refusal as refusal:
            replies = [Reply.refused(refusal)]
        except ClientDisconnect:
            # Nobody is left to be answered.
            return
        except Exception:  # noqa: BLE001 - see Engine._run
            _log.exception("a request failed inside the mock")
            replies = [Reply.refused(refuse("mockInternalError", "Its log says more."))]
        performance = combined(reply.performance for reply in replies)
        if performance is not None:
            await self._perform(replies, performance, scope, receive, send)
            return
        await self._respond(replies, scope, receive, send)

    async def _respond(self, replies: Sequence[Reply], scope: Scope, receive: Receive, send: Send) -> None:
        response = json_response(*rest_body(replies, single_object=self._settings.data_shape == "object"))
        await response(scope, receive, send)

    async def _perform(
        self, replies: Sequence[Reply], performance: Performance, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer as the faults that were met want it."""
        await pause(performance, ended(scope))
        headers = {**CORS_HEADERS, **dict(performance.headers)}
        if performance.hang_up is not None:
            if performance.hang_up == "drop":
                await ended(scope).wait()
            await end_request(scope, receive, is_reset=performance.hang_up == "reset")
            return
        if (answer := performance.answer) is not None:
            await Response(answer.body, answer.status, headers, answer.content_type)(scope, receive, send)
            return
        replies = sorted(replies, key=lambda reply: reply.performance is not None and reply.performance.is_held)
        status, body = rest_body(replies, single_object=self._settings.data_shape == "object")
        if performance.garbled_share is not None:
            body = garbled(body.decode(), performance).encode()
        if performance.kept_share is not None:
            await send_cut(scope, receive, status, body, performance.kept_share)
            return
        await Response(body, status, headers, "application/json")(scope, receive, send)

    async def _replies(self, request: Request) -> list[Reply]:
        raw = await self._read(request)
        tasks = parse_tasks(raw) if len(raw) <= _PARSED_IN_LOOP_BYTES else await asyncio.to_thread(parse_tasks, raw)
        # The body of a big upload is not held while its picture is decoded.
        del raw
        authentication = first_authentication(tasks)
        key = bearer_key(request) if authentication is None else authentication.get("apiKey")
        try:
            account = await open_account(key, self._services)
        except Refusal as refusal:
            return [Reply.refused(refusal, {"taskType": AUTHENTICATION})]
        caller = caller_of(request, account, self._services)
        if await is_planned(self._services, account.id):
            occasion = Occasion("authentication", "rest", plan=caller.plan)
            performance, refused = await met_by(self._services, account.id, occasion)
            if performance is not None:
                await pause(performance, ended(request.scope))
            if refused is not None:
                return [Reply.refused(refused, {"taskType": AUTHENTICATION})]
        tasks = [task for task in tasks if not is_authentication(task)]
        if not tasks:
            return [authenticated(str(uuids.uuid4()))]
        futures = self._engine.submit([task for task in tasks if not is_ping(task)], caller)
        ran = iter(await _finished(request, futures))
        return [PONG if is_ping(task) else next(ran) for task in tasks]

    async def _read(self, request: Request) -> bytearray:
        limit_bytes = self._settings.max_message_bytes
        too_large = refuse("requestTooLarge", f"The limit is {limit_bytes} bytes (--max-message-bytes).")
        declared = request.headers.get("content-length", "0")
        if declared.isdecimal() and int(declared) > limit_bytes:
            raise too_large
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit_bytes:
                raise too_large
        return body


def json_response(status: int, body: bytes) -> Response:
    """Return a response with an envelope that is already encoded."""
    return Response(body, status, CORS_HEADERS, "application/json")


async def preflight(_request: Request) -> Response:
    """Answer a browser that asks whether it may call the API from a page of another origin."""
    return Response(status_code=204, headers=PREFLIGHT_HEADERS)


def refused(refusal: Refusal) -> Response:
    """Return the response that refuses a whole request."""
    return json_response(*rest_body([Reply.refused(refusal)]))


async def _finished(request: Request, futures: Sequence[Future[Reply]]) -> list[Reply]:
    """Wait for every reply; tasks that have not begun when the client goes away never do."""
    waiting = [asyncio.wrap_future(future) for future in futures]
    _, late = await asyncio.wait(waiting, timeout=_WATCHED_AFTER_S) if waiting else ((), set())
    if late:
        gone: asyncio.Future[Any] = asyncio.ensure_future(request.receive())
        together: asyncio.Future[Any] = asyncio.gather(*late)
        await asyncio.wait([together, gone], return_when=asyncio.FIRST_COMPLETED)
        if not together.done():
            together.cancel()
            raise ClientDisconnect
        gone.cancel()
    return [reply.result() for reply in waiting]
