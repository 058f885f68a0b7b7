"""Move the clock of one account or of all, and do what falls due on the way."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from runware_mock import control_models as models
from runware_mock.clock import in_ms
from runware_mock.control.calls import ControlRefused, changing
from runware_mock.control_models import instant, write_instant
from runware_mock.purge import purge_expired
from runware_mock.services import Services
from runware_mock.storage.clocks import ClockBackwards, ClockState
from runware_mock.storage.database import ALL_ACCOUNTS, retried
from runware_mock.webhooks import deliver, take_all

# The end of the year 9799. Dates end with the year 9999, and retention may add 100 years.
LATEST_AT = 247_090_953_599_999
Move = Callable[[ClockState], ClockState]


def show(services: Services, account_id: int) -> models.Clock:
    """Return what a clock shows, whether it stands still, and how far it is ahead of the real one."""
    services.refresh()
    state, real_at = services.clocks.clock_of(account_id), services.clocks.real_at()
    now_at = state.now_at(real_at)
    return models.Clock(
        now_at=instant(now_at),
        frozen=state.frozen_at is not None,
        offset=timedelta(milliseconds=now_at - real_at),
        account=None if account_id == ALL_ACCOUNTS else account_id,
    )


def freeze(services: Services, account_id: int) -> models.Clock:
    """Stop a clock."""
    real_at = services.clocks.real_at()
    return _changed(services, account_id, lambda state: state.frozen(real_at))


def resume(services: Services, account_id: int) -> models.Clock:
    """Let a clock run on from where it stands."""
    real_at = services.clocks.real_at()
    return _changed(services, account_id, lambda state: state.resumed(real_at))


def reset(services: Services, account_id: int) -> models.Clock:
    """Go back to the real time."""
    _change(services, account_id, lambda connection: services.clocks.reset(connection, account_id))
    return show(services, account_id)


def advance(services: Services, account_id: int, by: timedelta, *, is_patient: bool = False) -> models.Moved:
    """Move a clock ahead by a duration, and return what fell due: it has happened by then.

    Raises UnderWay, if `is_patient`, while something that fell due before is still happening.
    """
    # The clock of all accounts moves those that are accounts' own, too.
    moved = [account_id, *(services.clocks.own_clocks() if account_id == ALL_ACCOUNTS else ())]
    if max(map(services.now_at, moved)) + in_ms(by) > LATEST_AT:
        raise ControlRefused("a clock cannot go beyond the year 9799", "by")
    return _moved(services, account_id, lambda state: state.moved(in_ms(by)), is_patient=is_patient)


def set_to(services: Services, account_id: int, at: int, *, is_patient: bool = False) -> models.Moved:
    """Move a clock ahead to an instant, as `advance` does."""
    real_at = services.clocks.real_at()
    return _moved(services, account_id, lambda state: state.set_to(real_at, at), is_patient=is_patient)


def purge(services: Services, account_id: int) -> models.Purged:
    """Remove what has expired."""
    purged = purge_expired(services, account_id=account_id)
    return models.Purged(media=purged.media, contents=purged.contents, uuids=purged.uuids)


def _moved(services: Services, account_id: int, move: Move, *, is_patient: bool) -> models.Moved:
    def moved(connection: Connection) -> Any:
        services.clocks.change(connection, account_id, move)
        return take_all(services, connection, account_id, is_patient=is_patient)

    try:
        taken = _change(services, account_id, moved)
    except ClockBackwards:
        now = write_instant(instant(services.now_at(account_id)))
        raise ControlRefused(f"a clock cannot go backwards, except by a reset; this one shows {now}", "at") from None
    clock = show(services, account_id)
    delivered = deliver(services, taken)
    return models.Moved(clock=clock, purged=purge(services, account_id), delivered=delivered)


def _changed(services: Services, account_id: int, move: Move) -> models.Clock:
    _change(services, account_id, lambda connection: services.clocks.change(connection, account_id, move))
    return show(services, account_id)


@retried
def _change(services: Services, account_id: int, change: Callable[[Connection], Any]) -> Any:
    with changing(services, account_id) as connection:
        return change(connection)
