"""Send webhooks and uploads of results, and try again where they fail.

"POST of the complete task response JSON; 2xx expected, retried otherwise".
"""

import logging
from concurrent.futures import ThreadPoolExecutor

from runware_mock.clock import in_ms
from runware_mock.images.picture import FetchFailed
from runware_mock.schedule import Schedule
from runware_mock.services import Services
from runware_mock.storage import deliveries
from runware_mock.storage.deliveries import Delivery
from runware_mock.storage.owners import ALL_ACCOUNTS

_log = logging.getLogger(__name__)

# Guess: the real schedule is not known. Waits of 1, 4, 16 and 64 s lie between the five attempts.
ATTEMPTS = 5
_FIRST_WAIT_MS = 1000
_WAIT_FACTOR = 4
_AT_ONCE = 8
_POLL_S = 0.5


def deliver_due(services: Services, account_id: int = ALL_ACCOUNTS, *, catches_up: bool = False) -> int:
    """Make every request that is due by its account's clock, side by side; return how many were made.

    When a clock has jumped, `catches_up` makes all attempts that fell due in between.
    """
    made = 0
    while taken := _take(services, account_id):
        with ThreadPoolExecutor(len(taken), "delivery") as pool:
            list(pool.map(lambda one: _attempt(services, one, catches_up=catches_up), taken))
        made += len(taken)
    return made


def _take(services: Services, account_id: int) -> list[Delivery]:
    live = services.live
    with services.database.reading() as connection:
        live.refresh(connection)
        if not deliveries.is_due(connection, live.real_at(), live.now_at(), account_id):
            return []
    # Should this process die in the middle, another makes the request after the lease.
    lease_ms = 2 * in_ms(services.settings.fetch_timeout) + _FIRST_WAIT_MS
    with services.database.writing() as connection:
        return deliveries.take_due(connection, live.real_at(), live.now_at(), lease_ms, _AT_ONCE, account_id)


def _attempt(services: Services, one: Delivery, *, catches_up: bool) -> None:
    try:
        services.send(one.method, one.url, one.content_type, one.body)
        problem = None
    except FetchFailed as error:
        problem = error
    attempts = one.attempts + 1
    if problem is not None and attempts == ATTEMPTS:
        _log.warning("gave up %s %s after %d attempts: %s", one.method, _without_query(one.url), attempts, problem)
    with services.database.writing() as connection:
        if problem is None or attempts == ATTEMPTS:
            deliveries.remove(connection, one.id)
        else:
            wait_ms = _FIRST_WAIT_MS * _WAIT_FACTOR**one.attempts
            tried_at = one.due_at if catches_up else services.now_at(one.account_id)
            deliveries.put_off(connection, one.id, tried_at + wait_ms)


def _without_query(url: str) -> str:
    """Leave out what authenticates a webhook: "auth by URL parameters"."""
    return url.partition("?")[0]


def delivery_schedule(services: Services) -> Schedule:
    """Return the schedule that makes requests as they fall due."""
    return Schedule("delivery", lambda _stopped: deliver_due(services), _POLL_S)
