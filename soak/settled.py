"""What is there when all trouble is over: asked of the replicas, the database and the object storage."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from runware_mock.client.control import ControlClient
from runware_mock.clock import SystemClock
from runware_mock.opening import create_services
from runware_mock.purge import collect_orphans
from runware_mock.settings import Settings
from runware_mock.storage.postgres import PostgresDatabase
from soak.ledger import Ledger, Outcome
from soak.pictures import Sent
from soak.trouble import Told

if TYPE_CHECKING:
    from soak.replicas import Ground

_WITHIN_S = 120.0
_READERS = 8
_READ_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Settled:
    """`plans` tells of each plan how often it was met; `read` what was read back, `spoiled` what was wrong in it."""

    accounts: dict[str, int]
    plans: dict[str, int]
    orphans: int
    objects: set[str]
    read: int
    spoiled: list[str]
    served_though_gone: list[str]
    statuses: list[int] = field(default_factory=list)


def settled(on: "Ground", ledger: Ledger, told: Told) -> Settled:
    """Let the replicas finish what is left to do, and look at everything."""
    for replica in on.replicas:
        replica.wait_until_ready()
    _until(lambda: on.witness.count("SELECT count(*) FROM delivery") == 0, "webhooks are delivered")
    accounts: dict[str, int] = {}
    plans: dict[str, int] = {}
    for key in {outcome.key for outcome in ledger.outcomes}:
        with ControlClient(on.replicas[0].url, key) as control:
            accounts[key] = control.clock.get().account or 0
            plans |= {plan.name: sum(fault.met for fault in plan.faults) for plan in control.faults.list()}
    for replica in on.replicas:
        with ControlClient(replica.url, timeout_s=_WITHIN_S) as control:
            purged = control.purge()
            told.purged += purged.media
            told.purged_uuids += purged.uuids
    _until(lambda: on.witness.count("SELECT count(*) FROM dropped_object") == 0, "objects of deleted rows are deleted")
    orphans = _collected(on)
    alive = set(on.witness.strings("SELECT uuid FROM medium"))
    uploads = list(ledger.answered("upload"))
    there = [one for one in uploads if one.uuid in alive]
    gone = [one for one in uploads if one.uuid not in alive][:500]
    spoiled = [told for told in _each(on, there, _spoiled) if told]
    served = [told for told in _each(on, gone, _served) if told]
    return Settled(accounts, plans, orphans, on.place.names(), len(there), spoiled, served)


def _until(is_so: Callable[[], bool], what: str) -> None:
    give_up_s = time.monotonic() + _WITHIN_S
    while not is_so():
        if time.monotonic() > give_up_s:
            print(f"after {_WITHIN_S:.0f} s not all {what}", flush=True)
            return
        time.sleep(0.2)


def _collected(on: "Ground") -> int:
    """Collect the objects that killed processes have left before they could write the row; nobody stores any now."""
    with ExitStack() as cleanup:
        database = PostgresDatabase(on.database_url)
        cleanup.callback(database.close)
        where = {"database_url": on.database_url, "content_url": on.place.content_url}
        settings = Settings(**where)
        return collect_orphans(create_services(settings, SystemClock(), database), age_s=0)


def _each(
    on: "Ground", outcomes: list[Outcome], look: Callable[[httpx.Response, Sent], str | None]
) -> list[str | None]:
    with httpx.Client(timeout=_READ_TIMEOUT_S, trust_env=False) as client, ThreadPoolExecutor(_READERS) as pool:

        def seen(place: int, outcome: Outcome) -> str | None:
            path = httpx.URL(str(outcome.url)).path
            answer = client.get(on.replicas[place % len(on.replicas)].url + path)
            problem = look(answer, on.pictures[outcome.picture or 0])
            return None if problem is None else f"{outcome.sdk}: {outcome.uuid}: {problem}"

        return list(pool.map(seen, range(len(outcomes)), outcomes))


def _spoiled(answer: httpx.Response, sent: Sent) -> str | None:
    if answer.status_code != httpx.codes.OK:
        return f"status {answer.status_code}"
    return None if sent.is_this(answer.content) else f"{len(answer.content)} bytes that are another picture"


def _served(answer: httpx.Response, _sent: Sent) -> str | None:
    return None if answer.status_code == httpx.codes.NOT_FOUND else f"status {answer.status_code}"
