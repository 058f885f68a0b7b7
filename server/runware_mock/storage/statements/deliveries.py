"""Requests that are to be made, and those under way."""

from typing import Any

from sqlalchemy import bindparam, delete, func, insert, or_, select, update

from runware_mock.storage.owners import ALL_ACCOUNTS
from runware_mock.storage.statements.owners import REAL_AT, clock_at
from runware_mock.storage.statements.written import Statement
from runware_mock.storage.tables import delivery

_OWN = or_(bindparam("account_id") == ALL_ACCOUNTS, delivery.c.account_id == bindparam("account_id"))
_NOW_AT = clock_at(delivery.c.account_id, REAL_AT)
_IS_UNDER_WAY = delivery.c.attempts < 0
# Nothing is ever put off so far: the clock has gone back, and nobody waits for it.
_IS_LOST = delivery.c.due_at > _NOW_AT + bindparam("farthest_ms")
_IS_DUE = (~_IS_UNDER_WAY & ((delivery.c.due_at <= _NOW_AT) | _IS_LOST)) | (
    _IS_UNDER_WAY & (delivery.c.due_at <= REAL_AT)
)
_STILL = (
    (delivery.c.id == bindparam("row_id"))
    & (delivery.c.attempts == bindparam("taken_attempts"))
    & (delivery.c.due_at == bindparam("until_at"))
)
_NEW: dict[str, Any] = {"attempts": bindparam("new_attempts"), "due_at": bindparam("new_due_at")}

ADD = Statement(insert(delivery), ("account_id", "method", "url", "content_type", "body", "attempts", "due_at"))
DUE = Statement(
    select(delivery.c.id, delivery.c.account_id, delivery.c.attempts, delivery.c.due_at)
    .where(_IS_DUE, _OWN)
    .order_by(delivery.c.due_at, delivery.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
IS_DUE = Statement(select(delivery.c.id).where(_IS_DUE).limit(1))
UNDER_WAY = Statement(select(delivery.c.id).where(_IS_UNDER_WAY, delivery.c.due_at > REAL_AT, _OWN).limit(1))
HOLD = Statement(select(delivery.c.id).where(_OWN).order_by(delivery.c.id).with_for_update())
TAKE = Statement(update(delivery).where(delivery.c.id == bindparam("row_id")).values(_NEW))
READ = Statement(select(delivery.c.method, delivery.c.url, delivery.c.content_type, delivery.c.body).where(_STILL))
PUT_OFF = Statement(update(delivery).where(_STILL).values(_NEW))
REMOVE = Statement(delete(delivery).where(_STILL))
COUNT = Statement(select(func.count()).select_from(delivery))
