"""The load: keep-alive connections in one event loop over plain sockets.

It shares the cores with the server it measures, so it does as little as it can
for an upload: no HTTP library, no copy of a body, one parse of the answer.
Every answer is checked; anything but a correct one ends the whole run.
"""

import selectors
import socket
import time
from dataclasses import dataclass, field
from itertools import count, cycle
from secrets import randbits
from urllib.parse import urlsplit

import msgspec

from bench.corpus import Source, Workload

STALL_LIMIT_S = 60.0
READ_BYTES = 65536
# Numbers never repeat within a run, and the run's own bits keep task UUIDs apart.
NUMBERS = count(1)
RUN_BITS = f"{randbits(48):012x}"


class WrongAnswerError(Exception):
    """A server answered something that an upload must not answer."""


class Uploaded(msgspec.Struct):
    """One entry of `data`; a missing field fails the parse."""

    task_type: str = msgspec.field(name="taskType")
    task_uuid: str = msgspec.field(name="taskUUID")
    image_uuid: str = msgspec.field(name="imageUUID")
    image_url: str = msgspec.field(name="imageURL")


class Answer(msgspec.Struct):
    """The answer's envelope."""

    data: list[Uploaded]


ANSWERS = msgspec.json.Decoder(Answer)


@dataclass(frozen=True)
class Endpoint:
    """Where uploads go and the headers that they carry."""

    url: str
    headers: str = ""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, to connect to."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 80

    def head(self, body_bytes: int) -> bytes:
        """Return the head of one upload request."""
        host, port = self.address
        return (
            f"POST /v1 HTTP/1.1\r\nHost: {host}:{port}\r\n"
            f"Content-Type: application/json\r\n{self.headers}"
            f"Content-Length: {body_bytes}\r\n\r\n"
        ).encode()


@dataclass(frozen=True)
class Upload:
    """One request, ready to send in pieces."""

    task_uuid: str
    pieces: tuple[bytes, ...]


def compose(endpoint: Endpoint, source: Source) -> Upload:
    """Build a request whose picture was never sent before."""
    number = next(NUMBERS)
    task_uuid = f"{number:08x}-0000-4000-8000-{RUN_BITS}"
    opening = (
        f'[{{"taskType":"imageUpload","taskUUID":"{task_uuid}","image":'
        f'"data:image/{source.picture.kind.lower()};base64,'
    ).encode()
    pieces = (opening, *source.variants.base64_parts(number), b'"}]')
    head = endpoint.head(sum(map(len, pieces)))
    return Upload(task_uuid, (head + opening, *pieces[1:]))


def check_answer(upload: Upload, head: bytes, body: bytes) -> Uploaded:
    """Return the upload's entry, or fail on anything but a correct answer."""
    wrong = f"wrong answer to an upload: {head[:60]!r} {body[:300]!r}"
    if not head.startswith(b"HTTP/1.1 200 "):
        raise WrongAnswerError(wrong)
    try:
        data = ANSWERS.decode(body).data
    except msgspec.DecodeError as error:
        raise WrongAnswerError(wrong) from error
    if len(data) != 1 or data[0].task_uuid.lower() != upload.task_uuid:
        raise WrongAnswerError(wrong)
    if not data[0].image_uuid or data[0].image_uuid not in data[0].image_url:
        raise WrongAnswerError(wrong)
    return data[0]


def split_answer(received: bytes) -> tuple[bytes, bytes] | None:
    """Return head and body once both have come whole."""
    head, blank, body = received.partition(b"\r\n\r\n")
    if not blank:
        return None
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    if not found:
        message = f"an answer without Content-Length: {head!r}"
        raise WrongAnswerError(message)
    body_bytes = int(rest.partition(b"\r\n")[0])
    return (head, body) if len(body) >= body_bytes else None


class Connection:
    """One keep-alive connection with at most one upload under way."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Connect."""
        self.endpoint = endpoint
        self.socket = socket.create_connection(endpoint.address, timeout=STALL_LIMIT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(0)
        self.source: Source
        self.upload: Upload
        self.began_s = 0.0
        self._unsent: list[memoryview] = []
        self._received = b""

    def begin(self, source: Source) -> None:
        """Start one upload."""
        self.source = source
        self.upload = compose(self.endpoint, source)
        self._unsent = [memoryview(piece) for piece in self.upload.pieces]
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

    def receive(self) -> Uploaded | None:
        """Read what has come; return the checked entry once it is whole."""
        part = self.socket.recv(READ_BYTES)
        if not part:
            message = f"the server hung up after {self._received!r}"
            raise WrongAnswerError(message)
        self._received += part
        whole = split_answer(self._received)
        return check_answer(self.upload, *whole) if whole else None

    def step(self, events: int) -> Uploaded | None:
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
    """What one slot of load measured."""

    elapsed_s: float = 0.0
    driver_cpu_s: float = 0.0
    latencies_s: list[float] = field(default_factory=list)
    stored: dict[int, tuple[Source, Uploaded]] = field(default_factory=dict)

    @property
    def uploads_per_s(self) -> float:
        """The throughput."""
        return len(self.latencies_s) / self.elapsed_s

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
    connections = [Connection(endpoint) for _ in range(width)]
    began_s, cpu_began_s = time.perf_counter(), time.process_time()
    for connection in connections:
        connection.begin(next(turns))
        poll.register(connection.socket, connection.waits_for, connection)
    begun = busy = len(connections)
    while busy:
        for connection, events in ready(poll):
            waited_for = connection.waits_for
            entry = connection.step(events)
            if entry:
                now_s = time.perf_counter()
                load.latencies_s.append(now_s - connection.began_s)
                load.stored[id(connection.source)] = (connection.source, entry)
                enough = now_s - began_s >= seconds and begun >= at_least
                if enough and begun % len(workload.sources) == 0:
                    busy -= 1
                else:
                    connection.begin(next(turns))
                    begun += 1
            if connection.waits_for != waited_for:
                poll.modify(connection.socket, connection.waits_for, connection)
    load.elapsed_s = time.perf_counter() - began_s
    load.driver_cpu_s = time.process_time() - cpu_began_s
    for connection in connections:
        connection.socket.close()
    poll.close()
    return load
