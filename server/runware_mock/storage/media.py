"""Media: what an imageUUID names, whose it is, and when it was last used."""

import uuid as uuids
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from runware_mock.images.picture import Picture
from runware_mock.storage.contents import StoredContent
from runware_mock.storage.tables import content, medium


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant, and the last use at or before which a medium has expired by then."""

    now_at: int
    cutoff_at: int


@dataclass(frozen=True, slots=True)
class Expired:
    """What a purge would remove: how many media, and the bytes of content that only they point at."""

    media: int
    size_bytes: int


_ADD = insert(medium)
_ALIVE = (medium.c.last_used_at > bindparam("cutoff_at")) & (
    medium.c.expires_at.is_(None) | (medium.c.expires_at > bindparam("now_at"))
)
_EXPIRED = (medium.c.last_used_at <= bindparam("cutoff_at")) | (medium.c.expires_at <= bindparam("now_at"))
_OWN = (medium.c.uuid == bindparam("uuid")) & (medium.c.account_id == bindparam("account_id")) & _ALIVE
_PICTURE = select(
    content.c.format, content.c.width_px, content.c.height_px, content.c.frames, content.c.bytes
).join_from(medium, content)
_SERVED = _PICTURE.where(medium.c.uuid == bindparam("uuid"), _ALIVE)
_READ = _PICTURE.where(_OWN)
_USED = select(medium.c.id, medium.c.content_id, content.c.format).join_from(medium, content).where(_OWN)
_FIND = select(medium.c.id, medium.c.content_id).where(_OWN)
_NEXT_EXPIRED = select(medium.c.id, medium.c.content_id).where(_EXPIRED).limit(bindparam("most"))


def add(connection: Connection, account_id: int, content_id: int, now_at: int, *, expires_at: int | None = None) -> str:
    """Store a medium, used for the first time now, and return its new UUID v4; `expires_at` may end it sooner."""
    uuid = str(uuids.uuid4())
    connection.execute(
        _ADD,
        {
            "uuid": uuid,
            "account_id": account_id,
            "content_id": content_id,
            "created_at": now_at,
            "last_used_at": now_at,
            "expires_at": expires_at,
        },
    )
    return uuid


def use(connection: Connection, account_id: int, uuid: str, moment: Moment) -> StoredContent | None:
    """Renew the last use of an account's medium and return its content, or None where there is none alive.

    "Images are deleted 30 days after last use. As long as you continue using them, we will continue saving them
    indefinitely."
    """
    row = connection.execute(_USED, {"uuid": uuid, "account_id": account_id, **_values_of(moment)}).first()
    if row is None:
        return None
    connection.execute(update(medium).where(medium.c.id == row.id).values(last_used_at=moment.now_at))
    return StoredContent(row.content_id, row.format)


def remove(connection: Connection, account_id: int, uuid: str, moment: Moment) -> int | None:
    """Delete an account's medium and return its content's id, or None where there is none alive."""
    row = connection.execute(_FIND, {"uuid": uuid, "account_id": account_id, **_values_of(moment)}).first()
    if row is None:
        return None
    connection.execute(delete(medium).where(medium.c.id == row.id))
    return int(row.content_id)


def read_served(connection: Connection, uuid: str, moment: Moment) -> Picture | None:
    """Return the file of a living medium; whose it is does not matter for a GET."""
    row = connection.execute(_SERVED, {"uuid": uuid, **_values_of(moment)}).first()
    return None if row is None else Picture(*row)


def read_own(connection: Connection, account_id: int, uuid: str, moment: Moment) -> Picture | None:
    """Return the file of an account's living medium."""
    row = connection.execute(_READ, {"uuid": uuid, "account_id": account_id, **_values_of(moment)}).first()
    return None if row is None else Picture(*row)


def pop_expired(connection: Connection, moment: Moment, most: int) -> list[int]:
    """Delete up to `most` expired media; return the content of each."""
    rows = connection.execute(_NEXT_EXPIRED, {"most": most, **_values_of(moment)}).all()
    connection.execute(delete(medium).where(medium.c.id.in_([row.id for row in rows])))
    return [row.content_id for row in rows]


def count_expired(connection: Connection, moment: Moment) -> Expired:
    """Tell what `pop_expired` would remove in the end."""
    count = select(func.count()).select_from(medium).where(_EXPIRED)
    size = select(func.coalesce(func.sum(content.c.size_bytes), 0)).where(
        content.c.id.in_(select(medium.c.content_id).where(_EXPIRED)),
        content.c.id.not_in(select(medium.c.content_id).where(_ALIVE)),
    )
    values = _values_of(moment)
    return Expired(connection.scalar(count, values) or 0, connection.scalar(size, values) or 0)


def _values_of(moment: Moment) -> dict[str, int]:
    """Return a moment as the parameters of a statement."""
    return {"now_at": moment.now_at, "cutoff_at": moment.cutoff_at}
