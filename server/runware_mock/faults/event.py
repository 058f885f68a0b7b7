"""What may meet a fault, and what became of it: all that those need to know who never make a plan."""

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from runware_mock.live import Live
from runware_mock.protocol.errors import Refusal
from runware_mock.protocol.response_plan import NOTHING, ResponsePlan
from runware_mock.storage.connection import Connection
from runware_mock.storage.database import Database, retried

if TYPE_CHECKING:
    from runware_mock.faults.fault import Fault

Point = Literal["task", "upgrade", "authentication", "ping"]
Transport = Literal["rest", "ws"]


class Event(Struct, frozen=True):
    """Something that may meet a fault: a task, an upgrade, an authentication or a ping.

    `plan` is the plan that the client has named; `fetches` tells whether a URL has to be fetched for the task.
    """

    point: Point
    transport: Transport
    task_type: str | None = None
    task_uuid: str | None = None
    plan: str | None = None
    fetches: bool = False


class Met(Struct, frozen=True):
    """A fault that has been met; `seen` says which event that fits it was."""

    plan: str
    fault: "Fault"
    seen: int

    @property
    def kind(self) -> str:
        """Return what the fault is called in plans."""
        return str(getattr(self.fault, "kind", ""))

    def told(self) -> dict[str, object]:
        """Return what the journal keeps."""
        told: dict[str, object] = {"plan": self.plan, "kind": self.kind}
        if self.fault.is_random or self.fault.probability < 1:
            told |= {"seed": self.fault.seed, "draw": self.seen}
        return told


def response_plan_of(met: tuple[Met, ...]) -> ResponsePlan | None:
    """Return what the transport is to do for all that was met, or None where that is nothing."""
    response_plan = NOTHING
    for one in met:
        response_plan = one.fault.performed(response_plan, one.fault.draw(one.seen))
    return None if response_plan == NOTHING else response_plan


class Faults:
    """Finds and consumes the planned faults; those who have no plan pay one look-up in memory."""

    def __init__(self, database: Database, live: Live) -> None:
        self._database = database
        self._live = live

    def meet(self, account_id: int, event: Event) -> tuple[Met, ...]:
        """Return what an event meets; it is consumed."""
        if not self._live.is_planned(account_id):
            return ()
        # Imported for those who plan: to build the kinds takes longer than many a start.
        from runware_mock.faults.matching import meet

        @retried
        def met() -> tuple[Met, ...]:
            with self._database.writing() as connection:
                return meet(connection, account_id, event, self._live.real_at())

        return met()

    def meet_connection(self, account_id: int, event: Event) -> tuple[ResponsePlan | None, Refusal | None]:
        """Return what an event that is no task meets, and as what it is refused."""
        met = self.meet(account_id, event)
        refusals = (one.fault.refusal({}) for one in met)
        return response_plan_of(met), next((one for one in refusals if one is not None), None)

    def names_plan(self, connection: Connection, account_id: int, name: str) -> bool:
        """Tell whether an account has a plan of this name."""
        from runware_mock.faults.plans import has_plan

        return has_plan(connection, account_id, name)
