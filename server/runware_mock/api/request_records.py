"""The log line and the journal entry of a request, and what was sent when a fault changed an answer.

A request to the API that is refused before it has a task, or whose answer is an error without a task's entry, gets an
entry of its own. A successful authentication, a ping and a dry run get none.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runware_mock.api.dependencies import bearer_key, client_of, header, open_account, transport_of
from runware_mock.clock import monotonic_s
from runware_mock.faults.matching import Met
from runware_mock.protocol.errors import OURS
from runware_mock.protocol.messages import Item, Reply
from runware_mock.protocol.redaction import holds_key, masked, without_key, without_real_keys, without_secrets
from runware_mock.services import Services
from runware_mock.storage.database import ALL_ACCOUNTS
from runware_mock.storage.journal import NO_ACCOUNT, NOTHING_SENT, JournalEntry, beginning, note_sent
from runware_mock.tasks import TASKS
from runware_mock.tasks.batch import BatchThread

_log = logging.getLogger(__name__)

# Polled by machines, or loaded by the page itself.
_QUIET = ("/health", "/ready", "/metrics", "/ui/static/")
_PATH_CHARS = 200
_NOTED = "noted"
# How a line of text shows what would not be understood without its name.
_WORDS = {"duration_ms": "{} ms", "faults": "faults: {}"}
_FIRST_ERROR_STATUS = 400
# The server is busy, or the caller is a page that must not open an account: only an account that is open already.
_OPENS_NOTHING = (403, 408, 413, 503)
# As much of a body is searched for secrets.
_BODY_CHARS = 4096
_CONTENT_TYPE_CHARS = 100
_RESPONSE_STARTS = ("http.response.start", "websocket.http.response.start")
_RESPONSE_BODIES = ("http.response.body", "websocket.http.response.body")
_NO_SUCH_PATH: Item = {"code": "notFound", "message": "There is no WebSocket at this path; the API is at /v1."}


class Noted:
    """Facts that only the code that answers a request knows; `account` is the masked label of the account.

    `is_journalled` says that the journal has an entry of it or of its tasks; `body` is one that holds no tasks.
    """

    def __init__(self) -> None:
        self.began_s = monotonic_s()
        self.account = ""
        self.account_id: int | None = None
        self.body: bytes | bytearray | str = b""
        self.is_journalled = False
        # What the journal keeps of the faults that the connection, not a task, has met.
        self.met: list[Mapping[str, object]] = []
        self.task_types: Counter[str] = Counter()
        self.codes: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()

    def add_tasks(self, tasks: Iterable[object]) -> None:
        """Note the types of the tasks."""
        self.task_types.update(map(_task_type, tasks))

    def add_replies(self, replies: Sequence[Reply]) -> None:
        """Note how the tasks ended, and the kinds of the faults that they met."""
        self.codes.update(str(reply.error["code"]) for reply in replies if reply.error)
        self.faults.update(kind for reply in replies for kind in reply.faults)
        self.is_journalled |= any(reply.entry_id is not None for reply in replies)

    def add_faults(self, met: Iterable[Met]) -> None:
        """Note the faults that the connection has met."""
        self.met += [one.as_json() for one in met]
        self.faults.update(one.kind for one in met)


def note(scope: Scope, noted: Noted) -> None:
    """Add these facts to the log line of this request."""
    scope["state"][_NOTED] = noted


def _noted_of(scope: Scope, began: Noted) -> Noted:
    """Return what was noted of a request, or what was known when it began."""
    noted: Noted = scope["state"].get(_NOTED, began)
    return noted


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
        answer: Any = [one for one in errors if isinstance(one, dict)]
        is_crash = any(one.get("code") in OURS for one in answer)
        if key and holds_key(answer, key):
            answer = without_key(answer, key)
        now_at = self._services.now_at(account_id or ALL_ACCOUNTS)
        return JournalEntry(
            outcome="crash" if is_crash else "error" if answer else "fault",
            answer=answer,
            account_id=account_id,
            at=now_at,
            ready_at=now_at,
            transport=transport_of(scope),
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


class RequestRecords:
    """ASGI middleware that logs each HTTP request, and journals each refused request to the API before its answer."""

    def __init__(self, app: ASGIApp, entries: RequestEntries) -> None:
        self._app = app
        self._entries = entries

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        began, status, is_answered = Noted(), 0, False
        refusal: Message | None = None

        async def recording_send(message: Message) -> None:
            nonlocal status, refusal, is_answered
            kind = message["type"]
            if kind in _RESPONSE_STARTS:
                status = message["status"]
                if _is_api(scope) and status >= _FIRST_ERROR_STATUS:
                    # Sent once the entry is written: a client that has its answer finds the entry.
                    refusal = message
                    return
            if refusal is not None and kind in _RESPONSE_BODIES:
                await self._journal(scope, began, _errors_of(message.get("body", b"")), status)
                held, refusal = refusal, None
                await send(held)
            elif kind == "websocket.close" and not is_answered:
                # There is no such path, which the server answers with 403.
                await self._journal(scope, began, [_NO_SUCH_PATH], 403)
            is_answered = True
            await send(message)

        try:
            await self._app(scope, receive, recording_send)
            if not is_answered:
                # A fault has broken the connection.
                await self._journal(scope, began, [], NOTHING_SENT)
        finally:
            if scope["type"] == "http":
                log_request(scope["method"], path_of(scope), status, _noted_of(scope, began))

    async def _journal(self, scope: Scope, began: Noted, errors: Sequence[object], status: int) -> None:
        if _is_api(scope):
            await self._entries.add(scope, _noted_of(scope, began), errors, status=status)


def _is_api(scope: Scope) -> bool:
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


def log_request(method: str, path: str, status: int | None, noted: Noted) -> None:
    """Log what was asked and how it went; a `status` of 0 says that the connection ended without an answer."""
    is_quiet = path.startswith(_QUIET) or noted.task_types.keys() == {"ping"}
    level = logging.DEBUG if is_quiet else logging.INFO
    if not _log.isEnabledFor(level):
        return
    fields = {
        "method": method,
        "path": path,
        "taskTypes": listed(noted.task_types),
        "status": "no answer" if status == 0 else status,
        "errors": listed(noted.codes),
        "duration_ms": round((monotonic_s() - noted.began_s) * 1000, 1),
        "account": noted.account,
        "faults": listed(noted.faults),
    }
    fields = {name: value for name, value in fields.items() if value not in ("", None)}
    words = (_WORDS.get(name, "{}").format(value) for name, value in fields.items())
    _log.log(level, "%s", " ".join(words), extra={"request": fields})


def listed(counted: Counter[str]) -> str:
    """Return names with how often each occurs, such as `imageUpload*3,caption`."""
    return ",".join(name if count == 1 else f"{name}*{count}" for name, count in counted.items())


def _task_type(task: object) -> str:
    name = task.get("taskType") if isinstance(task, dict) else None
    return name if isinstance(name, str) and (name in TASKS or name in ("ping", "authentication")) else "unknown"


def path_of(scope: Scope) -> str:
    """Return the path as it was sent, without its query; a key in it is masked."""
    path, key = scope["raw_path"].decode("latin-1"), bearer_key(scope)
    path = str(without_key(path, key)) if key else path
    return without_real_keys(path)[:_PATH_CHARS]
