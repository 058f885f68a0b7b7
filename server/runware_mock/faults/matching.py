"""Which planned faults an event meets. They are consumed in one transaction, so once and once only.

Those that fit are found in memory. Two events that fit the same faults wait for each other: each locks the rows of all
of them, in the same order.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple

import pybase64
from sqlalchemy import Connection, bindparam, select, update

from runware_mock.faults.answers import RateLimitFault
from runware_mock.faults.base import Event, Fault, Point, Transport
from runware_mock.faults.lifecycle import Stage
from runware_mock.faults.plans import parsed
from runware_mock.faults.scripted import AnswerFault, Given
from runware_mock.protocol.errors import Refusal
from runware_mock.protocol.response_plan import NOTHING, ResponsePlan
from runware_mock.storage.clocks import Clocks
from runware_mock.storage.database import ALL_ACCOUNTS, Database, retried
from runware_mock.storage.models import fault, fault_plan, given_picture

# Built once, as every task of an account with plans runs them.
_FAULTS_OF = (
    select(fault.c.id, fault.c.plan_id, fault.c.position, fault_plan.c.name, fault_plan.c.by_name_only, fault.c.spec)
    .join_from(fault, fault_plan)
    .where(fault_plan.c.account_id.in_((bindparam("account_id"), ALL_ACCOUNTS)))
    .order_by(fault_plan.c.id, fault.c.position)
)
_IS_ONE_OF = fault.c.id.in_(bindparam("ids", expanding=True))
_COUNTS = (
    select(fault.c.id, fault.c.seen, fault.c.met, fault.c.tokens, fault.c.counted_at)
    .where(_IS_ONE_OF)
    .order_by(fault.c.id)
    .with_for_update()
)
_SEEN = update(fault).where(_IS_ONE_OF).values(seen=fault.c.seen + 1)
_MET = _SEEN.values(met=fault.c.met + 1)
_PICTURE = select(given_picture.c.picture).where(
    given_picture.c.plan_id == bindparam("of_plan"), given_picture.c.position == bindparam("at")
)


@dataclass(frozen=True, slots=True)
class Met:
    """A fault that an event has met; `seen` counts the events that fit it, this one included."""

    plan: str
    fault: Fault
    seen: int
    picture: bytes | None = None

    @property
    def given(self) -> Given | None:
        """What a rule gives to the task."""
        one = self.fault
        return Given(self.picture, one.text, one.fields) if isinstance(one, AnswerFault) else None

    @property
    def stages(self) -> list[Stage]:
        """The lifecycle that a rule gives to the task, if it is asynchronous."""
        return self.fault.lifecycle if isinstance(self.fault, AnswerFault) else []

    @property
    def kind(self) -> str:
        """The name of the fault's kind, as plans spell it."""
        return str(getattr(self.fault, "kind", ""))

    def as_json(self, *, is_async: bool = False) -> dict[str, object]:
        """Return what the journal keeps."""
        kept: dict[str, object] = {"plan": self.plan, "kind": self.kind}
        if is_async and self.stages:
            kept["lifecycle"] = [one.model_dump(mode="json") for one in self.stages]
        if self.fault.is_random or self.fault.probability < 1:
            kept |= {"seed": self.fault.seed, "draw": self.seen}
        return kept


def response_plan_of(met: tuple[Met, ...]) -> ResponsePlan | None:
    """Return what all these faults make of the response, or None where they leave it as it is."""
    plan = NOTHING
    for one in met:
        plan = one.fault.add_to(plan, one.fault.draw(one.seen))
    return None if plan == NOTHING else plan


def effects_of(met: tuple[Met, ...]) -> tuple[ResponsePlan | None, Refusal | None]:
    """Return what faults make of the response to an event that is no task, and the refusal it is answered with."""
    refusals = (one.fault.refusal({}) for one in met)
    return response_plan_of(met), next((one for one in refusals if one is not None), None)


class Faults:
    """Finds and consumes planned faults. Accounts without a plan cost one look-up in memory."""

    def __init__(self, database: Database, clocks: Clocks) -> None:
        self._database = database
        self._clocks = clocks
        # The plans of each account, at a version of what control calls have made.
        self._kept: tuple[int, dict[int, _Plans]] = (-1, {})

    def may_meet(self, account_id: int, event: Event) -> bool:
        """Tell whether such an event may meet a fault, without reading the database."""
        version, plans = self._kept
        known = plans.get(account_id) if version == self._clocks.version else None
        return known is None or known.concern(event)

    def meet(self, account_id: int, event: Event) -> tuple[Met, ...]:
        """Return the faults that an event meets; they are consumed."""
        if not self._clocks.is_planned(account_id):
            return ()
        plans = self._plans(account_id)
        fitting = plans.fitting(event)
        if not fitting:
            return ()

        @retried
        def met() -> tuple[Met, ...]:
            with self._database.writing() as connection:
                # A control call may have changed the plans just now, and SQLite gives ids of deleted rows to others.
                self._clocks.refresh(connection)
                current = self._plans(account_id, connection)
                still = fitting if current is plans else current.fitting(event)
                return _meet(connection, still, self._clocks.real_at()) if still else ()

        return met()

    def _plans(self, account_id: int, connection: Connection | None = None) -> "_Plans":
        """Return the plans that are for an account, as of the last refresh of the clocks or later."""
        version = self._clocks.version
        kept_version, plans = self._kept
        if kept_version != version:
            plans = {}
            self._kept = version, plans
        if account_id not in plans:
            with nullcontext(connection) if connection else self._database.reading() as reading:
                plans[account_id] = _Plans(reading, account_id)
        return plans[account_id]


class _Planned(NamedTuple):
    """A fault of a plan, as its rows have it, without its counts."""

    id: int
    plan_id: int
    position: int
    plan: str
    by_name_only: bool
    fault: Fault


class _Plans:
    """The plans that are for an account: its own, and those of all accounts."""

    def __init__(self, connection: Connection, account_id: int) -> None:
        rows = connection.execute(_FAULTS_OF, {"account_id": account_id})
        self._faults = [_Planned(*row[:-1], parsed(row.spec)) for row in rows]
        # By what most events have in common: only some plans concern a task type.
        self._concerned: dict[tuple[Point, Transport, str | None], _Concerned] = {}

    def concern(self, event: Event) -> bool:
        """Tell whether any fault is for events of this kind."""
        return bool(self._concerning(event).faults)

    def fitting(self, event: Event) -> list[_Planned]:
        """Return the faults that fit an event, in the order of the plans."""
        return [
            one
            for one in self._concerning(event).candidates(event)
            if (not one.by_name_only or one.plan == event.plan) and one.fault.matches(event)
        ]

    def _concerning(self, event: Event) -> "_Concerned":
        key = (event.point, event.transport, event.task_type)
        if key not in self._concerned:
            self._concerned[key] = _Concerned([one for one in self._faults if one.fault.concerns(*key)])
        return self._concerned[key]


class _Concerned:
    """The faults that concern one kind of events, of which an account may have a thousand: they are sifted first."""

    def __init__(self, faults: Sequence[_Planned]) -> None:
        self.faults = faults
        # Each field that any of them asks for is read once.
        fields = {one.steps: one for planned in faults for one in planned.fault.conditions}
        self._fields = list(fields.values())
        places = {steps: place for place, steps in enumerate(fields)}
        self._checks = [
            (planned, [(places[one.steps], one.check) for one in planned.fault.conditions]) for planned in faults
        ]

    def candidates(self, event: Event) -> list[_Planned]:
        """Return those whose conditions an event fulfils."""
        values = [one.value(event) for one in self._fields]
        found = []
        for planned, checks in self._checks:
            for place, check in checks:
                if not check(values[place]):
                    break
            else:
                found.append(planned)
        return found


def _meet(connection: Connection, fitting: Sequence[_Planned], real_at: int) -> tuple[Met, ...]:
    """Take from each plan at most the first fault that has times left, and at most one of those that exclude others.

    Every fault that fits counts the event, whether it was met or another before it.
    """
    rows = {row.id: row for row in connection.execute(_COUNTS, {"ids": [one.id for one in fitting]})}
    met: list[Met] = []
    over: dict[int, int] = {}
    for planned in fitting:
        one, row = planned.fault, rows.get(planned.id)
        is_second = one.is_only_one and any(other.fault.is_only_one for other in met)
        if row is None or planned.plan_id in over or is_second:
            continue
        tokens: dict[str, Any] = {}
        if _is_met(one, row, tokens, real_at):
            over[planned.plan_id] = planned.id
            met.append(Met(planned.plan, one, row.seen + 1, _picture(connection, planned)))
        if tokens:
            connection.execute(update(fault).where(fault.c.id == row.id).values(tokens))
    met_ids = list(over.values())
    for statement, ids in ((_MET, met_ids), (_SEEN, [one for one in rows if one not in met_ids])):
        if ids:
            connection.execute(statement, {"ids": ids})
    return tuple(met)


def _picture(connection: Connection, planned: _Planned) -> bytes | None:
    """Return the picture that an answer gives, if it gives one."""
    if not isinstance(planned.fault, AnswerFault) or planned.fault.picture is None:
        return None
    found = connection.scalar(_PICTURE, {"of_plan": planned.plan_id, "at": planned.position})
    return None if found is None else pybase64.b64decode(found)


def _is_met(one: Fault, row: Any, tokens_now: dict[str, Any], real_at: int) -> bool:
    if one.times is not None and row.met >= one.times:
        return False
    if one.nth is not None and row.seen + 1 != one.nth:
        return False
    if not one.is_drawn(row.seen + 1):
        return False
    if isinstance(one, RateLimitFault):
        tokens = one.tokens_at(row.tokens, row.counted_at, real_at)
        has_token = tokens >= 1
        tokens_now |= {"tokens": tokens - has_token, "counted_at": real_at}
        return not has_token
    return True
