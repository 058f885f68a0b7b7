"""Send webhooks and upload results; retry what fails.

"POST of the complete task response JSON; 2xx expected, retried otherwise": the receiver has 5 s to answer, and the
waits between the attempts are 250 ms, doubled up to 8 s, with jitter. Attempts fall due by the clock of their account.
"""

import logging
import random
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from urllib.parse import urlsplit

from msgspec.structs import replace
from sqlalchemy import Connection

from runware_mock.clock import in_ms, monotonic_s
from runware_mock.images.guard import FetchFailed
from runware_mock.scheduler import FAILURES, Schedule
from runware_mock.services import Services
from runware_mock.storage import deliveries
from runware_mock.storage.database import ALL_ACCOUNTS
from runware_mock.storage.deliveries import Due, Request, call_entry
from runware_mock.storage.journal import NOTHING_SENT, JournalEntry

_log = logging.getLogger(__name__)

# Guess: Runware's integration guide does not say when it gives up. Eight attempts take 24 s.
ATTEMPTS = 8
# "2xx is due within about 5 s, else retries: 250 ms, doubling, capped at 8 s, with jitter".
_ANSWER_DUE_S = 5.0
_FIRST_WAIT_MS = 250
_LONGEST_WAIT_MS = 8000
# Guess: the guide does not say how much jitter. A wait is up to a fifth shorter, so that none exceeds 8 s.
_SHORTEST_SHARE = 0.8
# Not the global generator: tests in the same process that seed that one stay repeatable.
_JITTER = random.Random()  # noqa: S311 - spreads retries, keeps no secret
# Accounts served at once, and threads for each: a slow receiver holds up only the account that named it.
_ACCOUNTS_AT_ONCE = 32
_AT_ONCE = 8
_POLL_S = 0.25
_FORBIDDEN, _CONTROL_PATH = 403, "/_mock/"
_HOUR_MS = 3_600_000


class UnderWay(Exception):
    """A request is being made, here or in another process; its next attempt is not known yet."""


class _Senders:
    """Makes the requests of many accounts side by side."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._pool = ThreadPoolExecutor(_ACCOUNTS_AT_ONCE, "delivery")
        self._running: dict[int, Future[object]] = {}
        # Account -> how many of its runs have failed in a row, if the last one has.
        self._failures: dict[int, int] = {}

    def is_well(self) -> bool:
        """Return whether no account's runs keep failing because this machine lacks something."""
        return max(self._failures.values(), default=0) < FAILURES

    def start_due(self, stopped: Callable[[], bool]) -> None:
        """Start making the due requests of each account; raises what has failed since the last call."""
        services = self._services
        with services.database.reading() as connection:
            services.clocks.refresh(connection)
            due = deliveries.due_accounts(connection, services.clocks.real_at(), _farthest_ms(services))
        for account_id in due:
            if account_id not in self._running:
                self._running[account_id] = self._pool.submit(deliver_due, services, account_id, stopped)
        for account_id, running in list(self._running.items()):
            if running.done():
                del self._running[account_id]
                failures = self._failures.pop(account_id, 0)
                if running.exception() is not None:
                    self._failures[account_id] = failures + 1
                running.result()
        if self._failures:
            # A reset may have deleted what failed.
            with services.database.reading() as connection:
                waiting = deliveries.accounts(connection)
            self._failures = {one: count for one, count in self._failures.items() if one in waiting}

    def close(self) -> None:
        """Finish what runs, and start nothing more."""
        self._pool.shutdown(cancel_futures=True)


def delivery_schedule(services: Services) -> Schedule:
    """Return the schedule that makes requests as they fall due."""
    senders = _Senders(services)
    return Schedule("delivery", senders.start_due, _POLL_S, on_stop=senders.close, is_well=senders.is_well)


def deliver_due(
    services: Services, account_id: int = ALL_ACCOUNTS, stopped: Callable[[], bool] = lambda: False
) -> None:
    """Make every request that is due by its account's clock, of one account or all."""
    while not stopped() and (taken := _take_due(services, account_id)):
        # A late request, as after a restart, need not catch up: its waits count from now.
        deliver(services, [replace(one, due_at=services.now_at(one.account_id)) for one in taken])


def _take_due(services: Services, account_id: int) -> list[Due]:
    with services.database.writing() as connection:
        real_at = services.clocks.real_at()
        found = deliveries.find_due(connection, real_at, _farthest_ms(services), _AT_ONCE, account_id)
        return deliveries.take(connection, found, real_at + _lease_ms(services, 1))


def take_all(services: Services, connection: Connection, account_id: int, *, is_patient: bool) -> list[Due]:
    """Take what falls due, in the transaction that moves a clock, so that no other process sends it in between.

    Raises UnderWay if `is_patient` and a request is being made: its next attempt would be missed.
    """
    real_at = services.clocks.real_at()
    deliveries.hold(connection, account_id)
    if is_patient and deliveries.are_under_way(connection, real_at, account_id):
        raise UnderWay
    found = deliveries.find_due(connection, real_at, _farthest_ms(services), account_id=account_id)
    return deliveries.take(connection, found, real_at + _lease_ms(services, ATTEMPTS * len(found)))


def deliver(services: Services, taken: Sequence[Due]) -> int:
    """Make requests side by side until each arrives, is given up or is due later; return the number of attempts."""
    with ThreadPoolExecutor(min(_AT_ONCE, len(taken)) or 1, "delivery") as pool:
        return sum(pool.map(lambda one: _deliver(services, one), taken))


def _farthest_ms(services: Services) -> int:
    """Return how far ahead a request may be due: until a result is ready, plus an hour for waits and small jumps."""
    return in_ms(services.settings.processing_time) + _HOUR_MS


def _lease_ms(services: Services, attempts: int) -> int:
    """Return how long other processes leave a request to this one, which may die while it makes it."""
    longest_s = max(_ANSWER_DUE_S, services.settings.fetch_timeout.total_seconds())
    return attempts * (int(2000 * longest_s) + _LONGEST_WAIT_MS)


def _deliver(services: Services, one: Due) -> int:
    # Read once: a slow attempt is no reason to make the next one at once.
    now_at = max(one.due_at, services.now_at(one.account_id))
    attempts, due_at = one.attempts, one.due_at
    entries: list[JournalEntry] = []
    with services.database.reading() as connection:
        request = deliveries.read(connection, one)
    while request is not None and attempts < ATTEMPTS and due_at <= now_at:
        began_s, made_at = monotonic_s(), due_at
        status, problem = _made(services, request)
        attempts += 1
        due_at += _wait_ms(attempts)
        entry = call_entry(
            request,
            one.account_id,
            made_at,
            status=status,
            attempt=attempts,
            problem=problem,
            next_at=due_at if attempts < ATTEMPTS else None,
            duration_us=int((monotonic_s() - began_s) * 1_000_000),
        )
        entries.append(entry)
        if problem is None:
            request = None
        elif attempts in (1, ATTEMPTS):
            did = "gave up" if attempts == ATTEMPTS else "could not deliver"
            # Without its query, which authenticates a webhook: "auth by URL parameters".
            url = request.url.partition("?")[0]
            _log.warning("%s %s %s after %d attempts: %s", did, request.method, url, attempts, problem)
    with services.database.writing(one.account_id) as connection:
        # A reset may have deleted it meanwhile, and the journal with it.
        if deliveries.read(connection, one) is not None:
            for entry in entries:
                services.journal.record(connection, entry)
        if request is None or attempts == ATTEMPTS:
            deliveries.remove(connection, one)
        else:
            deliveries.put_off(connection, one, attempts, due_at)
    return attempts - one.attempts


def _wait_ms(attempts: int) -> int:
    """Return how long to wait after this many failed attempts."""
    longest_ms = min(_LONGEST_WAIT_MS, _FIRST_WAIT_MS << (attempts - 1))
    return round(longest_ms * _JITTER.uniform(_SHORTEST_SHARE, 1))


def _made(services: Services, request: Request) -> tuple[int, str | None]:
    """Make a request; return the status that was answered, 0 if none was, and why it failed, or None."""
    # Uploading a result may take long; only webhooks must be answered that soon.
    timeout_s = _ANSWER_DUE_S if request.method == "POST" else services.settings.fetch_timeout.total_seconds()
    try:
        return services.send(request.method, request.url, request.content_type, request.body, timeout_s), None
    except FetchFailed as error:
        is_control = error.status == _FORBIDDEN and f"{urlsplit(request.url).path}/".startswith(_CONTROL_PATH)
        hint = " A webhook may not call the mock's own control API." if is_control else ""
        return error.status or NOTHING_SENT, f"{error}{hint}"
