"""Which faults an event meets: each is consumed in the transaction that finds it, so once and once only.

Two that meet the faults of one plan take turns, since each has the rows of all its faults, always in the same order.
"""

from functools import lru_cache
from typing import Any

from sqlalchemy import or_, select, update

from runware_mock.faults.answers import RateLimit
from runware_mock.faults.event import Event, Met
from runware_mock.faults.fault import Fault
from runware_mock.faults.kinds import FAULT
from runware_mock.storage.connection import Connection
from runware_mock.storage.owners import ALL_ACCOUNTS
from runware_mock.storage.tables import fault, fault_plan


def meet(connection: Connection, account_id: int, event: Event, real_at: int) -> tuple[Met, ...]:
    """Consume and return what an event meets: of each plan at most the first fault that fits and has times left.

    Every fault that fits has seen the event, whether it was met or another before it.
    """
    plans = (
        select(fault_plan)
        .where(or_(fault_plan.c.account_id == account_id, fault_plan.c.account_id == ALL_ACCOUNTS))
        .order_by(fault_plan.c.id)
    )
    met = []
    for plan in connection.core.execute(plans).all():
        if plan.by_name_only and plan.name != event.plan:
            continue
        faults = select(fault).where(fault.c.plan_id == plan.id).order_by(fault.c.position).with_for_update()
        is_over = False
        for row in connection.core.execute(faults).all():
            one = _parsed(row.spec)
            if not one.fits(event):
                continue
            values: dict[str, Any] = {"seen": row.seen + 1}
            if not is_over and _is_met(one, row, values, real_at):
                is_over = True
                values["met"] = row.met + 1
                met.append(Met(plan.name, one, row.seen + 1))
            connection.core.execute(update(fault).where(fault.c.id == row.id).values(values))
    return tuple(met)


def _is_met(one: Fault, row: Any, values: dict[str, Any], real_at: int) -> bool:
    if one.times is not None and row.met >= one.times:
        return False
    if one.nth is not None and row.seen + 1 != one.nth:
        return False
    if not one.is_drawn(row.seen + 1):
        return False
    if isinstance(one, RateLimit):
        tokens = one.tokens_at(row.tokens, row.counted_at, real_at)
        has_token = tokens >= 1
        values |= {"tokens": tokens - has_token, "counted_at": real_at}
        return not has_token
    return True


@lru_cache(maxsize=1000)
def _parsed(spec: str) -> Fault:
    return FAULT.validate_json(spec)
