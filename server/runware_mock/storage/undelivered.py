"""WebSocket answers whose socket was gone, kept for the client that comes back with its connectionSessionUUID."""

from collections.abc import Collection

from runware_mock.storage.connection import Connection
from runware_mock.storage.owners import ALL_ACCOUNTS
from runware_mock.storage.prepared import Prepared

_ADD = Prepared("undelivered.ADD")
_OF_SESSION = Prepared("undelivered.OF_SESSION")
_REMOVE_SESSION = Prepared("undelivered.REMOVE_SESSION")
_ANSWER = Prepared("undelivered.ANSWER")
_REMOVE = Prepared("undelivered.REMOVE")
_REMOVE_LATE = Prepared("undelivered.REMOVE_LATE")
_REMOVE_LATE_OWN = Prepared("undelivered.REMOVE_LATE_OWN")


def keep(connection: Connection, account_id: int, session_uuid: str, frames: list[str], now_at: int) -> None:
    """Store frames in the order in which they were to be sent."""
    for frame in frames:
        _ADD(connection, {"account_id": account_id, "session_uuid": session_uuid, "at": now_at, "frame": frame})


def sessions_of(connection: Connection, session_uuids: Collection[str]) -> list[tuple[int, str]]:
    """Return those of the sessions, each with its account, for which something is kept."""
    from runware_mock.storage.statements.undelivered import kept_for

    rows = connection.core.execute(kept_for(session_uuids)).all()
    return [(row.account_id, row.session_uuid) for row in rows]


def take(connection: Connection, account_id: int, session_uuid: str, since_at: int) -> list[str]:
    """Remove and return the frames of a session that were stored later than `since_at`."""
    session = {"account_id": account_id, "session_uuid": session_uuid}
    rows = _OF_SESSION.all(connection, session)
    if rows:
        _REMOVE_SESSION(connection, session)
    return [frame for at, frame in rows if at > since_at]


def take_answer(connection: Connection, account_id: int, task_uuid: str, since_at: int) -> str | None:
    """Remove and return the frame that answers this task, if it was stored later than `since_at`."""
    # A UUID has none of the characters that would stand for others.
    part = f'"taskUUID":"{task_uuid}"'
    row = _ANSWER(connection, {"account_id": account_id, "part": part, "since_at": since_at}).first()
    if row is None:
        return None
    row_id, frame = row
    _REMOVE(connection, {"row_id": row_id})
    return str(frame)


def delete_before(connection: Connection, account_id: int, cutoff_at: int) -> int:
    """Delete what nobody came back for in time; return how many."""
    if account_id == ALL_ACCOUNTS:
        return _REMOVE_LATE(connection, {"cutoff_at": cutoff_at}).rowcount
    return _REMOVE_LATE_OWN(connection, {"cutoff_at": cutoff_at, "account_id": account_id}).rowcount
