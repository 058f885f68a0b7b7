"""The load: connections in one event loop over plain sockets, each with one request under way."""

import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle

from bench.asking import Endpoint, Request, Uploaded, WrongAnswerError, check_answer
from bench.corpus import Source
from bench.workloads import Workload

STALL_LIMIT_S = 120.0
READ_BYTES = 65536


class Connection:
    """One connection with at most one request under way."""

    def __init__(self, endpoint: Endpoint, workload: Workload) -> None:
        """Connect."""
        self.endpoint = endpoint
        self.way = workload.way
        self.socket = socket.create_connection(endpoint.address, timeout=STALL_LIMIT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.way.greet(self.socket, endpoint)
        self.socket.settimeout(0)
        self.request: Request
        self.began_s = 0.0
        self._unsent: list[memoryview] = []
        self._received = b""

    def begin(self, sources: Iterator[Source]) -> None:
        """Start one request."""
        self.request = self.way.compose(self.endpoint, sources)
        self._unsent = [memoryview(piece) for piece in self.request.pieces]
        self._received = b""
        self.began_s = time.perf_counter()
        self.send()

    def send(self) -> bool:
        """Send what the socket takes; return whether all has gone."""
        while self._unsent:
            try:
                sent_bytes = self.socket.sendmsg(self._unsent)
            except BlockingIOError:
                return False
            while self._unsent and sent_bytes >= len(self._unsent[0]):
                sent_bytes -= len(self._unsent.pop(0))
            if sent_bytes:
                self._unsent[0] = self._unsent[0][sent_bytes:]
        return True

    def receive(self) -> list[tuple[Source, Uploaded]] | None:
        """Read what has come; return the checked entries once they are whole."""
        part = self.socket.recv(READ_BYTES)
        if not part:
            message = f"the server hung up after {self._received!r}"
            raise WrongAnswerError(message)
        self._received += part
        body = self.way.body_of(self._received)
        return None if body is None else check_answer(self.request, body)

    def step(self, events: int) -> list[tuple[Source, Uploaded]] | None:
        """Go on with what the socket is ready for."""
        if events & selectors.EVENT_WRITE:
            self.send()
        return self.receive() if events & selectors.EVENT_READ else None

    @property
    def waits_for(self) -> int:
        """What to wait for on the socket."""
        read = selectors.EVENT_READ
        return read | selectors.EVENT_WRITE if self._unsent else read


@dataclass
class Load:
    """What one slot of load measured; a latency is a request's, of however many uploads."""

    elapsed_s: float = 0.0
    driver_cpu_s: float = 0.0
    uploads: int = 0
    latencies_s: list[float] = field(default_factory=list)
    stored: dict[str, tuple[Source, Uploaded]] = field(default_factory=dict)

    @property
    def uploads_per_s(self) -> float:
        """The throughput."""
        return self.uploads / self.elapsed_s

    @property
    def driver_share(self) -> float:
        """The share of a core that the driver took: near 1, it is the limit."""
        return self.driver_cpu_s / self.elapsed_s


def ready(poll: selectors.BaseSelector) -> list[tuple[Connection, int]]:
    """Wait until some connection can go on."""
    found = [(key.data, events) for key, events in poll.select(STALL_LIMIT_S)]
    if not found:
        message = f"no answer within {STALL_LIMIT_S:.0f} s"
        raise WrongAnswerError(message)
    return found


def run_load(
    endpoint: Endpoint,
    workload: Workload,
    seconds: float,
    at_least: int = 1,
) -> Load:
    """Upload for some seconds, and at least some uploads; let all finish.

    The pictures go in whole turns: they differ in cost, so slots that ended in
    the middle of a turn could not be compared.
    """
    turns, load = cycle(workload.sources), Load()
    poll = selectors.DefaultSelector()
    # A fixed number of uploads must not grow to the number of connections.
    width = workload.connections if seconds else min(workload.connections, at_least)
    connections = [Connection(endpoint, workload) for _ in range(width)]
    began_s, cpu_began_s = time.perf_counter(), time.process_time()
    for connection in connections:
        connection.begin(turns)
        poll.register(connection.socket, connection.waits_for, connection)
    busy = len(connections)
    begun = busy * workload.way.tasks
    while busy:
        for connection, events in ready(poll):
            waited_for = connection.waits_for
            entries = connection.step(events)
            if entries:
                now_s = time.perf_counter()
                load.latencies_s.append(now_s - connection.began_s)
                load.uploads += len(entries)
                load.stored.update((source.key, (source, entry)) for source, entry in entries)
                enough = now_s - began_s >= seconds and begun >= at_least
                if enough and begun % len(workload.sources) == 0:
                    busy -= 1
                    # A server may hang up on who is idle while the others finish.
                    poll.unregister(connection.socket)
                    continue
                connection.begin(turns)
                begun += workload.way.tasks
            if connection.waits_for != waited_for:
                poll.modify(connection.socket, connection.waits_for, connection)
    load.elapsed_s = time.perf_counter() - began_s
    load.driver_cpu_s = time.process_time() - cpu_began_s
    for connection in connections:
        connection.socket.close()
    poll.close()
    return load
