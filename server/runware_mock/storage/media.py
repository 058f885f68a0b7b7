"""Media: what an imageUUID names, whose it is, and when it was last used."""

import uuid as uuids
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from runware_mock.storage.contents import StoredContent
from runware_mock.storage.tables import content, medium


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What GET serves of a medium."""

    format: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Expired:
    """What a purge would remove: how many media, and the bytes of content that only they point at."""

    media: int
    size_bytes: int


_ADD = insert(medium)
_FILE = (
    select(content.c.format, content.c.bytes)
    .join_from(medium, content)
    .where(medium.c.uuid == bindparam("uuid"), medium.c.last_used_at > bindparam("cutoff_at"))
)
_OWN = (
    select(medium.c.id, medium.c.content_id, content.c.format)
    .join_from(medium, content)
    .where(
        medium.c.uuid == bindparam("uuid"),
        medium.c.account_id == bindparam("account_id"),
        medium.c.last_used_at > bindparam("cutoff_at"),
    )
)
_EXPIRED = (
    select(medium.c.id, medium.c.content_id)
    .where(medium.c.last_used_at <= bindparam("cutoff_at"))
    .order_by(medium.c.last_used_at)
    .limit(bindparam("most"))
)


def add(connection: Connection, account_id: int, content_id: int, now_at: int) -> str:
    """Store a medium, used for the first time now, and return its new UUID v4."""
    uuid = str(uuids.uuid4())
    connection.execute(
        _ADD,
        {
            "uuid": uuid,
            "account_id": account_id,
            "content_id": content_id,
            "created_at": now_at,
            "last_used_at": now_at,
        },
    )
    return uuid


def use(connection: Connection, account_id: int, uuid: str, *, now_at: int, cutoff_at: int) -> StoredContent | None:
    """Renew the last use of an account's medium and return its content, or None where there is none alive.

    "Images are deleted 30 days after last use. As long as you continue using them, we will continue saving them
    indefinitely."
    """
    row = connection.execute(_OWN, {"uuid": uuid, "account_id": account_id, "cutoff_at": cutoff_at}).first()
    if row is None:
        return None
    connection.execute(update(medium).where(medium.c.id == row.id).values(last_used_at=now_at))
    return StoredContent(row.content_id, row.format)


def read_file(connection: Connection, uuid: str, *, cutoff_at: int) -> StoredFile | None:
    """Return the file of a medium used later than `cutoff_at`; whose it is does not matter for a GET."""
    row = connection.execute(_FILE, {"uuid": uuid, "cutoff_at": cutoff_at}).first()
    return None if row is None else StoredFile(row.format, row.bytes)


def pop_expired(connection: Connection, cutoff_at: int, most: int) -> list[int]:
    """Delete up to `most` media last used at `cutoff_at` or before; return the content of each."""
    rows = connection.execute(_EXPIRED, {"cutoff_at": cutoff_at, "most": most}).all()
    connection.execute(delete(medium).where(medium.c.id.in_([row.id for row in rows])))
    return [row.content_id for row in rows]


def count_expired(connection: Connection, cutoff_at: int) -> Expired:
    """Tell what `pop_expired` would remove in the end."""
    count = select(func.count()).select_from(medium).where(medium.c.last_used_at <= cutoff_at)
    old = select(medium.c.content_id).where(medium.c.last_used_at <= cutoff_at)
    young = select(medium.c.content_id).where(medium.c.last_used_at > cutoff_at)
    size = select(func.coalesce(func.sum(content.c.size_bytes), 0)).where(
        content.c.id.in_(old), content.c.id.not_in(young)
    )
    return Expired(connection.scalar(count) or 0, connection.scalar(size) or 0)
