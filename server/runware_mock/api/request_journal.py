"""Journal entries of requests that ran no task, and what was sent when a fault changed an answer.

A request to the API that is refused before it has a task, or whose answer is an error without a task's entry, gets an
entry of its own. A successful authentication, a ping and a dry run get none.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runware_mock.api.dependencies import bearer_key, client_of, header, open_account
from runware_mock.api.request_log import Noted, listed, noted_of, path_of
from runware_mock.clock import monotonic_s
from runware_mock.protocol.errors import OURS
from runware_mock.protocol.messages import Item, Reply
from runware_mock.protocol.redaction import holds_key, masked, without_key, without_secrets
from runware_mock.protocol.response_plan import ResponsePlan
from runware_mock.services import Services
from runware_mock.storage.database import ALL_ACCOUNTS
from runware_mock.storage.journal import NO_ACCOUNT, NOTHING_SENT, JournalEntry, beginning, note_sent
from runware_mock.tasks.batch import BatchThread

_log = logging.getLogger(__name__)

_FIRST_ERROR_STATUS = 400
# The server is busy, or the caller is a page that must not open an account: only an account that is open already.
_OPENS_NOTHING = (403, 408, 413, 503)
# As much of a body is searched for secrets.
_BODY_CHARS = 4096
_CONTENT_TYPE_CHARS = 100
_RESPONSE_STARTS = ("http.response.start", "websocket.http.response.start")
_RESPONSE_BODIES = ("http.response.body", "websocket.http.response.body")


class RequestEntries:
    """Writes the entries of requests that ran no task, in batches, so that a flood of them is cheap."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._thread = BatchThread(self._write, "request-journal")

    def close(self) -> None:
        """Write what is left."""
        self._thread.close()

    async def add(
        self,
        scope: Scope,
        noted: Noted,
        errors: Sequence[object],
        *,
        status: int | None = None,
        api_key: object = None,
    ) -> None:
        """Write an entry, unless there is one; `errors` are those that were answered. A failure is only logged."""
        if noted.is_journalled:
            return
        noted.is_journalled = True
        with suppress(RuntimeError):
            # After `close` nothing is written.
            key = api_key if isinstance(api_key, str) else bearer_key(scope)
            account_id = noted.account_id or await self._account_id(key, status)
            entry = self._entry(scope, noted, errors, status, key, account_id)
            await asyncio.wrap_future(self._thread.submit(entry))

    async def note_sent(self, replies: Iterable[Reply], status: int | None, body: str | None = None) -> None:
        """Add to the entries of tasks what was really sent."""
        ids = [reply.entry_id for reply in replies if reply.entry_id is not None]
        if ids:
            await asyncio.to_thread(self._note_sent, ids, status, body)

    def _note_sent(self, ids: list[int], status: int | None, body: str | None) -> None:
        try:
            with self._services.database.writing() as connection:
                note_sent(connection, ids, status, body)
        except Exception as error:  # noqa: BLE001 - the answer must be sent whatever the journal lacks
            _log.warning("the journal does not say what was sent instead of an answer", exc_info=error)

    async def _account_id(self, key: str | None, status: int | None) -> int | None:
        if not key:
            return None
        with suppress(Exception):
            known = self._services.accounts.known(key)
            if known is not None or status not in _OPENS_NOTHING:
                return (known or await open_account(key, self._services)).id
        return None

    def _entry(
        self,
        scope: Scope,
        noted: Noted,
        errors: Sequence[object],
        status: int | None,
        key: str | None,
        account_id: int | None,
    ) -> JournalEntry:
        answer: list[Item] = [one for one in errors if isinstance(one, dict)]
        is_crash = any(one.get("code") in OURS for one in answer)
        now_at = self._services.now_at(account_id or ALL_ACCOUNTS)
        return JournalEntry(
            outcome="crash" if is_crash else "error" if answer else "fault",
            answer=_without(answer, key),
            account_id=account_id,
            at=now_at,
            ready_at=now_at,
            transport="ws" if scope["type"] == "websocket" else "rest",
            task_type="",
            task_uuid="",
            task=_described(scope, noted, key, is_stranger=account_id is None),
            client=client_of(scope, key),
            duration_us=int((monotonic_s() - noted.began_s) * 1_000_000),
            faults=noted.met,
            kind="request",
            status=status,
        )

    def _write(self, batch: Sequence[JournalEntry]) -> list[None]:
        owners = {NO_ACCOUNT if entry.account_id is None else entry.account_id for entry in batch}
        try:
            with self._services.database.writing(*owners) as connection:
                for entry in batch:
                    self._services.journal.record(connection, entry)
        except Exception as error:  # noqa: BLE001 - the answer must be sent whatever the journal lacks
            _log.warning("the journal lacks %d requests", len(batch), exc_info=error)
        return [None] * len(batch)


class RequestJournal:
    """ASGI middleware that writes an entry for each refused request to the API, before its answer is sent."""

    def __init__(self, app: ASGIApp, entries: RequestEntries) -> None:
        self._app = app
        self._entries = entries

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        if not _is_api(scope):
            await self._app(scope, receive, send)
            return
        began, is_answered = Noted(), False
        start: Message | None = None

        async def journalling_send(message: Message) -> None:
            nonlocal start, is_answered
            kind = message["type"]
            if kind in _RESPONSE_STARTS and message["status"] >= _FIRST_ERROR_STATUS:
                # Sent once the entry is written: a client that has its answer finds the entry.
                start = message
                return
            if start is not None and kind in _RESPONSE_BODIES:
                errors = _errors_of(message.get("body", b""))
                await self._entries.add(scope, noted_of(scope) or began, errors, status=start["status"])
                held, start = start, None
                await send(held)
            elif kind == "websocket.close" and not is_answered:
                # There is no such path, which the server answers with 403.
                await self._entries.add(scope, noted_of(scope) or began, [_NO_SUCH_PATH], status=403)
            is_answered = True
            await send(message)

        await self._app(scope, receive, journalling_send)
        if not is_answered:
            # A fault has broken the connection.
            await self._entries.add(scope, noted_of(scope) or began, [], status=NOTHING_SENT)


_NO_SUCH_PATH: Item = {"code": "notFound", "message": "There is no WebSocket at this path; the API is at /v1."}


def _is_api(scope: Scope) -> bool:
    if scope["type"] not in ("http", "websocket"):
        return False
    path: str = scope["path"]
    return (path + "/").startswith("/v1/") or (path == "/" and scope.get("method", "POST") == "POST")


def _errors_of(body: bytes) -> list[object]:
    """Return the errors of an answer; none if it is that of a fault."""
    try:
        document = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return []
    errors = document.get("errors") if isinstance(document, dict) else None
    return errors if isinstance(errors, list) else []


def _described(scope: Scope, noted: Noted, key: str | None, *, is_stranger: bool) -> Item:
    """Return what is known of a request, in place of a task."""
    body = noted.body[:_BODY_CHARS]
    text = body if isinstance(body, str) else body.decode("utf-8", "replace")
    content_type = (header(scope, b"content-type") or "")[:_CONTENT_TYPE_CHARS]
    described: Item = {
        "method": scope.get("method", "WebSocket"),
        "path": path_of(scope),
        "contentType": without_secrets(content_type, key),
        # Of the key that opened no account.
        "sender": masked(key) if key and is_stranger else "",
        "taskTypes": listed(noted.task_types),
        "body": beginning(without_secrets(text, key), len(noted.body)),
    }
    return {name: value for name, value in described.items() if value}


def _without(answer: list[Item], key: str | None) -> Any:
    return without_key(answer, key) if key and holds_key(answer, key) else answer


def sent_over_socket(frames: Sequence[str], plan: ResponsePlan) -> tuple[int | None, str | None] | None:
    """Return the close code and the text that a plan makes of an answer's frames; None if they arrive as they are."""
    if plan.is_silent or plan.hang_up is not None:
        return NOTHING_SENT, None
    if plan.kept_bytes is not None and frames:
        return None, frames[0].encode()[: plan.kept_bytes].decode("utf-8", "replace")
    closes = plan.close_code is not None and plan.close_after_frames <= len(frames) * plan.copies
    code = plan.close_code if closes else None
    if closes and plan.close_after_frames == 0:
        return code, None
    changed = plan.kept_share is not None or plan.garbled_share is not None
    return (code, "\n".join(frames) if changed else None) if closes or changed else None
