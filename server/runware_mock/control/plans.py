"""Fault plans: add, list and delete them."""

from sqlalchemy import select

from runware_mock import control_models as models
from runware_mock.control.calls import changing, conflict, not_found
from runware_mock.faults import plans
from runware_mock.faults.plans import Plan, PlanExists
from runware_mock.services import Services
from runware_mock.storage.database import retried
from runware_mock.storage.models import fault_plan
from runware_mock.tasks import TASKS


@retried
def add_plan(services: Services, account_id: int, plan: Plan) -> models.PlanState:
    """Add a plan and return its state."""
    with changing(services, account_id) as connection:
        try:
            state = plans.add(connection, account_id, plan, services.clocks.real_at())
        except PlanExists as error:
            raise conflict(f"there is already a plan {error}: delete it first", "name") from None
    return _warned(state)


def list_plans(services: Services, account_id: int) -> models.Plans:
    """Return the state of an account's plans, or of the plans that are for all accounts."""
    with services.database.reading() as connection:
        return models.Plans(plans=tuple(_warned(state) for state in plans.states(connection, account_id)))


def waiting_plans(services: Services) -> dict[int, int]:
    """Return how many plans of each account were not fully met yet; account 0 has those of all accounts."""
    with services.database.reading() as connection:
        owners = connection.scalars(select(fault_plan.c.account_id).distinct()).all()
        counts = {owner: sum(not plan.is_met for plan in plans.states(connection, owner)) for owner in owners}
    return {owner: count for owner, count in counts.items() if count}


def get_plan(services: Services, account_id: int, name: str) -> models.PlanState:
    """Return the state of one plan."""
    with services.database.reading() as connection:
        for state in plans.states(connection, account_id, name):
            return _warned(state)
    raise not_found(f"there is no plan {name[:60]!r}", "name")


@retried
def delete_plans(services: Services, account_id: int, name: str | None = None) -> models.Deleted:
    """Delete one plan, or all of an account."""
    with changing(services, account_id) as connection:
        count = plans.remove(connection, account_id, name)
    if name is not None and not count:
        raise not_found(f"there is no plan {name[:60]!r}", "name")
    return models.Deleted(deleted=count)


def _warned(state: models.PlanState) -> models.PlanState:
    """Add a warning for each task type that does not exist."""
    warnings = [
        f"faults[{index}].task_type: {one.task_type!r} is no task type"
        for index, one in enumerate(state.faults)
        if one.task_type and one.task_type not in TASKS
    ]
    return state.model_copy(update={"warnings": (*state.warnings, *warnings)})
