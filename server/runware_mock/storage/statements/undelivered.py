"""Frames that wait for the clients of sessions."""

from collections.abc import Collection

from sqlalchemy import Select, bindparam, delete, insert, select
from sqlalchemy.types import Text

from runware_mock.storage.statements.owners import ruled_by_all
from runware_mock.storage.statements.written import Statement
from runware_mock.storage.tables import undelivered

_ACCOUNT = undelivered.c.account_id == bindparam("account_id")
_SESSION = _ACCOUNT & (undelivered.c.session_uuid == bindparam("session_uuid"))
_LATE = undelivered.c.at < bindparam("cutoff_at")

ADD = Statement(insert(undelivered), ("account_id", "session_uuid", "at", "frame"))
OF_SESSION = Statement(select(undelivered.c.at, undelivered.c.frame).where(_SESSION).order_by(undelivered.c.id))
REMOVE_SESSION = Statement(delete(undelivered).where(_SESSION))
ANSWER = Statement(
    select(undelivered.c.id, undelivered.c.frame)
    .where(
        _ACCOUNT,
        undelivered.c.at > bindparam("since_at"),
        undelivered.c.frame.icontains(bindparam("part", type_=Text)),
    )
    .limit(1)
)
REMOVE = Statement(delete(undelivered).where(undelivered.c.id == bindparam("row_id")))
REMOVE_LATE = Statement(delete(undelivered).where(_LATE, ruled_by_all(undelivered.c.account_id)))
REMOVE_LATE_OWN = Statement(delete(undelivered).where(_LATE, _ACCOUNT))


def kept_for(session_uuids: Collection[str]) -> Select[int, str]:
    """Return the query of those of the sessions, each with its account, for which something is kept."""
    kept = select(undelivered.c.account_id, undelivered.c.session_uuid).distinct()
    return kept.where(undelivered.c.session_uuid.in_(session_uuids))
