"""The measurements: in each round every server has its turn, in changing order, so that all meet the same machine."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import TypeVar

from bench.driver import Load, Workload, WrongAnswerError, run_load
from bench.install import PROJECT_DIR
from bench.pictures import Picture
from bench.servers import MOCK, Peer, Server, started
from bench.stored import check_all

T = TypeVar("T")

SMALL_SIZES_PX = ((512, 512), (768, 512), (640, 960), (1024, 768))
SMALL = tuple(Picture(kind, *size_px) for size_px in SMALL_SIZES_PX for kind in ("PNG", "JPEG", "WEBP"))
PHOTO_12_MP = Picture("JPEG", 4000, 3000)
TINY = Workload("tiny", (Picture("PNG", 16, 16),), connections=8)
PHOTO = Workload("photo", (PHOTO_12_MP, Picture("JPEG", 6000, 4000)), slot_s=2.0)
WORKLOADS = (
    TINY,
    Workload("small", SMALL, connections=8),
    PHOTO,
    Workload("PNG", (Picture("PNG", 4000, 3000),), slot_s=2.0),
    Workload("WebP", (Picture("WEBP", 4000, 3000),), slot_s=2.0),
    # libvips takes seconds for one.
    Workload("GIF", (Picture("GIF", 600, 400, frames=40),), connections=2),
)
FIRST = Workload("12 MP", (PHOTO_12_MP,))
AGAIN = Workload("12 MP again", (PHOTO_12_MP,), is_again=True)
# About 15.7 MB of picture, and a third more as base64.
BODY_21_MB = Workload("21 MB", (Picture("JPEG", 6000, 4000, quality=99),), connections=1)
BODIES = 10
PING, START, MEMORY = "ping p99 under photos", "start to first upload", "RSS after ten bodies of 21 MB"
SETTLE_S = 0.05
# The pings begin once their process has started.
PINGER_START_S = 0.3
MEASUREMENTS = (*(workload.name for workload in WORKLOADS), AGAIN.name, PING, START, MEMORY)


@dataclass
class Row:
    """What was measured under one name: for every server a figure a round."""

    name: str
    unit: str
    is_less_better: bool = False
    figures: dict[str, list[float]] = field(default_factory=dict)

    def add(self, server: str, figure: float) -> None:
        """Note the figure of one round."""
        self.figures.setdefault(server, []).append(figure)

    def ratio(self, peer: str) -> float | None:
        """Return the median over the rounds of the mock's figure by the peer's; None if either was not measured."""
        ours, theirs = self.figures.get(MOCK.name), self.figures.get(peer)
        if not ours or not theirs:
            return None
        return median(one / other for one, other in zip(ours, theirs, strict=True))


def p99(values: Sequence[float]) -> float:
    """Return the 99th percentile."""
    return values[0] if len(values) == 1 else quantiles(values, n=100, method="inclusive")[98]


class Bench:
    """One run: the servers, how many rounds, and whom to tell of progress."""

    def __init__(self, peers: Sequence[Peer], rounds: int, say: Callable[[str], None]) -> None:
        self._peers = peers
        self._rounds = rounds
        self._say = say

    def run(self, names: Sequence[str]) -> list[Row]:
        """Measure what is named, in the order of MEASUREMENTS. Raises WrongAnswerError, StartError."""
        rows = [self._uploads(workload) for workload in WORKLOADS if workload.name in names]
        others = {AGAIN.name: self._again, PING: self._ping, START: self._start, MEMORY: self._memory}
        return rows + [measure() for name, measure in others.items() if name in names]

    def _uploads(self, workload: Workload) -> Row:
        row = Row(workload.name, "uploads/s")
        with ExitStack() as stack:
            servers = self._start_all(stack)
            for server in servers:
                # Once for all that a server imports and opens with its first upload, and to check each picture.
                check_all(run_load(server.url, workload, at_least=len(workload.sources)))
            for server in self._turns(servers):
                row.add(server.peer.name, self._load(server, workload).uploads_per_s)
        return self._told(row)

    def _again(self) -> Row:
        """Compare uploads of one fixture with first uploads of the same picture; the mock is its own peer."""
        row = Row(AGAIN.name, "uploads/s")
        with ExitStack() as stack:
            (server,) = self._start_all(stack, [MOCK])
            check_all(run_load(server.url, AGAIN))
            for _ in range(self._rounds):
                row.add(FIRST.name, self._load(server, FIRST).uploads_per_s)
                row.add(MOCK.name, self._load(server, AGAIN).uploads_per_s)
        return self._told(row)

    def _ping(self) -> Row:
        """Measure how long an event loop lets a small request wait while photos are uploaded."""
        row = Row(PING, "ms", is_less_better=True)
        with ExitStack() as stack:
            servers = self._start_all(stack)
            for server in servers:
                run_load(server.url, PHOTO, at_least=len(PHOTO.sources))
            for server in self._turns(servers):
                row.add(server.peer.name, p99(pings_ms(server, PHOTO)))
        return self._told(row)

    def _start(self) -> Row:
        """Measure from spawn to the first answer to an upload, on a folder that is migrated already."""
        row = Row(START, "ms", is_less_better=True)
        with tempfile.TemporaryDirectory() as folder:
            for peer in self._peers:
                start_ms(peer, Path(folder) / peer.name)
            for peer in self._turns(self._peers, 2 * self._rounds):
                row.add(peer.name, start_ms(peer, Path(folder) / peer.name))
        return self._told(row)

    def _memory(self) -> Row:
        row = Row(MEMORY, "MB", is_less_better=True)
        with ExitStack() as stack:
            for server in self._start_all(stack):
                check_all(run_load(server.url, BODY_21_MB, at_least=BODIES))
                row.add(server.peer.name, server.memory_mb())
        return self._told(row)

    def _start_all(self, stack: ExitStack, peers: Sequence[Peer] | None = None) -> list[Server]:
        """Start servers on data folders of their own."""
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        return [stack.enter_context(started(peer, folder / peer.name)) for peer in peers or self._peers]

    def _turns(self, entrants: Sequence[T], rounds: int = 0) -> Iterator[T]:
        """Yield every entrant once a round, in each round from another one on."""
        for number in range(rounds or self._rounds):
            first = number % len(entrants)
            for entrant in (*entrants[first:], *entrants[:first]):
                time.sleep(SETTLE_S)
                yield entrant

    def _load(self, server: Server, workload: Workload) -> Load:
        load = run_load(server.url, workload, workload.slot_s)
        check_all(load)
        return load

    def _told(self, row: Row) -> Row:
        figures = ", ".join(f"{name} {median(figures):.4g}" for name, figures in row.figures.items())
        self._say(f"{row.name}: {figures} {row.unit}")
        return row


def pings_ms(server: Server, workload: Workload, seconds: float = 2.0) -> list[float]:
    """Ping while a load runs; return the latencies."""
    command = [sys.executable, "-m", "bench.ping", server.url, str(seconds)]
    with subprocess.Popen(command, cwd=PROJECT_DIR, stdout=subprocess.PIPE) as pinger:
        run_load(server.url, workload, seconds + PINGER_START_S)
        output = pinger.communicate()[0]
    if pinger.returncode:
        raise WrongAnswerError(f"{server.peer.name} failed to answer a ping")
    latencies_ms: list[float] = json.loads(output)
    return latencies_ms


def start_ms(peer: Peer, data_dir: Path) -> float:
    """Start a server and upload once; return how long both took together."""
    with started(peer, data_dir) as server:
        run_load(server.url, TINY)
        return (time.perf_counter() - server.spawned_s) * 1000
