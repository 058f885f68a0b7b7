"""Replicas that are killed all the time lose nothing that was answered: `make replicas`."""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from runware_mock.client.control import Fault
from soak.balance import Balance
from soak.hooks import Hooks, hooks
from soak.ledger import Ledger
from soak.pictures import Sent, paint, written
from soak.replica import Replica
from soak.sdk_clients import DRIVERS, Lane, RawLane, SdkProcess, missing
from soak.settled import Settled, settled
from soak.tally import drawn_up
from soak.trouble import KILL, Trouble
from soak.witness import Witness
from tests import postgres
from tests.objects.places import S3Place, s3_place
from tests.objects.s3_server import CREDENTIALS, MISSING, credentials, s3_server
from tests.postgres import PostgresServer

REPORT = Path(__file__).parent / "REPLICAS.md"
# All others share theirs; what only one account has is gone from the storage when its clock leaps, and comes again.
_SHARED, _OWN = range(400), 150
_POLL_S = 0.5
_TOLD_EVERY_S = 15.0
_STALLED_S = 180.0
_ERRORS = (
    Fault("error", code="failedToTransferImage", parameter="image", task_type="imageUpload"),
    Fault("latency", delay="200ms"),
    Fault("vanish", after="3s", task_type="imageUpload"),
)
_WS_FAULTS = (
    *_ERRORS,
    Fault("duplicate"),
    Fault("close", code=1011),
    Fault("reset"),
    Fault("drop", task_type="imageUpload"),
    Fault("split"),
)
_REST_FAULTS = (*_ERRORS, Fault("http", status=503), Fault("reset", after_work=True), Fault("empty"))


@dataclass(frozen=True)
class Plan:
    """How much is to be done, and how rough."""

    uploads_and_uses: int = 10_000
    replicas: int = 3
    sdks: tuple[str, ...] = tuple(DRIVERS)
    kills: int = 20
    kill_every_s: float = 1.0
    restart_every_s: float = 30.0
    move_every_s: float = 2.0
    leap: str = "11d"
    seed: int = 1
    # Of each account of each SDK.
    lanes: int = 2


@dataclass(frozen=True)
class Ground:
    """What the replicas stand on."""

    folder: Path
    database: PostgresServer
    place: S3Place
    replicas: Sequence[Replica]
    witness: Witness
    pictures: list[Sent]
    hooks: Hooks

    @property
    def database_url(self) -> str:
        """The address of the database, as the product takes it."""
        return self.database.url("mock")


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
        where = ("--database-url", database.url("mock"), *place.arguments)
        arguments = (*where, "--purge-every=1s", "--fetch-timeout=1s")
        replicas = [Replica(number, folder, arguments, CREDENTIALS) for number in range(plan.replicas)]
        for replica in replicas:
            cleanup.callback(replica.kill)
            replica.start()
        for replica in replicas:
            replica.wait_until_ready()
        witness = Witness(database.url("mock").replace("+psycopg", ""))
        witness.begin()
        pictures = [paint(number) for number in range(len(_SHARED) + _OWN * len(DRIVERS))]
        yield Ground(folder, database, place, replicas, witness, pictures, cleanup.enter_context(hooks()))


def _stop_database(database: PostgresServer) -> None:
    # It may be down, if the run has broken off.
    try:
        database.stop()
    except subprocess.CalledProcessError:
        print("the database was not running at the end", file=sys.stderr)


@dataclass(frozen=True)
class Ran:
    """What a run leaves to be judged."""

    plan: Plan
    ground: Ground
    ledger: Ledger
    trouble: Trouble
    settled: Settled
    seconds: float


def run(plan: Plan, on: Ground) -> Ran:
    """Let the SDKs work on the replicas under fire, until enough is answered and every plan is met."""
    began_s = time.monotonic()
    ledger, urls = Ledger(), [replica.url for replica in on.replicas]
    trouble = Trouble(on.replicas, on.database, plan.seed)
    files = written(on.pictures, on.folder)
    sdks = [SdkProcess(name, _lanes(name, plan), urls, files) for name in plan.sdks]
    raw = RawLane(
        Lane("raw-lane-of-the-replicas-0123456789", plan.seed, _SHARED),
        urls,
        [p.data for p in on.pictures],
        on.hooks.url,
    )
    for sdk in sdks:
        sdk.start(ledger)
    raw.start()
    trouble.start(lambda: trouble.kills(plan.kill_every_s))
    trouble.start(lambda: trouble.restarts_of_the_database(plan.restart_every_s))
    moved = [_key("clock", name) for name in plan.sdks]
    trouble.start(lambda: trouble.moves_of_clocks(moved, plan.leap, plan.move_every_s))
    for name in plan.sdks:
        _plan_for(trouble, name)
    _wait_until_enough(plan, ledger, trouble, sdks)
    trouble.finish_plans()
    clients: list[SdkProcess | RawLane] = [*sdks, raw]
    for client in clients:
        client.stop()
    trouble.stop()
    for client in clients:
        client.join()
    ledger.outcomes += raw.ledger.outcomes
    done = settled(on, ledger, trouble.told)
    statuses = [replica.stop() for replica in on.replicas]
    return Ran(plan, on, ledger, trouble, replace(done, statuses=statuses), time.monotonic() - began_s)


def _plan_for(trouble: Trouble, name: str) -> None:
    is_rest = DRIVERS[name][0].transport == "rest"
    faults = _REST_FAULTS if is_rest else _WS_FAULTS
    trouble.start(lambda: trouble.plans(_key("fault", name), faults), is_planner=True)


def _key(kind: str, sdk: str) -> str:
    return f"{kind}{list(DRIVERS).index(sdk)}-account-of-the-replicas-0123456789"


def _lanes(sdk: str, plan: Plan) -> list[Lane]:
    first = len(_SHARED) + _OWN * list(DRIVERS).index(sdk)
    pictures = {"plain": _SHARED, "clock": range(first, first + _OWN), "fault": _SHARED}
    each = enumerate(list(pictures) * plan.lanes)
    return [Lane(_key(kind, sdk), plan.seed + number, pictures[kind]) for number, kind in each]


def _wait_until_enough(plan: Plan, ledger: Ledger, trouble: Trouble, sdks: Sequence[SdkProcess]) -> None:
    last, changed_s, told_s = 0, time.monotonic(), time.monotonic()
    while (done := ledger.count("upload", "use")) < plan.uploads_and_uses or trouble.count(KILL) < plan.kills:
        time.sleep(_POLL_S)
        now_s = time.monotonic()
        if done != last:
            last, changed_s = done, now_s
        if now_s - changed_s > _STALLED_S or not all(sdk.is_working() for sdk in sdks):
            raise TimeoutError(f"nothing more is answered after {done}; an SDK has ended, or all of them wait")
        if now_s - told_s > _TOLD_EVERY_S:
            told_s = now_s
            print(f"{done:,} answered; failed: {dict(ledger.failures())}", flush=True)


def balance_of(plan: Plan) -> Balance:
    """Run, and draw up the balance."""
    with ground(plan) as on:
        ran = run(plan, on)
        return drawn_up(ran)


def main() -> int:
    """Run, print, and tell by the exit status whether the balance holds."""
    parser = argparse.ArgumentParser(prog="python -m soak.replicas", description=__doc__)
    parser.add_argument("--calls", type=int, default=Plan.uploads_and_uses, help="uploads and uses to be answered")
    parser.add_argument("--seed", type=int, default=Plan.seed, help="of what is random here")
    parser.add_argument("--write", action="store_true", help=f"write {REPORT.name}")
    given = parser.parse_args()
    lacking = [*filter(None, [postgres.missing()]), *MISSING, *missing()]
    if lacking:
        print(f"not here: {', '.join(lacking)}; `make sdks` installs the SDKs", file=sys.stderr)
        return 2
    balance = balance_of(Plan(uploads_and_uses=given.calls, seed=given.seed))
    balance.show()
    if given.write:
        balance.write(REPORT)
    return 0 if balance.is_held else 1


if __name__ == "__main__":
    sys.exit(main())
