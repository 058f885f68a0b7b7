"""Results that are to be sent somewhere: webhooks and uploads to a client's own endpoint, until they have arrived."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from runware_mock.storage.owners import ALL_ACCOUNTS, clock_at
from runware_mock.storage.tables import delivery


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request to be made; `attempts` have failed so far, `due_at` is when this one fell due."""

    id: int
    account_id: int
    method: str
    url: str
    content_type: str
    body: bytes
    attempts: int
    due_at: int


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


def _due(real_at: int, now_at: int, account_id: int) -> ColumnElement[bool]:
    due = delivery.c.due_at <= clock_at(delivery.c.account_id, real_at, now_at)
    return due if account_id == ALL_ACCOUNTS else due & (delivery.c.account_id == account_id)


def is_due(connection: Connection, real_at: int, now_at: int, account_id: int = ALL_ACCOUNTS) -> bool:
    """Tell whether there is a request to be made."""
    due = select(delivery.c.id).where(_due(real_at, now_at, account_id)).limit(1)
    return connection.execute(due).first() is not None


def take_due(
    connection: Connection, real_at: int, now_at: int, lease_ms: int, most: int, account_id: int = ALL_ACCOUNTS
) -> list[Delivery]:
    """Return up to `most` requests that are due; nobody else gets them until the lease ends."""
    due = select(delivery).where(_due(real_at, now_at, account_id)).order_by(delivery.c.due_at, delivery.c.id)
    rows = connection.execute(due.limit(most)).all()
    lease = {"due_at": clock_at(delivery.c.account_id, real_at, now_at) + lease_ms}
    connection.execute(update(delivery).where(delivery.c.id.in_([row.id for row in rows])).values(lease))
    return [
        Delivery(row.id, row.account_id, row.method, row.url, row.content_type, row.body, row.attempts, row.due_at)
        for row in rows
    ]


def put_off(connection: Connection, delivery_id: int, due_at: int) -> None:
    """Try a request again at `due_at`."""
    again = {"attempts": delivery.c.attempts + 1, "due_at": due_at}
    connection.execute(update(delivery).where(delivery.c.id == delivery_id).values(again))


def remove(connection: Connection, delivery_id: int) -> None:
    """Forget a request that has arrived or is given up."""
    connection.execute(delete(delivery).where(delivery.c.id == delivery_id))


def count(connection: Connection) -> int:
    """Return how many requests have not arrived yet."""
    return connection.scalar(select(func.count()).select_from(delivery)) or 0
