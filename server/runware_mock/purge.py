"""Remove what has expired, in chunks small enough not to delay an upload."""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import count

from msgspec import Struct

from runware_mock.clock import ClockJumpDetector, boot_id, in_ms
from runware_mock.protocol.errors import Refusal
from runware_mock.scheduler import Schedule
from runware_mock.services import Services
from runware_mock.storage import contents, deliveries, media
from runware_mock.storage.database import ALL_ACCOUNTS, PURGER, retried, store_value, value_of
from runware_mock.storage.media import Moment, Totals
from runware_mock.storage.models import medium
from runware_mock.values import write_duration

_log = logging.getLogger(__name__)

# This many rows take 6.4 ms, the median of 60 chunks; 100,000 rows in one statement would stall uploads for a second.
CHUNK = 300
# To free a page may mean to move it and to rewrite what points at it.
_PAGES = 100
_RELIEVED_AFTER_STEPS = 16
_TOLD_UUIDS = 1000
_OBJECTS = 500
# An object gets its row some seconds after it is stored, or minutes if the storage barely works.
ORPHAN_AGE_S = 3600.0
DOUBT = timedelta(hours=1)
# The name of a stored value: how far the trusted clock was ahead of the time since the machine started.
_CLOCK = "clock"


class Purged(Struct, frozen=True):
    """What one purge removed."""

    media: int = 0
    contents: int = 0
    uuids: tuple[str, ...] = ()

    def __add__(self, other: "Purged") -> "Purged":
        """Return what both purges removed, with only the first of the UUIDs."""
        return Purged(
            self.media + other.media, self.contents + other.contents, (self.uuids + other.uuids)[:_TOLD_UUIDS]
        )


def forecast(services: Services) -> Totals:
    """Return how much `purge_expired` would remove now."""
    with services.database.reading() as connection:
        services.clocks.refresh(connection)
        at = services.clocks.shown_at(medium.c.account_id)
        return media.count_gone(connection, media.is_over(at, in_ms(services.settings.retention)))


def purge_expired(
    services: Services, stopped: Callable[[], bool] = lambda: False, account_id: int = ALL_ACCOUNTS
) -> Purged:
    """Remove expired media, of one account or all, and unused contents; then free their disk space."""
    services.refresh()
    purged = Purged()
    # Accounts with clocks of their own are purged one by one, all the others together.
    own = services.clocks.own_clocks() if account_id == ALL_ACCOUNTS else []
    for one in (*own, account_id):
        purged += _purge_account(services, one, stopped)
    _delete_dropped(services, stopped)
    for _ in _steps(services, stopped):
        if not services.database.shrink(_PAGES):
            break
    services.database.checkpoint()
    services.metrics.purged(purged.media)
    return purged


def _purge_account(services: Services, account_id: int, stopped: Callable[[], bool]) -> Purged:
    moment, purged = services.moment(account_id), Purged()
    for _ in _steps(services, stopped):
        chunk = _purge_chunk(services, account_id, moment)
        purged += chunk
        if chunk.media < CHUNK:
            break
    return purged


def _steps(services: Services, stopped: Callable[[], bool]) -> Iterator[None]:
    """Yield once for each step until stopped; relieve the database in between, so that no other writer has to."""
    for number in count(1):
        if stopped():
            return
        yield
        if number % _RELIEVED_AFTER_STEPS == 0:
            services.database.relieve()


@retried
def _purge_chunk(services: Services, account_id: int, moment: Moment) -> Purged:
    # Two purges wait for each other's chunks, so that what one leaves when it ends, no other is about to remove.
    with services.database.writing(PURGER) as connection:
        expired = media.pop_expired(connection, account_id, moment, CHUNK)
        unused = contents.delete_unused(connection, [content_id for _, content_id in expired])
        if len(expired) < CHUNK:
            deliveries.delete_frames_before(
                connection, account_id, moment.now_at - in_ms(services.settings.replay_window)
            )
        if expired:
            services.clocks.changed(connection)
    return Purged(len(expired), unused, tuple(uuid for uuid, _ in expired))


def _delete_dropped(services: Services, stopped: Callable[[], bool]) -> None:
    """Delete the objects of deleted rows; if the storage cannot be used, the next purge does."""
    if not services.blobs.are_objects:
        return
    with suppress(Refusal):
        while not stopped():
            with services.database.reading() as connection:
                keys = contents.dropped(connection, _OBJECTS)
            if not keys:
                break
            services.blobs.delete(keys)
            with services.database.writing() as connection:
                contents.forget_dropped(connection, keys)


def collect_orphans(
    services: Services, stopped: Callable[[], bool] = lambda: False, age_s: float = ORPHAN_AGE_S
) -> int:
    """Delete objects that have no row, left by a process that was killed; return how many.

    An object younger than `age_s` may still get its row. Raises the refusal mockStorageUnavailable.
    """
    collected = 0
    for keys in _orphans(services, age_s):
        if stopped():
            break
        services.blobs.delete(keys)
        collected += len(keys)
    return collected


def count_orphans(services: Services, age_s: float = ORPHAN_AGE_S) -> int:
    """Return how many objects `collect_orphans` would delete now."""
    return sum(len(keys) for keys in _orphans(services, age_s))


def _orphans(services: Services, age_s: float) -> Iterator[list[str]]:
    for keys in services.blobs.older_than(age_s):
        with services.database.reading() as connection:
            orphans = contents.without_row(connection, keys)
        yield orphans


def orphan_schedule(services: Services) -> Schedule:
    """Return the schedule that collects orphans, for the first time right after the start."""

    def collect(stopped: Callable[[], bool]) -> None:
        # The failure is in the log already.
        with suppress(Refusal):
            if collected := collect_orphans(services, stopped):
                _log.info("collected %d orphaned objects", collected)

    return Schedule("orphan", collect, ORPHAN_AGE_S)


def trusted_clock(services: Services) -> ClockJumpDetector:
    """Return the detector of jumps of the machine's clock, which continues from what an earlier server has stored."""
    with services.database.reading() as connection:
        boot, _, ahead_ms = (value_of(connection, _CLOCK) or b"").decode().partition(" ")
    return ClockJumpDetector(services.clocks.real, DOUBT, int(ahead_ms) if boot and boot == boot_id() else None)


def _remember(services: Services, trust: ClockJumpDetector) -> None:
    """Store the trusted clock's lead, so that a jump while no server runs is noticed, too."""
    value = f"{boot_id()} {trust.ahead_ms}".encode()
    with services.database.reading() as connection:
        kept = value_of(connection, _CLOCK)
    if kept != value:
        with services.database.writing(PURGER) as connection:
            store_value(connection, _CLOCK, value)


def purge_trusting(services: Services, trust: ClockJumpDetector, stopped: Callable[[], bool] = lambda: False) -> None:
    """Purge all accounts while the machine's clock is trusted; stop as soon as it is in doubt."""
    jump = trust.jump()
    _remember(services, trust)
    if jump:
        # Media that have expired by this clock are not served, but are all there once it is set right.
        _log.warning("the machine's clock has jumped %s ahead: nothing is purged for an hour", write_duration(jump))
        return
    # Each step asks again: the clock may jump after the first check, before it decides what has expired.
    purged = purge_expired(services, lambda: stopped() or bool(trust.jump()))
    if purged.media:
        _log.info("purged %d expired media, %d contents", purged.media, purged.contents)


def purge_schedule(services: Services) -> Schedule:
    """Return the schedule that purges every `purge_every`, for the first time right after the start."""
    purge = partial(purge_trusting, services, trusted_clock(services))
    return Schedule("purge", purge, services.settings.purge_every.total_seconds())
