"""Named pictures of an account's whole state, kept beside it in the database and put back in milliseconds."""

from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select

from runware_mock import control_models as models
from runware_mock.control import account_state
from runware_mock.control.changes import changing
from runware_mock.control.refusals import ControlRefused, conflict, not_found
from runware_mock.control_models import instant
from runware_mock.services import Services
from runware_mock.storage import contents
from runware_mock.storage.database import PURGER, retried
from runware_mock.storage.migrations import HEAD
from runware_mock.storage.models import medium, snapshot, snapshot_content

_LONGEST_NAME = 100
_SHOWN = (snapshot.c.id, snapshot.c.name, snapshot.c.created_at, snapshot.c.media)


@retried
def save(services: Services, account_id: int, name: str) -> models.Snapshot:
    """Keep the state of an account under a name."""
    if not name.strip() or len(name) > _LONGEST_NAME:
        raise ControlRefused(f"a name has 1 to {_LONGEST_NAME} characters", "name")
    # Nothing is purged before it is kept.
    with services.database.writing(account_id, PURGER) as connection:
        if _find(connection, account_id, name) is not None:
            raise conflict(f"there is a snapshot {name!r} already: delete it first", "name")
        taken = account_state.take(connection, account_id)
        values = {
            "account_id": account_id,
            "name": name,
            "version": HEAD,
            "created_at": services.clocks.real_at(),
            "media": len(taken["medium"]),
            "payload": msgspec.json.encode(taken),
        }
        added: Any = connection.execute(insert(snapshot), values).inserted_primary_key
        if content_ids := {row["content_id"] for row in taken["medium"]}:
            kept = [{"snapshot_id": added[0], "content_id": content_id} for content_id in content_ids]
            connection.execute(insert(snapshot_content), kept)
        return _shown(_found(connection, account_id, name))


@retried
def restore(services: Services, account_id: int, name: str) -> models.Snapshot:
    """Put an account back into the state of a snapshot, which stays."""
    with changing(services, account_id) as connection:
        found = _found(connection, account_id, name)
        before = _contents_of(connection, account_id)
        payload: Any = connection.scalar(select(snapshot.c.payload).where(snapshot.c.id == found.id))
        account_state.put(connection, account_id, msgspec.json.decode(payload))
        contents.delete_unused(connection, before)
        return _shown(found)


def list_snapshots(services: Services, account_id: int) -> models.Snapshots:
    """Return the snapshots of an account, the newest first."""
    own = select(*_SHOWN).where(snapshot.c.account_id == account_id).order_by(snapshot.c.id.desc())
    with services.database.reading() as connection:
        return models.Snapshots(snapshots=tuple(_shown(row) for row in connection.execute(own)))


@retried
def remove(services: Services, account_id: int, name: str) -> models.Deleted:
    """Delete a snapshot."""
    with changing(services, account_id) as connection:
        found = _found(connection, account_id, name)
        of_it = snapshot_content.c.snapshot_id == found.id
        content_ids = list(connection.scalars(select(snapshot_content.c.content_id).where(of_it)))
        connection.execute(delete(snapshot_content).where(of_it))
        connection.execute(delete(snapshot).where(snapshot.c.id == found.id))
        contents.delete_unused(connection, content_ids)
    return models.Deleted(deleted=1)


def _contents_of(connection: Connection, account_id: int) -> list[int]:
    return list(connection.scalars(select(medium.c.content_id).where(medium.c.account_id == account_id).distinct()))


def _find(connection: Connection, account_id: int, name: str) -> Any:
    return connection.execute(
        select(*_SHOWN).where(snapshot.c.account_id == account_id, snapshot.c.name == name)
    ).first()


def _found(connection: Connection, account_id: int, name: str) -> Any:
    found = _find(connection, account_id, name)
    if found is None:
        raise not_found(f"there is no snapshot {name[:60]!r}", "name")
    return found


def _shown(row: Any) -> models.Snapshot:
    return models.Snapshot(name=row.name, created_at=instant(row.created_at), media=row.media)
