"""Stored pictures, found by the SHA-256 of the bytes that were sent, so that the same fixture is decoded once."""

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, bindparam, delete, exists, func, insert, select, update
from sqlalchemy.dialects import sqlite

from runware_mock.images.formats import Picture, Sent
from runware_mock.storage.models import content, dropped_object, medium, snapshot_content


class StoredContent(Struct, frozen=True):
    """A content row without its bytes: what is stored of a picture, and what was sent."""

    id: int
    format: str
    width_px: int
    height_px: int
    frames: int
    size_bytes: int
    sent_sha256: bytes
    sent_size_bytes: int
    sent_width_px: int
    sent_height_px: int
    orientation: int
    object_key: str | None

    def audit(self) -> dict[str, Any]:
        """Return the facts of an upload for its journal entry."""
        return {
            "format": self.format,
            "frames": self.frames,
            "sent": {
                "sha256": self.sent_sha256.hex(),
                "size_bytes": self.sent_size_bytes,
                "width_px": self.sent_width_px,
                "height_px": self.sent_height_px,
                "orientation": self.orientation,
            },
            "stored": {"size_bytes": self.size_bytes, "width_px": self.width_px, "height_px": self.height_px},
        }


class StoredFile(Struct, frozen=True):
    """A stored picture whose bytes are `data`, or else in the object `object_key`."""

    format: str
    width_px: int
    height_px: int
    frames: int
    size_bytes: int
    sent_sha256: bytes
    object_key: str | None
    data: bytes | None


class Placed(Struct, frozen=True):
    """A picture that is about to get a row; its bytes are in the object `object_key`, or will be in the row.

    `in_place_of` is the object, gone from the storage, of an existing row of the same bytes.
    """

    sent_sha256: bytes
    picture: Picture
    object_key: str | None = None
    in_place_of: str | None = None


# The columns of StoredContent and of StoredFile, in their order.
FACTS = tuple(content.c[name] for name in StoredContent.__struct_fields__)
FILE = (*(content.c[name] for name in StoredFile.__struct_fields__ if name != "data"), content.c.bytes)
# Built once, as every upload runs it: building a statement takes as long as running it.
_FIND = select(*FACTS).where(content.c.sent_sha256 == bindparam("sent_sha256"))
# FOR KEY SHARE keeps the row from being deleted before a medium points at it. For SQLite, which has one writer at a
# time anyway, SQLAlchemy leaves it out.
_HOLD = _FIND.with_for_update(read=True, key_share=True)
# How many contents one statement deletes.
_CHUNK = 500


def find(connection: Connection, sent_sha256: bytes) -> StoredContent | None:
    """Return the content made from bytes with this digest, or None."""
    row = connection.execute(_FIND, {"sent_sha256": sent_sha256}).first()
    return None if row is None else StoredContent(*row)


def hold(connection: Connection, sent_sha256: bytes) -> StoredContent | None:
    """Return the content made from bytes with this digest, or None; it stays at least until the transaction ends.

    Found by its digest, never by an earlier id: SQLite gives the id of a deleted row to the next one.
    """
    row = connection.execute(_HOLD, {"sent_sha256": sent_sha256}).first()
    return None if row is None else StoredContent(*row)


def add(connection: Connection, placed: Placed, now_at: int) -> StoredContent:
    """Store a picture and return its content; if another task just stored the same bytes, return that one's content."""
    picture = placed.picture
    sent = picture.sent or Sent(len(picture.data), picture.width_px, picture.height_px, 1)
    row = {
        "format": picture.format,
        "width_px": picture.width_px,
        "height_px": picture.height_px,
        "frames": picture.frames,
        "size_bytes": len(picture.data),
        "sent_sha256": placed.sent_sha256,
        "sent_size_bytes": sent.size_bytes,
        "sent_width_px": sent.width_px,
        "sent_height_px": sent.height_px,
        "orientation": sent.orientation,
        "object_key": placed.object_key,
        "created_at": now_at,
        "bytes": picture.data if placed.object_key is None else None,
    }
    stored = add_row(connection, row)
    if placed.object_key is not None and stored.object_key != placed.object_key:
        _mend_or_drop(connection, stored.id, placed.in_place_of, placed.object_key)
    return stored


@cache
def _adding(dialect_name: str) -> Any:
    dialect: Any = sqlite
    if dialect_name == "postgresql":
        # Imported late: it takes 50 ms, which a start with SQLite need not spend.
        from sqlalchemy.dialects import postgresql as dialect
    added = dialect.insert(content).on_conflict_do_nothing(index_elements=["sent_sha256"])
    return added.returning(content.c.id)


def add_row(connection: Connection, row: Mapping[str, Any]) -> StoredContent:
    """Store a row under a new id and return it; if one with the same SHA-256 exists, return that."""
    while True:
        content_id = connection.scalar(_adding(connection.dialect.name), row)
        if content_id is not None:
            return StoredContent(content_id, *(row[name] for name in StoredContent.__struct_fields__[1:]))
        # The row existed; if another transaction has deleted it meanwhile, try again.
        if held := hold(connection, row["sent_sha256"]):
            return held


def _mend_or_drop(connection: Connection, content_id: int, in_place_of: str | None, object_key: str) -> None:
    """Give the new object to the existing row if the row's own is gone; otherwise have the new one deleted."""
    mended = update(content).where(content.c.id == content_id, content.c.object_key == in_place_of)
    if in_place_of is None or not connection.execute(mended.values(object_key=object_key)).rowcount:
        connection.execute(insert(dropped_object), {"object_key": object_key})


def delete_unused(connection: Connection, content_ids: Iterable[int]) -> int:
    """Delete those contents that no medium or snapshot needs; return how many. Their objects follow: see `dropped`."""
    ordered, deleted = sorted(set(content_ids)), 0
    for start in range(0, len(ordered), _CHUNK):
        is_chosen = content.c.id.in_(ordered[start : start + _CHUNK])
        # Wait for tasks that hold one of the rows to point a medium at it; only a later statement sees that medium.
        # Lock all rows, used or not: if two transactions delete the last two media of a content, one of them must see
        # that none is left. SQLite has one writer at a time, and only reads the ids.
        connection.execute(select(content.c.id).where(is_chosen).order_by(content.c.id).with_for_update())
        is_unused = ~exists().where(medium.c.content_id == content.c.id)
        is_unused &= ~exists().where(snapshot_content.c.content_id == content.c.id)
        gone = delete(content).where(is_chosen, is_unused).returning(content.c.object_key)
        keys = connection.scalars(gone).all()
        deleted += len(keys)
        if objects := [{"object_key": key} for key in keys if key is not None]:
            connection.execute(insert(dropped_object), objects)
    return deleted


def dropped(connection: Connection, most: int) -> list[str]:
    """Return the keys of up to `most` objects whose rows are deleted."""
    return list(connection.scalars(select(dropped_object.c.object_key).limit(most)))


def forget_dropped(connection: Connection, object_keys: Collection[str]) -> None:
    """Forget the keys of deleted objects."""
    connection.execute(delete(dropped_object).where(dropped_object.c.object_key.in_(object_keys)))


def without_row(connection: Connection, object_keys: Collection[str]) -> list[str]:
    """Return the keys of those objects that no row points at."""
    needed = set(connection.scalars(select(content.c.object_key).where(content.c.object_key.in_(object_keys))))
    return [key for key in object_keys if key not in needed]


def stored_bytes(connection: Connection) -> int:
    """Return the size of all contents together."""
    return int(connection.scalar(select(func.sum(content.c.size_bytes))) or 0)
