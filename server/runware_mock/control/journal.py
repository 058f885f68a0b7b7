"""The journal as control calls read it: filtered, counted, and each entry told in full."""

from typing import Any, Literal

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Row, and_, delete, func, select

from runware_mock import control_models as models
from runware_mock.control.changes import changing
from runware_mock.control.explain import explanation
from runware_mock.control.refusals import not_found
from runware_mock.control_models import instant
from runware_mock.services import Services
from runware_mock.storage.database import ALL_ACCOUNTS, retried
from runware_mock.storage.journal import abbreviated
from runware_mock.storage.models import journal
from runware_mock.tasks import TASKS
from runware_mock.tasks.inputs import IMAGE_FIELDS
from runware_mock.tasks.models import OTHER_PARAMETERS
from runware_mock.tasks.validation import unknown_parameters

Outcome = Literal["success", "error", "fault", "crash"]
Transport = Literal["rest", "ws"]
_decode = msgspec.json.Decoder().decode


class Filter(Struct, frozen=True):
    """Which entries are meant: all that agree with every field that is set."""

    task_type: str | None = None
    task_uuid: str | None = None
    outcome: str | None = None
    transport: str | None = None
    code: str | None = None
    sha256: str | None = None
    text: str | None = None
    since: int | None = None
    before: int | None = None

    def condition(self, account_id: int) -> ColumnElement[bool]:
        """Return the filter as SQL."""
        own = journal.c.account_id == account_id if account_id != ALL_ACCOUNTS else journal.c.id > 0
        conditions = [own]
        plain = {name: getattr(self, name) for name in ("task_type", "outcome", "transport")}
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
            conditions.append(
                journal.c.task.icontains(self.text, autoescape=True)
                | journal.c.answer.icontains(self.text, autoescape=True)
            )
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


def get_entry(services: Services, account_id: int, entry_id: int) -> models.Entry:
    """Return one entry."""
    with services.database.reading() as connection:
        row = connection.execute(
            select(journal).where(Filter().condition(account_id), journal.c.id == entry_id)
        ).first()
    if row is None:
        raise not_found(f"the journal has no entry {entry_id}", "id")
    return _entry(row)


@retried
def clear(services: Services, account_id: int) -> models.Deleted:
    """Delete every entry."""
    with changing(services, account_id) as connection:
        deleted = connection.execute(delete(journal).where(Filter().condition(account_id))).rowcount
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
        warnings=tuple(_warnings(row.task_type, task)),
        explanation=explanation(answer[0], task) if row.outcome == "error" and answer else None,
    )


def _warnings(task_type: str, task: dict[str, Any]) -> list[str]:
    """Name the parameters that were ignored because nobody knows them."""
    row = TASKS.get(task_type)
    return [] if row is None else unknown_parameters(row.model, task, OTHER_PARAMETERS | IMAGE_FIELDS)


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
    if (sent["width_px"], sent["height_px"], sent["size_bytes"]) == (
        stored["width_px"],
        stored["height_px"],
        stored["size_bytes"],
    ):
        return "Within 2048 px: stored byte for byte."
    turned = f", turned as its EXIF orientation {sent['orientation']} says" if sent["orientation"] > 1 else ""
    return (
        f"Over 2048 px: downsized from {sent['width_px']}x{sent['height_px']} to "
        f"{stored['width_px']}x{stored['height_px']}{turned}."
    )
