"""All that one account has, as plain data: what snapshots keep and archives carry."""

from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select
from sqlalchemy.exc import IntegrityError

from runware_mock.control.refusals import ControlRefused, conflict
from runware_mock.storage.database import problem_of
from runware_mock.storage.migrations import HEAD
from runware_mock.storage.models import (
    account_clock,
    delivery,
    fault,
    fault_plan,
    journal,
    medium,
    quota_bucket,
    undelivered,
)

AccountState = dict[str, Any]

# The newest migration that has changed the rows of a table of which a state has some. A test holds that it is.
SHAPE = "0001"

# In the order in which they may be deleted. The rows of `fault` go with their plans.
_OWN_TABLES: tuple[Table, ...] = (medium, journal, undelivered, delivery, quota_bucket, fault_plan, account_clock)
KEPT_TABLES = {table.name: table for table in (medium, journal, fault_plan, account_clock)}


def take(connection: Connection, account_id: int) -> AccountState:
    """Return the rows of an account, in the order of their making."""
    rows: AccountState = {"version": HEAD}
    for name, table in KEPT_TABLES.items():
        own = select(table).where(table.c.account_id == account_id).order_by(*table.primary_key.columns)
        rows[name] = [dict(row) for row in connection.execute(own).mappings()]
    plan_ids = [plan["id"] for plan in rows["fault_plan"]]
    faults = select(fault).where(fault.c.plan_id.in_(plan_ids)).order_by(fault.c.plan_id, fault.c.position)
    rows["fault"] = [dict(row) for row in connection.execute(faults).mappings()]
    return rows


def put(connection: Connection, account_id: int, state: AccountState) -> None:
    """Give an account exactly the rows of a state, whatever it had before; raises ControlRefused.

    The contents that its media point at have to be there.
    """
    check_version(state)
    for table in _OWN_TABLES:
        connection.execute(delete(table).where(table.c.account_id == account_id))
    _refuse_taken(connection, [row["uuid"] for row in state["medium"]])
    for name, table in KEPT_TABLES.items():
        if name != "fault_plan" and (rows := state[name]):
            try:
                connection.execute(insert(table), [_renewed(row, account_id=account_id) for row in rows])
            except IntegrityError as error:
                # Just now, or the state is of something else.
                raise conflict(f"rows of {name} cannot be stored: {problem_of(error)}"[:200], name) from error
    plan_ids = {}
    for plan in state["fault_plan"]:
        added: Any = connection.execute(insert(fault_plan), _renewed(plan, account_id=account_id))
        (plan_ids[plan["id"]],) = added.inserted_primary_key
    if faults := [_renewed(row, plan_id=plan_ids[row["plan_id"]]) for row in state["fault"]]:
        connection.execute(insert(fault), faults)


def check_version(state: AccountState) -> None:
    """Refuse a state whose rows have another shape; raises ControlRefused."""
    version = state.get("version")
    if not isinstance(version, str) or not SHAPE <= version <= HEAD:
        made_by = f"it was made by another version of runware-mock (tables {str(version)[:40]!r}, here {HEAD!r})"
        raise ControlRefused(made_by, "version")


def _renewed(row: dict[str, Any], **owner: int) -> dict[str, Any]:
    """Return a row without its id, which may be another row's by now, and with its owner's."""
    return {**{name: value for name, value in row.items() if name != "id"}, **owner}


def _refuse_taken(connection: Connection, uuids: list[str]) -> None:
    for start in range(0, len(uuids), _CHUNK):
        some = uuids[start : start + _CHUNK]
        taken = connection.scalar(select(medium.c.uuid).where(medium.c.uuid.in_(some)).limit(1))
        if taken is not None:
            raise conflict(f"another account has a medium {taken}", "media")


_CHUNK = 500
