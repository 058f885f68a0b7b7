"""The measurements: every round measures each peer in turn, in changing order, when the machine is its own."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from statistics import mean, median, quantiles
from typing import TypeVar

from bench.asking import WrongAnswerError
from bench.contest import can, contestants, is_compared
from bench.driver import Load, run_load
from bench.install import PYTHON
from bench.peers import MOTO, PROJECT_DIR, SUBJECT, Peer, Server, free_port, started
from bench.quality import lanczos_db, stored_db
from bench.stolen import undisturbed
from bench.stored import check_stored
from bench.workloads import BY_NAME, HEAVY, WAYS, WORKLOADS, Workload

T = TypeVar("T")

SETTLE_S = 0.05
PINGER_START_S = 0.2
HEAVY_BODIES = 10
# Of a slot: whoever takes eight turns a round takes short ones (`contestants`).
WAY_SHARE = 0.5
MB = 1e6
COMMAND = Path(PYTHON).with_name("runware-mock")
INSIDE = """
import json, time
times = []
for _ in range(2):
    began_s = time.perf_counter()
    import runware_mock
    with runware_mock.serve():
        times.append((time.perf_counter() - began_s) * 1000)
print(json.dumps(times))
"""


@dataclass(frozen=True)
class Effort:
    """How long to measure: one slot is one peer in one round."""

    rounds: int
    slot_s: float
    ping_rounds: int
    ping_s: float
    starts: int
    memory_rounds: int


# About 7 min and about 40 min on two cores, more where others use them too.
QUICK = Effort(3, 0.5, ping_rounds=3, ping_s=1.0, starts=7, memory_rounds=1)
FULL = Effort(5, 2.0, ping_rounds=5, ping_s=3.0, starts=15, memory_rounds=3)


@dataclass
class Row:
    """What was measured under one name: for every peer and column a figure a round."""

    name: str
    figures: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    def add(self, peer: str, column: str, figure: float) -> None:
        """Note the figure of one round."""
        self.figures.setdefault(column, {}).setdefault(peer, []).append(figure)


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile, of few values too."""
    if len(values) == 1:
        return values[0]
    return quantiles(values, n=100, method="inclusive")[percent - 1]


@dataclass(frozen=True)
class Slot:
    """One peer's turn at one workload."""

    load: Load
    server_cpu_s: float
    peak_bytes: int
    stored_bytes: list[int]


# What is told of every slot; the first decides.
COLUMNS: dict[str, Callable[[Slot], float]] = {
    "uploads/s": lambda slot: slot.load.uploads_per_s,
    "p50 ms": lambda slot: median(slot.load.latencies_s) * 1000,
    "p99 ms": lambda slot: percentile(slot.load.latencies_s, 99) * 1000,
    "CPU ms/upload": lambda slot: slot.server_cpu_s / slot.load.uploads * 1000,
    "peak RSS MB": lambda slot: slot.peak_bytes / MB,
    "stored KB": lambda slot: mean(slot.stored_bytes) / 1000,
    "driver CPU %": lambda slot: slot.load.driver_share * 100,
}
PSNR = "PSNR dB"


def check_all(load: Load) -> list[int]:
    """Check one stored file of every picture sent; return their sizes."""
    return [len(check_stored(source, entry)) for source, entry in load.stored.values()]


class Bench:
    """One run: the peers, how long to measure, and where to tell of progress."""

    def __init__(self, peers: Sequence[Peer], effort: Effort, say: Callable[[str], None]) -> None:
        """Note what to compare."""
        self.peers = peers
        self.effort = effort
        self.say = say

    def turns(self, entrants: Sequence[T], number: int) -> Iterator[T]:
        """Yield every entrant once, in each round from another one on."""
        first = number % len(entrants)
        for entrant in (*entrants[first:], *entrants[:first]):
            time.sleep(SETTLE_S)
            yield entrant

    def start_all(self, stack: ExitStack, pictures_url: str = "") -> list[Server]:
        """Start every peer on a data folder of its own."""
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        return [stack.enter_context(started(peer, folder / peer.name, pictures_url)) for peer in self.peers]

    def warm_up(self, servers: Sequence[Server], workload: Workload) -> dict[str, Load]:
        """Upload every picture once to all and check what was stored."""
        loads = {}
        for server in servers:
            load = loads[server.name] = run_load(server.endpoint, workload, 0, at_least=len(workload.sources))
            check_all(load)
        return loads

    def quality(self, row: Row, loads: dict[str, Load]) -> None:
        """Note how near the stored pictures come to the ideal, and Pillow's LANCZOS beside them."""
        for name, load in loads.items():
            pairs = load.stored.values()
            row.add(name, PSNR, mean(stored_db(source, check_stored(source, entry)) for source, entry in pairs))
            if name == SUBJECT:
                best = mean(lanczos_db(source) for source, _ in pairs)
                row.add("LANCZOS", PSNR, best)
                row.add(name, "dB over LANCZOS", row.figures[PSNR][name][0] - best)

    def slot(self, server: Server, workload: Workload, slot_s: float) -> Slot:
        """Measure one turn and check what was stored."""
        server.forget_peak()
        cpu_began_s = server.cpu_s()
        load = run_load(server.endpoint, workload, slot_s)
        cpu_s = server.cpu_s() - cpu_began_s
        return Slot(load, cpu_s, server.memory_bytes("VmHWM"), check_all(load))

    def uploads(self, workloads: Sequence[Workload]) -> list[Row]:
        """Measure what a slot tells, workload by workload."""
        rows = {workload.name: Row(workload.name) for workload in workloads}
        with ExitStack() as stack:
            servers = self.start_all(stack, stack.enter_context(hosting()))
            able = {workload.name: [one for one in servers if can(one.peer, workload)] for workload in workloads}
            for workload in workloads:
                loads = self.warm_up(able[workload.name], workload)
                if workload in WORKLOADS and is_compared(workload):
                    self.quality(rows[workload.name], loads)
            for number in range(self.effort.rounds):
                for workload in workloads:
                    slot_s = self.effort.slot_s * workload.weight * (WAY_SHARE if workload in WAYS else 1)
                    slots: dict[str, list[Slot]] = {}
                    for name, server, measured in self.turns(contestants(able[workload.name], workload), number):
                        slot = undisturbed(partial(self.slot, server, measured, slot_s), self.say)
                        slots.setdefault(name, []).append(slot)
                        self.say(f"{workload.name}: {name} {slot.load.uploads_per_s:.1f}/s")
                    for name, taken in slots.items():
                        for column, figure_of in COLUMNS.items():
                            # Of a machine that is another one in the next round, a median of all would be of none.
                            rows[workload.name].add(name, column, median(map(figure_of, taken)))
        return list(rows.values())

    def ping(self) -> list[Row]:
        """Measure the event loop's ping p99 under the photo load."""
        row = Row("loop ping p99 under photos")
        photo = BY_NAME["photo"]
        with ExitStack() as stack:
            servers = self.start_all(stack)
            self.warm_up(servers, photo)
            for number in range(self.effort.ping_rounds):
                for server in self.turns(servers, number):
                    pings_ms = undisturbed(partial(self.ping_under, server, photo), self.say)
                    p99_ms = percentile(pings_ms, 99)
                    row.add(server.name, "ms", p99_ms)
                    self.say(f"ping: {server.name} p99 {p99_ms:.1f} ms")
        return [row]

    def ping_under(self, server: Server, workload: Workload) -> list[float]:
        """Ping while a load runs; return the latencies in milliseconds."""
        command = [sys.executable, "-m", "bench.ping", server.endpoint.url, str(self.effort.ping_s)]
        with subprocess.Popen(command, cwd=PROJECT_DIR, stdout=subprocess.PIPE) as pinger:
            # Longer than the pings, which begin once their process has started.
            run_load(server.endpoint, workload, self.effort.ping_s + PINGER_START_S)
            output = pinger.communicate()[0]
        if pinger.returncode:
            message = f"{server.name} failed to answer a ping"
            raise WrongAnswerError(message)
        latencies_ms: list[float] = json.loads(output)
        return latencies_ms

    def start(self) -> list[Row]:
        """Measure from spawn to the first upload, on a folder already at head; of moto, to the first bucket."""
        row = Row("start")
        peers = [*self.peers, MOTO]
        with tempfile.TemporaryDirectory() as folder:
            for number in range(self.effort.starts + 1):
                for peer in peers[:: -1 if number % 2 else 1]:
                    took_ms = undisturbed(partial(start_ms, peer, Path(folder) / peer.name), self.say)
                    # The first start makes the data folder and is not counted.
                    if number:
                        row.add(peer.name, "ms", took_ms)
                        self.say(f"start: {peer.name} {took_ms:.0f} ms")
        return [row]

    def command(self) -> list[Row]:
        """Measure the shortest command, and a server's start inside a test process, with and without its imports."""
        row, inside = Row("runware-mock --help"), Row("start inside a process")
        with_imports = Row("start inside a process, imports included")
        for _ in range(self.effort.starts):
            began_s = time.perf_counter()
            subprocess.run([COMMAND, "--help"], stdout=subprocess.DEVNULL, check=True)
            row.add(SUBJECT, "ms", (time.perf_counter() - began_s) * 1000)
            told = subprocess.run([PYTHON, "-c", INSIDE], capture_output=True, check=True).stdout
            first_ms, next_ms = json.loads(told)
            with_imports.add(SUBJECT, "ms", first_ms)
            inside.add(SUBJECT, "ms", next_ms)
        return [row, inside, with_imports]

    def memory(self) -> list[Row]:
        """Measure RSS after ten bodies of 21 MB, each round in new servers."""
        row = Row("RSS after ten bodies of 21 MB")
        for number in range(self.effort.memory_rounds):
            with ExitStack() as stack:
                servers = self.start_all(stack)
                self.warm_up(servers, BY_NAME["tiny"])
                for server in self.turns(servers, number):
                    load = run_load(server.endpoint, HEAVY, 0, at_least=HEAVY_BODIES)
                    rss_mb = server.memory_bytes("VmRSS") / MB
                    row.add(server.name, "MB", rss_mb)
                    check_all(load)
                    self.say(f"memory: {server.name} {rss_mb:.0f} MB")
        return [row]

    def run(self, names: Collection[str]) -> list[Row]:
        """Measure what is named, in the order of MEASUREMENTS."""
        chosen = [load for load in BY_NAME.values() if load.name in names]
        rows = self.uploads(chosen) if chosen else []
        others = {"ping": self.ping, "start": self.start, "command": self.command, "memory": self.memory}
        for name, measure in others.items():
            if name in names:
                rows += measure()
        return rows


def start_ms(peer: Peer, data_dir: Path) -> float:
    """Start a server and ask it for something once; return how long both took together."""
    with started(peer, data_dir) as server:
        if peer is MOTO:
            make_bucket(server)
        else:
            run_load(server.endpoint, BY_NAME["tiny"], 0)
        return (time.perf_counter() - server.spawned_s) * 1000


def make_bucket(server: Server) -> None:
    """Ask moto for what its users ask first."""
    connection = HTTPConnection(*server.endpoint.address, timeout=30)
    connection.request("PUT", "/bench", headers={"Host": "s3.amazonaws.com"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != 200:
        message = f"moto answered {answer.status} {body[:200]!r}"
        raise WrongAnswerError(message)


@contextmanager
def hosting() -> Iterator[str]:
    """Serve the pictures of URL uploads from a process of its own."""
    port = free_port()
    with subprocess.Popen([sys.executable, "-m", "bench.host", str(port)], cwd=PROJECT_DIR) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


MEASUREMENTS = (*BY_NAME, "ping", "start", "command", "memory")
