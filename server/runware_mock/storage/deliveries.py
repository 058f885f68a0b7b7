"""Results that are to be sent somewhere: webhooks and uploads to a client's own endpoint, until they have arrived."""

from collections.abc import Collection

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from runware_mock.storage.owners import ALL_ACCOUNTS, clock_at
from runware_mock.storage.tables import delivery


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


_IDS = select(delivery.c.id)
_READ = select(delivery.c.method, delivery.c.url, delivery.c.content_type, delivery.c.body)


def add(
    connection: Connection, account_id: int, method: str, url: str, content_type: str, body: bytes, due_at: int
) -> None:
    """Store a request to be made from `due_at` on."""
    connection.execute(
        insert(delivery).values(
            account_id=account_id,
            method=method,
            url=url,
            content_type=content_type,
            body=body,
            attempts=0,
            due_at=due_at,
        )
    )


def _due(real_at: int, account_id: int, farthest_ms: int) -> ColumnElement[bool]:
    is_under_way = delivery.c.attempts < 0
    now_at = clock_at(delivery.c.account_id, real_at)
    # Nothing is ever put off so far: the clock has gone back, and nobody waits for it.
    is_lost = delivery.c.due_at > now_at + farthest_ms
    on_time = ~is_under_way & ((delivery.c.due_at <= now_at) | is_lost)
    due = on_time | (is_under_way & (delivery.c.due_at <= real_at))
    return due if account_id == ALL_ACCOUNTS else due & (delivery.c.account_id == account_id)


def is_due(connection: Connection, real_at: int, farthest_ms: int) -> bool:
    """Tell whether there is a request to be made; none is put off farther than that."""
    due = _due(real_at, ALL_ACCOUNTS, farthest_ms)
    return connection.execute(select(delivery.c.id).where(due).limit(1)).first() is not None


def are_under_way(connection: Connection, real_at: int, account_id: int) -> bool:
    """Tell whether requests are being made, here or in another process."""
    under_way = select(delivery.c.id).where(delivery.c.attempts < 0, delivery.c.due_at > real_at)
    own = under_way if account_id == ALL_ACCOUNTS else under_way.where(delivery.c.account_id == account_id)
    return connection.execute(own.limit(1)).first() is not None


def hold(connection: Connection, account_id: int) -> None:
    """Let nobody else change an account's requests until the transaction ends."""
    own = _IDS if account_id == ALL_ACCOUNTS else _IDS.where(delivery.c.account_id == account_id)
    connection.execute(own.order_by(delivery.c.id).with_for_update())


def find_due(
    connection: Connection, real_at: int, farthest_ms: int, most: int | None = None, account_id: int = ALL_ACCOUNTS
) -> list[Due]:
    """Return up to `most` requests that are due, but for those that another process is about to take."""
    found = select(delivery.c.id, delivery.c.account_id, delivery.c.attempts, delivery.c.due_at)
    ordered = found.where(_due(real_at, account_id, farthest_ms)).order_by(delivery.c.due_at, delivery.c.id).limit(most)
    rows = connection.execute(ordered.with_for_update(skip_locked=True)).all()
    return [Due(row.id, row.account_id, max(row.attempts, ~row.attempts), row.due_at) for row in rows]


def take(connection: Connection, found: Collection[Due], until_at: int) -> list[Due]:
    """Keep requests from everybody else until an instant of the real clock."""
    for one in found:
        under_way = {"attempts": ~one.attempts, "due_at": until_at}
        connection.execute(update(delivery).where(delivery.c.id == one.id).values(under_way))
    return [replace(one, until_at=until_at) for one in found]


def read(connection: Connection, taken: Due) -> Request | None:
    """Return a request, unless it was forgotten meanwhile."""
    row = connection.execute(_READ.where(_still(taken))).first()
    return None if row is None else Request(*row)


def put_off(connection: Connection, taken: Due, attempts: int, due_at: int) -> None:
    """Try a request again at `due_at`, after so many attempts in vain."""
    connection.execute(update(delivery).where(_still(taken)).values(attempts=attempts, due_at=due_at))


def remove(connection: Connection, taken: Due) -> None:
    """Forget a request that has arrived or is given up."""
    connection.execute(delete(delivery).where(_still(taken)))


def _still(taken: Due) -> ColumnElement[bool]:
    """Return the condition that a row is still what was taken: SQLite gives the id of a deleted one to the next."""
    return (
        (delivery.c.id == taken.id) & (delivery.c.attempts == ~taken.attempts) & (delivery.c.due_at == taken.until_at)
    )


def count(connection: Connection) -> int:
    """Return how many requests have not arrived yet."""
    return connection.scalar(select(func.count()).select_from(delivery)) or 0
