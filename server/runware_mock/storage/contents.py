"""Stored pictures, found by the SHA-256 of the bytes that were sent: the same fixture is decoded once."""

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, exists, select
from sqlalchemy.dialects.sqlite import insert

from runware_mock.images.picture import Picture
from runware_mock.storage.tables import content, medium


@dataclass(frozen=True, slots=True)
class StoredContent:
    """A content row without its bytes."""

    id: int
    format: str


_FIND = select(content.c.id, content.c.format).where(content.c.sent_sha256 == bindparam("sent_sha256"))
_EXISTS = select(content.c.id).where(content.c.id == bindparam("content_id"))
# Another task may just have stored the same bytes. SQLite and PostgreSQL write this alike.
_ADD = insert(content).on_conflict_do_nothing(index_elements=["sent_sha256"])


def find(connection: Connection, sent_sha256: bytes) -> StoredContent | None:
    """Return the content made from bytes with this digest."""
    row = connection.execute(_FIND, {"sent_sha256": sent_sha256}).first()
    return None if row is None else StoredContent(row.id, row.format)


def is_there(connection: Connection, content_id: int) -> bool:
    """Tell whether the content has not been purged."""
    return connection.execute(_EXISTS, {"content_id": content_id}).first() is not None


def add(connection: Connection, sent_sha256: bytes, picture: Picture, now_at: int) -> int:
    """Store a picture and return its id; where another task just stored the same bytes, return that one's."""
    result = connection.execute(
        _ADD,
        {
            "sent_sha256": sent_sha256,
            "format": picture.format,
            "width_px": picture.width_px,
            "height_px": picture.height_px,
            "frames": picture.frames,
            "size_bytes": len(picture.data),
            "created_at": now_at,
            "bytes": picture.data,
        },
    )
    if result.rowcount:
        return int(result.lastrowid)
    return int(connection.execute(_FIND, {"sent_sha256": sent_sha256}).one().id)


def delete_unused(connection: Connection, content_ids: list[int]) -> int:
    """Delete those of the contents that no medium points at; return how many."""
    unused = ~exists().where(medium.c.content_id == content.c.id)
    return connection.execute(delete(content).where(content.c.id.in_(content_ids), unused)).rowcount
