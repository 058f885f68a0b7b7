"""Results that are to be sent somewhere: webhooks and uploads to a client's own endpoint, until they have arrived."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from runware_mock.storage.tables import delivery


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request to be made; `attempts` have failed so far."""

    id: int
    method: str
    url: str
    content_type: str
    body: bytes
    attempts: int


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


def is_due(connection: Connection, now_at: int) -> bool:
    """Tell whether there is a request to be made."""
    return connection.execute(select(delivery.c.id).where(delivery.c.due_at <= now_at).limit(1)).first() is not None


def take_due(connection: Connection, now_at: int, lease_until_at: int, most: int) -> list[Delivery]:
    """Return up to `most` requests that are due; nobody else gets them until the lease ends."""
    rows = connection.execute(
        select(delivery).where(delivery.c.due_at <= now_at).order_by(delivery.c.due_at, delivery.c.id).limit(most)
    ).all()
    ids = [row.id for row in rows]
    connection.execute(update(delivery).where(delivery.c.id.in_(ids)).values(due_at=lease_until_at))
    return [Delivery(row.id, row.method, row.url, row.content_type, row.body, row.attempts) for row in rows]


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
