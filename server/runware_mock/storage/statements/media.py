"""Media by their UUIDs, their owners and their times."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, String, Update, bindparam, delete, func, insert, select, update

from runware_mock.storage.connection import Connection
from runware_mock.storage.media import Expired
from runware_mock.storage.statements.contents import FACTS, FILE
from runware_mock.storage.statements.owners import ruled_by_all
from runware_mock.storage.statements.written import Statement
from runware_mock.storage.tables import content, medium, snapshot_content
from runware_mock.storage.uuids import in_order, key_of

_ALIVE = (medium.c.last_used_at > bindparam("cutoff_at")) & (
    medium.c.expires_at.is_(None) | (medium.c.expires_at > bindparam("now_at"))
)
_VISIBLE = medium.c.visible_at.is_(None) | (medium.c.visible_at <= bindparam("now_at"))
_EXPIRED = (medium.c.last_used_at <= bindparam("cutoff_at")) | (medium.c.expires_at <= bindparam("now_at"))
_NAMED = in_order(medium.c.uuid) == in_order(bindparam("uuid", type_=String))
_ACCOUNT = medium.c.account_id == bindparam("account_id")
_OWN = _NAMED & _ACCOUNT & _ALIVE & _VISIBLE


def _popping(owned: ColumnElement[bool]) -> Statement:
    expired = select(medium.c.id).where(_EXPIRED, owned).limit(bindparam("most"))
    chosen = expired.with_for_update(skip_locked=True).cte("expired")
    popped = delete(medium).where(medium.c.id.in_(select(chosen.c.id)))
    return Statement(popped.returning(medium.c.uuid, medium.c.content_id))


ADD = Statement(
    insert(medium),
    ("uuid", "account_id", "content_id", "task_type", "created_at", "last_used_at", "expires_at"),
)
# One statement: between two the medium could be deleted, and its content's id be given to another picture.
SERVED = Statement(
    select(medium.c.account_id, medium.c.last_used_at, medium.c.expires_at, medium.c.visible_at, *FILE)
    .join_from(medium, content)
    .where(_NAMED)
)
READ = Statement(select(*FILE).join_from(medium, content).where(_OWN))
# A purge leaves alone what is being used or deleted at the moment, and what it deletes is not there any more.
USED = Statement(
    select(medium.c.id.label("medium_id"), *FACTS)
    .join_from(medium, content)
    .where(_OWN)
    .with_for_update(of=medium, key_share=True)
)
TOUCH = Statement(
    update(medium).where(medium.c.id == bindparam("medium_id")).values(last_used_at=bindparam("now_at")),
    ("last_used_at",),
)
FIND = Statement(select(medium.c.id, medium.c.content_id).where(_OWN).with_for_update())
REMOVE = Statement(delete(medium).where(medium.c.id == bindparam("medium_id")))
STORED = Statement(
    select(func.count(), func.coalesce(func.sum(content.c.size_bytes), 0))
    .select_from(medium)
    .join(content)
    .where(_ACCOUNT, _ALIVE)
)
COUNT = Statement(select(func.count()).select_from(medium))
POP_ALL = _popping(ruled_by_all(medium.c.account_id))
POP_OWN = _popping(_ACCOUNT)


def named(*uuids: str) -> ColumnElement[bool]:
    """Return the condition that a medium has one of these UUIDs."""
    return in_order(medium.c.uuid).in_([key_of(uuid) for uuid in uuids])


def setting(uuids: Collection[str], values: dict[str, int]) -> Update:
    """Return what gives media other times."""
    return update(medium).where(named(*uuids)).values(values)


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
    return Expired(connection.core.scalar(count) or 0, int(connection.core.scalar(freed) or 0))
