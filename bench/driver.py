"""The load: connections in one event loop over plain sockets, each with one request under way.

The driver shares the cores with the server it measures, so it does as little as it can: no HTTP library, no copy of a
body, one parse of the answer. It checks every answer; anything but a correct one ends the run.
"""

import json
import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count, cycle
from secrets import randbits
from urllib.parse import urlsplit

from bench.pictures import Picture, Source

KEY = "bench-key-0123456789abcdef"
STALL_LIMIT_S = 120.0
READ_BYTES = 65536
# Numbers never repeat within a run, and the run's own bits keep task UUIDs apart.
NUMBERS = count(1)
RUN_BITS = f"{randbits(48):012x}"


class WrongAnswerError(Exception):
    """A server answered something that an upload must not be answered with."""


@dataclass(frozen=True)
class Workload:
    """Pictures that are uploaded in turn over some connections at once."""

    name: str
    pictures: tuple[Picture, ...]
    connections: int = 4
    slot_s: float = 1.0
    # Send the same bytes each time, where every other upload is a file that nobody has sent before.
    is_again: bool = False

    @cached_property
    def sources(self) -> list[Source]:
        """The loaded pictures."""
        return [Source(picture) for picture in self.pictures]


@dataclass
class Load:
    """What one slot of load measured."""

    elapsed_s: float = 0.0
    uploads: int = 0
    latencies_s: list[float] = field(default_factory=list)
    # The last stored file of each picture: the source and its URL.
    stored: dict[str, tuple[Source, str]] = field(default_factory=dict)

    @property
    def uploads_per_s(self) -> float:
        """The throughput."""
        return self.uploads / self.elapsed_s


class Connection:
    """One connection with at most one request under way."""

    def __init__(self, url: str, workload: Workload) -> None:
        """Connect."""
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=STALL_LIMIT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(0)
        self.began_s = 0.0
        self._head = (
            f"POST /v1 HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {KEY}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        )
        self._is_again = workload.is_again
        self._source: Source
        self._task_uuid = ""
        self._unsent: list[memoryview] = []
        self._received = b""

    def begin(self, source: Source) -> None:
        """Start one upload."""
        number = next(NUMBERS)
        self._source = source
        self._task_uuid = f"{number:08x}-0000-4000-8000-{RUN_BITS}"
        opening = (
            f'[{{"taskType":"imageUpload","taskUUID":"{self._task_uuid}",'
            f'"image":"data:image/{source.picture.kind.lower()};base64,'
        ).encode()
        body = [opening, *source.variants.base64_parts(0 if self._is_again else number), b'"}]']
        head = f"{self._head}{sum(map(len, body))}\r\n\r\n".encode()
        self._unsent = [memoryview(piece) for piece in (head, *body)]
        self._received = b""
        self.began_s = time.perf_counter()
        self._send()

    def _send(self) -> None:
        """Send what the socket takes."""
        while self._unsent:
            try:
                sent_bytes = self.socket.sendmsg(self._unsent)
            except BlockingIOError:
                return
            while self._unsent and sent_bytes >= len(self._unsent[0]):
                sent_bytes -= len(self._unsent.pop(0))
            if sent_bytes:
                self._unsent[0] = self._unsent[0][sent_bytes:]

    def step(self, events: int) -> tuple[Source, str] | None:
        """Go on with what the socket is ready for; return the picture and its URL once the answer is whole."""
        if events & selectors.EVENT_WRITE:
            self._send()
        if not events & selectors.EVENT_READ:
            return None
        part = self.socket.recv(READ_BYTES)
        if not part:
            raise WrongAnswerError(f"the server hung up after {self._received!r}")
        self._received += part
        head, blank, body = self._received.partition(b"\r\n\r\n")
        if not blank:
            return None
        if not head.startswith(b"HTTP/1.1 200 "):
            raise WrongAnswerError(f"an upload was answered {self._received[:400]!r}")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        return (self._source, self._url_in(body)) if len(body) >= int(length) else None

    def _url_in(self, body: bytes) -> str:
        """Return the imageURL of a correct answer."""
        try:
            (item,) = json.loads(body)["data"]
            is_right = item["taskUUID"].lower() == self._task_uuid and item["imageUUID"] in item["imageURL"]
        except (KeyError, TypeError, ValueError) as error:
            raise WrongAnswerError(f"an upload was answered {body[:400]!r}") from error
        if not is_right:
            raise WrongAnswerError(f"an upload was answered {body[:400]!r}")
        return str(item["imageURL"])

    @property
    def waits_for(self) -> int:
        """What to wait for on the socket."""
        return selectors.EVENT_READ | (selectors.EVENT_WRITE if self._unsent else 0)


def run_load(url: str, workload: Workload, seconds: float = 0.0, at_least: int = 1) -> Load:
    """Upload for some seconds, and at least some uploads; let all finish.

    The pictures go in whole turns: they differ in cost, so slots that ended in the middle of a turn could not be
    compared.
    """
    load = Load()
    turns = cycle(workload.sources)
    poll = selectors.DefaultSelector()
    # A fixed number of uploads must not grow to the number of connections.
    width = workload.connections if seconds else min(workload.connections, at_least)
    connections = [Connection(url, workload) for _ in range(width)]
    began_s = time.perf_counter()
    for connection in connections:
        connection.begin(next(turns))
        poll.register(connection.socket, connection.waits_for, connection)
    begun = busy = width
    while busy:
        for connection, events in _ready(poll):
            waited_for = connection.waits_for
            if uploaded := connection.step(events):
                now_s = time.perf_counter()
                load.latencies_s.append(now_s - connection.began_s)
                load.uploads += 1
                load.stored[uploaded[0].picture.key] = uploaded
                if now_s - began_s >= seconds and begun >= at_least and begun % len(workload.sources) == 0:
                    busy -= 1
                    # A server may hang up on an idle connection while the others finish.
                    poll.unregister(connection.socket)
                    continue
                connection.begin(next(turns))
                begun += 1
            if connection.waits_for != waited_for:
                poll.modify(connection.socket, connection.waits_for, connection)
    load.elapsed_s = time.perf_counter() - began_s
    for connection in connections:
        connection.socket.close()
    poll.close()
    return load


def _ready(poll: selectors.BaseSelector) -> Iterator[tuple[Connection, int]]:
    """Wait until some connection can go on."""
    found = poll.select(STALL_LIMIT_S)
    if not found:
        raise WrongAnswerError(f"no answer within {STALL_LIMIT_S:.0f} s")
    return ((key.data, events) for key, events in found)
