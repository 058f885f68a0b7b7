"""The servers that are compared, and how each is started and stopped."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.install import NODE_DIR, PROJECT_DIR, PYTHON

START_LIMIT_S = 30.0
STOP_LIMIT_S = 15.0
POLL_S = 0.002


class StartError(Exception):
    """A server did not start."""


@dataclass(frozen=True)
class Peer:
    """A server under test."""

    name: str
    command: tuple[str, ...]
    cwd: Path = PROJECT_DIR

    def is_installed(self) -> bool:
        """Tell whether it can be started here."""
        return shutil.which(self.command[0]) is not None and self.cwd.is_dir()


MOCK = Peer("runware-mock", (PYTHON, "-m", "runware_mock", "serve"))
NAIVE = Peer("naive Python", (PYTHON, "-m", "bench.naive"))
NODE = Peer("Node + sharp", ("node", str(PROJECT_DIR / "bench/node/server.mjs")), NODE_DIR)
VIPS = Peer("FastAPI + pyvips", (PYTHON, "-m", "bench.vips"))
PEERS = (MOCK, NAIVE, NODE, VIPS)


@dataclass
class Server:
    """A started server."""

    peer: Peer
    process: subprocess.Popen[bytes]
    address: tuple[str, int]
    spawned_s: float

    @property
    def url(self) -> str:
        """Where it listens."""
        return "http://{}:{}".format(*self.address)

    def memory_mb(self, field: str = "VmRSS") -> float:
        """Return VmRSS, what it has now, or VmHWM, the most that it had."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition(f"{field}:")[2].split()[0]) * 1024 / 1e6

    def forget_peak(self) -> None:
        """Let VmHWM begin again at what is in use now."""
        # proc(5), clear_refs: "5 Reset the peak resident set size".
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")


@contextmanager
def started(peer: Peer, data_dir: Path, *arguments: str) -> Iterator[Server]:
    """Start a server on a free port, and stop it at the end."""
    data_dir.mkdir(parents=True, exist_ok=True)
    log = data_dir.with_suffix(".log")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = probe.getsockname()
    with log.open("ab") as output:
        spawned_s = time.perf_counter()
        process = subprocess.Popen(
            [*peer.command, "--port", str(address[1]), "--data-dir", str(data_dir), *arguments],
            cwd=peer.cwd,
            # So that every server starts from compiled modules.
            env={name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    server = Server(peer, process, address, spawned_s)
    try:
        _wait_until_listening(server)
        yield server
    except Exception as error:
        error.add_note(f"{peer.name} said last:\n{log.read_text(errors='replace')[-1500:]}")
        raise
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_listening(server: Server) -> None:
    while True:
        try:
            socket.create_connection(server.address, timeout=1).close()
        except OSError:
            took_s = time.perf_counter() - server.spawned_s
            if server.process.poll() is not None or took_s > START_LIMIT_S:
                raise StartError(f"{server.peer.name} did not start") from None
            time.sleep(POLL_S)
        else:
            return
