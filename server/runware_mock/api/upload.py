"""POST: one request, one body.

An ASGI application of its own, not a FastAPI endpoint: the seven layers in front of one cost a small upload a third of
its time.
"""

import asyncio
import logging
import uuid as uuids
from collections.abc import Sequence

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from runware_mock.api.connections import PROTOCOL
from runware_mock.api.dependencies import bearer_key, caller_of, headers_of, keyless, open_account
from runware_mock.api.fault_effects import (
    end_request,
    ended,
    fail_when_lost,
    garbled,
    is_planned,
    met_by,
    pause,
    send_cut,
)
from runware_mock.api.intake import SMALL_BYTES, Intake
from runware_mock.api.origins import check_origin
from runware_mock.faults.event import Event
from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.protocol.messages import Reply, parse_tasks, rest_body
from runware_mock.protocol.response_plan import ResponsePlan, combined
from runware_mock.protocol.session import (
    AUTHENTICATION,
    PONG,
    authenticated,
    first_authentication,
    is_authentication,
    is_ping,
)
from runware_mock.storage.outage import crash
from runware_mock.tasks.runner import Engine, Pending

_log = logging.getLogger(__name__)

# A web application under test calls the API from its own origin.
CORS_HEADERS = {"Access-Control-Allow-Origin": "*"}
_JSON_HEADERS = ((b"content-type", b"application/json"), (b"access-control-allow-origin", b"*"))
PREFLIGHT_HEADERS = {
    **CORS_HEADERS,
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Range, X-Runware-Mock-Plan",
    "Access-Control-Max-Age": "600",
}

# Bodies may take so small a part of the memory budget over and above it.
_INTAKE_SHARE = 4
# Parsing a longer body would hold up the other clients of the event loop.
_PARSED_IN_LOOP_BYTES = 64 * 1024


class RestApi:
    """Answers `POST /v1`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._services = engine.services
        self._settings = engine.services.settings
        self._intake = Intake(self._settings.memory_budget() // _INTAKE_SHARE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the tasks of one request and answer them together."""
        try:
            replies = await self._admitted(scope, receive)
        except Refusal as refusal:
            replies = [Reply.refused(refusal)]
        except ClientDisconnect:
            # Nobody is left to be answered.
            return
        except Exception as error:  # noqa: BLE001 - see Engine._run
            _log.exception("a request failed inside the mock")
            replies = [Reply.refused(crash(error))]
        response_plan = combined(reply.response_plan for reply in replies)
        if response_plan is not None:
            await self._perform(replies, response_plan, scope, receive, send)
            return
        status, body = rest_body(replies, single_object=self._settings.data_shape == "object")
        await scope[PROTOCOL].answer(scope, status, ((b"content-length", b"%d" % len(body)), *_JSON_HEADERS), body)

    async def _perform(
        self, replies: Sequence[Reply], response_plan: ResponsePlan, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer as the faults that were met want it."""
        await pause(response_plan, ended(scope))
        headers = {**CORS_HEADERS, **dict(response_plan.headers)}
        if response_plan.hang_up is not None:
            if response_plan.hang_up == "drop":
                await ended(scope).wait()
            await end_request(scope, receive, is_reset=response_plan.hang_up == "reset")
            return
        if (answer := response_plan.answer) is not None:
            await Response(answer.body, answer.status, headers, answer.content_type)(scope, receive, send)
            return
        replies = sorted(replies, key=lambda reply: reply.response_plan is not None and reply.response_plan.is_held)
        status, body = rest_body(replies, single_object=self._settings.data_shape == "object")
        if response_plan.garbled_share is not None:
            body = garbled(body.decode(), response_plan).encode()
        if response_plan.kept_share is not None:
            await send_cut(scope, receive, status, body, response_plan.kept_share)
            return
        await Response(body, status, headers, "application/json")(scope, receive, send)

    async def _admitted(self, scope: Scope, receive: Receive) -> list[Reply]:
        """Check the length that the client declares, and let a long body wait for its room."""
        check_origin(scope, self._settings)
        declared = headers_of(scope).get(b"content-length", b"")
        length_bytes = int(declared) if declared.isdigit() else 0
        if length_bytes > self._settings.max_message_bytes:
            raise self._too_large()
        if length_bytes < SMALL_BYTES:
            return await self._replies(scope, await self._read(receive))
        async with self._intake.room(length_bytes):
            return await self._replies(scope, await _read_long(scope, receive, length_bytes))

    async def _replies(self, scope: Scope, raw: bytes | bytearray) -> list[Reply]:
        texts = self._services.texts
        is_short = len(raw) <= _PARSED_IN_LOOP_BYTES
        message = parse_tasks(raw, texts) if is_short else await asyncio.to_thread(parse_tasks, raw, texts)
        authentication = first_authentication(message.tasks)
        key = bearer_key(scope) if authentication is None else authentication.get("apiKey")
        try:
            account = await open_account(key, self._services)
        except Refusal as refusal:
            return [Reply.refused(refusal, {"taskType": AUTHENTICATION})]
        tasks = await keyless(message, key, account)
        # The body of a big upload is not held while its picture is decoded.
        del raw, message
        caller = caller_of(scope, account, self._services, key)
        if await is_planned(self._services, account.id):
            occasion = Event("authentication", "rest", plan=caller.plan)
            response_plan, refused = await met_by(self._services, account.id, occasion)
            if response_plan is not None:
                await pause(response_plan, ended(scope))
            if refused is not None:
                return [Reply.refused(refused, {"taskType": AUTHENTICATION})]
        if authentication is not None:
            tasks = [task for task in tasks if not is_authentication(task)]
        if not tasks:
            return [authenticated(str(uuids.uuid4()))]
        to_run = [task for task in tasks if not is_ping(task)]
        replies = await _finished(scope, self._engine.submit(to_run, caller))
        if len(replies) == len(tasks):
            return replies
        ran = iter(replies)
        return [PONG if is_ping(task) else next(ran) for task in tasks]

    async def _read(self, receive: Receive) -> bytes | bytearray:
        limit_bytes = self._settings.max_message_bytes
        message = await receive()
        body: bytes | bytearray = message.get("body", b"")
        while message["type"] != "http.disconnect" and message.get("more_body"):
            message = await receive()
            # The first part alone is the whole of a small body.
            body = bytearray(body) if isinstance(body, bytes) else body
            body += message.get("body", b"")
            if len(body) > limit_bytes:
                break
        if len(body) > limit_bytes:
            raise self._too_large()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        return body

    def _too_large(self) -> Refusal:
        return refuse(
            "requestTooLarge", f"The limit is {self._settings.max_message_bytes} bytes (--max-message-bytes)."
        )


def json_response(status: int, body: bytes) -> Response:
    """Return a response with an envelope that is already encoded."""
    return Response(body, status, CORS_HEADERS, "application/json")


async def preflight(_request: Request) -> Response:
    """Answer a browser that asks whether it may call the API from a page of another origin."""
    return Response(status_code=204, headers=PREFLIGHT_HEADERS)


def refused(refusal: Refusal) -> Response:
    """Return the response that refuses a whole request."""
    return json_response(*rest_body([Reply.refused(refusal)]))


async def _read_long(scope: Scope, receive: Receive, length_bytes: int) -> bytes | bytearray:
    """Return a body of a declared length."""
    # This asks the client for it, where that waits for "100 Continue".
    message = await receive()
    body: bytes | bytearray | None = message.get("body", b"")
    if body is not None and message.get("more_body"):
        body = await scope[PROTOCOL].gather(body, length_bytes)
    if body is None or message["type"] == "http.disconnect":
        raise ClientDisconnect
    return body


async def _finished(scope: Scope, pending: Sequence[Pending]) -> list[Reply]:
    """Wait for every reply; tasks that have not begun when the client goes away never do."""
    if not pending:
        return []
    # One future of the loop for all: asyncio.wait and its wrappers take as long as parsing the request.
    loop, waiting = asyncio.get_running_loop(), list(pending)
    answered: asyncio.Future[None] = loop.create_future()

    def settle() -> None:
        if not answered.done():
            answered.set_result(None)

    def count(_: Pending) -> None:
        waiting.pop()
        if not waiting:
            loop.call_soon_threadsafe(settle)

    for one in pending:
        one.add_done_callback(count)
    fail_when_lost(scope, answered, ClientDisconnect())
    try:
        await answered
    except ClientDisconnect:
        for one in pending:
            one.cancel()
        raise
    return [one.result() for one in pending]
