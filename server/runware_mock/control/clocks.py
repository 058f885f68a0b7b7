"""Move the clock of one account or of all, and let happen what falls due."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from runware_mock.clock import in_ms
from runware_mock.control import models
from runware_mock.control.changes import changing
from runware_mock.control.refusals import ControlRefused
from runware_mock.control.times import read_at, read_span, write_at, write_span_ms
from runware_mock.purge import purge_expired
from runware_mock.services import Services
from runware_mock.storage.clocks import ClockBackwards, ClockState
from runware_mock.storage.database import ALL_ACCOUNTS, retried
from runware_mock.storage.deliveries import Due
from runware_mock.webhooks import deliver, take_all

_T = TypeVar("_T")


def show(services: Services, account_id: int) -> models.Clock:
    """Return what a clock shows, whether it stands still, and how far it is ahead of the real one."""
    services.refresh()
    state, real_at = services.clocks.clock_of(account_id), services.clocks.real_at()
    now_at = state.now_at(real_at)
    return models.Clock(
        now_at=write_at(now_at),
        frozen=state.frozen_at is not None,
        offset=write_span_ms(now_at - real_at),
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


def advance(services: Services, account_id: int, by: object, *, is_patient: bool = False) -> models.Moved:
    """Move a clock ahead by a duration, and return what fell due: it has happened by then.

    Raises UnderWay, if `is_patient`, while something that fell due before is still happening.
    """
    span = read_span(by, "by")
    # The latest instant that can be written; the clock of all accounts moves those that are accounts' own, too.
    moved = [account_id, *(services.clocks.own_clocks() if account_id == ALL_ACCOUNTS else ())]
    read_at(max(map(services.now_at, moved)) + in_ms(span), "by")
    return _moved(services, account_id, lambda state: state.moved(in_ms(span)), is_patient)


def set_to(services: Services, account_id: int, at: object, *, is_patient: bool = False) -> models.Moved:
    """Move a clock ahead to an instant, as `advance` does."""
    instant = read_at(at, "at")
    real_at = services.clocks.real_at()
    return _moved(services, account_id, lambda state: state.set_to(real_at, instant), is_patient)


def purge(services: Services, account_id: int) -> models.Purged:
    """Remove what has expired."""
    purged = purge_expired(services, account_id=account_id)
    return models.Purged(media=purged.media, contents=purged.contents, uuids=list(purged.uuids))


def _moved(
    services: Services,
    account_id: int,
    move: Callable[[ClockState], ClockState],
    is_patient: bool,  # noqa: FBT001 - handed on
) -> models.Moved:
    def moved(connection: Connection) -> list[Due]:
        services.clocks.change(connection, account_id, move)
        return take_all(services, connection, account_id, is_patient=is_patient)

    try:
        taken = _change(services, account_id, moved)
    except ClockBackwards:
        now_at = write_at(services.now_at(account_id))
        raise ControlRefused(f"a clock goes backwards only by a reset; this one shows {now_at}", "at") from None
    clock = show(services, account_id)
    delivered = deliver(services, taken)
    return models.Moved(clock=clock, purged=purge(services, account_id), delivered=delivered)


def _changed(services: Services, account_id: int, move: Callable[[ClockState], ClockState]) -> models.Clock:
    _change(services, account_id, lambda connection: services.clocks.change(connection, account_id, move))
    return show(services, account_id)


@retried
def _change(services: Services, account_id: int, change: Callable[[Connection], _T]) -> _T:
    with changing(services, account_id) as connection:
        return change(connection)
