"""Everything at once, for ten minutes, on one server: `make soak`."""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from runware_mock.client.control import ControlClient
from soak.audit import Kept, drawn_up, kept
from soak.balance import Balance
from soak.chores import Books
from soak.lanes import Faulty, Idle, Lane, Leaping, Returning
from soak.replica import Replica
from soak.talkers import RestTalker, Talker, WsTalker
from soak.vitals import Vitals, disk_bytes, open_files, rss_bytes

REPORT = Path(__file__).parent / "SOAK.md"
_AT_ONCE = 50
_SAMPLED_EVERY_S = 1.0
_SETTLED_WITHIN_S = 30.0
_IDLE_S = 25
_ACCOUNTS_OF_IDLE = 20


@dataclass(frozen=True)
class Plan:
    """How long, how many; `pause_s` is what a working client waits between two requests."""

    minutes: float = 10.0
    sockets: int = 500
    rest: int = 6
    # Of the sockets.
    working: int = 20
    workers: int = 1
    pause_s: float = 1.0
    ping_every_s: float = 25.0


@dataclass
class Ran:
    """What a soak leaves to be judged."""

    plan: Plan
    server: Replica
    lanes: list[Lane]
    books: dict[str, Books]
    vitals: Vitals
    files_before: Counter[str] = field(default_factory=Counter)
    files_after: Counter[str] = field(default_factory=Counter)
    idle_before_bytes: int = 0
    idle_after_bytes: int = 0
    most_disk_bytes: int = 0
    kept: Kept | None = None
    status: int | None = None


def balance_of(plan: Plan) -> Balance:
    """Run, and draw up the balance."""
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="runware-mock-soak-")))
        server = Replica(0, folder, ("--purge-every=5s", f"--workers={plan.workers}"), {})
        cleanup.callback(server.kill)
        server.start()
        server.wait_until_ready()
        ran = asyncio.run(_run(plan, server, folder))
        ran.kept = kept(server, ran.books)
        ran.status = server.stop()
        return drawn_up(ran, folder)


async def _run(plan: Plan, server: Replica, folder: Path) -> Ran:
    await _warm_up(server)
    ran = Ran(plan, server, [], {}, Vitals(server.pid), open_files(server.pid), idle_before_bytes=rss_bytes(server.pid))
    with ExitStack() as cleanup:
        ran.lanes = _lanes(plan, server, ran.books, cleanup)
        sockets = [lane.talker for lane in ran.lanes if isinstance(lane.talker, WsTalker)]
        for start in range(0, len(sockets), _AT_ONCE):
            await asyncio.gather(*(socket.open() for socket in sockets[start : start + _AT_ONCE]))
        until_s = time.monotonic() + plan.minutes * 60
        watching = asyncio.create_task(_watch(ran, folder, until_s))
        await asyncio.gather(*(lane.run(until_s) for lane in ran.lanes))
        await watching
        for lane in ran.lanes:
            if isinstance(lane, Leaping):
                await lane.leap()
        await asyncio.sleep(1)
        await asyncio.gather(*(lane.talker.close() for lane in ran.lanes))
    give_up_s = time.monotonic() + _SETTLED_WITHIN_S
    while time.monotonic() < give_up_s:
        ran.files_after = open_files(server.pid)
        if ran.files_after["socket"] <= ran.files_before["socket"]:
            break
        await asyncio.sleep(0.5)
    # An idle server gives back what it has kept at hand.
    await asyncio.sleep(_IDLE_S)
    ran.idle_after_bytes = rss_bytes(server.pid)
    return ran


async def _warm_up(server: Replica) -> None:
    """Let the server import and open what it needs once."""
    books = Books("warm-up-account-of-the-soak-0123456789")
    lanes = [Lane(RestTalker(server.url, books.key), books, number, 0) for number in range(8)]
    await asyncio.gather(*(lane.send([lane.chores.small_upload()]) for lane in lanes))
    with ControlClient(server.url, books.key) as control:
        control.reset()
    await asyncio.gather(*(lane.talker.close() for lane in lanes))
    await asyncio.sleep(1)


async def _watch(ran: Ran, folder: Path, until_s: float) -> None:
    told_s = time.monotonic()
    while time.monotonic() < until_s:
        await asyncio.to_thread(ran.vitals.look)
        ran.most_disk_bytes = max(ran.most_disk_bytes, disk_bytes(folder))
        if time.monotonic() - told_s > 60:  # noqa: PLR2004 - a minute
            told_s = time.monotonic()
            answered, wrong = (
                sum(n) for n in zip(*((b.answered, len(b.wrong)) for b in ran.books.values()), strict=True)
            )
            print(f"{answered:,} answered, {wrong} wrong, {ran.vitals.samples[-1][1] >> 20} MiB", flush=True)
        await asyncio.sleep(_SAMPLED_EVERY_S)


def _lanes(plan: Plan, server: Replica, books: dict[str, Books], cleanup: ExitStack) -> list[Lane]:
    def opened(name: str) -> Books:
        return books.setdefault(name, Books(f"{name}-account-of-the-soak-0123456789"))

    def ws(of: Books) -> Talker:
        return WsTalker(server.url, of.key)

    def rest(of: Books) -> Talker:
        return RestTalker(server.url, of.key)

    def control(of: Books) -> ControlClient:
        return cleanup.enter_context(ControlClient(server.url, of.key, timeout_s=120))

    lanes: list[Lane] = []
    for number in range(plan.rest):
        own = opened(f"rest-{number}")
        lanes.append(Lane(rest(own), own, number, plan.pause_s))
    for number in range(plan.working):
        own = opened(f"ws-{number}")
        lanes.append(Lane(ws(own), own, 1000 + number, plan.pause_s))
    for number, talker in enumerate((ws, rest)):
        own = opened(f"faulty-{number}")
        lanes.append(Faulty(talker(own), own, 2000 + number, plan.pause_s, control(own)))
        own = opened(f"leaping-{number}")
        lanes.append(Leaping(talker(own), own, 3000 + number, plan.pause_s, control(own)))
        own = opened(f"returning-{number}")
        lanes.append(Returning(talker(own), own, 4000 + number, plan.pause_s * 3, control(own)))
    idle = plan.sockets - sum(isinstance(lane.talker, WsTalker) for lane in lanes)
    for number in range(idle):
        own = opened(f"idle-{number % _ACCOUNTS_OF_IDLE}")
        lanes.append(Idle(WsTalker(server.url, own.key), own, 5000 + number, plan.ping_every_s))
    return lanes


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, and tell by the exit status whether the balance holds."""
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=Plan.minutes)
    parser.add_argument("--workers", type=int, default=Plan.workers, help="processes of the server")
    parser.add_argument("--sockets", type=int, default=Plan.sockets)
    parser.add_argument("--write", action="store_true", help=f"write {REPORT.name}")
    given = parser.parse_args(arguments)
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    balance = balance_of(Plan(given.minutes, given.sockets, workers=given.workers))
    balance.show()
    if given.write:
        balance.write(REPORT)
    return 0 if balance.is_held else 1


if __name__ == "__main__":
    sys.exit(main())
