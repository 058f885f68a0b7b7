"""Remove what has expired, in chunks so short that no upload waits for one."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from runware_mock import journal
from runware_mock.clock import in_ms
from runware_mock.services import Services
from runware_mock.storage import contents, media, undelivered
from runware_mock.storage.media import Expired

_log = logging.getLogger(__name__)

# 200 rows by index take about 10 ms; one statement for 100,000 rows would stall uploads for more than a second.
CHUNK = 200
_PAGES = 500


@dataclass(frozen=True, slots=True)
class Purged:
    """What one purge removed."""

    media: int = 0
    contents: int = 0


def forecast(services: Services) -> Expired:
    """Tell what `purge_expired` would remove now."""
    with services.database.reading() as connection:
        return media.count_expired(connection, services.moment())


def purge_expired(services: Services, stopped: Callable[[], bool] = lambda: False) -> Purged:
    """Remove expired media, contents that no medium points at, and old journal entries; then free their disk space."""
    database, moment = services.database, services.moment()
    media_count = content_count = 0
    while not stopped():
        with database.writing() as connection:
            content_ids = media.pop_expired(connection, moment, CHUNK)
            content_count += contents.delete_unused(connection, content_ids)
        media_count += len(content_ids)
        if len(content_ids) < CHUNK:
            break
    _forget_answers(services, stopped)
    while not stopped() and database.shrink(_PAGES):
        pass
    database.checkpoint()
    return Purged(media_count, content_count)


def _forget_answers(services: Services, stopped: Callable[[], bool]) -> None:
    now_at, settings = services.clock.now_at(), services.settings
    while not stopped():
        with services.database.writing() as connection:
            if journal.delete_before(connection, now_at - in_ms(settings.conflict_window), CHUNK) < CHUNK:
                undelivered.delete_before(connection, now_at - in_ms(settings.replay_window))
                break


class PurgeSchedule:
    """A thread that purges every `purge_every`, once right after the start."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="purge", daemon=True)

    def start(self) -> None:
        """Begin purging."""
        self._thread.start()

    def stop(self) -> None:
        """End after the chunk that is under way."""
        self._stop.set()
        self._thread.join()

    def is_running(self) -> bool:
        """Tell whether the schedule is alive."""
        return self._thread.is_alive()

    def _run(self) -> None:
        while True:
            try:
                purged = purge_expired(self._services, self._stop.is_set)
                if purged.media:
                    _log.info("purged %d expired media, %d contents", purged.media, purged.contents)
            except Exception:  # noqa: BLE001 - whatever it was, the next purge may go well
                _log.exception("the purge failed; it is tried again in time")
            if self._stop.wait(self._services.settings.purge_every.total_seconds()):
                return
