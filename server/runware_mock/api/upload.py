"""POST of tasks: one request, one answer to all of them."""

import asyncio
import uuid as uuids
from collections.abc import Sequence

from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse

from runware_mock.api.dependencies import (
    bearer_key,
    caller_of,
    head_account,
    keyless,
    missing_key,
    open_account,
    read_tasks,
)
from runware_mock.api.failures import CORS_HEADERS, AnsweringRoute, envelope, preflight
from runware_mock.api.fault_effects import (
    CutUploadResponse,
    PlannedResponse,
    UploadCut,
    is_planned,
    met_by,
    pause,
    until,
    uploaded,
)
from runware_mock.api.guard import check_origin
from runware_mock.api.openapi import task_operation
from runware_mock.api.request_records import Noted, RequestEntries, note
from runware_mock.api.transport import STOPPING
from runware_mock.protocol.errors import Refusal
from runware_mock.protocol.messages import (
    AUTHENTICATION,
    EVENT_STREAM,
    PONG,
    Reply,
    authenticated,
    first_authentication,
    is_authentication,
    is_ping,
    rest_body,
    text_events,
)
from runware_mock.protocol.redaction import without_real_keys
from runware_mock.protocol.response_plan import ResponsePlan, combined
from runware_mock.services import Services
from runware_mock.storage.accounts import Account
from runware_mock.tasks.runner import Pending, Runner

# The documented address, with and without a slash, and the root that the SDKs' test environments use.
API_PATHS = ("/v1", "/v1/", "/")
# How often to look whether the client still waits for its answer.
_LOOK_S = 0.25


class _Route(AnsweringRoute):
    """Refuses pages of foreign origins before their body is read."""

    def admit(self, request: Request) -> None:
        """Raise originNotAllowed for such a page."""
        check_origin(request, request.app.state.services.settings)


def router(runner: Runner, entries: RequestEntries) -> APIRouter:
    """Return the routes of the upload API."""
    api = APIRouter(route_class=_Route)
    settings = runner.services.settings

    async def run_tasks(request: Request) -> Response:
        """Run the tasks of the body, and answer them together."""
        noted = Noted()
        note(request.scope, noted)
        try:
            replies = await _replies(request, runner, noted)
        except UploadCut as cut:
            return CutUploadResponse(cut)
        noted.add_replies(replies)
        # Replies that a fault holds back come last.
        replies.sort(key=lambda reply: reply.response_plan is not None and reply.response_plan.is_held)
        plan = combined(reply.response_plan for reply in replies)
        # A failure before the first event is answered as usual.
        if all(reply.is_streamed for reply in replies):
            events = text_events(replies)
            if plan is None:
                return StreamingResponse(events, 200, CORS_HEADERS, EVENT_STREAM)
            planned = PlannedResponse(200, b"".join(events), CORS_HEADERS, plan, EVENT_STREAM)
        else:
            status, body = rest_body(replies, single_object=settings.data_shape == "object")
            # An entry says what its own task would have been answered with; here the others count, too.
            await entries.note_sent([reply for reply in replies if reply.status != status], status)
            if plan is None:
                return envelope(status, body)
            planned = PlannedResponse(status, body, CORS_HEADERS, plan)
        if planned.sent is not None:
            await entries.note_sent(replies, *planned.sent)
        return planned

    for path in API_PATHS:
        is_documented = path == "/v1"
        extra = task_operation() if is_documented else None
        api.add_api_route(path, run_tasks, methods=["POST"], include_in_schema=is_documented, openapi_extra=extra)
        api.add_api_route(path, preflight, methods=["OPTIONS"], include_in_schema=False)
    return api


async def _replies(request: Request, runner: Runner, noted: Noted) -> list[Reply]:
    """Run the tasks of the body; return a reply for each."""
    services = runner.services
    head = await head_account(request.scope, services)
    # Before the body is read, which may take long; the tasks look again.
    planned = await is_planned(services, head.id)
    body = await _read(request, await _met_by_upload(request, head, services, noted) if planned else None)
    try:
        tasks = await read_tasks(body, services.settings)
    except Refusal as refusal:
        noted.body = body
        raise _about_content_type(refusal, request) from None
    noted.add_tasks(tasks)
    length_bytes = len(body)
    # Frees its memory while pictures are decoded.
    del body
    authentication = first_authentication(tasks)
    key = bearer_key(request.scope) if authentication is None else authentication.get("apiKey")
    try:
        account = await open_account(key, services)
    except Refusal as refusal:
        if refusal.code == "missingApiKey":
            refusal = missing_key(request.scope, services.settings)
        return [Reply.refused(refusal, {"taskType": AUTHENTICATION})]
    tasks = await keyless(tasks, key, account, length_bytes)
    caller = caller_of(request.scope, account, services, key)
    noted.account, noted.account_id = account.label, account.id
    # A dry run leaves nothing behind.
    noted.is_journalled = caller.dry_run
    if planned or (account.id != head.id and await is_planned(services, account.id)):
        plan, met = await met_by(services, request.scope, account, "authentication", noted)
        if plan is not None:
            await pause(plan, request.scope["state"][STOPPING])
        if met is not None:
            return [Reply.refused(met, {"taskType": AUTHENTICATION})]
    if authentication is not None:
        tasks = [task for task in tasks if not is_authentication(task)]
    if not tasks:
        return [authenticated(str(uuids.uuid4()))]
    replies = await _finished(request, runner.submit([task for task in tasks if not is_ping(task)], caller))
    await until(
        services, account.id, max((at for reply in replies for at in reply.ready_at), default=None), request.scope
    )
    ran = iter(replies)
    return [PONG if is_ping(task) else next(ran) for task in tasks]


async def _met_by_upload(request: Request, account: Account, services: Services, noted: Noted) -> ResponsePlan | None:
    length = request.headers.get("content-length", "")
    size_bytes = int(length) if length.isdigit() else None
    plan, _ = await met_by(services, request.scope, account, "upload", noted, size_bytes)
    return plan


async def _read(request: Request, plan: ResponsePlan | None) -> bytearray:
    """Return the body, without `request.body()`, which would keep it until the answer is sent; raises UploadCut."""
    body = bytearray()
    async for piece in uploaded(request, plan):
        body += piece
    return body


def _about_content_type(refusal: Refusal, request: Request) -> Refusal:
    """Return the refusal of a body, with a hint about its Content-Type if that is not JSON."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip()[:100]
    if refusal.code != "invalidJson" or not content_type or "json" in content_type or content_type == "text/plain":
        return refusal
    hint = f" Its Content-Type is {content_type}; send the tasks as application/json, a file in them as base64 or URL."
    return refusal.but(message=without_real_keys(refusal.message + hint))


async def _finished(request: Request, pending: Sequence[Pending]) -> list[Reply]:
    """Wait for every reply; if the client goes away, cancel the tasks that have not begun, raise ClientDisconnect."""
    futures = [asyncio.wrap_future(one) for one in pending]
    waiting = set(futures)
    while waiting:
        _, waiting = await asyncio.wait(waiting, timeout=_LOOK_S)
        if waiting and await request.is_disconnected():
            for one in waiting:
                one.cancel()
            raise ClientDisconnect
    return [one.result() for one in futures]
