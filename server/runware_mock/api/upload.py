"""POST of tasks: one request, one answer to all of them."""

import asyncio
import uuid as uuids
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext

from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from runware_mock.api.dependencies import bearer_key, caller_of, headers_of, keyless, open_account, read_tasks
from runware_mock.api.envelope import CORS_HEADERS, envelope, preflight
from runware_mock.api.failures import AnsweringRoute
from runware_mock.api.fault_effects import PlannedResponse, ended, is_planned, met_by, pause
from runware_mock.api.intake import SMALL_BYTES, Intake
from runware_mock.api.openapi import task_operation
from runware_mock.api.origins import check_origin
from runware_mock.faults.event import Event
from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.protocol.messages import Reply, rest_body
from runware_mock.protocol.response_plan import combined
from runware_mock.protocol.session import (
    AUTHENTICATION,
    PONG,
    authenticated,
    first_authentication,
    is_authentication,
    is_ping,
)
from runware_mock.settings import Settings
from runware_mock.tasks.runner import Pending, Runner

# The documented address, with and without a slash, and the root that the SDKs' test environments use.
API_PATHS = ("/v1", "/v1/", "/")
# Bodies may take so small a part of the memory budget over and above it.
_INTAKE_SHARE = 4
# How often to look whether the client still waits for its answer.
_LOOK_S = 0.25


class _Route(AnsweringRoute):
    """Refuses pages of foreign origins before their body is read."""

    def admit(self, request: Request) -> None:
        """Raise originNotAllowed for such a page."""
        check_origin(request.scope, request.app.state.services.settings)


def router(runner: Runner) -> APIRouter:
    """Return the routes of the upload API."""
    api = APIRouter(route_class=_Route)
    settings = runner.services.settings
    intake = Intake(settings.memory_budget() // _INTAKE_SHARE)

    async def run_tasks(request: Request) -> Response:
        """Run the tasks of the body, and answer them together."""
        async with _room(request, settings, intake):
            replies = await _replies(request, runner)
        # What a fault holds back is told last.
        replies.sort(key=lambda reply: reply.response_plan is not None and reply.response_plan.is_held)
        status, body = rest_body(replies, single_object=settings.data_shape == "object")
        plan = combined(reply.response_plan for reply in replies)
        return envelope(status, body) if plan is None else PlannedResponse(status, body, CORS_HEADERS, plan)

    for path in API_PATHS:
        is_documented = path == "/v1"
        extra = task_operation() if is_documented else None
        api.add_api_route(path, run_tasks, methods=["POST"], include_in_schema=is_documented, openapi_extra=extra)
        api.add_api_route(path, preflight, methods=["OPTIONS"], include_in_schema=False)
    return api


async def _replies(request: Request, runner: Runner) -> list[Reply]:
    """Run the tasks of the body; return a reply for each."""
    services = runner.services
    body = await _read(request, services.settings.max_message_bytes)
    tasks = await read_tasks(body)
    length_bytes = len(body)
    # Nobody needs it while pictures are decoded.
    del body
    authentication = first_authentication(tasks)
    key = bearer_key(request.scope) if authentication is None else authentication.get("apiKey")
    try:
        account = await open_account(key, services)
    except Refusal as refusal:
        return [Reply.refused(refusal, {"taskType": AUTHENTICATION})]
    tasks = await keyless(tasks, key, account, length_bytes)
    caller = caller_of(request.scope, account, services, key)
    if await is_planned(services, account.id):
        plan, met = await met_by(services, account.id, Event("authentication", "rest", plan=caller.plan))
        if plan is not None:
            await pause(plan, ended(request.scope))
        if met is not None:
            return [Reply.refused(met, {"taskType": AUTHENTICATION})]
    if authentication is not None:
        tasks = [task for task in tasks if not is_authentication(task)]
    if not tasks:
        return [authenticated(str(uuids.uuid4()))]
    ran = iter(await _finished(request, runner.submit([task for task in tasks if not is_ping(task)], caller)))
    return [PONG if is_ping(task) else next(ran) for task in tasks]


def _room(request: Request, settings: Settings, intake: Intake) -> AbstractAsyncContextManager[None]:
    """Return what a body waits for: a long one for its room; raises requestTooLarge."""
    declared = headers_of(request.scope).get(b"content-length", b"")
    length_bytes = int(declared) if declared.isdigit() else 0
    if length_bytes > settings.max_message_bytes:
        raise _too_large(settings.max_message_bytes)
    return nullcontext() if length_bytes < SMALL_BYTES else intake.room(length_bytes)


async def _read(request: Request, limit_bytes: int) -> bytearray:
    """Return the body; not by `request.body()`, which would keep it until the answer is sent."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit_bytes:
            raise _too_large(limit_bytes)
    return body


def _too_large(limit_bytes: int) -> Refusal:
    return refuse("requestTooLarge", f"The limit is {limit_bytes} bytes (--max-message-bytes).")


async def _finished(request: Request, pending: Sequence[Pending]) -> list[Reply]:
    """Wait for every reply; tasks that have not begun when the client goes away never do."""
    futures = [asyncio.wrap_future(one) for one in pending]
    waiting = set(futures)
    while waiting:
        _, waiting = await asyncio.wait(waiting, timeout=_LOOK_S)
        if waiting and await request.is_disconnected():
            for one in waiting:
                one.cancel()
            raise ClientDisconnect
    return [one.result() for one in futures]
