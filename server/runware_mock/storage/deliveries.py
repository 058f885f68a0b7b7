"""Results that are to be sent somewhere: webhooks and uploads to a client's own endpoint, until they have arrived."""

from collections.abc import Collection

from msgspec import Struct
from msgspec.structs import replace

from runware_mock.storage.connection import Connection
from runware_mock.storage.owners import ALL_ACCOUNTS
from runware_mock.storage.prepared import Prepared

_ADD = Prepared("deliveries.ADD")
_DUE = Prepared("deliveries.DUE")
_IS_DUE = Prepared("deliveries.IS_DUE")
_UNDER_WAY = Prepared("deliveries.UNDER_WAY")
_HOLD = Prepared("deliveries.HOLD")
_TAKE = Prepared("deliveries.TAKE")
_READ = Prepared("deliveries.READ")
_PUT_OFF = Prepared("deliveries.PUT_OFF")
_REMOVE = Prepared("deliveries.REMOVE")
_COUNT = Prepared("deliveries.COUNT")
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
    _ADD(connection, {**values, "attempts": 0, "due_at": due_at})


def is_due(connection: Connection, real_at: int, farthest_ms: int) -> bool:
    """Tell whether there is a request to be made; none is put off farther than that."""
    return _IS_DUE(connection, {"real_at": real_at, "farthest_ms": farthest_ms}).first() is not None


def are_under_way(connection: Connection, real_at: int, account_id: int) -> bool:
    """Tell whether requests are being made, here or in another process."""
    return _UNDER_WAY(connection, {"real_at": real_at, "account_id": account_id}).first() is not None


def hold(connection: Connection, account_id: int) -> None:
    """Let nobody else change an account's requests until the transaction ends."""
    _HOLD(connection, {"account_id": account_id})


def find_due(
    connection: Connection, real_at: int, farthest_ms: int, most: int = _ALL, account_id: int = ALL_ACCOUNTS
) -> list[Due]:
    """Return up to `most` requests that are due, but for those that another process is about to take."""
    values = {"real_at": real_at, "farthest_ms": farthest_ms, "account_id": account_id, "most": most}
    rows = _DUE.all(connection, values)
    return [Due(row_id, owner_id, max(attempts, ~attempts), due_at) for row_id, owner_id, attempts, due_at in rows]


def take(connection: Connection, found: Collection[Due], until_at: int) -> list[Due]:
    """Keep requests from everybody else until an instant of the real clock."""
    for one in found:
        _TAKE(connection, {"row_id": one.id, "new_attempts": ~one.attempts, "new_due_at": until_at})
    return [replace(one, until_at=until_at) for one in found]


def read(connection: Connection, taken: Due) -> Request | None:
    """Return a request, unless it was forgotten meanwhile."""
    row = _READ(connection, _still(taken)).first()
    return None if row is None else Request(*row)


def put_off(connection: Connection, taken: Due, attempts: int, due_at: int) -> None:
    """Try a request again at `due_at`, after so many attempts in vain."""
    _PUT_OFF(connection, {**_still(taken), "new_attempts": attempts, "new_due_at": due_at})


def remove(connection: Connection, taken: Due) -> None:
    """Forget a request that has arrived or is given up."""
    _REMOVE(connection, _still(taken))


def _still(taken: Due) -> dict[str, int]:
    """Return by what a row is known that is still what was taken: SQLite gives the id of a deleted one to the next."""
    return {"row_id": taken.id, "taken_attempts": ~taken.attempts, "until_at": taken.until_at}


def count(connection: Connection) -> int:
    """Return how many requests have not arrived yet."""
    return int(_COUNT(connection, {}).scalar())
