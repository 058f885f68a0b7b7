"""Media: what an imageUUID names, whose it is, and when it was last used."""

from collections.abc import Callable, Collection, Sequence

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, func, insert, select, update
from sqlalchemy.sql.dml import ReturningDelete

from runware_mock.storage.clocks import has_no_clock
from runware_mock.storage.contents import FACTS, FILE, StoredContent, StoredFile
from runware_mock.storage.database import ALL_ACCOUNTS
from runware_mock.storage.models import content, medium, snapshot_content


class Moment(Struct, frozen=True):
    """An instant, and the last use at or before which a medium has expired by then."""

    now_at: int
    cutoff_at: int

    def is_alive(self, last_used_at: int, expires_at: int | None, visible_at: int | None) -> bool:
        """Tell whether a medium of these times can be used."""
        return (
            last_used_at > self.cutoff_at
            and (expires_at is None or expires_at > self.now_at)
            and (visible_at is None or visible_at <= self.now_at)
        )


class Expired(Struct, frozen=True):
    """What a purge would remove: how many media, and the bytes of content that nothing else points at."""

    media: int
    size_bytes: int


class Stored(Struct, frozen=True):
    """What an account has: how many media, and the bytes of all of them, whoever else has the same."""

    media: int
    size_bytes: int


# The times of a medium, before its file.
_TIMES = 3

_ALIVE = (medium.c.last_used_at > bindparam("cutoff_at")) & (
    medium.c.expires_at.is_(None) | (medium.c.expires_at > bindparam("now_at"))
)
_VISIBLE = medium.c.visible_at.is_(None) | (medium.c.visible_at <= bindparam("now_at"))
_EXPIRED = (medium.c.last_used_at <= bindparam("cutoff_at")) | (medium.c.expires_at <= bindparam("now_at"))
_NAMED = medium.c.uuid == bindparam("uuid")
_ID = medium.c.id == bindparam("medium_id")
_ACCOUNT = medium.c.account_id == bindparam("account_id")
_OWN = _NAMED & _ACCOUNT & _ALIVE & _VISIBLE

_ADD = insert(medium)
# One statement: between two the medium could be deleted, and its content's id be given to another picture.
_SERVED = (
    select(medium.c.account_id, medium.c.last_used_at, medium.c.expires_at, medium.c.visible_at, *FILE)
    .join_from(medium, content)
    .where(_NAMED)
)
_READ = select(*FILE).join_from(medium, content).where(_OWN)
# A purge skips what is locked here; what it is about to delete is not found.
_USE = (
    select(medium.c.id.label("medium_id"), *FACTS)
    .join_from(medium, content)
    .where(_OWN)
    .with_for_update(of=medium, key_share=True)
)
_TOUCH = update(medium).where(_ID).values(last_used_at=bindparam("now_at"))
_FIND = select(medium.c.id, medium.c.content_id).where(_OWN).with_for_update()
_REMOVE = delete(medium).where(_ID)
_STORED = (
    select(func.count(), func.coalesce(func.sum(content.c.size_bytes), 0))
    .select_from(medium)
    .join(content)
    .where(_ACCOUNT, _ALIVE)
)
_COUNT = select(func.count()).select_from(medium)


def _pop_expired(owned: ColumnElement[bool]) -> "ReturningDelete[str, int]":
    expired = select(medium.c.id).where(_EXPIRED, owned).limit(bindparam("most"))
    chosen = expired.with_for_update(skip_locked=True).cte("expired")
    popped = delete(medium).where(medium.c.id.in_(select(chosen.c.id)))
    return popped.returning(medium.c.uuid, medium.c.content_id)


_POP_OF_ALL = _pop_expired(has_no_clock(medium.c.account_id))
_POP_OWN = _pop_expired(_ACCOUNT)


def add(
    connection: Connection,
    account_id: int,
    content_id: int,
    uuid: str,
    now_at: int,
    *,
    task_type: object,
    expires_at: int | None = None,
) -> None:
    """Store what a task brought, used for the first time now; `expires_at` may end it sooner than its last use does."""
    connection.execute(
        _ADD,
        {
            "uuid": uuid,
            "account_id": account_id,
            "content_id": content_id,
            "task_type": task_type,
            "created_at": now_at,
            "last_used_at": now_at,
            "expires_at": expires_at,
        },
    )


def use(connection: Connection, account_id: int, uuid: str, moment: Moment) -> StoredContent | None:
    """Renew the last use of an account's medium and return its content, or None where there is none alive.

    "Images are deleted 30 days after last use. As long as you continue using them, we will continue saving them
    indefinitely."
    """
    row = connection.execute(_USE, {"uuid": uuid, "account_id": account_id, **_values_of(moment)}).first()
    if row is None:
        return None
    connection.execute(_TOUCH, {"medium_id": row[0], "now_at": moment.now_at})
    return StoredContent(*row[1:])


def remove(connection: Connection, account_id: int, uuid: str, moment: Moment) -> int | None:
    """Delete an account's medium and return its content's id, or None where there is none alive."""
    row = connection.execute(_FIND, {"uuid": uuid, "account_id": account_id, **_values_of(moment)}).first()
    if row is None:
        return None
    medium_id, content_id = row
    connection.execute(_REMOVE, {"medium_id": medium_id})
    return int(content_id)


def read_served(connection: Connection, uuid: str, moment_of: Callable[[int], Moment]) -> StoredFile | None:
    """Return the file of a medium that is alive by its account's clock; who asks does not matter for a GET."""
    row = connection.execute(_SERVED, {"uuid": uuid}).first()
    if row is None:
        return None
    account_id, *rest = row
    return StoredFile(*rest[_TIMES:]) if moment_of(account_id).is_alive(*rest[:_TIMES]) else None


def read_any(connection: Connection, uuid: str) -> StoredFile | None:
    """Return the file of a medium, alive or expired, whoever it belongs to."""
    row = connection.execute(_SERVED, {"uuid": uuid}).first()
    return None if row is None else StoredFile(*row[1 + _TIMES :])


def sha256_of(connection: Connection, uuid: str) -> bytes | None:
    """Return the SHA-256 of what was sent as a medium, alive or expired."""
    return connection.scalar(select(content.c.sent_sha256).join_from(medium, content).where(medium.c.uuid == uuid))


def read_own(connection: Connection, account_id: int, uuid: str, moment: Moment) -> StoredFile | None:
    """Return the file of an account's living medium."""
    row = connection.execute(_READ, {"uuid": uuid, "account_id": account_id, **_values_of(moment)}).first()
    return None if row is None else StoredFile(*row)


def set_times(
    connection: Connection, uuids: Collection[str], *, expires_at: int | None = None, visible_at: int | None = None
) -> None:
    """Let media end at an instant, or be there only from one on."""
    given = {"expires_at": expires_at, "visible_at": visible_at}
    values = {name: value for name, value in given.items() if value is not None}
    connection.execute(update(medium).where(medium.c.uuid.in_(uuids)).values(values))


def count_stored(connection: Connection, account_id: int, moment: Moment) -> Stored:
    """Tell what an account has that is alive."""
    values = {"account_id": account_id, **_values_of(moment)}
    media, size_bytes = connection.execute(_STORED, values).first() or (0, 0)
    return Stored(media, int(size_bytes))


def count(connection: Connection) -> int:
    """Return how many media there are."""
    return connection.scalar(_COUNT) or 0


def pop_expired(connection: Connection, account_id: int, moment: Moment, most: int) -> "Sequence[Row[str, int]]":
    """Delete up to `most` of an account's expired media; return UUID and content id of each.

    Those that a task uses at this moment, which will not have expired then, are left alone.
    """
    pop = _POP_OF_ALL if account_id == ALL_ACCOUNTS else _POP_OWN
    return connection.execute(pop, {"account_id": account_id, "most": most, **_values_of(moment)}).all()


def is_over(at: ColumnElement[int] | int, retention_ms: int) -> ColumnElement[bool]:
    """Return the condition that a medium has expired by an instant."""
    unused = medium.c.last_used_at <= at - retention_ms
    return unused | (medium.c.expires_at.is_not(None) & (medium.c.expires_at <= at))


def count_gone(connection: Connection, gone: ColumnElement[bool]) -> Expired:
    """Return what a purge of the media that fulfil a condition would remove."""
    count = select(func.count()).select_from(medium).where(gone)
    freed = select(func.sum(content.c.size_bytes)).where(
        content.c.id.in_(select(medium.c.content_id).where(gone)),
        content.c.id.not_in(select(medium.c.content_id).where(~gone)),
        content.c.id.not_in(select(snapshot_content.c.content_id)),
    )
    return Expired(connection.scalar(count) or 0, int(connection.scalar(freed) or 0))


def _values_of(moment: Moment) -> dict[str, int]:
    """Return a moment as the parameters of a statement."""
    return {"now_at": moment.now_at, "cutoff_at": moment.cutoff_at}
