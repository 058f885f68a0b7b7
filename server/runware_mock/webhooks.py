"""Send webhooks and uploads of results, and try again where they fail.

"POST of the complete task response JSON; 2xx expected, retried otherwise".
"""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from msgspec.structs import replace
from sqlalchemy import Connection

from runware_mock.clock import in_ms
from runware_mock.images.picture import FetchFailed
from runware_mock.scheduler import Schedule
from runware_mock.services import Services
from runware_mock.storage import deliveries
from runware_mock.storage.deliveries import Due, Request

_log = logging.getLogger(__name__)

# Guess: the real schedule is not known. Waits of 1, 4, 16 and 64 s lie between the five attempts.
ATTEMPTS = 5
_FIRST_WAIT_MS = 1000
_WAIT_FACTOR = 4
_AT_ONCE = 8
_POLL_S = 0.5
_HOUR_MS = 3_600_000


class UnderWay(Exception):
    """A request is being made, here or in another process; when it is made again is not known yet."""


def deliver_due(services: Services) -> int:
    """Make every request that is due by its account's clock; return how many attempts were made."""
    made = 0
    while taken := _taken(services):
        # What is made late, since nobody was there, is not hurried after: its waits count from now.
        made += deliver(services, [replace(one, due_at=services.now_at(one.account_id)) for one in taken])
    return made


def _taken(services: Services) -> list[Due]:
    with services.database.reading() as connection:
        services.clocks.refresh(connection)
        if not deliveries.is_due(connection, services.clocks.real_at(), _farthest_ms(services)):
            return []
    with services.database.writing() as connection:
        real_at = services.clocks.real_at()
        found = deliveries.find_due(connection, real_at, _farthest_ms(services), _AT_ONCE)
        return deliveries.take(connection, found, real_at + _lease_ms(services, 1))


def take_all(services: Services, connection: Connection, account_id: int, *, is_patient: bool) -> list[Due]:
    """Take what falls due in the transaction that moves a clock: nobody else makes a request of it in between.

    Raises UnderWay, if `is_patient`, where a request is being made: its next attempt would be missing.
    """
    real_at = services.clocks.real_at()
    deliveries.hold(connection, account_id)
    if is_patient and deliveries.are_under_way(connection, real_at, account_id):
        raise UnderWay
    found = deliveries.find_due(connection, real_at, _farthest_ms(services), account_id=account_id)
    return deliveries.take(connection, found, real_at + _lease_ms(services, ATTEMPTS * len(found)))


def deliver(services: Services, taken: Sequence[Due]) -> int:
    """Make requests side by side, each again until it arrives, is given up, or its next attempt is not due yet.

    Return how many attempts were made.
    """
    with ThreadPoolExecutor(min(_AT_ONCE, len(taken)) or 1, "delivery") as pool:
        return sum(pool.map(lambda one: _deliver(services, one), taken))


def _farthest_ms(services: Services) -> int:
    """Return how far ahead a request may lie: until a result is ready, and an hour for waits and small jumps."""
    return in_ms(services.settings.processing_time) + _HOUR_MS


def _lease_ms(services: Services, attempts: int) -> int:
    """Return after what time another process makes a request again, should this one die in the middle."""
    return attempts * (2 * in_ms(services.settings.fetch_timeout) + _FIRST_WAIT_MS)


def _deliver(services: Services, one: Due) -> int:
    # Read once: an attempt that takes long is no reason to make the next one at once.
    now_at = max(one.due_at, services.now_at(one.account_id))
    attempts, due_at = one.attempts, one.due_at
    with services.database.reading() as connection:
        request = deliveries.read(connection, one)
    while request is not None and attempts < ATTEMPTS and due_at <= now_at:
        problem = _problem(services, request)
        attempts += 1
        if problem is None:
            request = None
        elif attempts == ATTEMPTS:
            url = _without_query(request.url)
            _log.warning("gave up %s %s after %d attempts: %s", request.method, url, attempts, problem)
        due_at += _FIRST_WAIT_MS * _WAIT_FACTOR ** (attempts - 1)
    with services.database.writing() as connection:
        if request is None or attempts == ATTEMPTS:
            deliveries.remove(connection, one)
        else:
            deliveries.put_off(connection, one, attempts, due_at)
    return attempts - one.attempts


def _problem(services: Services, request: Request) -> FetchFailed | None:
    """Make a request; return why it has not arrived."""
    try:
        services.send(request.method, request.url, request.content_type, request.body)
    except FetchFailed as error:
        return error
    return None


def _without_query(url: str) -> str:
    """Leave out what authenticates a webhook: "auth by URL parameters"."""
    return url.partition("?")[0]


def delivery_schedule(services: Services) -> Schedule:
    """Return the schedule that makes requests as they fall due."""
    return Schedule("delivery", lambda _stopped: deliver_due(services), _POLL_S)
