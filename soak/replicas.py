"""Replicas on PostgreSQL and an object storage, killed while the official SDKs use them: `make replicas`."""

import argparse
import math
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import httpx
import psycopg

from runware_mock.client import ControlClient
from runware_mock.connection import ControlError
from soak.process import ServerProcess
from soak.report import Report
from soak.sdk_clients import SDKS, Lane, Outcome, SdkProcess, missing
from tests import postgres
from tests.objects.places import S3Place, s3_place
from tests.objects.s3_server import CREDENTIALS, MISSING, credentials, s3_server
from tests.postgres import PostgresServer
from tests.process.scenes import small

# Clients share most pictures; those of accounts whose clocks leap are their own, so that their content goes, too.
_SHARED, _OWN = 400, 150
_STALLED_S = 180.0
# A call that was under way when something happened is hit by it, and so is one that begins before all is well again.
_BEFORE_S, _AFTER_S = 0.5, 2.0
_AWAY = ("OperationalError", "AdminShutdown", "InterfaceError", "DisconnectionError", "CrashShutdown", "Shutdown")
_LEAP = "31d"


@dataclass(frozen=True)
class Plan:
    """How much is to be done, and how rough."""

    calls: int = 10_000
    replicas: int = 3
    sdks: tuple[str, ...] = tuple(SDKS)
    kills: int = 20
    kill_every_s: float = 1.0
    restart_every_s: float = 30.0
    leap_every_s: float = 5.0


@dataclass
class Event:
    """What happened, to one replica or one account if they are named; times in s since 1970."""

    kind: str
    replica: int | None = None
    key: str | None = None
    began_s: float = field(default_factory=time.time)
    ended_s: float = math.inf

    def touches(self, call: Outcome) -> bool:
        """Tell whether it may have spoiled a call."""
        is_meant = self.replica in {None, call.replica} and self.key in {None, call.key}
        return is_meant and self.began_s - _BEFORE_S <= call.ended_s and call.began_s <= self.ended_s + _AFTER_S


@dataclass
class Ground:
    """What the replicas stand on, and what befalls them."""

    database: PostgresServer
    place: S3Place
    replicas: list[ServerProcess]
    folder: Path
    events: list[Event] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    pictures: list[bytes] = field(default_factory=lambda: [small(n) for n in range(_SHARED + _OWN * len(SDKS))])

    def column(self, sql: str) -> list[str]:
        """Return the first column of a query, asked behind the product's back."""
        with psycopg.connect(self.database.url("mock").replace("+psycopg", "")) as connection:
            return [str(row[0]) for row in connection.execute(sql.encode())]

    def count(self, kind: str) -> int:
        """Count the events of a kind."""
        return sum(event.kind == kind for event in self.events)

    @contextmanager
    def event(self, kind: str, replica: int | None = None, key: str | None = None) -> Iterator[Event]:
        """Note that something happens."""
        event = Event(kind, replica, key)
        self.events.append(event)
        yield event
        event.ended_s = time.time()


@contextmanager
def ground(plan: Plan) -> Iterator[Ground]:
    """Start a database, an object storage, and the replicas on them."""
    with ExitStack() as cleanup:
        folder = cleanup.enter_context(postgres.temporary_folder())
        cleanup.enter_context(credentials())
        database = PostgresServer(folder / "server")
        database.create()
        database.start()
        cleanup.callback(_stop_database, database)
        database.execute("CREATE DATABASE mock")
        place = s3_place(cleanup.enter_context(s3_server()))
        arguments = ("--database-url", database.url("mock"), *place.arguments, "--purge-every=1s")
        on = Ground(database, place, [], folder)
        for number in range(plan.replicas):
            replica = ServerProcess(number, folder, arguments, CREDENTIALS)
            on.replicas.append(replica)
            cleanup.callback(replica.kill)
            replica.start()
        for replica in on.replicas:
            replica.wait_until_ready()
        yield on


def _stop_database(database: PostgresServer) -> None:
    # It may be down, if the run has broken off.
    with suppress(subprocess.CalledProcessError):
        database.stop()


def kill(on: Ground) -> None:
    """Kill a replica, and start it again."""
    replica = random.choice(on.replicas)
    with on.event("kill", replica.number):
        replica.kill()
        time.sleep(random.uniform(0, 0.5))
        replica.start()
        replica.wait_until_ready()


def restart(on: Ground, mode: str) -> None:
    """Take the database away for a moment."""
    with on.event("restart"):
        on.database.stop(mode)
        time.sleep(random.uniform(0.2, 1.5))
        on.database.start()


def leap(on: Ground, key: str) -> None:
    """Let the clock of an account leap, so that all it has expires."""
    with (
        on.event("leap", key=key) as event,
        ControlClient(random.choice(on.replicas).url, key, timeout_s=60) as control,
    ):
        try:
            control.clock.advance(_LEAP)
        except ControlError:
            # Its replica was killed or had no database: the clock may have leapt all the same.
            event.kind = "leap without an answer"


def run(plan: Plan, on: Ground) -> None:
    """Let the SDKs work on the replicas under fire until enough is answered."""
    files = []
    for number, picture in enumerate(on.pictures):
        files.append(on.folder / f"{number}.png")
        files[-1].write_bytes(picture)
    sdks = [SdkProcess(name, _lanes(name), [replica.url for replica in on.replicas], files) for name in plan.sdks]
    is_over = threading.Event()
    crashes: list[Exception] = []

    def again(act: Callable[[], None], pause_s: float) -> None:
        try:
            while not is_over.wait(pause_s):
                act()
        except Exception as crash:  # noqa: BLE001 - raised below
            crashes.append(crash)

    modes, keys = cycle(("fast", "immediate")), cycle(leaping_keys(plan))
    acts = (
        (lambda: kill(on), plan.kill_every_s),
        (lambda: restart(on, next(modes)), plan.restart_every_s),
        (lambda: leap(on, next(keys)), plan.leap_every_s),
    )
    troubles = [threading.Thread(target=again, args=act, daemon=True) for act in acts]
    for sdk in sdks:
        sdk.start(on.outcomes)
    for trouble in troubles:
        trouble.start()
    _wait_until_enough(plan, on, sdks)
    is_over.set()
    for trouble in troubles:
        trouble.join()
    for sdk in sdks:
        sdk.stop()
    if crashes:
        raise crashes[0]


def leaping_keys(plan: Plan) -> list[str]:
    """Return the accounts whose clocks leap: one for each SDK."""
    return [f"leaping-{list(SDKS).index(name)}-account-of-the-replicas" for name in plan.sdks]


def _lanes(name: str) -> list[Lane]:
    number = list(SDKS).index(name)
    own = range(_SHARED + _OWN * number, _SHARED + _OWN * (number + 1))
    steady = [Lane(f"steady-{number}-account-of-the-replicas", seed, range(_SHARED)) for seed in range(3)]
    return [*steady, Lane(f"leaping-{number}-account-of-the-replicas", 3, own)]


def _wait_until_enough(plan: Plan, on: Ground, sdks: Sequence[SdkProcess]) -> None:
    last, changed_s = 0, time.monotonic()
    while (done := _answered(on)) < plan.calls or on.count("kill") < plan.kills:
        time.sleep(0.5)
        now_s = time.monotonic()
        if done != last:
            last, changed_s = done, now_s
        if now_s - changed_s > _STALLED_S or not all(sdk.is_working() for sdk in sdks):
            raise TimeoutError(f"nothing more is answered after {done}; an SDK has ended, or all of them wait")


def _answered(on: Ground) -> int:
    return sum(one.error is None for one in list(on.outcomes))


def judged(on: Ground) -> Report:
    """Compare what was answered with what is there, and stop the replicas."""
    report = Report()
    for replica in on.replicas:
        replica.wait_until_ready()
    report.tell(
        "kills, restarts of the database, leaps", f"{on.count('kill')}, {on.count('restart')}, {on.count('leap')}"
    )
    answered = [one for one in on.outcomes if one.error is None]
    for name in dict.fromkeys(one.sdk for one in answered):
        counts = Counter(one.what for one in answered if one.sdk == name)
        report.tell(f"{name}: uploads, uses", f"{counts['upload']:,}, {counts['use']:,}")
    uploads = [one for one in answered if one.what == "upload"]
    lasting, gone = _by_last_leap(on, uploads)
    report.none("answered uploads that cannot be read back whole", _read(on, lasting, _spoiled), len(lasting))
    report.none("expired media that are still served", _read(on, gone, _served), len(gone))
    named = {one.uuid for one in uploads}
    # An SDK that sends a task again is told the same again.
    doubled = len({(one.uuid, one.task_uuid) for one in uploads}) - len(named)
    report.hold("imageUUIDs given to one upload only", f"{len(named):,}", [doubled] if doubled else [])
    done = set(on.column("SELECT task_uuid FROM journal WHERE outcome = 'success'"))
    report.none(
        "answered and not in the journal", [one for one in answered if one.task_uuid not in done], len(answered)
    )
    failed = [one for one in on.outcomes if one.error is not None]
    unexplained = [one for one in failed if not _is_explained(on, one)]
    report.none("calls that failed while nothing was wrong with their replica", unexplained, len(failed))
    keys = set(on.column("SELECT object_key FROM content WHERE object_key IS NOT NULL"))
    report.none("rows without an object", sorted(keys - on.place.names()), len(keys))
    unused = "SELECT id FROM content WHERE NOT EXISTS (SELECT FROM medium WHERE content_id = content.id)"
    report.none("contents that no medium points at", on.column(unused))
    report.none("replicas that did not stop with status 0", [s for s in (one.stop() for one in on.replicas) if s])
    complaints = [text for replica in on.replicas for text in replica.complaints() if "Traceback" in text]
    report.none(
        "tracebacks not of the database", [t[-600:] for t in complaints if not any(name in t for name in _AWAY)]
    )
    return report


def _by_last_leap(on: Ground, uploads: list[Outcome]) -> tuple[list[Outcome], list[Outcome]]:
    """Return the uploads that must be there, and those that must not; those during a leap may or may not."""
    tried = {event.key: event for event in on.events if event.kind.startswith("leap")}
    done = {event.key: event for event in on.events if event.kind == "leap"}
    lasting = [one for one in uploads if one.key not in tried or one.began_s > tried[one.key].ended_s]
    return lasting, [one for one in uploads if one.key in done and one.ended_s < done[one.key].began_s - _AFTER_S]


def _is_explained(on: Ground, call: Outcome) -> bool:
    # A medium of an account that has leapt is refused from then on.
    has_leapt = any(event.kind.startswith("leap") and event.key == call.key for event in on.events)
    return (call.is_refused and has_leapt) or any(event.touches(call) for event in on.events)


def _read(on: Ground, uploads: list[Outcome], look: Callable[[httpx.Response, bytes], str]) -> list[str]:
    """Read uploads back from the replicas in turn; return what is wrong."""
    with httpx.Client(timeout=60, trust_env=False) as client, ThreadPoolExecutor(8) as pool:

        def problem(place: int, one: Outcome) -> str:
            url = on.replicas[place % len(on.replicas)].url + httpx.URL(str(one.url)).path
            found = look(client.get(url), on.pictures[one.picture or 0])
            return found and f"{one.sdk}: {one.uuid}: {found}"

        return [found for found in pool.map(problem, range(len(uploads)), uploads) if found]


def _spoiled(answer: httpx.Response, sent: bytes) -> str:
    is_whole = answer.status_code == httpx.codes.OK and answer.content == sent
    return "" if is_whole else f"status {answer.status_code}, {len(answer.content)} bytes"


def _served(answer: httpx.Response, _: bytes) -> str:
    return "" if answer.status_code == httpx.codes.NOT_FOUND else f"status {answer.status_code}"


def main() -> int:
    """Run, print, and tell by the exit status whether everything holds."""
    parser = argparse.ArgumentParser(prog="python -m soak.replicas", description=__doc__)
    parser.add_argument("--calls", type=int, default=Plan.calls, help="how many the SDKs have answered at the end")
    given = parser.parse_args()
    lacking = [*filter(None, [postgres.missing()]), *MISSING, *missing()]
    if lacking:
        print(f"not here: {', '.join(lacking)}; `make sdks` installs the SDKs", file=sys.stderr)
        return 2
    plan = Plan(given.calls)
    with ground(plan) as on:
        run(plan, on)
        return judged(on).show()


if __name__ == "__main__":
    sys.exit(main())
