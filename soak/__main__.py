"""Everything at once on one server, for some minutes: `make soak`."""

import argparse
import asyncio
import base64
import random
import re
import sqlite3
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import httpx

from runware_mock.client import ControlClient
from soak.process import ServerProcess
from soak.report import Report
from soak.talkers import Json, RestTalker, Talker, WsTalker
from tests.process.scenes import small

_PICTURES = 150
_AT_ONCE = 50
_MOST_KEPT = 100
_WARM_UP = 5
_GROWTH = 1.1
_SETTLED_WITHIN_S = 30.0


@dataclass(frozen=True)
class Plan:
    """How long, how many clients, and how long a working client waits between two requests."""

    minutes: float = 5.0
    working: int = 12
    idle: int = 200
    workers: int = 1
    pause_s: float = 0.5


@dataclass
class Account:
    """What one account has and was answered; `wrong` tells of answers that are not the right ones."""

    key: str = field(default_factory=lambda: f"soak-{uuid.uuid4()}")
    media: dict[str, bytes] = field(default_factory=dict)
    sent: int = 0
    wrong: list[str] = field(default_factory=list)


class Client:
    """A client that checks its answers; `work` never ends by itself."""

    def __init__(self, talker: Talker, account: Account, control: ControlClient, pause_s: float) -> None:
        self.talker, self.account, self.control, self.pause_s = talker, account, control, pause_s
        self.draw = random.Random(account.key)

    async def run(self, until_s: float) -> None:
        """Work until then; whatever goes wrong is noted."""
        try:
            while time.monotonic() < until_s:
                await self.turn()
                await asyncio.sleep(self.draw.uniform(0.5, 1.5) * self.pause_s)
        except Exception as error:  # noqa: BLE001 - the report tells of it
            self.account.wrong.append(f"{type(self).__name__} has ended: {error!r}")

    async def turn(self) -> None:
        """Upload some pictures, then now and then use, delete, or send garbage."""
        await self.upload(self.draw.randint(1, 4))
        if self.draw.randrange(5) == 0:
            await self.ask("imageUpload", "invalidImage", image=base64.b64encode(self.draw.randbytes(3000)).decode())
        elif self.draw.randrange(2) == 0:
            await self.ask("caption", inputs={"image": self.draw.choice(list(self.account.media))})
        while len(self.account.media) > _MOST_KEPT:
            gone = next(iter(self.account.media))
            await self.ask("mediaStorage", operation="delete", media=gone)
            del self.account.media[gone]

    async def upload(self, number: int) -> None:
        """Upload pictures in one request; each must be answered."""
        pictures = {str(uuid.uuid4()): small(self.draw.randrange(_PICTURES)) for _ in range(number)}
        tasks = [
            {"taskType": "imageUpload", "taskUUID": task_uuid, "image": base64.b64encode(picture).decode()}
            for task_uuid, picture in pictures.items()
        ]
        self.account.sent += number
        for task_uuid, item in (await self.talker.ask(tasks)).items():
            if "imageUUID" in item:
                self.account.media[item["imageUUID"]] = pictures[task_uuid]
            else:
                self.account.wrong.append(f"an upload was answered {item}")

    async def ask(self, task_type: str, code: str | None = None, **fields: object) -> None:
        """Send one task, to be answered with success or with an error of that code."""
        task: Json = {"taskType": task_type, "taskUUID": str(uuid.uuid4()), **fields}
        self.account.sent += 1
        (item,) = (await self.talker.ask([task])).values()
        if not str(item.get("code")).startswith(str(code)):
            self.account.wrong.append(f"{task_type} was answered {item}")


class Leaping(Client):
    """Lets its clock leap, which purges all that it has."""

    async def turn(self) -> None:
        """Store, and let it all expire."""
        for _ in range(10):
            await self.upload(5)
        await asyncio.to_thread(self.control.clock.advance, "31d")
        left = (await asyncio.to_thread(self.control.media.list, state="all")).total
        if left:
            self.account.wrong.append(f"{left} media are left after a leap of 31 days")
        self.account.media.clear()


class Idle(Client):
    """A socket that only pings."""

    async def turn(self) -> None:
        """Ping."""
        assert isinstance(self.talker, WsTalker)
        await self.talker.ping()


def clients(plan: Plan, url: str, accounts: list[Account], cleanup: ExitStack) -> Iterator[Client]:
    """Make the clients, half of them with REST; each of those that work has an account of its own."""
    kinds = [Client] * plan.working + [Leaping] * 4
    for number, kind in enumerate(kinds):
        account = Account()
        accounts.append(account)
        control = cleanup.enter_context(ControlClient(url, account.key, timeout_s=120))
        talker = RestTalker(url, account.key) if number // 2 % 2 else WsTalker(url, account.key)
        yield kind(talker, account, control, plan.pause_s)
    account = Account()
    accounts.append(account)
    control = cleanup.enter_context(ControlClient(url, account.key))
    for _ in range(plan.idle):
        yield Idle(WsTalker(url, account.key), account, control, 20 * plan.pause_s)


def soaked(plan: Plan) -> Report:
    """Run, and return the report."""
    report = Report()
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="runware-mock-soak-")))
        server = ServerProcess(0, folder, ("--purge-every=5s", f"--workers={plan.workers}"), {})
        cleanup.callback(server.kill)
        server.start()
        server.wait_until_ready()
        accounts: list[Account] = []
        with ExitStack() as controls:
            working = list(clients(plan, server.url, accounts, controls))
            asyncio.run(_warm_up(working[0], server.url))
            before = open_sockets(server.pid)
            sizes_mib = asyncio.run(_run(plan, server, working))
        after = _settled_sockets(server.pid, before)
        report.tell("minutes, processes, clients", f"{plan.minutes:g}, {plan.workers}, {len(working)}")
        report.tell("tasks", sum(account.sent for account in accounts))
        report.none("answers that are wrong or missing", [wrong for account in accounts for wrong in account.wrong])
        _check_state(report, server.url, accounts)
        report.hold("open sockets before, after", f"{before}, {after}", [after] if after > before else [])
        fifth = len(sizes_mib) // 5
        early, late = median(sizes_mib[fifth : 2 * fifth + 1]), median(sizes_mib[-fifth - 1 :])
        grown = [late] if late > early * _GROWTH else []
        report.hold("memory in the second fifth, in the last", f"{early:.0f}, {late:.0f} MiB", grown)
        status = server.stop()
        report.hold("exit status", status, [status] if status else [])
        report.none("warnings and errors in the log", server.complaints())
        _check_database(report, next(folder.glob("*.sqlite3")), sum(len(account.media) for account in accounts))
    return report


async def _warm_up(client: Client, url: str) -> None:
    """Let the server import and open what it needs once."""
    warm = Client(RestTalker(url, "warm-up-key"), Account(), client.control, 0)
    await warm.upload(_WARM_UP)
    await warm.talker.close()


async def _run(plan: Plan, server: ServerProcess, working: list[Client]) -> list[float]:
    """Let the clients work; return the server's memory over time, in MiB."""
    sockets = [client.talker for client in working if isinstance(client.talker, WsTalker)]
    for start in range(0, len(sockets), _AT_ONCE):
        await asyncio.gather(*(socket.open() for socket in sockets[start : start + _AT_ONCE]))
    until_s = time.monotonic() + plan.minutes * 60
    running = asyncio.gather(*(client.run(until_s) for client in working))
    sizes_mib = []
    while time.monotonic() < until_s:
        sizes_mib.append(rss_mib(server.pid))
        await asyncio.sleep(min(1.0, plan.minutes * 6))
    await running
    await asyncio.gather(*(client.talker.close() for client in working))
    return sizes_mib


def _settled_sockets(pid: int, before: int) -> int:
    """Count the open sockets once they are as few as before, or after some time."""
    give_up_s = time.monotonic() + _SETTLED_WITHIN_S
    while (after := open_sockets(pid)) > before and time.monotonic() < give_up_s:
        time.sleep(0.5)
    return after


def _check_state(report: Report, url: str, accounts: list[Account]) -> None:
    """Ask the server for everything that it should have, and read every picture back."""
    others = []
    for account in accounts:
        with ControlClient(url, account.key, timeout_s=120) as control:
            found = control.media.list(limit=1, state="all").total, control.journal.count()
        if found != (len(account.media), account.sent):
            others.append(f"{found} media and entries, not {len(account.media)} and {account.sent}")
    report.none("accounts with other media or journal entries", others, len(accounts))
    expected = {uuid: sent for account in accounts for uuid, sent in account.media.items()}
    with httpx.Client(timeout=120, trust_env=False) as client, ThreadPoolExecutor(4) as pool:

        def is_wrong(uuid: str) -> bool:
            return client.get(f"{url}/image/ii/{uuid}.png").content != expected[uuid]

        wrong = [uuid for uuid, is_so in zip(expected, pool.map(is_wrong, expected), strict=True) if is_so]
    report.none("media that are not as sent", wrong, len(expected))


def _check_database(report: Report, file: Path, media: int) -> None:
    with sqlite3.connect(file) as database:
        (rows,) = database.execute("SELECT count(*) FROM medium").fetchone()
        (contents,) = database.execute("SELECT count(*) FROM content").fetchone()
        (used,) = database.execute("SELECT count(DISTINCT content_id) FROM medium").fetchone()
    media += _WARM_UP
    report.hold("rows of media, of those expected", f"{rows:,} of {media:,}", [] if rows == media else [rows])
    report.hold("contents, of those used", f"{contents:,} of {used:,}", [] if contents == used else [contents])


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in _family(int(child)))]


def rss_mib(pid: int) -> float:
    """Return the memory that a server's processes have in use."""
    found = [re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{one}/status").read_text()) for one in _family(pid)]
    return sum(int(match[1]) for match in found if match) / 1024


def open_sockets(pid: int) -> int:
    """Count the open sockets of a server's processes."""
    return sum(_is_socket(link) for one in _family(pid) for link in Path(f"/proc/{one}/fd").iterdir())


def _is_socket(descriptor: Path) -> bool:
    # It may be closed at any time.
    with suppress(FileNotFoundError):
        return str(descriptor.readlink()).startswith("socket:")
    return False


def main() -> int:
    """Run, print, and tell by the exit status whether everything holds."""
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=Plan.minutes)
    parser.add_argument("--idle", type=int, default=Plan.idle, help="WebSockets that only ping")
    parser.add_argument("--workers", type=int, default=Plan.workers, help="processes of the server")
    given = parser.parse_args()
    return soaked(Plan(given.minutes, idle=given.idle, workers=given.workers)).show()


if __name__ == "__main__":
    sys.exit(main())
