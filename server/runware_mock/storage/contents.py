"""Stored pictures, found by the SHA-256 of the bytes that were sent: the same fixture is decoded once."""

import secrets
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, bindparam, delete, exists, insert, select, update

from runware_mock.images.picture import Picture
from runware_mock.storage.inserts import id_of, insert_for_id, insert_unless_there
from runware_mock.storage.pieces import cut_digests, digests_in, ids_in, joined_ids
from runware_mock.storage.prepared import Prepared
from runware_mock.storage.tables import (
    content,
    content_digest,
    dropped_digests,
    dropped_object,
    medium,
    snapshot_content,
)


class StoredContent(Struct, frozen=True):
    """A content row without its bytes: what was made of a picture, and what had been sent."""

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
    object_key: str | None
    data: bytes | None


class Placed(Struct, frozen=True):
    """A picture on its way to a row: so are its bytes, unless they are in the object `object_key` already.

    `in_place_of` is the object of a row of the same bytes that is gone from the storage.
    """

    sent_sha256: bytes
    picture: Picture
    object_key: str | None = None
    in_place_of: str | None = None


FACTS = tuple(content.c[name] for name in StoredContent.__struct_fields__)
# As StoredFile takes them.
FILE = (*(content.c[name] for name in tuple(StoredFile.__struct_fields__)[:-1]), content.c.bytes)
_NAMES = tuple(StoredContent.__struct_fields__)[1:]
# How many are deleted at once, and their digests be kept together.
_CHUNK = 500

_MEANT = (content_digest.c.content_id == content.c.id) & (content_digest.c.sent_sha256 == content.c.sent_sha256)
_OF_DIGEST = (
    select(*FACTS)
    .join_from(content_digest, content, _MEANT)
    .where(content_digest.c.sent_sha256 == bindparam("sent_sha256"))
)
_FIND = Prepared(_OF_DIGEST)
# Until the transaction ends, in which a medium will point at it, nobody deletes what these have found. Where one writer
# at a time writes anyway, FOR KEY SHARE and the like are left out.
_HOLD = Prepared(_OF_DIGEST.with_for_update(read=True, key_share=True, of=content))
_COLUMNS = {column.name: bindparam(column.name, type_=column.type) for column in content.columns if column.name != "id"}
_ADD = Prepared(
    insert_for_id(insert(content).from_select(list(_COLUMNS), select(*_COLUMNS.values()).where(~_OF_DIGEST.exists())))
)
_MEAN = Prepared(insert_unless_there(content_digest, "sent_sha256"), ("sent_sha256", "content_id"))
_DELETE_UNUSED = Prepared(
    delete(content)
    .where(
        content.c.id.in_(ids_in("ids")),
        ~exists().where(medium.c.content_id == content.c.id),
        ~exists().where(snapshot_content.c.content_id == content.c.id),
    )
    .returning(content.c.sent_sha256, content.c.object_key)
)
_SWEEP = Prepared(
    delete(content_digest).where(content_digest.c.sent_sha256.in_(digests_in("digests")), ~exists().where(_MEANT))
)


def find(connection: Connection, sent_sha256: bytes) -> StoredContent | None:
    """Return the content made from bytes with this digest."""
    row = _FIND(connection, {"sent_sha256": sent_sha256}).first()
    return None if row is None else StoredContent(*row)


def hold(connection: Connection, sent_sha256: bytes) -> StoredContent | None:
    """Return the content made from bytes with this digest, which stays at least until the transaction ends.

    By its digest, never by an id that was found before: SQLite gives the id of a deleted row to the next one.
    """
    row = _HOLD(connection, {"sent_sha256": sent_sha256}).first()
    return None if row is None else StoredContent(*row)


def add(connection: Connection, placed: Placed, now_at: int) -> StoredContent:
    """Store a picture; where another task just stored the same bytes, return what that one made of them."""
    picture, sent = placed.picture, placed.picture.sent
    row = {
        "format": picture.format,
        "width_px": picture.width_px,
        "height_px": picture.height_px,
        "frames": picture.frames,
        "size_bytes": len(picture.data),
        "sent_sha256": placed.sent_sha256,
        "sent_size_bytes": sent.size_bytes if sent else len(picture.data),
        "sent_width_px": sent.width_px if sent else picture.width_px,
        "sent_height_px": sent.height_px if sent else picture.height_px,
        "orientation": sent.orientation if sent else 1,
        "object_key": placed.object_key,
        "created_at": now_at,
        "bytes": picture.data if placed.object_key is None else None,
    }
    stored = add_row(connection, row)
    if placed.object_key is not None and stored.object_key != placed.object_key:
        _mend_or_drop(connection, stored.id, placed.in_place_of, placed.object_key)
    return stored


def add_row(connection: Connection, row: Mapping[str, Any]) -> StoredContent:
    """Store a row but for its id; where one of the same digest is there, return that one."""
    digest = row["sent_sha256"]
    while True:
        added_id = id_of(connection, _ADD(connection, row))
        if added_id is None:
            # A purge may just have deleted the one that there was.
            if held := hold(connection, digest):
                return held
        elif _MEAN(connection, {"sent_sha256": digest, "content_id": added_id}).rowcount:
            return StoredContent(added_id, *(row[name] for name in _NAMES))
        else:
            # Another task has just stored the same bytes, or the digest of a deleted one is not swept out yet.
            connection.execute(delete(content).where(content.c.id == added_id))
            sweep(connection, [digest])


def _mend_or_drop(connection: Connection, content_id: int, in_place_of: str | None, object_key: str) -> None:
    """Let the row that there was have the new object if its own is gone; else nobody needs the new one."""
    gone = (content.c.id == content_id) & (content.c.object_key == in_place_of)
    mend = update(content).where(gone).values(object_key=object_key)
    if in_place_of is None or not connection.execute(mend).rowcount:
        connection.execute(insert(dropped_object), {"object_key": object_key})


def delete_unused(connection: Connection, content_ids: Iterable[int]) -> int:
    """Delete those of the contents that no medium and no snapshot points at; return how many.

    Their objects are deleted later, when this is committed: see `dropped`.
    """
    ordered = sorted(set(content_ids))
    chunks = [ordered[start : start + _CHUNK] for start in range(0, len(ordered), _CHUNK)]
    return sum(_delete_unused(connection, chunk) for chunk in chunks)


def _delete_unused(connection: Connection, content_ids: list[int]) -> int:
    if connection.dialect.name != "sqlite":
        # Whoever is about to point at one of them has its row; only a statement after this one sees what came of it.
        # All rows, used or not: of two who delete the last two media of a content one has to see that nothing is left.
        rows = select(content.c.id).where(content.c.id.in_(content_ids)).order_by(content.c.id)
        connection.execute(rows.with_for_update())
    deleted = _DELETE_UNUSED.all(connection, {"ids": joined_ids(content_ids)})
    if deleted:
        together = b"".join(digest for digest, _ in deleted)
        connection.execute(insert(dropped_digests), {"id": secrets.randbits(63), "sent_sha256s": together})
    if dropped_keys := [{"object_key": key} for _, key in deleted if key is not None]:
        connection.execute(insert(dropped_object), dropped_keys)
    return len(deleted)


def to_sweep(connection: Connection, most: int) -> tuple[list[int], list[bytes]]:
    """Return up to `most` times the digests of contents that were deleted together: their rows, and all in order."""
    rows = connection.execute(select(dropped_digests).limit(most)).all()
    return [row.id for row in rows], sorted(cut_digests(b"".join(row.sent_sha256s for row in rows)))


def sweep(connection: Connection, digests: Collection[bytes]) -> None:
    """Delete those of the digests that mean no content."""
    _SWEEP(connection, {"digests": b"".join(digests)})


def forget_to_sweep(connection: Connection, ids: Collection[int]) -> None:
    """Forget rows of digests that are swept out."""
    connection.execute(delete(dropped_digests).where(dropped_digests.c.id.in_(ids)))


def dropped(connection: Connection, most: int) -> list[str]:
    """Return up to `most` objects whose rows are deleted."""
    return list(connection.scalars(select(dropped_object.c.object_key).limit(most)))


def forget_dropped(connection: Connection, object_keys: Collection[str]) -> None:
    """Forget objects that are deleted."""
    connection.execute(delete(dropped_object).where(dropped_object.c.object_key.in_(object_keys)))


def without_row(connection: Connection, object_keys: Collection[str]) -> list[str]:
    """Return those of the objects that no row points at."""
    pointed_at = set(connection.scalars(select(content.c.object_key).where(content.c.object_key.in_(object_keys))))
    return [key for key in object_keys if key not in pointed_at]
