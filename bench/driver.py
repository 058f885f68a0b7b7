"""The load: some connections, each with one upload under way, and every answer checked.

The driver shares the cores with the server it measures, so it speaks HTTP by itself instead of by a library.
"""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count, cycle
from secrets import randbits
from urllib.parse import urlsplit

import uvloop

from bench.pictures import Picture, Source

KEY = "bench-key-0123456789abcdef"
STALL_LIMIT_S = 120.0
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
    latencies_s: list[float] = field(default_factory=list)
    # The last stored file of each picture: the source and its URL.
    stored: dict[str, tuple[Source, str]] = field(default_factory=dict)

    @property
    def uploads_per_s(self) -> float:
        """The throughput."""
        return len(self.latencies_s) / self.elapsed_s


def run_load(url: str, workload: Workload, seconds: float = 0.0, at_least: int = 1) -> Load:
    """Upload for some seconds, and at least some uploads; let all finish. Raises WrongAnswerError."""
    load = Load()
    # A fixed number of uploads must not grow to the number of connections.
    width = workload.connections if seconds else min(workload.connections, at_least)
    sources = workload.sources
    began_s = time.perf_counter()
    turns = _turns(sources, began_s + seconds, at_least)

    async def run() -> None:
        await asyncio.gather(*(_upload_all(url, workload.is_again, turns, load) for _ in range(width)))

    uvloop.run(run())
    load.elapsed_s = time.perf_counter() - began_s
    return load


def _turns(sources: Sequence[Source], until_s: float, at_least: int) -> Iterator[Source]:
    """Yield the pictures in whole turns: they differ in cost, so half a turn could not be compared."""
    for number, source in enumerate(cycle(sources)):
        is_enough = number >= at_least and time.perf_counter() >= until_s
        if is_enough and number % len(sources) == 0:
            return
        yield source


async def _upload_all(url: str, is_again: bool, turns: Iterator[Source], load: Load) -> None:  # noqa: FBT001 - private
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    head = (
        f"POST /v1 HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {KEY}\r\n"
        "Content-Type: application/json\r\nContent-Length: "
    )
    for source in turns:
        number = next(NUMBERS)
        task_uuid = f"{number:08x}-0000-4000-8000-{RUN_BITS}"
        task = f'[{{"taskType":"imageUpload","taskUUID":"{task_uuid}","image":"data:image/png;base64,'
        body = [task.encode(), *source.variants.base64_parts(0 if is_again else number), b'"}]']
        began_s = time.perf_counter()
        writer.writelines([f"{head}{sum(map(len, body))}\r\n\r\n".encode(), *body])
        async with asyncio.timeout(STALL_LIMIT_S):
            answer = await _answer(reader)
        load.latencies_s.append(time.perf_counter() - began_s)
        load.stored[source.picture.key] = source, _image_url(answer, task_uuid)
    writer.close()


async def _answer(reader: asyncio.StreamReader) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        body = await reader.readexactly(int(length))
    except asyncio.IncompleteReadError as error:
        raise WrongAnswerError(f"the server hung up after {error.partial!r}") from error
    if not head.startswith(b"HTTP/1.1 200 "):
        raise WrongAnswerError(f"an upload was answered {head + body!r}")
    return body


def _image_url(body: bytes, task_uuid: str) -> str:
    """Return the imageURL of a correct answer."""
    try:
        (item,) = json.loads(body)["data"]
        is_right = item["taskUUID"].lower() == task_uuid and item["imageUUID"] in item["imageURL"]
    except (KeyError, TypeError, ValueError):
        is_right = False
    if not is_right:
        raise WrongAnswerError(f"an upload was answered {body[:400]!r}")
    return str(item["imageURL"])
