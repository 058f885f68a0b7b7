"""WebSocket answers whose socket was gone, kept for the client that comes back with its connectionSessionUUID."""

from collections.abc import Collection

from sqlalchemy import Connection, delete, insert, select

from runware_mock.storage.owners import ruled_by
from runware_mock.storage.tables import undelivered


def keep(connection: Connection, account_id: int, session_uuid: str, frames: list[str], now_at: int) -> None:
    """Store frames in the order in which they were to be sent."""
    rows = [{"account_id": account_id, "session_uuid": session_uuid, "at": now_at, "frame": frame} for frame in frames]
    connection.execute(insert(undelivered), rows)


def sessions_of(connection: Connection, session_uuids: Collection[str]) -> list[tuple[int, str]]:
    """Return those of the sessions, each with its account, for which something is kept."""
    kept = select(undelivered.c.account_id, undelivered.c.session_uuid).distinct()
    rows = connection.execute(kept.where(undelivered.c.session_uuid.in_(session_uuids))).all()
    return [(row.account_id, row.session_uuid) for row in rows]


def take(connection: Connection, account_id: int, session_uuid: str, since_at: int) -> list[str]:
    """Remove and return the frames of a session that were stored later than `since_at`."""
    own = (undelivered.c.account_id == account_id) & (undelivered.c.session_uuid == session_uuid)
    rows = connection.execute(select(undelivered.c.at, undelivered.c.frame).where(own).order_by(undelivered.c.id)).all()
    if rows:
        connection.execute(delete(undelivered).where(own))
    return [row.frame for row in rows if row.at > since_at]


def take_answer(connection: Connection, account_id: int, task_uuid: str, since_at: int) -> str | None:
    """Remove and return the frame that answers this task, if it was stored later than `since_at`."""
    answers = undelivered.c.frame.icontains(f'"taskUUID":"{task_uuid}"', autoescape=True)
    own = (undelivered.c.account_id == account_id) & (undelivered.c.at > since_at) & answers
    row = connection.execute(select(undelivered.c.id, undelivered.c.frame).where(own).limit(1)).first()
    if row is None:
        return None
    connection.execute(delete(undelivered).where(undelivered.c.id == row.id))
    return str(row.frame)


def delete_before(connection: Connection, account_id: int, cutoff_at: int) -> int:
    """Delete what nobody came back for in time; return how many."""
    late = (undelivered.c.at < cutoff_at) & ruled_by(undelivered.c.account_id, account_id)
    return connection.execute(delete(undelivered).where(late)).rowcount
