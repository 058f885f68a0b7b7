"""Results that are to be sent somewhere: webhooks and uploads to a client's own endpoint, until they have arrived."""

from collections.abc import Collection, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import BigInteger, ColumnElement, Connection, bindparam, delete, func, insert, or_, select, update

from runware_mock.storage.clocks import clock_at
from runware_mock.storage.database import ALL_ACCOUNTS
from runware_mock.storage.models import delivery

_REAL_AT: ColumnElement[int] = bindparam("real_at", type_=BigInteger)
_OWN = or_(bindparam("account_id") == ALL_ACCOUNTS, delivery.c.account_id == bindparam("account_id"))
_NOW_AT = clock_at(delivery.c.account_id, _REAL_AT)
_IS_UNDER_WAY = delivery.c.attempts < 0
# Nothing is ever put off so far: the clock has gone back, and nobody waits for it.
_IS_LOST = delivery.c.due_at > _NOW_AT + bindparam("farthest_ms")
_IS_DUE = (~_IS_UNDER_WAY & ((delivery.c.due_at <= _NOW_AT) | _IS_LOST)) | (
    _IS_UNDER_WAY & (delivery.c.due_at <= _REAL_AT)
)
_STILL = (
    (delivery.c.id == bindparam("row_id"))
    & (delivery.c.attempts == bindparam("taken_attempts"))
    & (delivery.c.due_at == bindparam("until_at"))
)
_NEW: dict[str, Any] = {"attempts": bindparam("new_attempts"), "due_at": bindparam("new_due_at")}

_DUE = (
    select(delivery.c.id, delivery.c.account_id, delivery.c.attempts, delivery.c.due_at)
    .where(_IS_DUE, _OWN)
    .order_by(delivery.c.due_at, delivery.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_DUE_ACCOUNTS = select(delivery.c.account_id).where(_IS_DUE).distinct()
_UNDER_WAY = select(delivery.c.id).where(_IS_UNDER_WAY, delivery.c.due_at > _REAL_AT, _OWN).limit(1)
_HOLD = select(delivery.c.id).where(_OWN).order_by(delivery.c.id).with_for_update()
_TAKE = update(delivery).where(delivery.c.id == bindparam("row_id")).values(_NEW)
_READ = select(delivery.c.method, delivery.c.url, delivery.c.content_type, delivery.c.body).where(_STILL)
_PUT_OFF = update(delivery).where(_STILL).values(_NEW)
_REMOVE = delete(delivery).where(_STILL)
_COUNT = select(func.count()).select_from(delivery)
# More than there ever are.
_ALL = 2**31


class Due(Struct, frozen=True):
    """A request that is to be made: `attempts` have failed so far, `due_at` is when this one fell due.

    Once it is taken, nobody else makes it before `until_at`, an instant of the real clock.
    """

    id: int
    account_id: int
    attempts: int
    due_at: int
    until_at: int = 0


class Request(Struct, frozen=True):
    """What is to be sent."""

    method: str
    url: str
    content_type: str
    body: bytes


def add(
    connection: Connection, account_id: int, method: str, url: str, content_type: str, body: bytes, due_at: int
) -> None:
    """Store a request to be made from `due_at` on."""
    values = {"account_id": account_id, "method": method, "url": url, "content_type": content_type, "body": body}
    connection.execute(insert(delivery), {**values, "attempts": 0, "due_at": due_at})


def due_accounts(connection: Connection, real_at: int, farthest_ms: int) -> Sequence[int]:
    """Return the accounts for which requests are to be made; none is put off farther than that."""
    return connection.scalars(_DUE_ACCOUNTS, {"real_at": real_at, "farthest_ms": farthest_ms}).all()


def are_under_way(connection: Connection, real_at: int, account_id: int) -> bool:
    """Tell whether requests are being made, here or in another process."""
    return connection.execute(_UNDER_WAY, {"real_at": real_at, "account_id": account_id}).first() is not None


def hold(connection: Connection, account_id: int) -> None:
    """Let nobody else change an account's requests until the transaction ends."""
    connection.execute(_HOLD, {"account_id": account_id})


def find_due(
    connection: Connection, real_at: int, farthest_ms: int, most: int = _ALL, account_id: int = ALL_ACCOUNTS
) -> list[Due]:
    """Return up to `most` requests that are due, but for those that another process is about to take."""
    values = {"real_at": real_at, "farthest_ms": farthest_ms, "account_id": account_id, "most": most}
    rows = connection.execute(_DUE, values)
    return [Due(row_id, owner_id, max(attempts, ~attempts), due_at) for row_id, owner_id, attempts, due_at in rows]


def take(connection: Connection, found: Collection[Due], until_at: int) -> list[Due]:
    """Keep requests from everybody else until an instant of the real clock."""
    for one in found:
        connection.execute(_TAKE, {"row_id": one.id, "new_attempts": ~one.attempts, "new_due_at": until_at})
    return [replace(one, until_at=until_at) for one in found]


def read(connection: Connection, taken: Due) -> Request | None:
    """Return a request, unless it was forgotten meanwhile."""
    row = connection.execute(_READ, _still(taken)).first()
    return None if row is None else Request(*row)


def put_off(connection: Connection, taken: Due, attempts: int, due_at: int) -> None:
    """Try a request again at `due_at`, after so many attempts in vain."""
    connection.execute(_PUT_OFF, {**_still(taken), "new_attempts": attempts, "new_due_at": due_at})


def remove(connection: Connection, taken: Due) -> None:
    """Forget a request that has arrived or is given up."""
    connection.execute(_REMOVE, _still(taken))


def _still(taken: Due) -> dict[str, int]:
    """Return by what a row is known that is still what was taken: SQLite gives the id of a deleted one to the next."""
    return {"row_id": taken.id, "taken_attempts": ~taken.attempts, "until_at": taken.until_at}


def count(connection: Connection) -> int:
    """Return how many requests have not arrived yet."""
    return connection.scalar(_COUNT) or 0
