"""Calls of webhooks and uploads to an endpoint, as the journal has them: one entry for each attempt."""

from typing import Any

import msgspec

from runware_mock.control_models import instant, write_instant
from runware_mock.storage.deliveries import Request
from runware_mock.storage.journal import JournalEntry

_decode = msgspec.json.Decoder().decode
_JSON = "application/json"


def call_entry(
    request: Request,
    account_id: int,
    at: int,
    *,
    status: int,
    attempt: int = 0,
    problem: str | None = None,
    next_at: int | None = None,
    duration_us: int = 0,
) -> JournalEntry:
    """Return the entry of an attempt; the attempt 0 is one that a fault has prevented.

    `problem` is why it failed, `next_at` when the next attempt is due, if there is one; `status` is 0 if nothing was
    answered.
    """
    document = _decode(request.body) if request.content_type == _JSON else None
    item = _item_of(document)
    described: dict[str, Any] = {"method": request.method, "url": request.url, "attempt": attempt}
    if document is None:
        described |= {"contentType": request.content_type, "bytes": len(request.body)}
    if problem is not None:
        described |= {"problem": problem, "nextAt": None if next_at is None else write_instant(instant(next_at))}
    return JournalEntry(
        outcome="fault" if not attempt else "success" if problem is None else "error",
        answer=[] if document is None else [document],
        account_id=account_id,
        at=at,
        ready_at=at,
        transport="hook",
        task_type=str(item.get("taskType", ""))[:64],
        task_uuid=str(item.get("taskUUID", ""))[:36],
        task=described,
        client=None,
        duration_us=duration_us,
        kind="webhook",
        status=status,
    )


def _item_of(document: Any) -> dict[str, Any]:
    """Return the result or error that a webhook's body is or wraps."""
    if not isinstance(document, dict):
        return {}
    wrapped = document.get("data") or document.get("errors")
    return wrapped[0] if isinstance(wrapped, list) else document
