"""What accounts have: listed, counted, reset, and kept as snapshots that are put back in milliseconds."""

from collections.abc import Mapping
from itertools import chain
from typing import Any, Literal, TypeVar

import msgspec
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, Delete, Select, Table, delete, exists, func, insert, or_, select
from sqlalchemy.exc import IntegrityError

from runware_mock import control_models as models
from runware_mock.control.calls import ControlRefused, changing, conflict, not_found
from runware_mock.control_models import instant
from runware_mock.services import Services
from runware_mock.storage import contents
from runware_mock.storage.database import ALL_ACCOUNTS, PURGER, problem_of, retried
from runware_mock.storage.migrations import HEAD
from runware_mock.storage.models import (
    account,
    account_clock,
    delivery,
    fault,
    fault_plan,
    given_picture,
    journal,
    medium,
    quota_bucket,
    snapshot,
    snapshot_content,
    undelivered,
)
from runware_mock.version import __version__

# An account without any of these is listed nowhere, so that after a reset the list is short. Its row stays for sockets
# that are open.
_OWNED = (medium, journal, fault_plan, account_clock, snapshot)
_HAS_SOMETHING = or_(*(exists().where(table.c.account_id == account.c.id) for table in _OWNED))
Scope = Literal["all", "media", "journal", "faults", "clock"]


class ToReset(BaseModel):
    """What to delete of an account, or of all accounts: a misspelt field must not mean everything."""

    model_config = ConfigDict(extra="forbid")

    scope: Scope = "all"


_Where = TypeVar("_Where", Delete, Select[Any])
# What each part of an account consists of, in the order in which it may be deleted. The rows of the last table are
# counted; those of `fault` and `given_picture` go with their plans.
_TABLES: Mapping[str, tuple[Table, ...]] = {
    "media": (medium,),
    "journal": (undelivered, delivery, quota_bucket, journal),
    "faults": (fault_plan,),
    # The quota was filled by the clock that is reset.
    "clock": (quota_bucket,),
}
# What a snapshot and an archive hold of an account, besides the faults of its plans.
KEPT_TABLES = {table.name: table for table in (medium, journal, fault_plan, account_clock)}
# The oldest version whose rows fit into the tables: what later ones have added may be left out. A test checks this.
SHAPE = "0001"
AccountState = dict[str, Any]
_LONGEST_NAME = 100
_CHUNK = 500


def status(services: Services, base_url: str) -> models.Status:
    """Return the version, the settings that differ from their default, and how much is stored."""
    with services.database.reading() as connection:
        counts = {
            name: connection.scalar(select(func.count()).select_from(table)) or 0
            for name, table in (("media", medium), ("journal", journal))
        }
        counts["accounts"] = connection.scalar(select(func.count()).select_from(account).where(_HAS_SOMETHING)) or 0
    return models.Status(version=__version__, url=base_url, settings=services.settings.changed(), **counts)


def list_accounts(services: Services) -> models.Accounts:
    """Return every account that has something, the newest first: masked label, its clock, and how much of each."""
    with services.database.reading() as connection:
        services.clocks.refresh(connection)
        counts = {table.name: _counts(connection, table) for table in (medium, journal, fault_plan)}
        rows = connection.execute(select(account).where(_HAS_SOMETHING).order_by(account.c.id.desc())).all()
    accounts = [
        models.Account(
            id=row.id,
            label=row.label,
            created_at=instant(row.created_at),
            now_at=instant(services.now_at(row.id)),
            media=counts["medium"].get(row.id, 0),
            journal=counts["journal"].get(row.id, 0),
            plans=counts["fault_plan"].get(row.id, 0),
        )
        for row in rows
    ]
    return models.Accounts(accounts=tuple(accounts))


def labels(services: Services) -> dict[int, str]:
    """Return the masked label of every account that has something, the newest first."""
    with services.database.reading() as connection:
        labelled = select(account.c.id, account.c.label).where(_HAS_SOMETHING).order_by(account.c.id.desc())
        return {row.id: row.label for row in connection.execute(labelled)}


def find_account(services: Services, account_id: int) -> int:
    """Return the id again if there is such an account."""
    with services.database.reading() as connection:
        if connection.execute(select(account.c.id).where(account.c.id == account_id)).first() is None:
            raise not_found(f"there is no account {account_id}", "account")
    return account_id


@retried
def reset(services: Services, account_id: int, scope: Scope) -> models.Reset:
    """Delete what `scope` names, in one transaction; return how much that was."""
    parts = _TABLES if scope == "all" else {scope: _TABLES[scope]}
    counts: dict[str, int] = {}
    with changing(services, account_id) as connection:
        content_ids = _own(select(medium.c.content_id).distinct(), medium, account_id)
        unneeded = connection.scalars(content_ids).all() if "media" in parts else ()
        for name, tables in parts.items():
            for table in tables:
                counts[name] = connection.execute(_own(delete(table), table, account_id)).rowcount
        contents.delete_unused(connection, unneeded)
        if "clock" in parts:
            services.clocks.reset(connection, account_id)
            counts["clock"] = 1
    return models.Reset(scope=scope, **counts)


def take_state(connection: Connection, account_id: int) -> AccountState:
    """Return the rows of an account, in the order in which they were made."""
    rows: AccountState = {"version": HEAD}
    for name, table in KEPT_TABLES.items():
        own = select(table).where(table.c.account_id == account_id).order_by(*table.primary_key.columns)
        rows[name] = [dict(row) for row in connection.execute(own).mappings()]
    plan_ids = [plan["id"] for plan in rows["fault_plan"]]
    faults = select(fault).where(fault.c.plan_id.in_(plan_ids)).order_by(fault.c.plan_id, fault.c.position)
    rows["fault"] = [dict(row) for row in connection.execute(faults).mappings()]
    of_plans = given_picture.c.plan_id.in_(plan_ids)
    pictures = select(given_picture).where(of_plans).order_by(given_picture.c.plan_id, given_picture.c.position)
    rows["given_picture"] = [dict(row) for row in connection.execute(pictures).mappings()]
    return rows


def put_state(connection: Connection, account_id: int, state: AccountState) -> None:
    """Replace the rows of an account by those of a state; raises ControlRefused.

    The contents that its media point at have to be stored already.
    """
    check_version(state)
    before = _contents_of(connection, account_id)
    for table in (*chain.from_iterable(_TABLES.values()), account_clock):
        connection.execute(delete(table).where(table.c.account_id == account_id))
    _refuse_taken(connection, [row["uuid"] for row in state["medium"]])
    for name, table in KEPT_TABLES.items():
        if name != "fault_plan" and (rows := state[name]):
            try:
                connection.execute(insert(table), [_renewed(row, account_id=account_id) for row in rows])
            except IntegrityError as error:
                # Another account took a UUID just now, or the state is not of this database.
                raise conflict(f"rows of {name} cannot be stored: {problem_of(error)}"[:200], name) from error
    plan_ids = {}
    for plan in state["fault_plan"]:
        added: Any = connection.execute(insert(fault_plan), _renewed(plan, account_id=account_id))
        (plan_ids[plan["id"]],) = added.inserted_primary_key
    if faults := [_renewed(row, plan_id=plan_ids[row["plan_id"]]) for row in state["fault"]]:
        connection.execute(insert(fault), faults)
    # Earlier versions had no such table.
    if pictures := [{**row, "plan_id": plan_ids[row["plan_id"]]} for row in state.get("given_picture", ())]:
        connection.execute(insert(given_picture), pictures)
    contents.delete_unused(connection, before)


def check_version(state: AccountState) -> None:
    """Raise ControlRefused for a state whose rows have another shape."""
    version = state.get("version")
    if not isinstance(version, str) or not SHAPE <= version <= HEAD:
        made_by = f"it was made by another version of runware-mock (tables {str(version)[:40]!r}, here {HEAD!r})"
        raise ControlRefused(made_by, "version")


@retried
def save_snapshot(services: Services, account_id: int, name: str) -> models.Snapshot:
    """Keep the state of an account under a name."""
    if not name.strip() or len(name) > _LONGEST_NAME:
        raise ControlRefused(f"a name has 1 to {_LONGEST_NAME} characters", "name")
    # The purger waits: what is kept here is not deleted before it is kept.
    with services.database.writing(account_id, PURGER) as connection:
        if _find(connection, account_id, name) is not None:
            raise conflict(f"there is already a snapshot {name!r}: delete it first", "name")
        taken = take_state(connection, account_id)
        values: dict[str, Any] = {
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
    return models.Snapshot(name=name, created_at=instant(values["created_at"]), media=values["media"])


@retried
def restore_snapshot(services: Services, account_id: int, name: str) -> models.Snapshot:
    """Put an account back into the state of a snapshot, which stays."""
    with changing(services, account_id) as connection:
        found = _found(connection, account_id, name)
        put_state(connection, account_id, msgspec.json.decode(found.payload))
        return _shown(found)


def list_snapshots(services: Services, account_id: int) -> models.Snapshots:
    """Return the snapshots of an account, the newest first."""
    columns = (snapshot.c.name, snapshot.c.created_at, snapshot.c.media)
    own = select(*columns).where(snapshot.c.account_id == account_id).order_by(snapshot.c.id.desc())
    with services.database.reading() as connection:
        return models.Snapshots(snapshots=tuple(_shown(row) for row in connection.execute(own)))


@retried
def delete_snapshot(services: Services, account_id: int, name: str) -> models.Deleted:
    """Delete a snapshot."""
    with changing(services, account_id) as connection:
        found = _found(connection, account_id, name)
        of_it = snapshot_content.c.snapshot_id == found.id
        content_ids = list(connection.scalars(select(snapshot_content.c.content_id).where(of_it)))
        connection.execute(delete(snapshot_content).where(of_it))
        connection.execute(delete(snapshot).where(snapshot.c.id == found.id))
        contents.delete_unused(connection, content_ids)
    return models.Deleted(deleted=1)


def _renewed(row: dict[str, Any], **owner: int) -> dict[str, Any]:
    """Return a row with its new owner, and without its id, which may be another row's by now."""
    return {**{name: value for name, value in row.items() if name != "id"}, **owner}


def _refuse_taken(connection: Connection, uuids: list[str]) -> None:
    for start in range(0, len(uuids), _CHUNK):
        some = uuids[start : start + _CHUNK]
        taken = connection.scalar(select(medium.c.uuid).where(medium.c.uuid.in_(some)).limit(1))
        if taken is not None:
            raise conflict(f"another account has a medium {taken}", "media")


def _contents_of(connection: Connection, account_id: int) -> list[int]:
    return list(connection.scalars(select(medium.c.content_id).where(medium.c.account_id == account_id).distinct()))


def _find(connection: Connection, account_id: int, name: str) -> Any:
    own = (snapshot.c.account_id == account_id) & (snapshot.c.name == name)
    return connection.execute(select(snapshot).where(own)).first()


def _found(connection: Connection, account_id: int, name: str) -> Any:
    found = _find(connection, account_id, name)
    if found is None:
        raise not_found(f"there is no snapshot {name[:60]!r}", "name")
    return found


def _shown(row: Any) -> models.Snapshot:
    return models.Snapshot(name=row.name, created_at=instant(row.created_at), media=row.media)


def _counts(connection: Connection, table: Table) -> dict[int, int]:
    rows = connection.execute(select(table.c.account_id, func.count()).group_by(table.c.account_id)).all()
    return {row[0]: row[1] for row in rows}


def _own(statement: _Where, table: Table, account_id: int) -> _Where:
    return statement if account_id == ALL_ACCOUNTS else statement.where(table.c.account_id == account_id)
