"""Which planned faults an event meets. They are consumed in the transaction that finds them, so once and once only.

Two events that meet faults of one plan wait for each other: each locks the rows of all its faults, in the same order.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, or_, select, update

from runware_mock.faults.answers import RateLimitFault
from runware_mock.faults.base import Event, Fault
from runware_mock.faults.kinds import FAULT
from runware_mock.faults.plans import has_plan
from runware_mock.protocol.errors import Refusal
from runware_mock.protocol.response_plan import NOTHING, ResponsePlan
from runware_mock.storage.clocks import Clocks
from runware_mock.storage.database import ALL_ACCOUNTS, Database, retried
from runware_mock.storage.models import fault, fault_plan


@dataclass(frozen=True, slots=True)
class Met:
    """A fault that an event has met; `seen` counts the events that fit it, this one included."""

    plan: str
    fault: Fault
    seen: int

    @property
    def kind(self) -> str:
        """The name of the fault's kind, as plans spell it."""
        return str(getattr(self.fault, "kind", ""))

    def as_json(self) -> dict[str, object]:
        """Return what the journal keeps."""
        kept: dict[str, object] = {"plan": self.plan, "kind": self.kind}
        if self.fault.is_random or self.fault.probability < 1:
            kept |= {"seed": self.fault.seed, "draw": self.seen}
        return kept


def response_plan_of(met: tuple[Met, ...]) -> ResponsePlan | None:
    """Return what all these faults make of the response, or None where they leave it as it is."""
    plan = NOTHING
    for one in met:
        plan = one.fault.add_to(plan, one.fault.draw(one.seen))
    return None if plan == NOTHING else plan


class Faults:
    """Finds and consumes planned faults. Accounts without a plan cost one look-up in memory."""

    def __init__(self, database: Database, clocks: Clocks) -> None:
        self._database = database
        self._clocks = clocks

    def meet(self, account_id: int, event: Event) -> tuple[Met, ...]:
        """Return the faults that an event meets; they are consumed."""
        if not self._clocks.is_planned(account_id):
            return ()

        @retried
        def met() -> tuple[Met, ...]:
            with self._database.writing() as connection:
                return _meet(connection, account_id, event, self._clocks.real_at())

        return met()

    def meet_connection(self, account_id: int, event: Event) -> tuple[ResponsePlan | None, Refusal | None]:
        """Return what an event that is no task meets, and the refusal it is answered with, if it is."""
        met = self.meet(account_id, event)
        refusals = (one.fault.refusal({}) for one in met)
        return response_plan_of(met), next((one for one in refusals if one is not None), None)

    def names_plan(self, connection: Connection, account_id: int, name: str) -> bool:
        """Tell whether an account has a plan of this name."""
        return has_plan(connection, account_id, name)


def _meet(connection: Connection, account_id: int, event: Event, real_at: int) -> tuple[Met, ...]:
    """Take from each plan at most the first fault that fits and has times left.

    Every fault that fits counts the event, whether it was met or another before it.
    """
    plans = (
        select(fault_plan)
        .where(or_(fault_plan.c.account_id == account_id, fault_plan.c.account_id == ALL_ACCOUNTS))
        .order_by(fault_plan.c.id)
    )
    met = []
    for plan in connection.execute(plans).all():
        if plan.by_name_only and plan.name != event.plan:
            continue
        faults = select(fault).where(fault.c.plan_id == plan.id).order_by(fault.c.position).with_for_update()
        is_over = False
        for row in connection.execute(faults).all():
            one = _parsed(row.spec)
            if not one.fits(event):
                continue
            values: dict[str, Any] = {"seen": row.seen + 1}
            if not is_over and _is_met(one, row, values, real_at):
                is_over = True
                values["met"] = row.met + 1
                met.append(Met(plan.name, one, row.seen + 1))
            connection.execute(update(fault).where(fault.c.id == row.id).values(values))
    return tuple(met)


def _is_met(one: Fault, row: Any, values: dict[str, Any], real_at: int) -> bool:
    if one.times is not None and row.met >= one.times:
        return False
    if one.nth is not None and row.seen + 1 != one.nth:
        return False
    if not one.is_drawn(row.seen + 1):
        return False
    if isinstance(one, RateLimitFault):
        tokens = one.tokens_at(row.tokens, row.counted_at, real_at)
        has_token = tokens >= 1
        values |= {"tokens": tokens - has_token, "counted_at": real_at}
        return not has_token
    return True


@lru_cache(maxsize=1000)
def _parsed(spec: str) -> Fault:
    return FAULT.validate_json(spec)
