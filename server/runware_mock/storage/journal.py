"""The journal: tasks with their answers, for getResponse and to find reused taskUUIDs, and all other requests."""

import hashlib
import logging
from collections.abc import Collection, Mapping
from functools import partial
from threading import Lock
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, select, update

from runware_mock.metrics import Metrics
from runware_mock.protocol.messages import Item
from runware_mock.protocol.redaction import is_secret_name, looks_real, masked, without_real_keys
from runware_mock.storage.database import once_committed
from runware_mock.storage.models import journal

_log = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

# Longer strings of a task are stored as their beginning, length and digest.
_KEPT_CHARS = 512
_HEAD_CHARS = 64
_KEPT_ITEMS = 100
_DEEPEST = 12
_KEPT_UPLOADS = 1000
# Names that need no check whether they are those of secrets.
_COMMON = frozenset(("taskType", "taskUUID", "image", "media", "operation", "inputs"))
# Built once, as every task runs them: building a statement takes as long as running it.
_ADD = insert(journal)
_OF_TASK = (
    journal.c.account_id == bindparam("account_id"),
    journal.c.task_uuid == bindparam("task_uuid"),
    journal.c.at > bindparam("since_at"),
    journal.c.kind == "task",
)
_FIND_DONE = select(journal.c.id).where(*_OF_TASK, journal.c.outcome == "success").limit(1)
# The journal is cut each time a process has added a sixteenth of the limit.
_CUT_EVERY = 16
# Entries that are not of tasks may take this part of the limits, besides: they push out no result of a task.
_OTHER_PART = 4
# Instead of an account, for `Database.writing`: requests that opened none are written one batch at a time.
NO_ACCOUNT: Final = -2
NOTHING_SENT: Final = 0

Outcome = Literal["success", "error", "fault", "crash"]
# A task; a question about an earlier task; a request that ran no task; a call of a webhook or uploadEndpoint.
Kind = Literal["task", "lookup", "request", "webhook"]


class JournalEntry(Struct, frozen=True):
    """One task or request and its answer: the items on success, else the one error.

    Until `ready_at`, clients are told that the task is still being processed. `status` is that of the HTTP response,
    or the code with which a socket was closed instead of an answer; None for an answer over a socket.
    """

    outcome: Outcome
    answer: list[Item]
    account_id: int | None
    at: int
    ready_at: int
    transport: str
    task_type: str
    task_uuid: str
    task: Mapping[str, object]
    client: str | None
    duration_us: int
    audit: Mapping[str, object] | None = None
    faults: list[Mapping[str, object]] | None = None
    kind: Kind = "task"
    status: int | None = None
    sent_body: str | None = None


class FoundAnswer(Struct, frozen=True):
    """What is told of an earlier task; `lifecycle` is that of a rule, as JSON."""

    id: int
    task_type: str
    at: int
    ready_at: int
    outcome: Outcome
    answer: list[Item]
    lifecycle: list[Any]
    task: dict[str, Any]


class _Budget:
    """How many entries of some kinds the journal keeps, and how many this process has added since it last cut them."""

    def __init__(self, max_entries: int, max_bytes: int, kinds: ColumnElement[bool]) -> None:
        self.max_entries = max_entries
        self.max_bytes = max_bytes
        self.kinds = kinds
        # A process cuts the journal at its first entry.
        self._new_entries = max_entries
        self._new_bytes = 0
        self._lock = Lock()

    def add(self, size_bytes: int) -> bool:
        """Count an entry; return whether this process has added enough for the journal to be cut."""
        with self._lock:
            self._new_entries += 1
            self._new_bytes += size_bytes
            is_long = self._new_entries * _CUT_EVERY > self.max_entries or self._new_bytes * _CUT_EVERY > self.max_bytes
            if is_long:
                self._new_entries = self._new_bytes = 0
            return is_long


class Journal:
    """Writes entries, and keeps about `max_entries` and `max_bytes` at most, shared fairly between accounts.

    Entries that are not of tasks have a budget of their own, which all requests without an account share as if they
    were one more account.
    """

    def __init__(self, max_entries: int, max_bytes: int, metrics: Metrics) -> None:
        self._metrics = metrics
        self._of_tasks = _Budget(max_entries, max_bytes, journal.c.kind == "task")
        others = journal.c.kind != "task"
        self._of_others = _Budget(max(1, max_entries // _OTHER_PART), max_bytes // _OTHER_PART, others)

    def record(self, connection: Connection, entry: JournalEntry) -> int:
        """Write an entry; return its id."""
        is_task = entry.kind == "task"
        # The answer of a task is served again, and what a webhook has carried may be sent again.
        is_whole = entry.kind in ("task", "webhook")
        answer = _encode(entry.answer if is_whole else abbreviated(entry.answer, is_known=True)).decode()
        task = _encode(abbreviated(entry.task, is_known=entry.audit is not None)).decode()
        size_bytes = len(answer) + len(task)
        row = {
            **asdict(entry),
            # UUIDs are the same in either case.
            "task_uuid": entry.task_uuid.lower(),
            "answer": answer,
            "task": task,
            "audit": _encode(entry.audit).decode() if entry.audit else None,
            "faults": _encode(entry.faults).decode() if entry.faults else None,
            "size_bytes": size_bytes,
        }
        added: Any = connection.execute(_ADD, row).inserted_primary_key
        if is_task or entry.outcome == "fault":
            self._count(connection, entry)
        budget = self._of_tasks if is_task else self._of_others
        if budget.add(size_bytes):
            _cut(connection, budget)
        return int(added[0])

    def _count(self, connection: Connection, entry: JournalEntry) -> None:
        sent = entry.audit.get("sent") if entry.audit else None
        sent_bytes = int(sent["size_bytes"]) if isinstance(sent, dict) else 0
        kinds = [str(fault.get("kind")) for fault in entry.faults] if entry.faults else []
        duration_s = entry.duration_us / 1_000_000
        # None of these may hold the task: the connection keeps them until its next transaction.
        counted = partial(self._metrics.task, entry.task_type, entry.outcome, duration_s, sent_bytes, kinds)
        once_committed(connection, counted)
        if _log.isEnabledFor(logging.DEBUG):
            words = ("%s %s over %s", entry.task_type, entry.outcome, entry.transport)
            once_committed(connection, partial(_log.debug, *words, extra={"task_uuid": entry.task_uuid}))


def _cut(connection: Connection, budget: _Budget) -> None:
    """Delete what exceeds a budget, the oldest entries of the accounts with the most first."""
    newest_first = journal.c.id.desc()
    own: Any = {"partition_by": journal.c.account_id, "order_by": newest_first}
    sizes = (
        select(
            journal.c.id,
            journal.c.size_bytes,
            func.row_number().over(**own).label("own_number"),
            func.sum(journal.c.size_bytes).over(**own).label("own_bytes"),
        )
        .where(budget.kinds)
        .subquery()
    )
    # Keep the newest entry of every account, then the second of every account, and so on, as far as they fit.
    ranks = select(
        sizes.c.id,
        func.row_number().over(order_by=(sizes.c.own_number, sizes.c.id.desc())).label("number"),
        func.sum(sizes.c.size_bytes).over(order_by=(sizes.c.own_bytes, sizes.c.id.desc())).label("total_bytes"),
    ).subquery()
    is_too_much = (ranks.c.number > budget.max_entries) | (ranks.c.total_bytes > budget.max_bytes)
    connection.execute(delete(journal).where(journal.c.id.in_(select(ranks.c.id).where(is_too_much))))


def note_sent(connection: Connection, ids: Collection[int], status: int | None, body: str | None) -> None:
    """Add to entries what was sent instead of their answers, or with another status; see `JournalEntry`."""
    sent_body = None if body is None else _encode(abbreviated(without_real_keys(body))).decode()
    noted = update(journal).where(journal.c.id.in_(ids))
    connection.execute(noted.values(status=status, sent_body=sent_body))


def abbreviated(value: object, is_known: bool = False, depth: int = 0) -> object:  # noqa: FBT001, FBT002 - calls itself for each value
    """Return a task with each long string replaced by its head, its length and, unless it `is_known`, its digest."""
    if isinstance(value, str):
        if len(value) > _KEPT_CHARS:
            return _shortened(value, is_known=is_known)
        return masked(value) if looks_real(value) else value
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, dict):
        return {
            name[:_KEPT_CHARS]: (
                abbreviated(inner, is_known, depth + 1)
                if name in _COMMON or not is_secret_name(name)
                else _hidden(inner)
            )
            for name, inner in value.items()
        }
    if isinstance(value, list):
        kept = [abbreviated(inner, is_known, depth + 1) for inner in value[:_KEPT_ITEMS]]
        return kept if len(kept) == len(value) else [*kept, f"… {len(value)} in all"]
    return value


def _shortened(text: str, *, is_known: bool) -> object:
    kept = {"head": text[:_HEAD_CHARS], "chars": len(text)}
    return kept if is_known else {**kept, "sha256": hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()}


def beginning(text: str, chars: int) -> object:
    """Return a text as the journal keeps it, if the whole has so many characters."""
    return text if chars <= _KEPT_CHARS else {"head": text[:_HEAD_CHARS], "chars": chars}


def _hidden(secret: object) -> object:
    return masked(secret) if isinstance(secret, str) else "…"


def find(connection: Connection, account_id: int, task_uuid: str, since_at: int) -> FoundAnswer | None:
    """Return the entry for a taskUUID since an instant: its success, else its newest failure, else None."""
    answers = (
        select(journal)
        .where(
            *_OF_TASK,
            # Skip conflicts and faults that prevented the task: they say nothing about its outcome.
            ~journal.c.answer.startswith('[{"code":"conflictTaskUUID"'),
            journal.c.outcome != "fault",
        )
        # A success is final; a failed task may have been sent again since under the same UUID.
        .order_by((journal.c.outcome == "success").desc(), journal.c.id.desc())
        .limit(1)
    )
    row = connection.execute(answers, _values_of_task(account_id, task_uuid, since_at)).first()
    if row is None:
        return None
    faults = _decode(row.faults) if row.faults else []
    lifecycle: list[Any] = next((one["lifecycle"] for one in faults if "lifecycle" in one), [])
    answer, task = _decode(row.answer), _decode(row.task)
    return FoundAnswer(row.id, row.task_type, row.at, row.ready_at, row.outcome, answer, lifecycle, task)


def polled_at(connection: Connection, account_id: int, task_uuid: str, since_id: int) -> list[int]:
    """Return when getResponse has asked for a task since its entry."""
    is_poll = (journal.c.kind == "lookup") & (journal.c.task_type == "getResponse") & (journal.c.id > since_id)
    is_own = (journal.c.account_id == account_id) & (journal.c.task_uuid == task_uuid.lower())
    return list(connection.scalars(select(journal.c.at).where(is_own, is_poll).order_by(journal.c.id)))


def is_done(connection: Connection, account_id: int, task_uuid: str, since_at: int) -> bool:
    """Return whether a task of this UUID succeeded later than `since_at`."""
    return connection.execute(_FIND_DONE, _values_of_task(account_id, task_uuid, since_at)).first() is not None


def _values_of_task(account_id: int, task_uuid: str, since_at: int) -> dict[str, Any]:
    return {"account_id": account_id, "task_uuid": task_uuid.lower(), "since_at": since_at}


def model_uploads(connection: Connection, account_id: int) -> list[dict[str, Any]]:
    """Return the account's modelUpload tasks that succeeded, the newest first."""
    is_upload = (journal.c.task_type == "modelUpload") & (journal.c.outcome == "success")
    uploads = select(journal.c.task).where(journal.c.account_id == account_id, is_upload)
    newest = uploads.order_by(journal.c.id.desc()).limit(_KEPT_UPLOADS)
    return [_decode(task) for task in connection.scalars(newest)]


def count_since(connection: Connection, account_id: int, since_at: int) -> int:
    """Count the account's tasks since an instant."""
    is_own = (journal.c.account_id == account_id) & (journal.c.kind == "task") & (journal.c.at >= since_at)
    return connection.scalar(select(func.count()).where(is_own)) or 0
