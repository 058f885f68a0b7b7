"""What has yet to reach a client: webhooks, uploads to its own endpoint, and answers that a lost WebSocket missed.

Answers are kept for a client that comes back with its connectionSessionUUID.
"""

from collections.abc import Collection
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace
from sqlalchemy import BigInteger, ColumnElement, Connection, delete, insert, literal, select, true, update

from runware_mock.control_models import instant, write_instant
from runware_mock.storage.clocks import clock_at, has_no_clock
from runware_mock.storage.database import ALL_ACCOUNTS
from runware_mock.storage.journal import JournalEntry
from runware_mock.storage.models import delivery, undelivered

JSON = "application/json"
_decode = msgspec.json.Decoder().decode
_IS_UNDER_WAY = delivery.c.attempts < 0
# More than there ever are.
_ALL = 2**31


class Due(Struct, frozen=True):
    """A request to be made: `attempts` have failed so far, and the next one fell due at `due_at`.

    Once it is taken, no other process makes it before `until_at`, an instant of the real clock.
    """

    id: int
    account_id: int
    attempts: int
    due_at: int
    until_at: int = 0


class Request(Struct, frozen=True):
    """The content of a request."""

    method: str
    url: str
    content_type: str
    body: bytes


def add(connection: Connection, account_id: int, request: Request, due_at: int) -> None:
    """Store a request to be made from `due_at` on."""
    row = {**asdict(request), "account_id": account_id, "attempts": 0, "due_at": due_at}
    connection.execute(insert(delivery), row)


def accounts(connection: Connection) -> set[int]:
    """Return the accounts that have requests, due or not."""
    return set(connection.scalars(select(delivery.c.account_id).distinct()))


def due_accounts(connection: Connection, real_at: int, farthest_ms: int) -> list[int]:
    """Return the accounts with due requests; requests due more than `farthest_ms` ahead are lost, so due at once."""
    due = select(delivery.c.account_id).where(_is_due(real_at, farthest_ms)).distinct()
    return list(connection.scalars(due))


def are_under_way(connection: Connection, real_at: int, account_id: int) -> bool:
    """Return whether requests are being made, here or in another process."""
    under_way = select(delivery.c.id).where(_IS_UNDER_WAY, delivery.c.due_at > real_at, _is_of(account_id)).limit(1)
    return connection.execute(under_way).first() is not None


def hold(connection: Connection, account_id: int) -> None:
    """Lock an account's requests until the transaction ends."""
    connection.execute(select(delivery.c.id).where(_is_of(account_id)).order_by(delivery.c.id).with_for_update())


def find_due(
    connection: Connection, real_at: int, farthest_ms: int, most: int = _ALL, account_id: int = ALL_ACCOUNTS
) -> list[Due]:
    """Return up to `most` requests that are due, except those that another process is about to take."""
    due = select(delivery.c.id, delivery.c.account_id, delivery.c.attempts, delivery.c.due_at)
    due = due.where(_is_due(real_at, farthest_ms), _is_of(account_id)).order_by(delivery.c.due_at, delivery.c.id)
    rows = connection.execute(due.limit(most).with_for_update(skip_locked=True))
    return [Due(row_id, owner_id, max(attempts, ~attempts), due_at) for row_id, owner_id, attempts, due_at in rows]


def take(connection: Connection, found: Collection[Due], until_at: int) -> list[Due]:
    """Reserve requests for this process until an instant of the real clock."""
    for one in found:
        taken = update(delivery).where(delivery.c.id == one.id)
        connection.execute(taken.values(attempts=~one.attempts, due_at=until_at))
    return [replace(one, until_at=until_at) for one in found]


def read(connection: Connection, taken: Due) -> Request | None:
    """Return a request, or None if it was deleted meanwhile."""
    columns = (delivery.c.method, delivery.c.url, delivery.c.content_type, delivery.c.body)
    row = connection.execute(select(*columns).where(_is_still(taken))).first()
    return None if row is None else Request(*row)


def put_off(connection: Connection, taken: Due, attempts: int, due_at: int) -> None:
    """Postpone a request to `due_at`, after this many failed attempts."""
    connection.execute(update(delivery).where(_is_still(taken)).values(attempts=attempts, due_at=due_at))


def remove(connection: Connection, taken: Due) -> None:
    """Delete a request that has arrived or is given up."""
    connection.execute(delete(delivery).where(_is_still(taken)))


def _is_of(account_id: int) -> ColumnElement[bool]:
    return true() if account_id == ALL_ACCOUNTS else delivery.c.account_id == account_id


def _is_due(real_at: int, farthest_ms: int) -> ColumnElement[bool]:
    now_at = clock_at(delivery.c.account_id, literal(real_at, BigInteger))
    # No request is postponed this far: the clock was set back, so do not wait for it.
    is_lost = delivery.c.due_at > now_at + farthest_ms
    is_given_up = _IS_UNDER_WAY & (delivery.c.due_at <= real_at)
    return (~_IS_UNDER_WAY & ((delivery.c.due_at <= now_at) | is_lost)) | is_given_up


def _is_still(taken: Due) -> ColumnElement[bool]:
    """Return the condition that a row is still the one taken: SQLite gives the id of a deleted row to the next."""
    is_same = (delivery.c.id == taken.id) & (delivery.c.due_at == taken.until_at)
    return is_same & (delivery.c.attempts == ~taken.attempts)


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
    """Return the journal entry of an attempt to make a request; the attempt 0 is one that a fault has prevented.

    `problem` is why it failed, `next_at` when the next attempt is due, if there is one; `status` is 0 if nothing was
    answered.
    """
    document = _decode(request.body) if request.content_type == JSON else None
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


def keep_frames(connection: Connection, account_id: int, session_uuid: str, frames: list[str], now_at: int) -> None:
    """Store WebSocket frames whose socket was gone, in their order."""
    row = {"account_id": account_id, "session_uuid": session_uuid, "at": now_at}
    if frames:
        connection.execute(insert(undelivered), [{**row, "frame": frame} for frame in frames])


def sessions_with_frames(connection: Connection, session_uuids: Collection[str]) -> list[tuple[int, str]]:
    """Return account and UUID of each of these sessions for which frames are kept."""
    kept = select(undelivered.c.account_id, undelivered.c.session_uuid).distinct()
    rows = connection.execute(kept.where(undelivered.c.session_uuid.in_(session_uuids)))
    return [(account_id, session_uuid) for account_id, session_uuid in rows]


def take_frames(connection: Connection, account_id: int, session_uuid: str, since_at: int) -> list[str]:
    """Remove and return the frames of a session that were stored later than `since_at`."""
    is_kept = (undelivered.c.account_id == account_id) & (undelivered.c.session_uuid == session_uuid)
    kept = select(undelivered.c.at, undelivered.c.frame).where(is_kept).order_by(undelivered.c.id)
    rows = connection.execute(kept).all()
    if rows:
        connection.execute(delete(undelivered).where(is_kept))
    return [frame for at, frame in rows if at > since_at]


def take_frames_of(connection: Connection, account_id: int, task_uuid: str, since_at: int) -> list[str]:
    """Remove and return the frames that answer this task, each once, if they were stored later than `since_at`."""
    is_kept = (undelivered.c.account_id == account_id) & (undelivered.c.at > since_at)
    is_answer = undelivered.c.frame.icontains(f'"taskUUID":"{task_uuid}"', autoescape=True)
    found = select(undelivered.c.id, undelivered.c.frame).where(is_kept, is_answer).order_by(undelivered.c.id)
    rows = connection.execute(found).all()
    if rows:
        connection.execute(delete(undelivered).where(undelivered.c.id.in_([row.id for row in rows])))
    # A fault may have duplicated a frame.
    return list(dict.fromkeys(row.frame for row in rows))


def delete_frames_before(connection: Connection, account_id: int, cutoff_at: int) -> None:
    """Delete the frames whose clients did not come back in time."""
    owner = undelivered.c.account_id
    is_owned = has_no_clock(owner) if account_id == ALL_ACCOUNTS else owner == account_id
    connection.execute(delete(undelivered).where(undelivered.c.at < cutoff_at, is_owned))
