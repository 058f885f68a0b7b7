"""WebSocket answers whose socket was gone, kept for the client that comes back with its connectionSessionUUID."""

from collections.abc import Collection

from sqlalchemy import Connection, Text, bindparam, delete, insert, select

from runware_mock.storage.clocks import has_no_clock
from runware_mock.storage.database import ALL_ACCOUNTS
from runware_mock.storage.models import undelivered

_ACCOUNT = undelivered.c.account_id == bindparam("account_id")
_SESSION = _ACCOUNT & (undelivered.c.session_uuid == bindparam("session_uuid"))
_LATE = undelivered.c.at < bindparam("cutoff_at")

_OF_SESSION = select(undelivered.c.at, undelivered.c.frame).where(_SESSION).order_by(undelivered.c.id)
_REMOVE_SESSION = delete(undelivered).where(_SESSION)
_ANSWER = (
    select(undelivered.c.id, undelivered.c.frame)
    .where(
        _ACCOUNT,
        undelivered.c.at > bindparam("since_at"),
        undelivered.c.frame.icontains(bindparam("part", type_=Text)),
    )
    .order_by(undelivered.c.id)
)
_REMOVE = delete(undelivered).where(undelivered.c.id == bindparam("row_id"))
_REMOVE_LATE = delete(undelivered).where(_LATE, has_no_clock(undelivered.c.account_id))
_REMOVE_LATE_OWN = delete(undelivered).where(_LATE, _ACCOUNT)


def keep(connection: Connection, account_id: int, session_uuid: str, frames: list[str], now_at: int) -> None:
    """Store frames in the order in which they were to be sent."""
    row = {"account_id": account_id, "session_uuid": session_uuid, "at": now_at}
    if frames:
        connection.execute(insert(undelivered), [{**row, "frame": frame} for frame in frames])


def sessions_of(connection: Connection, session_uuids: Collection[str]) -> list[tuple[int, str]]:
    """Return those of the sessions, each with its account, for which something is kept."""
    kept = select(undelivered.c.account_id, undelivered.c.session_uuid).distinct()
    rows = connection.execute(kept.where(undelivered.c.session_uuid.in_(session_uuids)))
    return [(row.account_id, row.session_uuid) for row in rows]


def take(connection: Connection, account_id: int, session_uuid: str, since_at: int) -> list[str]:
    """Remove and return the frames of a session that were stored later than `since_at`."""
    session = {"account_id": account_id, "session_uuid": session_uuid}
    rows = connection.execute(_OF_SESSION, session).all()
    if rows:
        connection.execute(_REMOVE_SESSION, session)
    return [frame for at, frame in rows if at > since_at]


def take_answer(connection: Connection, account_id: int, task_uuid: str, since_at: int) -> list[str]:
    """Remove and return the frames that answer this task, each once, if they were stored later than `since_at`."""
    # A UUID has none of the characters that would stand for others.
    part = f'"taskUUID":"{task_uuid}"'
    rows = connection.execute(_ANSWER, {"account_id": account_id, "part": part, "since_at": since_at}).all()
    if rows:
        connection.execute(_REMOVE, [{"row_id": row.id} for row in rows])
    # A fault may have wanted a frame to be sent twice.
    return list(dict.fromkeys(row.frame for row in rows))


def delete_before(connection: Connection, account_id: int, cutoff_at: int) -> int:
    """Delete what nobody came back for in time; return how many."""
    if account_id == ALL_ACCOUNTS:
        return connection.execute(_REMOVE_LATE, {"cutoff_at": cutoff_at}).rowcount
    return connection.execute(_REMOVE_LATE_OWN, {"cutoff_at": cutoff_at, "account_id": account_id}).rowcount
