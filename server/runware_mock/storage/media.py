"""Media: what an imageUUID names, whose it is, and when it was last used."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from msgspec import Struct

from runware_mock.storage.connection import Connection
from runware_mock.storage.contents import StoredContent, StoredFile
from runware_mock.storage.owners import ALL_ACCOUNTS
from runware_mock.storage.prepared import Prepared


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


_ADD = Prepared("media.ADD")
_SERVED = Prepared("media.SERVED")
_READ = Prepared("media.READ")
_USED = Prepared("media.USED")
_TOUCH = Prepared("media.TOUCH")
_FIND = Prepared("media.FIND")
_REMOVE = Prepared("media.REMOVE")
_STORED = Prepared("media.STORED")
_COUNT = Prepared("media.COUNT")
_POP_ALL = Prepared("media.POP_ALL")
_POP_OWN = Prepared("media.POP_OWN")
# The times of a medium, before its file.
_TIMES = 3


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
    row = _FIND(connection, {"uuid": uuid, "account_id": account_id, **_values_of(moment)}).first()
    if row is None:
        return None
    medium_id, content_id = row
    _REMOVE(connection, {"medium_id": medium_id})
    return int(content_id)


def read_served(connection: Connection, uuid: str, moment_of: Callable[[int], Moment]) -> StoredFile | None:
    """Return the file of a medium that is alive by its account's clock; who asks does not matter for a GET."""
    row = _SERVED(connection, {"uuid": uuid}).first()
    if row is None:
        return None
    account_id, *rest = row
    return StoredFile(*rest[_TIMES:]) if moment_of(account_id).is_alive(*rest[:_TIMES]) else None


def read_any(connection: Connection, uuid: str) -> StoredFile | None:
    """Return the file of a medium, alive or expired, whoever it belongs to."""
    row = _SERVED(connection, {"uuid": uuid}).first()
    return None if row is None else StoredFile(*row[1 + _TIMES :])


def read_own(connection: Connection, account_id: int, uuid: str, moment: Moment) -> StoredFile | None:
    """Return the file of an account's living medium."""
    row = _READ(connection, {"uuid": uuid, "account_id": account_id, **_values_of(moment)}).first()
    return None if row is None else StoredFile(*row)


def set_times(
    connection: Connection, uuids: Collection[str], *, expires_at: int | None = None, visible_at: int | None = None
) -> None:
    """Let media end at an instant, or be there only from one on."""
    given = {"expires_at": expires_at, "visible_at": visible_at}
    values = {name: value for name, value in given.items() if value is not None}
    from runware_mock.storage.statements.media import setting

    connection.core.execute(setting(uuids, values))


def count_stored(connection: Connection, account_id: int, moment: Moment) -> Stored:
    """Tell what an account has that is alive."""
    values = {"account_id": account_id, **_values_of(moment)}
    media, size_bytes = _STORED(connection, values).first() or (0, 0)
    return Stored(media, int(size_bytes))


def count(connection: Connection) -> int:
    """Return how many media there are."""
    return int(_COUNT(connection, {}).scalar())


def pop_expired(connection: Connection, account_id: int, moment: Moment, most: int) -> Sequence[Sequence[Any]]:
    """Delete up to `most` of an account's expired media; return UUID and content of each.

    Those that a task uses at this moment, which will not have expired then, are left alone.
    """
    pop = _POP_ALL if account_id == ALL_ACCOUNTS else _POP_OWN
    return pop.all(connection, {"account_id": account_id, "most": most, **_values_of(moment)})


def _values_of(moment: Moment) -> dict[str, int]:
    """Return a moment as the parameters of a statement."""
    return {"now_at": moment.now_at, "cutoff_at": moment.cutoff_at}
