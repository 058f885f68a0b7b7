"""Plans as they are asked for, stored and shown."""

import secrets
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import Connection, delete, insert, select

from runware_mock.control_models import FaultState, PlanState
from runware_mock.faults.base import Fault
from runware_mock.faults.kinds import FAULT, AnyFault
from runware_mock.protocol.messages import is_uuid
from runware_mock.storage.database import ALL_ACCOUNTS
from runware_mock.storage.models import fault, fault_plan, given_picture, rule_of_file

_SEED_LIMIT = 2**31
# How many one statement deletes.
_CHUNK = 500


class PlanExists(Exception):
    """The account has a plan of this name."""


def is_plan_name(name: str) -> str:
    """Return the name of a plan; raises ValueError where it is none."""
    # A slash would end it in the path of a control call, a plus in a key.
    if not name.isprintable() or "/" in name or "+" in name or not name.strip("."):
        raise ValueError("a name has no slash, no plus and no control character, and is more than dots")
    return name


PlanName = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(is_plan_name)]


class Plan(BaseModel):
    """Faults in the order in which they happen. Each event meets at most one fault of a plan."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: PlanName | None = Field(None, description="A random name if left out.")
    faults: list[AnyFault] = Field(min_length=1, max_length=100)
    must_be_met: bool = Field(default=True, description="Whether a pytest test fails if the plan was not fully met.")
    by_name_only: bool = Field(
        default=False,
        description="Only for clients whose key ends in +<name>, or that send X-Runware-Mock-Plan: <name>.",
    )


def add(
    connection: Connection,
    account_id: int,
    plan: Plan,
    real_at: int,
    pictures: Mapping[int, str],
    *,
    is_of_file: bool = False,
) -> str:
    """Store a plan, and the pictures that its answers give, by position; return its name. Raises PlanExists."""
    name = plan.name or f"plan-{secrets.token_hex(4)}"
    if _rows(connection, account_id, name):
        raise PlanExists(name)
    values = {
        "account_id": account_id,
        "name": name,
        "created_at": real_at,
        "must_be_met": plan.must_be_met,
        "by_name_only": plan.by_name_only,
    }
    added: Any = connection.execute(insert(fault_plan), values).inserted_primary_key
    rows = [
        {"plan_id": added[0], "position": position, "spec": _seeded(one).model_dump_json(), "seen": 0, "met": 0}
        for position, one in enumerate(plan.faults)
    ]
    connection.execute(insert(fault), rows)
    if given := [
        {"plan_id": added[0], "position": position, "picture": picture} for position, picture in pictures.items()
    ]:
        connection.execute(insert(given_picture), given)
    if is_of_file:
        connection.execute(insert(rule_of_file), {"plan_id": added[0]})
    return name


def states(connection: Connection, account_id: int, name: str | None = None) -> list[PlanState]:
    """Return the state of an account's plans, or of the one of that name; account 0 has those of all accounts."""
    plans = _rows(connection, account_id, name)
    of_one = fault.c.plan_id == plans[0].id if len(plans) == 1 else fault_plan.c.account_id == account_id
    found = select(fault).join_from(fault, fault_plan).where(of_one).order_by(fault.c.plan_id, fault.c.position)
    faults: dict[int, list[Any]] = {}
    for row in connection.execute(found) if plans else ():
        faults.setdefault(row.plan_id, []).append(row)
    return [_state(plan, faults.get(plan.id, [])) for plan in plans]


def hidden_answers(connection: Connection, account_id: int, plan: Plan) -> dict[int, str]:
    """Return which answers of a rule to be added would never be given, each with the rule that answers instead."""
    owners = fault_plan.c.account_id.in_((account_id, ALL_ACCOUNTS))
    present = select(fault_plan.c.name, fault.c.spec).join_from(fault, fault_plan)
    present = present.where(owners, ~fault_plan.c.by_name_only).order_by(fault_plan.c.id, fault.c.position)
    rows = connection.execute(present) if _is_rule(plan) else ()
    earlier = [(row.name, parsed(row.spec)) for row in rows]
    hidden = {}
    for position, one in enumerate(plan.faults):
        if name := next((name for name, other in earlier if other.is_only_one and _hides(other, one)), None):
            hidden[position] = name
    return hidden


def names_of_file_rules(connection: Connection) -> list[str]:
    """Return the names of the rules that were read from files; all are for all accounts."""
    return list(connection.scalars(select(fault_plan.c.name).join_from(fault_plan, rule_of_file)))


def remove(connection: Connection, account_id: int, names: Collection[str]) -> int:
    """Delete the plans of an account that have these names; return how many."""
    ids = [row.id for row in _rows(connection, account_id, None) if row.name in set(names)]
    return sum(
        connection.execute(delete(fault_plan).where(fault_plan.c.id.in_(ids[start : start + _CHUNK]))).rowcount
        for start in range(0, len(ids), _CHUNK)
    )


def has_plan(connection: Connection, account_id: int, name: str) -> bool:
    """Tell whether an account has a plan of this name."""
    return bool(_rows(connection, account_id, name))


def _rows(connection: Connection, account_id: int, name: str | None) -> list[Any]:
    own = select(fault_plan).where(fault_plan.c.account_id == account_id).order_by(fault_plan.c.id)
    return list(connection.execute(own if name is None else own.where(fault_plan.c.name == name)))


# More than anybody plans.
@lru_cache(maxsize=10_000)
def parsed(spec: str) -> AnyFault:
    """Return a stored fault."""
    return FAULT.validate_json(spec)


def _is_rule(plan: Plan) -> bool:
    return all(one.is_only_one for one in plan.faults)


def _seeded(one: Fault) -> Fault:
    """Draw the seed of what is random, unless it is given."""
    if one.seed is not None or not (one.is_random or one.probability < 1):
        return one
    return one.model_copy(update={"seed": secrets.randbelow(_SEED_LIMIT)})


def _state(row: Any, rows: list[Any]) -> PlanState:
    kept = [parsed(one.spec) for one in rows]
    states = [_fault_state(one, one_row) for one, one_row in zip(kept, rows, strict=True)]
    return PlanState(
        name=row.name,
        account=None if row.account_id == ALL_ACCOUNTS else row.account_id,
        must_be_met=row.must_be_met,
        by_name_only=row.by_name_only,
        is_met=all(one.met >= (one.times or 1) for one in states),
        warnings=tuple(_warnings(row, kept)),
        faults=tuple(states),
    )


def _fault_state(one: Fault, row: Any) -> FaultState:
    remaining = None if one.times is None else max(0, one.times - row.met)
    return FaultState(**one.model_dump(mode="json"), seen=row.seen, met=row.met, remaining=remaining)


def _warnings(plan: Any, faults: list[AnyFault]) -> list[str]:
    """Return why some of a plan may never be met."""
    found = []
    for index, one in enumerate(faults):
        if one.point == "upgrade" and plan.account_id != ALL_ACCOUNTS:
            found.append(
                f"faults[{index}]: when a socket opens, its account is known only if the client sends Authorization; "
                "make this a plan of all accounts"
            )
        if any(_hides(earlier, one) for earlier in faults[:index]):
            found.append(f"faults[{index}]: an earlier one is always met first, so this one never is")
        if one.nth is not None and (one.times or 1) > 1:
            found.append(f"faults[{index}].times: only one match is the n-th, so it is met at most once")
        if one.task_uuid is not None and not is_uuid(one.task_uuid):
            found.append(f"faults[{index}].task_uuid: {one.task_uuid!r} is not a UUID")
    if plan.by_name_only and plan.account_id == ALL_ACCOUNTS:
        found.append("by_name_only: a key names plans of its own account, not those of all accounts")
    return found


def _hides(earlier: AnyFault, later: AnyFault) -> bool:
    """Tell whether the earlier fault is met whenever the later one could be."""
    if earlier.probability < 1 or earlier.kind == "rate_limit" or not _covers(earlier, later):
        return False
    # Two that count the same occasions come to their n-th at once.
    is_same_nth = earlier.nth is not None and earlier.nth == later.nth and _covers(later, earlier)
    return is_same_nth or (earlier.nth is None and earlier.times is None)


def _covers(earlier: AnyFault, later: AnyFault) -> bool:
    """Tell whether whatever fits the later fault fits the earlier one, too."""
    return (
        earlier.point == later.point
        and (earlier.kind != "source" or later.kind == "source")
        and set(later.transports if later.transport is None else [later.transport])
        <= set(earlier.transports if earlier.transport is None else [earlier.transport])
        and earlier.task_type in (None, later.task_type)
        and earlier.task_uuid in (None, later.task_uuid)
        and earlier.model in (None, later.model)
        and earlier.prompt in (None, later.prompt)
        and earlier.where.items() <= later.where.items()
    )
