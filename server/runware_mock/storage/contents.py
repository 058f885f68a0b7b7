"""Stored pictures, found by the SHA-256 of the bytes that were sent: the same fixture is decoded once."""

import secrets
from collections.abc import Collection, Iterable, Mapping
from operator import itemgetter
from typing import Any

from msgspec import Struct

from runware_mock.images.picture import Picture
from runware_mock.storage.connection import Connection
from runware_mock.storage.pieces import cut_digests, joined_ids
from runware_mock.storage.prepared import Prepared, id_of


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


# What a row tells of itself but for its id.
_facts = itemgetter(*StoredContent.__struct_fields__[1:])
# How many are deleted at once, and their digests be kept together.
_CHUNK = 500
# A shorter picture is written before it is looked for: mostly it is new, or its task has looked for it.
_LOOKED_FOR_FROM_BYTES = 16 * 1024

_FIND = Prepared("contents.FIND")
_HOLD = Prepared("contents.HOLD")
_ADD = Prepared("contents.ADD")
_MEAN = Prepared("contents.MEAN")
_REMOVE = Prepared("contents.REMOVE")
_MEND = Prepared("contents.MEND")
_LOCK = Prepared("contents.LOCK")
_DELETE_UNUSED = Prepared("contents.DELETE_UNUSED")
_DROP_DIGESTS = Prepared("contents.DROP_DIGESTS")
_DROP_OBJECT = Prepared("contents.DROP_OBJECT")
_TO_SWEEP = Prepared("contents.TO_SWEEP")
_SWEEP = Prepared("contents.SWEEP")
_SWEPT = Prepared("contents.SWEPT")
_DROPPED = Prepared("contents.DROPPED")
_STORED_BYTES = Prepared("contents.STORED_BYTES")


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
    is_short = row["bytes"] is not None and len(row["bytes"]) < _LOOKED_FOR_FROM_BYTES
    while True:
        if not is_short and (held := hold(connection, digest)):
            return held
        added_id = id_of(connection, _ADD(connection, row))
        if _MEAN(connection, {"sent_sha256": digest, "content_id": added_id}).rowcount:
            assert added_id is not None  # noqa: S101 - of one that is always inserted
            return StoredContent(added_id, *_facts(row))
        # It was there, or another task has just stored it, or the digest of a deleted one is not swept out yet.
        _REMOVE(connection, {"content_id": added_id})
        if held := hold(connection, digest):
            return held
        sweep(connection, [digest])


def _mend_or_drop(connection: Connection, content_id: int, in_place_of: str | None, object_key: str) -> None:
    """Let the row that there was have the new object if its own is gone; else nobody needs the new one."""
    mended = {"content_id": content_id, "in_place_of": in_place_of, "new_key": object_key}
    if in_place_of is None or not _MEND(connection, mended).rowcount:
        _DROP_OBJECT(connection, {"object_key": object_key})


def delete_unused(connection: Connection, content_ids: Iterable[int]) -> int:
    """Delete those of the contents that no medium and no snapshot points at; return how many.

    Their objects are deleted later, when this is committed: see `dropped`.
    """
    ordered = sorted(set(content_ids))
    chunks = [ordered[start : start + _CHUNK] for start in range(0, len(ordered), _CHUNK)]
    return sum(_delete_unused(connection, chunk) for chunk in chunks)


def _delete_unused(connection: Connection, content_ids: list[int]) -> int:
    ids = {"ids": joined_ids(content_ids)}
    if connection.driver is None:
        # Whoever is about to point at one of them has its row; only a statement after this one sees what came of it.
        # All rows, used or not: of two who delete the last two media of a content one has to see that nothing is left.
        _LOCK(connection, ids)
    deleted = _DELETE_UNUSED.all(connection, ids)
    if deleted:
        together = b"".join(digest for digest, _ in deleted)
        _DROP_DIGESTS(connection, {"id": secrets.randbits(63), "sent_sha256s": together})
    for _, key in deleted:
        if key is not None:
            _DROP_OBJECT(connection, {"object_key": key})
    return len(deleted)


def to_sweep(connection: Connection, most: int) -> tuple[list[int], list[bytes]]:
    """Return up to `most` times the digests of contents that were deleted together: their rows, and all in order."""
    rows = _TO_SWEEP.all(connection, {"most": most})
    return [row_id for row_id, _ in rows], sorted(cut_digests(b"".join(together for _, together in rows)))


def sweep(connection: Connection, digests: Collection[bytes]) -> None:
    """Delete those of the digests that mean no content."""
    _SWEEP(connection, {"digests": b"".join(digests)})


def forget_to_sweep(connection: Connection, ids: Collection[int]) -> None:
    """Forget rows of digests that are swept out."""
    _SWEPT(connection, {"ids": joined_ids(ids)})


def dropped(connection: Connection, most: int) -> list[str]:
    """Return up to `most` objects whose rows are deleted."""
    return [key for (key,) in _DROPPED.all(connection, {"most": most})]


def forget_dropped(connection: Connection, object_keys: Collection[str]) -> None:
    """Forget objects that are deleted."""
    from runware_mock.storage.statements.contents import forgetting_dropped

    connection.core.execute(forgetting_dropped(object_keys))


def without_row(connection: Connection, object_keys: Collection[str]) -> list[str]:
    """Return those of the objects that no row points at."""
    from runware_mock.storage.statements.contents import pointed_at

    needed = set(connection.core.scalars(pointed_at(object_keys)))
    return [key for key in object_keys if key not in needed]


def stored_bytes(connection: Connection) -> int:
    """Return how many bytes all contents have."""
    return int(_STORED_BYTES(connection, {}).scalar() or 0)
