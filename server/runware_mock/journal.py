"""What was asked and answered, one entry a task: it finds taskUUIDs used again and serves getResponse."""

from dataclasses import dataclass
from typing import Literal

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select

from runware_mock.protocol.messages import Item
from runware_mock.storage.tables import journal

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

_ADD = insert(journal)
_BEST = (
    select(journal.c.task_type, journal.c.ready_at, journal.c.outcome, journal.c.answer)
    .where(journal.c.account_id == bindparam("account_id"), journal.c.task_uuid == bindparam("task_uuid"))
    # A success is final; what failed under the same UUID may have been sent again since.
    .order_by((journal.c.outcome == "success").desc(), journal.c.id.desc())
    .limit(1)
)
_DONE = (
    select(journal.c.id)
    .where(
        journal.c.account_id == bindparam("account_id"),
        journal.c.task_uuid == bindparam("task_uuid"),
        journal.c.outcome == "success",
        journal.c.at > bindparam("since_at"),
    )
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One task and its answer: the items on success, else the one error."""

    outcome: Literal["success", "error"]
    answer: list[Item]


@dataclass(frozen=True, slots=True)
class FoundEntry(Entry):
    """An entry as it was written."""

    task_type: str
    ready_at: int


def record(
    connection: Connection,
    *,
    account_id: int,
    at: int,
    transport: str,
    task_type: str,
    task_uuid: str,
    entry: Entry,
    ready_at: int,
) -> None:
    """Write an entry; until `ready_at` its answer is still being worked on, as far as the client is told."""
    connection.execute(
        _ADD,
        {
            "account_id": account_id,
            "at": at,
            "ready_at": ready_at,
            "transport": transport,
            "task_type": task_type,
            "task_uuid": task_uuid,
            "outcome": entry.outcome,
            "answer": _encode(entry.answer).decode(),
        },
    )


def is_done(connection: Connection, account_id: int, task_uuid: str, since_at: int) -> bool:
    """Tell whether a task of this UUID succeeded later than `since_at`."""
    values = {"account_id": account_id, "task_uuid": task_uuid, "since_at": since_at}
    return connection.execute(_DONE, values).first() is not None


def find(connection: Connection, account_id: int, task_uuid: str) -> FoundEntry | None:
    """Return the entry that answers for this taskUUID: its success, else its newest failure."""
    row = connection.execute(_BEST, {"account_id": account_id, "task_uuid": task_uuid}).first()
    return None if row is None else FoundEntry(row.outcome, _decode(row.answer), row.task_type, row.ready_at)


def delete_before(connection: Connection, cutoff_at: int, most: int) -> int:
    """Delete up to `most` entries from before `cutoff_at`; return how many."""
    old = select(journal.c.id).where(journal.c.at < cutoff_at).order_by(journal.c.at).limit(most)
    return connection.execute(delete(journal).where(journal.c.id.in_(old.scalar_subquery()))).rowcount
