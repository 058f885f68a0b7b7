"""The measurements: every round measures each peer in turn, in changing order."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median, quantiles

from bench.corpus import BY_NAME, HEAVY, WORKLOADS, Workload
from bench.driver import Load, WrongAnswerError, run_load
from bench.peers import PROJECT_DIR, Peer, Server, started
from bench.stored import check_stored

SETTLE_S = 0.05
PINGER_START_S = 0.2
HEAVY_BODIES = 10
MB = 1e6


@dataclass(frozen=True)
class Effort:
    """How long to measure: one slot is one peer in one round."""

    rounds: int
    slot_s: float
    ping_rounds: int
    ping_s: float
    starts: int
    memory_rounds: int


# About 80 s and about 5 min on two cores.
QUICK = Effort(3, 0.5, ping_rounds=3, ping_s=1.0, starts=7, memory_rounds=1)
FULL = Effort(7, 2.0, ping_rounds=5, ping_s=3.0, starts=15, memory_rounds=3)


@dataclass
class Row:
    """One line of the table: a figure a round for every peer."""

    name: str
    unit: str
    detail: bool = False
    figures: dict[str, list[float]] = field(default_factory=dict)

    def add(self, peer: str, figure: float) -> None:
        """Note the figure of one round."""
        self.figures.setdefault(peer, []).append(figure)


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
    stored_bytes: list[int]

    @property
    def uploads(self) -> int:
        """How many uploads the slot took."""
        return len(self.load.latencies_s)


@dataclass(frozen=True)
class Column:
    """A figure to take from every slot."""

    suffix: str
    unit: str
    of: Callable[[Slot], float]

    def row(self, workload: Workload) -> Row:
        """Return the empty row of a workload; the first column is the main one."""
        main = not self.suffix
        return Row(workload.name + self.suffix, self.unit, detail=not main)


COLUMNS = (
    Column("", "uploads/s", lambda slot: slot.load.uploads_per_s),
    Column(" p50", "ms", lambda slot: median(slot.load.latencies_s) * 1000),
    Column(" p99", "ms", lambda slot: percentile(slot.load.latencies_s, 99) * 1000),
    Column(" CPU", "ms/upload", lambda slot: slot.server_cpu_s / slot.uploads * 1000),
    Column(" stored", "KB/upload", lambda slot: mean(slot.stored_bytes) / 1000),
    Column(" driver", "CPU %", lambda slot: slot.load.driver_share * 100),
)


def check_all(load: Load) -> list[int]:
    """Check one stored file of every picture sent; return their sizes."""
    return [check_stored(source, entry) for source, entry in load.stored.values()]


class Bench:
    """One run: the peers, how long to measure, and where to tell of progress."""

    def __init__(
        self,
        peers: Sequence[Peer],
        effort: Effort,
        say: Callable[[str], None],
    ) -> None:
        """Note what to compare."""
        self.peers = peers
        self.effort = effort
        self.say = say

    def turns(self, servers: Sequence[Server], number: int) -> Iterator[Server]:
        """Yield every server once, in each round from another one on."""
        first = number % len(servers)
        for server in (*servers[first:], *servers[:first]):
            time.sleep(SETTLE_S)
            yield server

    def start_all(self, stack: ExitStack) -> list[Server]:
        """Start every peer on a data folder of its own."""
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        return [stack.enter_context(started(peer, folder / peer.name)) for peer in self.peers]

    def warm_up(self, servers: Sequence[Server], workload: Workload) -> None:
        """Upload every picture once to all and check what was stored."""
        for server in servers:
            turn = len(workload.sources)
            check_all(run_load(server.endpoint, workload, 0, at_least=turn))

    def slot(self, server: Server, workload: Workload) -> Slot:
        """Measure one turn and check what was stored."""
        cpu_began_s = server.cpu_s()
        load = run_load(server.endpoint, workload, self.effort.slot_s * workload.weight)
        cpu_s = server.cpu_s() - cpu_began_s
        return Slot(load, cpu_s, check_all(load))

    def uploads(self, workloads: Sequence[Workload]) -> list[Row]:
        """Measure uploads/s and what else a slot tells, workload by workload."""
        rows = {(workload.name, column.suffix): column.row(workload) for workload in workloads for column in COLUMNS}
        with ExitStack() as stack:
            servers = self.start_all(stack)
            for workload in workloads:
                self.warm_up(servers, workload)
            for number in range(self.effort.rounds):
                for workload in workloads:
                    for server in self.turns(servers, number):
                        slot = self.slot(server, workload)
                        for column in COLUMNS:
                            row = rows[workload.name, column.suffix]
                            row.add(server.name, column.of(slot))
                        rate = slot.load.uploads_per_s
                        self.say(f"{workload.name}: {server.name} {rate:.1f}/s")
        return list(rows.values())

    def ping(self) -> list[Row]:
        """Measure the event loop's ping p99 under the photo load."""
        row = Row("ping p99", "ms")
        photo = BY_NAME["photo"]
        with ExitStack() as stack:
            servers = self.start_all(stack)
            self.warm_up(servers, photo)
            for number in range(self.effort.ping_rounds):
                for server in self.turns(servers, number):
                    p99_ms = percentile(self.ping_under(server, photo), 99)
                    row.add(server.name, p99_ms)
                    self.say(f"ping: {server.name} p99 {p99_ms:.1f} ms")
        return [row]

    def ping_under(self, server: Server, workload: Workload) -> list[float]:
        """Ping while a load runs; return the latencies in milliseconds."""
        url = server.endpoint.url + server.peer.ping_path
        status, seconds = str(server.peer.ping_status), self.effort.ping_s
        command = [sys.executable, "-m", "bench.ping", url, status, str(seconds)]
        with subprocess.Popen(
            command,
            cwd=PROJECT_DIR,
            stdout=subprocess.PIPE,
        ) as pinger:
            # Longer than the pings, which begin once their process has started.
            run_load(server.endpoint, workload, seconds + PINGER_START_S)
            output = pinger.communicate()[0]
        if pinger.returncode:
            message = f"{server.name} failed to answer a ping"
            raise WrongAnswerError(message)
        latencies_ms: list[float] = json.loads(output)
        return latencies_ms

    def start(self) -> list[Row]:
        """Measure from spawn to the first upload, on a folder already at head."""
        row = Row("start", "ms")
        with tempfile.TemporaryDirectory() as folder:
            for number in range(self.effort.starts + 1):
                for peer in self.peers[:: -1 if number % 2 else 1]:
                    with started(peer, Path(folder) / peer.name) as server:
                        run_load(server.endpoint, BY_NAME["tiny"], 0)
                        took_ms = (time.perf_counter() - server.spawned_s) * 1000
                    # The first start makes the data folder and is not counted.
                    if number:
                        row.add(peer.name, took_ms)
                        self.say(f"start: {peer.name} {took_ms:.0f} ms")
        return [row]

    def memory(self) -> list[Row]:
        """Measure RSS after ten bodies of 21 MB, each round in new servers."""
        after, peak = Row("RSS", "MB"), Row("RSS peak", "MB")
        before = Row("RSS before", "MB", detail=True)
        for number in range(self.effort.memory_rounds):
            with ExitStack() as stack:
                servers = self.start_all(stack)
                self.warm_up(servers, BY_NAME["tiny"])
                for server in self.turns(servers, number):
                    before.add(server.name, server.memory_bytes("VmRSS") / MB)
                    load = run_load(server.endpoint, HEAVY, 0, at_least=HEAVY_BODIES)
                    rss_mb = server.memory_bytes("VmRSS") / MB
                    after.add(server.name, rss_mb)
                    peak.add(server.name, server.memory_bytes("VmHWM") / MB)
                    check_all(load)
                    self.say(f"memory: {server.name} {rss_mb:.0f} MB")
        return [after, peak, before]

    def run(self, names: Collection[str]) -> list[Row]:
        """Measure what is named, in the order of MEASUREMENTS."""
        chosen = [load for load in WORKLOADS if load.name in names]
        rows = self.uploads(chosen) if chosen else []
        others = {"ping": self.ping, "start": self.start, "memory": self.memory}
        for name, measure in others.items():
            if name in names:
                rows += measure()
        return rows


MEASUREMENTS = (*BY_NAME, "ping", "start", "memory")
