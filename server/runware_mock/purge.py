"""Remove what has expired, in chunks so short that no upload waits for one."""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
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

# So many rows take 6.4 ms, the median of 60 chunks; one statement for 100,000 rows would stall uploads for a second.
CHUNK = 300
# Each may have to be moved, and what points at it be written.
_PAGES = 100
_RELIEVED_AFTER_STEPS = 16
_TOLD_UUIDS = 1000
_OBJECTS = 500
# From the storing of an object to the row that points at it pass some seconds, minutes where the storage hardly works.
ORPHAN_AGE_S = 3600.0
DOUBT = timedelta(hours=1)
# Under this name is kept how far the trusted clock was ahead of the time since the machine was started.
_CLOCK = "clock"


class Purged(Struct, frozen=True):
    """What one purge removed."""

    media: int = 0
    contents: int = 0
    uuids: tuple[str, ...] = ()

    def __add__(self, other: "Purged") -> "Purged":
        """Return what both purges removed; of the UUIDs only the first are told."""
        return Purged(
            self.media + other.media, self.contents + other.contents, (self.uuids + other.uuids)[:_TOLD_UUIDS]
        )


def forecast(services: Services) -> Totals:
    """Tell what `purge_expired` would remove now."""
    with services.database.reading() as connection:
        services.clocks.refresh(connection)
        at = services.clocks.shown_at(medium.c.account_id)
        return media.count_gone(connection, media.is_over(at, in_ms(services.settings.retention)))


def purge_expired(
    services: Services, stopped: Callable[[], bool] = lambda: False, account_id: int = ALL_ACCOUNTS
) -> Purged:
    """Remove expired media, of one account or all, and unused contents; then free their disk space."""
    services.refresh()
    accounts = _ruled_apart(services) if account_id == ALL_ACCOUNTS else [account_id]
    purged = Purged()
    for one in accounts:
        purged += _purge_account(services, one, stopped)
    _delete_dropped(services, stopped)
    for _ in _steps(services, stopped):
        if not services.database.shrink(_PAGES):
            break
    services.database.checkpoint()
    services.metrics.purged(purged.media)
    return purged


def _ruled_apart(services: Services) -> list[int]:
    """Return the accounts that a purge has to look at one by one, and 0 for all the others together."""
    return [*services.clocks.own_clocks(), ALL_ACCOUNTS]


def _purge_account(services: Services, account_id: int, stopped: Callable[[], bool]) -> Purged:
    moment, purged = services.moment(account_id), Purged()
    for _ in _steps(services, stopped):
        chunk = _purge_chunk(services, account_id, moment)
        purged += chunk
        if chunk.media < CHUNK:
            break
    return purged


def _steps(services: Services, stopped: Callable[[], bool]) -> Iterator[None]:
    """Go on until it is to stop, and let nobody who writes beside it have to move what it has written."""
    for number in count(1):
        if stopped():
            return
        yield
        if number % _RELIEVED_AFTER_STEPS == 0:
            services.database.relieve()


@retried
def _purge_chunk(services: Services, account_id: int, moment: Moment) -> Purged:
    # Of two purges each waits for the other's chunk: what one has not removed when it ends, nobody is about to remove.
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
    """Delete the objects of rows that are gone; where the storage cannot be used, the next purge does."""
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
    """Delete objects that no row points at, left by a process that was killed; return how many.

    A younger one than `age_s` may be about to get its row. Raises the refusal mockStorageUnavailable.
    """
    collected = 0
    for keys in _orphans(services, age_s):
        if stopped():
            break
        services.blobs.delete(keys)
        collected += len(keys)
    return collected


def count_orphans(services: Services, age_s: float = ORPHAN_AGE_S) -> int:
    """Tell how many objects `collect_orphans` would delete now."""
    return sum(len(keys) for keys in _orphans(services, age_s))


def _orphans(services: Services, age_s: float) -> Iterator[list[str]]:
    for keys in services.blobs.older_than(age_s):
        with services.database.reading() as connection:
            orphans = contents.without_row(connection, keys)
        yield orphans


def orphan_schedule(services: Services) -> Schedule:
    """Return the schedule that collects orphans, once right after the start."""

    def collect(stopped: Callable[[], bool]) -> None:
        # The failure is in the log already.
        with suppress(Refusal):
            if collected := collect_orphans(services, stopped):
                _log.info("collected %d orphaned objects", collected)

    return Schedule("orphan", collect, ORPHAN_AGE_S)


def trusted_clock(services: Services) -> ClockJumpDetector:
    """Return what tells whether the machine's clock may be trusted, by what an earlier server has seen of it."""
    with services.database.reading() as connection:
        boot, _, ahead_ms = (value_of(connection, _CLOCK) or b"").decode().partition(" ")
    return ClockJumpDetector(services.clocks.real, DOUBT, int(ahead_ms) if boot and boot == boot_id() else None)


def _remember(services: Services, trust: ClockJumpDetector) -> None:
    """Keep how the trusted clock goes, so that a jump is noticed while no server runs, too."""
    value = f"{boot_id()} {trust.ahead_ms}".encode()
    with services.database.reading() as connection:
        kept = value_of(connection, _CLOCK)
    if kept != value:
        with services.database.writing(PURGER) as connection:
            store_value(connection, _CLOCK, value)


def purge_trusting(services: Services, trust: ClockJumpDetector, stopped: Callable[[], bool] = lambda: False) -> None:
    """Purge all accounts, unless the machine's clock is in doubt, and only as long as it is not."""
    jump = trust.jump()
    _remember(services, trust)
    if jump:
        # Whatever it says is expired is not served; but when it is put right again, it is all there.
        _log.warning("the machine's clock has jumped %s ahead: nothing is purged for an hour", write_duration(jump))
        return
    # Each step asks anew: the clock may jump after it was trusted, and before it tells what has expired.
    purged = purge_expired(services, lambda: stopped() or bool(trust.jump()))
    if purged.media:
        _log.info("purged %d expired media, %d contents", purged.media, purged.contents)


def purge_schedule(services: Services) -> Schedule:
    """Return the schedule that purges every `purge_every`, once right after the start."""
    trust = trusted_clock(services)

    def purge(stopped: Callable[[], bool]) -> None:
        purge_trusting(services, trust, stopped)

    return Schedule("purge", purge, services.settings.purge_every.total_seconds())
