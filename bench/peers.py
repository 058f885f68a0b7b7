"""The servers that are compared, and how each is started and stopped."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.asking import Endpoint
from bench.install import NODE_DIR, PYTHON

PROJECT_DIR = Path(__file__).resolve().parent.parent
START_LIMIT_S = 30.0
STOP_LIMIT_S = 15.0
POLL_S = 0.002
CLOCK_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class StartError(Exception):
    """A peer did not start."""


@dataclass(frozen=True)
class Peer:
    """A server under test."""

    name: str
    command: tuple[str, ...]
    # Workloads of formats that it does not read.
    lacks: frozenset[str] = frozenset()
    cwd: Path = PROJECT_DIR
    # How it is told its port, and its data folder where it has one.
    arguments: tuple[str, ...] = ("--port", "{port}", "--data-dir", "{data_dir}")

    def is_installed(self) -> bool:
        """Tell whether it can be started here."""
        return shutil.which(self.command[0], path=os.environ.get("PATH")) is not None and self.cwd.is_dir()


SUBJECT = "mock"
MOCK = Peer(SUBJECT, (PYTHON, "-m", "runware_mock", "serve"))
PEERS = {
    peer.name: peer
    for peer in (
        MOCK,
        Peer("naive", (sys.executable, "-m", "bench.naive")),
        Peer("node", ("node", str(PROJECT_DIR / "bench/node/server.mjs")), lacks=frozenset({"BMP"}), cwd=NODE_DIR),
        Peer("vips", (PYTHON, "-m", "bench.vips"), lacks=frozenset({"BMP"})),
        # The mock against itself shows how much is noise.
        replace(MOCK, name="mock again"),
    )
}
USUAL = ("mock", "naive", "node", "vips")
MOTO = Peer("moto", (PYTHON, "-m", "moto.server"), arguments=("-p", "{port}"))


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def family(pid: int) -> list[int]:
    """Return a process and all below it: a peer may be more than one."""
    pids = [pid]
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in listing.read_text().split():
            pids += family(int(child))
    return pids


@dataclass
class Server:
    """A started peer."""

    peer: Peer
    process: subprocess.Popen[bytes]
    endpoint: Endpoint
    spawned_s: float

    @property
    def name(self) -> str:
        """The peer's name."""
        return self.peer.name

    def memory_bytes(self, field: str) -> int:
        """Sum VmRSS or VmHWM over the server's processes."""
        total_bytes = 0
        for pid in family(self.process.pid):
            status = Path(f"/proc/{pid}/status").read_text()
            total_bytes += int(status.partition(f"{field}:")[2].split()[0]) * 1024
        return total_bytes

    def forget_peak(self) -> None:
        """Let VmHWM begin again at what is in use now."""
        for pid in family(self.process.pid):
            # proc(5), clear_refs: "5 Reset the peak resident set size".
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    def cpu_s(self) -> float:
        """Sum user and system time over the server's processes."""
        ticks = 0
        for pid in family(self.process.pid):
            stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(stat[11]) + int(stat[12])
        return ticks / CLOCK_TICKS_PER_S


def last_words(log: Path) -> str:
    """Return the end of a server's log, to explain a failure."""
    return log.read_text(errors="replace")[-1500:]


def wait_until_listening(server: Server) -> None:
    """Try to connect every 2 ms."""
    while True:
        try:
            socket.create_connection(server.endpoint.address, timeout=1).close()
        except OSError:
            took_s = time.perf_counter() - server.spawned_s
            if server.process.poll() is not None or took_s > START_LIMIT_S:
                message = f"{server.name} did not start"
                raise StartError(message) from None
            time.sleep(POLL_S)
        else:
            return


@contextmanager
def started(peer: Peer, data_dir: Path, pictures_url: str = "") -> Iterator[Server]:
    """Start a peer on a free port, stop it at the end."""
    data_dir.mkdir(parents=True, exist_ok=True)
    log = data_dir.with_suffix(".log")
    port = free_port()
    with log.open("ab") as output:
        spawned_s = time.perf_counter()
        process = subprocess.Popen(
            [*peer.command, *(argument.format(port=port, data_dir=data_dir) for argument in peer.arguments)],
            cwd=peer.cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    endpoint = Endpoint(f"http://127.0.0.1:{port}", pictures_url)
    server = Server(peer, process, endpoint, spawned_s)
    try:
        wait_until_listening(server)
        yield server
    except Exception as error:
        error.add_note(f"{server.name} said last:\n{last_words(log)}")
        raise
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
