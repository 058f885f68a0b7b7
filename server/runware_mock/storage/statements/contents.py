"""Contents by the digests of what was sent, and what is left to do for those that are deleted."""

from collections.abc import Collection

from sqlalchemy import Delete, Select, bindparam, delete, exists, func, insert, select, update

from runware_mock.storage.contents import StoredContent, StoredFile
from runware_mock.storage.statements.inserts import insert_for_id, insert_unless_there
from runware_mock.storage.statements.pieces import digests_in, ids_in
from runware_mock.storage.statements.written import Statement
from runware_mock.storage.tables import (
    content,
    content_digest,
    dropped_digests,
    dropped_object,
    medium,
    snapshot_content,
)

FACTS = tuple(content.c[name] for name in StoredContent.__struct_fields__)
# As StoredFile takes them.
FILE = (*(content.c[name] for name in tuple(StoredFile.__struct_fields__)[:-1]), content.c.bytes)

_MEANT = (content_digest.c.content_id == content.c.id) & (content_digest.c.sent_sha256 == content.c.sent_sha256)
_OF_DIGEST = (
    select(*FACTS)
    .join_from(content_digest, content, _MEANT)
    .where(content_digest.c.sent_sha256 == bindparam("sent_sha256"))
)

FIND = Statement(_OF_DIGEST)
# Until the transaction ends, in which a medium will point at it, nobody deletes what these have found. Where one writer
# at a time writes anyway, FOR KEY SHARE and the like are left out.
HOLD = Statement(_OF_DIGEST.with_for_update(read=True, key_share=True, of=content))
ADD = Statement(insert_for_id(insert(content)), [column.name for column in content.columns if column.name != "id"])
MEAN = Statement(insert_unless_there(content_digest, "sent_sha256"), ("sent_sha256", "content_id"))
REMOVE = Statement(delete(content).where(content.c.id == bindparam("content_id")))
MEND = Statement(
    update(content)
    .where(content.c.id == bindparam("content_id"), content.c.object_key == bindparam("in_place_of"))
    .values(object_key=bindparam("new_key"))
)
LOCK = Statement(select(content.c.id).where(content.c.id.in_(ids_in("ids"))).order_by(content.c.id).with_for_update())
DELETE_UNUSED = Statement(
    delete(content)
    .where(
        content.c.id.in_(ids_in("ids")),
        ~exists().where(medium.c.content_id == content.c.id),
        ~exists().where(snapshot_content.c.content_id == content.c.id),
    )
    .returning(content.c.sent_sha256, content.c.object_key)
)
DROP_DIGESTS = Statement(insert(dropped_digests), ("id", "sent_sha256s"))
DROP_OBJECT = Statement(insert(dropped_object), ("object_key",))
TO_SWEEP = Statement(select(dropped_digests.c.id, dropped_digests.c.sent_sha256s).limit(bindparam("most")))
SWEEP = Statement(
    delete(content_digest).where(content_digest.c.sent_sha256.in_(digests_in("digests")), ~exists().where(_MEANT))
)
SWEPT = Statement(delete(dropped_digests).where(dropped_digests.c.id.in_(ids_in("ids"))))
DROPPED = Statement(select(dropped_object.c.object_key).limit(bindparam("most")))
STORED_BYTES = Statement(select(func.sum(content.c.size_bytes)))


def forgetting_dropped(object_keys: Collection[str]) -> Delete:
    """Return what forgets objects that are deleted."""
    return delete(dropped_object).where(dropped_object.c.object_key.in_(object_keys))


def pointed_at(object_keys: Collection[str]) -> Select[str]:
    """Return the query of those of the objects that a row points at."""
    return select(content.c.object_key).where(content.c.object_key.in_(object_keys))
