"""The journal as control calls read it: filtered and counted; and the calls of webhooks in it, made again."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field
from sqlalchemy import ColumnElement, Row, and_, delete, func, or_, select

from runware_mock import control_models as models
from runware_mock.control.calls import ControlRefused, Id, changing, not_found
from runware_mock.control.explanations import explanation
from runware_mock.control_models import instant
from runware_mock.protocol.messages import Reply, ws_frame
from runware_mock.services import Services
from runware_mock.storage import deliveries
from runware_mock.storage.database import ALL_ACCOUNTS, retried
from runware_mock.storage.journal import abbreviated
from runware_mock.storage.models import journal
from runware_mock.tasks import TASKS
from runware_mock.tasks.inputs import IMAGE_FIELDS
from runware_mock.tasks.models import OTHER_PARAMETERS
from runware_mock.tasks.validation import unknown_parameters

Outcome = Literal["success", "error", "fault", "crash"]
Transport = Literal["rest", "ws", "hook"]
Kind = Literal["task", "lookup", "request", "webhook", "all"]
# Of how many entries a list of task types is made.
_LOOKED_AT = 2000
# What runware-sdk accepts: the default of the WebSocket library that it uses.
_FRAME_BYTES = 2**20
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True)
class Filter:
    """Which entries to choose: those that agree with every field given."""

    task_type: str | None = None
    task_uuid: str | None = None
    outcome: Outcome | None = None
    transport: Transport | None = None
    code: Annotated[str | None, Field(description="Code of the error.")] = None
    sha256: Annotated[str | None, Field(description="SHA-256 of the uploaded file, in hex.")] = None
    text: Annotated[str | None, Field(description="Text in the task or its answer.")] = None
    since: Annotated[Id | None, Field(description="Only entries after this id.")] = None
    before: Annotated[Id | None, Field(description="Only entries before this id.")] = None
    status: Annotated[
        int | None, Field(description="HTTP status or close code; 0 where nothing was sent.", ge=0, le=4999)
    ] = None
    kind: Annotated[
        Kind,
        Field(
            description="task; lookup: getResponse and getTaskDetails; request: refused before it ran a task; "
            "webhook: a call of a webhook; or all."
        ),
    ] = "task"

    def condition(self, account_id: int) -> ColumnElement[bool]:
        """Return the filter as SQL."""
        conditions = [journal.c.account_id == account_id if account_id != ALL_ACCOUNTS else journal.c.id > 0]
        plain = {name: getattr(self, name) for name in ("task_type", "outcome", "transport", "status")}
        plain["kind"] = None if self.kind == "all" else self.kind
        conditions += [journal.c[name] == value for name, value in plain.items() if value is not None]
        if self.task_uuid is not None:
            conditions.append(journal.c.task_uuid == self.task_uuid.lower())
        if self.code is not None:
            conditions += [
                journal.c.outcome != "success",
                journal.c.answer.contains(f'"code":"{self.code}"', autoescape=True),
            ]
        if self.sha256 is not None:
            conditions.append(journal.c.audit.contains(f'"sha256":"{self.sha256.lower()}"', autoescape=True))
        if self.text:
            texts = (journal.c.task, journal.c.answer)
            conditions.append(or_(*(text.icontains(self.text, autoescape=True) for text in texts)))
        if self.since is not None:
            conditions.append(journal.c.id > self.since)
        if self.before is not None:
            conditions.append(journal.c.id < self.before)
        return and_(*conditions)


def list_entries(services: Services, account_id: int, chosen: Filter, limit: int) -> models.Entries:
    """Return entries, the newest first."""
    page = select(journal).where(chosen.condition(account_id)).order_by(journal.c.id.desc()).limit(limit)
    database = services.database
    # The entries of an account are numbered in the order in which they can be seen. Who follows all accounts waits for
    # what is being written: it might have smaller numbers than what can be seen already.
    follows_all = account_id == ALL_ACCOUNTS and chosen.since is not None
    with database.writing(ALL_ACCOUNTS) if follows_all else database.reading() as connection:
        rows = connection.execute(page).all()
    next_before = rows[-1].id if len(rows) == limit else None
    return models.Entries(entries=tuple(_entry(row) for row in rows), next_before=next_before)


def count_entries(services: Services, account_id: int, chosen: Filter) -> int:
    """Count entries."""
    with services.database.reading() as connection:
        return connection.scalar(select(func.count()).where(chosen.condition(account_id))) or 0


def choices(services: Services) -> dict[str, list[Any]]:
    """Return which task types, outcomes, statuses and kinds there are among the newest entries."""
    columns = (journal.c.task_type, journal.c.outcome, journal.c.status, journal.c.kind)
    newest = select(*columns).order_by(journal.c.id.desc()).limit(_LOOKED_AT).subquery()
    with services.database.reading() as connection:
        rows = connection.execute(select(newest).distinct()).all()
    found = zip(
        ("task_types", "outcomes", "statuses", "kinds"), zip(*rows, strict=True) if rows else [()] * 4, strict=True
    )
    return {name: sorted({value for value in values if value not in ("", None)}) for name, values in found}


def get_entry(services: Services, account_id: int, entry_id: int) -> models.Entry:
    """Return one entry."""
    with services.database.reading() as connection:
        chosen = Filter(kind="all").condition(account_id) & (journal.c.id == entry_id)
        row = connection.execute(select(journal).where(chosen)).first()
    if row is None:
        raise not_found(f"the journal has no entry {entry_id}", "id")
    return _entry(row)


@retried
def clear(services: Services, account_id: int) -> models.Deleted:
    """Delete every entry."""
    with changing(services, account_id) as connection:
        deleted = connection.execute(delete(journal).where(Filter(kind="all").condition(account_id))).rowcount
    return models.Deleted(deleted=deleted)


def _entry(row: Row[Any]) -> models.Entry:
    task, answer = _decode(row.task), _decode(row.answer)
    sent = task.get("taskUUID")
    shown: Any = abbreviated(answer)
    audit: Any = _decode(row.audit) if row.audit else None
    if audit:
        audit = {"declared": _declared(task), **audit, "rule": _rule(audit)}
    return models.Entry(
        id=row.id,
        account=row.account_id,
        at=instant(row.at),
        transport=row.transport,
        client=row.client,
        task_type=row.task_type,
        task_uuid=sent if isinstance(sent, str) and sent.lower() == row.task_uuid else row.task_uuid,
        outcome=row.outcome,
        task=task,
        answer=shown,
        duration_ms=row.duration_us / 1000,
        faults=tuple(models.FaultMet(**met) for met in _decode(row.faults)) if row.faults else (),
        audit=audit,
        warnings=(*_warnings(row.task_type, task), *_long_frames(row, answer)),
        explanation=explanation(answer[0], task) if row.outcome == "error" and answer else None,
        kind=row.kind,
        status=row.status,
        sent_body=_decode(row.sent_body) if row.sent_body else None,
    )


def _warnings(task_type: str, task: dict[str, Any]) -> list[str]:
    """Name the parameters that were ignored because nobody knows them."""
    row = TASKS.get(task_type)
    return [] if row is None else unknown_parameters(row.model, task, OTHER_PARAMETERS | IMAGE_FIELDS)


def _long_frames(row: Row[Any], answer: list[dict[str, Any]]) -> list[str]:
    """Warn of an answer that some clients cannot receive in one WebSocket frame."""
    if row.transport != "ws" or len(row.answer) < _FRAME_BYTES // 2:
        return []
    longest_bytes = max(len(ws_frame(Reply(items=(item,))).encode()) for item in answer)
    if longest_bytes <= _FRAME_BYTES:
        return []
    sent = f"a WebSocket frame of {longest_bytes} bytes was sent: runware-sdk and others accept 1 MiB at most and close"
    return [f"{sent} the connection with 1009; ask for outputType URL"]


def _declared(task: dict[str, Any]) -> str | None:
    """Return the media type that a data URI claims."""
    value = task.get("image") or task.get("media")
    head = value.get("head") if isinstance(value, dict) else value
    if not isinstance(head, str) or not head.lower().startswith("data:"):
        return None
    return head[len("data:") :].partition(",")[0].partition(";")[0] or None


def _rule(audit: dict[str, Any]) -> str:
    """Return which rule of the pages was applied."""
    sent, stored = audit["sent"], audit["stored"]
    if all(sent[name] == stored[name] for name in ("width_px", "height_px", "size_bytes")):
        return "Within 2048 px: stored byte for byte."
    turned = f", turned as its EXIF orientation {sent['orientation']} says" if (sent["orientation"] or 1) > 1 else ""
    return (
        f"Over 2048 px: downsized from {sent['width_px']}x{sent['height_px']} to "
        f"{stored['width_px']}x{stored['height_px']}{turned}."
    )


@retried
def resend_webhook(services: Services, account_id: int, entry_id: int) -> models.Queued:
    """Call a webhook again with what an earlier call carried, even if that never arrived."""
    with services.database.reading() as connection:
        chosen = Filter(kind="webhook").condition(account_id) & (journal.c.id == entry_id)
        row: Any = connection.execute(select(journal).where(chosen)).first()
    if row is None:
        raise not_found(f"the journal has no webhook {entry_id}; list them with kind=webhook", "id")
    task, bodies = _decode(row.task), _decode(row.answer)
    if not bodies or not isinstance(task["url"], str):
        raise ControlRefused(
            "the journal does not keep the bytes of an upload, nor such a long URL", "id", "conflict", 409
        )
    due_at = services.now_at(row.account_id)
    with changing(services, row.account_id) as connection:
        request = deliveries.Request("POST", task["url"], deliveries.JSON, msgspec.json.encode(bodies[0]))
        deliveries.add(connection, row.account_id, request, due_at)
    return models.Queued(url=task["url"], due_at=instant(due_at))
