"""Media: what each imageUUID names, who owns it, and when it was last used."""

from collections.abc import Callable, Collection

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from runware_mock.storage.clocks import has_no_clock
from runware_mock.storage.contents import FACTS, FILE, StoredContent, StoredFile
from runware_mock.storage.database import ALL_ACCOUNTS
from runware_mock.storage.models import content, medium, snapshot_content


class Moment(Struct, frozen=True):
    """An instant; media whose last use was at `cutoff_at` or earlier have expired by then."""

    now_at: int
    cutoff_at: int

    def is_alive(self, last_used_at: int, expires_at: int | None, visible_at: int | None) -> bool:
        """Return whether a medium with these times can be used."""
        return (
            last_used_at > self.cutoff_at
            and (expires_at is None or expires_at > self.now_at)
            and (visible_at is None or visible_at <= self.now_at)
        )


# Built once, as every upload runs it: building a statement takes as long as running it.
_ADD = insert(medium)


class Totals(Struct, frozen=True):
    """A number of media, and bytes."""

    media: int
    size_bytes: int


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
    """Store a new medium, last used now; with `expires_at`, it may expire sooner than by its last use."""
    row = {"uuid": uuid, "account_id": account_id, "content_id": content_id, "task_type": task_type}
    connection.execute(_ADD, {**row, "created_at": now_at, "last_used_at": now_at, "expires_at": expires_at})


def use(connection: Connection, account_id: int, uuid: str, moment: Moment) -> StoredContent | None:
    """Renew the last use of an account's medium and return its content, or None if there is none alive.

    "Images are deleted 30 days after last use. As long as you continue using them, we will continue saving them
    indefinitely."
    """
    own = select(medium.c.id, *FACTS).join_from(medium, content).where(_is_own(account_id, uuid, moment))
    # A purge skips the row locked here; a row that a purge is deleting is not found.
    row = connection.execute(own.with_for_update(of=medium, key_share=True)).first()
    if row is None:
        return None
    connection.execute(update(medium).where(medium.c.id == row[0]).values(last_used_at=moment.now_at))
    return StoredContent(*row[1:])


def remove(connection: Connection, account_id: int, uuid: str, moment: Moment) -> int | None:
    """Delete an account's medium and return its content's id, or None if there is none alive."""
    own = _is_own(account_id, uuid, moment)
    return connection.scalar(delete(medium).where(own).returning(medium.c.content_id))


def read_served(connection: Connection, uuid: str, moment_of: Callable[[int], Moment]) -> tuple[int, StoredFile] | None:
    """Return account and file of a medium that is alive by its account's clock, or None; anybody may GET it."""
    times = (medium.c.last_used_at, medium.c.expires_at, medium.c.visible_at)
    # One statement: between two, the medium could be deleted, and its content's id given to another picture.
    found = select(medium.c.account_id, *times, *FILE).join_from(medium, content).where(medium.c.uuid == uuid)
    row = connection.execute(found).first()
    if row is None or not moment_of(row[0]).is_alive(*row[1:4]):
        return None
    return row[0], StoredFile(*row[4:])


def read_any(connection: Connection, uuid: str) -> StoredFile | None:
    """Return the file of any account's medium, alive or expired, or None."""
    row = connection.execute(select(*FILE).join_from(medium, content).where(medium.c.uuid == uuid)).first()
    return None if row is None else StoredFile(*row)


def sha256_of(connection: Connection, uuid: str) -> bytes | None:
    """Return the SHA-256 of the bytes sent for a medium, alive or expired, or None."""
    return connection.scalar(select(content.c.sent_sha256).join_from(medium, content).where(medium.c.uuid == uuid))


def read_own(connection: Connection, account_id: int, uuid: str, moment: Moment) -> StoredFile | None:
    """Return the file of an account's medium if it is alive, else None."""
    own = select(*FILE).join_from(medium, content).where(_is_own(account_id, uuid, moment))
    row = connection.execute(own).first()
    return None if row is None else StoredFile(*row)


def set_times(
    connection: Connection, uuids: Collection[str], *, expires_at: int | None = None, visible_at: int | None = None
) -> None:
    """Set the instants at which media expire or appear."""
    given = {"expires_at": expires_at, "visible_at": visible_at}
    values = {name: value for name, value in given.items() if value is not None}
    connection.execute(update(medium).where(medium.c.uuid.in_(uuids)).values(values))


def count_stored(connection: Connection, account_id: int, moment: Moment) -> Totals:
    """Return how many media of an account are alive, and their bytes, including those shared with other media."""
    total = select(func.count(), func.coalesce(func.sum(content.c.size_bytes), 0)).select_from(medium).join(content)
    media, size_bytes = connection.execute(total.where(medium.c.account_id == account_id, ~_is_over(moment))).one()
    return Totals(media, int(size_bytes))


def count(connection: Connection) -> int:
    """Return how many media there are."""
    return connection.scalar(select(func.count()).select_from(medium)) or 0


def pop_expired(connection: Connection, account_id: int, moment: Moment, most: int) -> list[tuple[str, int]]:
    """Delete up to `most` of an account's expired media; return the UUID and content id of each.

    Media that a task is using right now are left alone: once it commits, they have not expired.
    """
    is_owned = has_no_clock(medium.c.account_id) if account_id == ALL_ACCOUNTS else medium.c.account_id == account_id
    expired = select(medium.c.id).where(_is_over(moment), is_owned).limit(most)
    chosen = expired.with_for_update(skip_locked=True).cte("expired")
    popped = delete(medium).where(medium.c.id.in_(select(chosen.c.id)))
    rows = connection.execute(popped.returning(medium.c.uuid, medium.c.content_id))
    return [(uuid, content_id) for uuid, content_id in rows]


def is_over(at: ColumnElement[int] | int, retention_ms: int) -> ColumnElement[bool]:
    """Return the condition that a medium has expired by an instant."""
    unused = medium.c.last_used_at <= at - retention_ms
    return unused | (medium.c.expires_at.is_not(None) & (medium.c.expires_at <= at))


def count_gone(connection: Connection, gone: ColumnElement[bool]) -> Totals:
    """Return how many media meet a condition, and how many bytes a purge of them would free that nothing else needs."""
    count = select(func.count()).select_from(medium).where(gone)
    freed = select(func.sum(content.c.size_bytes)).where(
        content.c.id.in_(select(medium.c.content_id).where(gone)),
        content.c.id.not_in(select(medium.c.content_id).where(~gone)),
        content.c.id.not_in(select(snapshot_content.c.content_id)),
    )
    return Totals(connection.scalar(count) or 0, int(connection.scalar(freed) or 0))


def _is_own(account_id: int, uuid: str, moment: Moment) -> ColumnElement[bool]:
    """Return the condition that this is an account's medium of this UUID, alive and visible."""
    is_visible = medium.c.visible_at.is_(None) | (medium.c.visible_at <= moment.now_at)
    return (medium.c.uuid == uuid) & (medium.c.account_id == account_id) & ~_is_over(moment) & is_visible


def _is_over(moment: Moment) -> ColumnElement[bool]:
    return is_over(moment.now_at, moment.now_at - moment.cutoff_at)
