"""Fault plans: add, list and delete them."""

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection, select

from runware_mock import control_models as models
from runware_mock.control.calls import ControlRefused, changing, conflict, nearest, not_found
from runware_mock.control.given_pictures import read_pictures
from runware_mock.faults import plans
from runware_mock.faults.base import Event
from runware_mock.faults.kinds import FAULT
from runware_mock.faults.plans import Plan, PlanExists
from runware_mock.services import Services
from runware_mock.storage.database import ALL_ACCOUNTS, retried
from runware_mock.storage.models import fault_plan, journal
from runware_mock.tasks import TASKS
from runware_mock.tasks.image_models import WithOutput
from runware_mock.tasks.models import Caption, GetResponse, PromptEnhance, TextInference
from runware_mock.tasks.validation import properties

# Of how many tasks the nearest one is named.
_LOOKED_AT = 200
_PROMPTS = {"positivePrompt", "prompt", "messages"}
# A poll answers with the text of the task that it asks about.
_WITH_TEXT = (Caption, TextInference, PromptEnhance, GetResponse)
_COUNTS = {"seen", "met", "remaining"}


@retried
def add_plan(services: Services, account_id: int, plan: Plan, field: str = "faults[{}]") -> models.PlanState:
    """Add a plan and return its state; `field` is how the caller names its faults."""
    plan, pictures = read_pictures(services, account_id, plan, field)
    with changing(services, account_id) as connection:
        hidden = plans.hidden_answers(connection, account_id, plan)
        try:
            name = plans.add(connection, account_id, plan, services.clocks.real_at(), pictures)
        except PlanExists as error:
            raise conflict(f"there is already a plan or rule {error}: delete it first", "name") from None
        state = _warned(plans.states(connection, account_id, name)[0])
    never = [
        f"faults[{position}]: the rule {other!r} answers all of these tasks, so this never does"
        for position, other in hidden.items()
    ]
    return state.model_copy(update={"warnings": (*state.warnings, *never)})


def list_plans(services: Services, account_id: int, *, with_shared: bool = False) -> models.Plans:
    """Return the state of an account's plans, or of all plans; `with_shared` adds those for all accounts."""
    with services.database.reading() as connection:
        owners = _owners(connection, account_id)
        if with_shared and ALL_ACCOUNTS not in owners:
            owners = [ALL_ACCOUNTS, *owners]
        found = {owner: plans.states(connection, owner) for owner in owners}
    shown = [
        state
        for owner, states in found.items()
        for state in _with_nearest(services, owner, [_warned(state) for state in states])
    ]
    return models.Plans(plans=tuple(shown))


def waiting_plans(services: Services) -> dict[int, int]:
    """Return how many plans of each account were not fully met yet; account 0 has those of all accounts."""
    with services.database.reading() as connection:
        owners = _owners(connection, ALL_ACCOUNTS)
        counts = {owner: sum(not plan.is_met for plan in plans.states(connection, owner)) for owner in owners}
    return {owner: count for owner, count in counts.items() if count}


def get_plan(services: Services, account_id: int, name: str) -> models.PlanState:
    """Return the state of one plan."""
    with services.database.reading() as connection:
        states = plans.states(connection, account_id, name)
    for state in _with_nearest(services, account_id, [_warned(state) for state in states]):
        return state
    raise _no_plan(services, account_id, name)


@retried
def delete_plans(
    services: Services,
    account_id: int,
    name: str | None = None,
    only: Callable[[models.PlanState], bool] = lambda _state: True,
) -> models.Deleted:
    """Delete one plan, or those that `only` chooses of an account, or of all accounts."""
    with changing(services, account_id) as connection:
        owners = [account_id] if name is not None else _owners(connection, account_id)
        chosen = {
            owner: [state.name for state in plans.states(connection, owner, name) if only(state)] for owner in owners
        }
        count = sum(plans.remove(connection, owner, names) for owner, names in chosen.items())
    if name is not None and not count:
        raise _no_plan(services, account_id, name)
    return models.Deleted(deleted=count)


def _no_plan(services: Services, account_id: int, name: str) -> ControlRefused:
    with services.database.reading() as connection:
        others = [owner for owner in _owners(connection, account_id) if plans.has_plan(connection, owner, name)]
    hint = f"; account {others[0]} has one: send the API key of that account" if others else ""
    return not_found(f"there is no plan or rule {name[:60]!r}{hint}", "name")


def _owners(connection: Connection, account_id: int) -> list[int]:
    """Return the account, or every account that has plans, after account 0, whose plans are for all accounts."""
    owners = select(fault_plan.c.account_id).distinct().order_by(fault_plan.c.account_id)
    return list(connection.scalars(owners)) if account_id == ALL_ACCOUNTS else [account_id]


def _warned(state: models.PlanState) -> models.PlanState:
    """Add a warning for each fault that names a task type that does not exist, or that does not suit it."""
    warnings = []
    for index, one in enumerate(state.faults):
        if not one.task_type:
            continue
        row = TASKS.get(one.task_type)
        if row is None:
            hint = nearest(one.task_type, TASKS)
            warnings.append(f"faults[{index}].task_type: {one.task_type!r} is not a task type; {hint}")
            continue
        has = {
            "prompt": not _PROMPTS.isdisjoint(properties(row.model)),
            "picture": issubclass(row.model, WithOutput),
            "text": issubclass(row.model, _WITH_TEXT),
        }
        warnings += [
            f"faults[{index}].{name}: tasks of the type {one.task_type} have no {name}"
            for name, is_there in has.items()
            if not is_there and getattr(one, name, None) is not None
        ]
    return state.model_copy(update={"warnings": (*state.warnings, *warnings)})


def _with_nearest(services: Services, account_id: int, states: Sequence[models.PlanState]) -> list[models.PlanState]:
    """Name the task that comes nearest to each plan that must be met and that no task has fitted, and what it lacks."""
    unmet = [state for state in states if state.must_be_met and not state.is_met]
    # Of each the first one.
    unseen = {state.name: fault for state in unmet for fault in state.faults[::-1] if not fault.seen}
    if not unseen:
        return list(states)
    newest = select(journal.c.transport, journal.c.task).where(journal.c.kind.in_(("task", "lookup")))
    newest = newest.order_by(journal.c.id.desc()).limit(_LOOKED_AT)
    own = newest if account_id == ALL_ACCOUNTS else newest.where(journal.c.account_id == account_id)
    with services.database.reading() as connection:
        rows = connection.execute(own).all()
    events = [Event.of_task(msgspec.json.decode(row.task), row.transport) for row in rows]
    nearest = {name: _nearest(fault, events) for name, fault in unseen.items()}
    return [state.model_copy(update={"nearest": nearest.get(state.name)}) for state in states]


def _nearest(fault: models.FaultState, events: Sequence[Event]) -> str | None:
    one = FAULT.validate_python(fault.model_dump(exclude=_COUNTS))
    if one.point != "task" or not events:
        return None
    lacking, event = min(((one.mismatches(event), event) for event in events), key=lambda lack: len(lack[0]))
    return f"{event.task_type} {event.task_uuid}: {'; '.join(lacking)}"
