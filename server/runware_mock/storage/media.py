"""Media: what an imageUUID names, whose it is, and when it was last used."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, String, bindparam, delete, func, insert, select, update

from runware_mock.storage.contents import FACTS, FILE, StoredContent, StoredFile
from runware_mock.storage.owners import ALL_ACCOUNTS, ruled_by
from runware_mock.storage.prepared import Prepared
from runware_mock.storage.tables import content, medium, snapshot_content
from runware_mock.storage.uuids import in_order, key_of


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


_ADD = Prepared(
    insert(medium),
    ("uuid", "account_id", "content_id", "task_type", "created_at", "last_used_at", "expires_at"),
)
_ALIVE = (medium.c.last_used_at > bindparam("cutoff_at")) & (
    medium.c.expires_at.is_(None) | (medium.c.expires_at > bindparam("now_at"))
)
_VISIBLE = medium.c.visible_at.is_(None) | (medium.c.visible_at <= bindparam("now_at"))
_EXPIRED = (medium.c.last_used_at <= bindparam("cutoff_at")) | (medium.c.expires_at <= bindparam("now_at"))
_NAMED = in_order(medium.c.uuid) == in_order(bindparam("uuid", type_=String))
_OWN = _NAMED & (medium.c.account_id == bindparam("account_id")) & _ALIVE & _VISIBLE
_TIMES = (medium.c.account_id, medium.c.last_used_at, medium.c.expires_at, medium.c.visible_at)
# One statement: between two the medium could be deleted, and its content's id be given to another picture.
_SERVED = select(*_TIMES, *FILE).join_from(medium, content).where(_NAMED)
_READ = select(*FILE).join_from(medium, content).where(_OWN)
# A purge leaves alone what is being used or deleted at the moment, and what it deletes is not there any more.
_USED = Prepared(
    select(medium.c.id.label("medium_id"), *FACTS)
    .join_from(medium, content)
    .where(_OWN)
    .with_for_update(of=medium, key_share=True)
)
_TOUCH = Prepared(
    update(medium).where(medium.c.id == bindparam("medium_id")).values(last_used_at=bindparam("now_at")),
    ("last_used_at",),
)
_STORED = (
    select(func.count(), func.coalesce(func.sum(content.c.size_bytes), 0))
    .select_from(medium)
    .join(content)
    .where(medium.c.account_id == bindparam("account_id"), _ALIVE)
)


def _popping(owned: ColumnElement[bool]) -> Prepared:
    expired = select(medium.c.id).where(_EXPIRED, owned).limit(bindparam("most"))
    chosen = expired.with_for_update(skip_locked=True).cte("expired")
    popped = delete(medium).where(medium.c.id.in_(select(chosen.c.id)))
    return Prepared(popped.returning(medium.c.uuid, medium.c.content_id))


_POP_ALL = _popping(ruled_by(medium.c.account_id, ALL_ACCOUNTS))
_POP_OWN = _popping(medium.c.account_id == bindparam("account_id"))
_FIND = select(medium.c.id, medium.c.content_id).where(_OWN).with_for_update()


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
    _ADD(
        connection,
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
    row = _USED(connection, {"uuid": uuid, "account_id": account_id, **_values_of(moment)}).first()
    if row is None:
        return None
    _TOUCH(connection, {"medium_id": row[0], "now_at": moment.now_at})
    return StoredContent(*row[1:])


def remove(connection: Connection, account_id: int, uuid: str, moment: Moment) -> int | None:
    """Delete an account's medium and return its content's id, or None where there is none alive."""
    row = connection.execute(_FIND, {"uuid": uuid, "account_id": account_id, **_values_of(moment)}).first()
    if row is None:
        return None
    connection.execute(delete(medium).where(medium.c.id == row.id))
    return int(row.content_id)


def read_served(connection: Connection, uuid: str, moment_of: Callable[[int], Moment]) -> StoredFile | None:
    """Return the file of a medium that is alive by its account's clock; who asks does not matter for a GET."""
    row = connection.execute(_SERVED, {"uuid": uuid}).first()
    if row is None:
        return None
    account_id, *times = row[: len(_TIMES)]
    return StoredFile(*row[len(_TIMES) :]) if moment_of(account_id).is_alive(*times) else None


def read_any(connection: Connection, uuid: str) -> StoredFile | None:
    """Return the file of a medium, alive or expired, whoever it belongs to."""
    row = connection.execute(_SERVED, {"uuid": uuid}).first()
    return None if row is None else StoredFile(*row[len(_TIMES) :])


def read_own(connection: Connection, account_id: int, uuid: str, moment: Moment) -> StoredFile | None:
    """Return the file of an account's living medium."""
    row = connection.execute(_READ, {"uuid": uuid, "account_id": account_id, **_values_of(moment)}).first()
    return None if row is None else StoredFile(*row)


def named(*uuids: str) -> ColumnElement[bool]:
    """Return the condition that a medium has one of these UUIDs."""
    return in_order(medium.c.uuid).in_([key_of(uuid) for uuid in uuids])


def set_times(
    connection: Connection, uuids: Collection[str], *, expires_at: int | None = None, visible_at: int | None = None
) -> None:
    """Let media end at an instant, or be there only from one on."""
    given = {"expires_at": expires_at, "visible_at": visible_at}
    values = {name: value for name, value in given.items() if value is not None}
    connection.execute(update(medium).where(named(*uuids)).values(values))


def count_stored(connection: Connection, account_id: int, moment: Moment) -> Stored:
    """Tell what an account has that is alive."""
    values = {"account_id": account_id, **_values_of(moment)}
    row = connection.execute(_STORED, values).one()
    return Stored(row[0], int(row[1]))


def pop_expired(connection: Connection, account_id: int, moment: Moment, most: int) -> Sequence[Sequence[Any]]:
    """Delete up to `most` of an account's expired media; return UUID and content of each.

    Those that a task uses at this moment, which will not have expired then, are left alone.
    """
    pop = _POP_ALL if account_id == ALL_ACCOUNTS else _POP_OWN
    return pop.all(connection, {"account_id": account_id, "most": most, **_values_of(moment)})


def over(at: "ColumnElement[int] | int", retention_ms: int) -> ColumnElement[bool]:
    """Return the condition that a medium has expired by an instant."""
    unused = medium.c.last_used_at <= at - retention_ms
    return unused | (medium.c.expires_at.is_not(None) & (medium.c.expires_at <= at))


def count_gone(connection: Connection, gone: ColumnElement[bool]) -> Expired:
    """Tell what a purge of the media that fulfil a condition would remove."""
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
