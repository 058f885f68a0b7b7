"""The ways of sending an upload: over REST or a WebSocket, one task or many, as base64 or by URL.

The driver shares the cores with the server it measures, so a way does as little
as it can: no HTTP library, no copy of a body, one parse of the answer. Every
answer is checked; anything but a correct one ends the whole run.
"""

import base64
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from secrets import randbits
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from bench.corpus import Source

KEY = "bench-key-0123456789abcdef"
# Numbers never repeat within a run, and the run's own bits keep task UUIDs apart.
NUMBERS = count(1)
RUN_BITS = f"{randbits(48):012x}"

TEXT_FRAME = 0x81
FRAME_HEAD_BYTES = 2
LENGTH_IN_2_BYTES, LENGTH_IN_8_BYTES = 126, 127


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
    """Where uploads go, and where the pictures of URL uploads are."""

    url: str
    pictures_url: str = ""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, to connect to."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 80


@dataclass(frozen=True)
class Request:
    """Tasks ready to send in pieces, each with the picture that it brings."""

    tasks: dict[str, Source]
    pieces: list[bytes]


def check_answer(request: Request, body: bytes) -> list[tuple[Source, Uploaded]]:
    """Return the entries beside what was sent, or fail on anything but a correct answer."""
    wrong = f"wrong answer to an upload: {body[:400]!r}"
    try:
        data = ANSWERS.decode(body).data
    except msgspec.DecodeError as error:
        raise WrongAnswerError(wrong) from error
    if len(data) != len(request.tasks) or {one.task_uuid.lower() for one in data} != request.tasks.keys():
        raise WrongAnswerError(wrong)
    if not all(one.image_uuid and one.image_uuid in one.image_url for one in data):
        raise WrongAnswerError(wrong)
    return [(request.tasks[one.task_uuid.lower()], one) for one in data]


class Way(Protocol):
    """How uploads travel."""

    @property
    def tasks(self) -> int:
        """How many uploads a request holds."""
        ...

    def greet(self, connection: socket.socket, endpoint: Endpoint) -> None:
        """Do what comes before the first upload."""

    def compose(self, endpoint: Endpoint, sources: Iterator[Source]) -> Request:
        """Build the next request."""
        ...

    def body_of(self, received: bytes) -> bytes | None:
        """Return an answer's JSON once it has come whole."""
        ...


@dataclass(frozen=True)
class Rest:
    """POST: `tasks` of them at once; each picture as base64 or by URL, new each time or the same `again`."""

    tasks: int = 1
    by_url: bool = False
    again: bool = False

    def greet(self, connection: socket.socket, endpoint: Endpoint) -> None:
        """Nothing comes first."""

    def compose(self, endpoint: Endpoint, sources: Iterator[Source]) -> Request:
        """Build one POST."""
        request = composed(endpoint, sources, self)
        host, port = endpoint.address
        head = (
            f"POST /v1 HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {KEY}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {sum(map(len, request.pieces))}\r\n\r\n"
        )
        # One piece for what is small: each costs a system call a few microseconds.
        request.pieces[0] = head.encode() + request.pieces[0]
        return request

    def body_of(self, received: bytes) -> bytes | None:
        """Read Content-Length."""
        head, blank, body = received.partition(b"\r\n\r\n")
        if not blank:
            return None
        if not head.startswith(b"HTTP/1.1 200 "):
            message = f"wrong answer to an upload: {received[:400]!r}"
            raise WrongAnswerError(message)
        _, found, rest = head.lower().partition(b"\r\ncontent-length:")
        if not found:
            message = f"an answer without Content-Length: {head!r}"
            raise WrongAnswerError(message)
        return body if len(body) >= int(rest.partition(b"\r\n")[0]) else None


@dataclass(frozen=True)
class WebSocket:
    """A text frame for each upload, on a socket that is authenticated first."""

    tasks: int = 1
    by_url: bool = False
    again: bool = False

    def greet(self, connection: socket.socket, endpoint: Endpoint) -> None:
        """Upgrade and authenticate."""
        host, port = endpoint.address
        nonce = base64.b64encode(os.urandom(16)).decode()
        connection.sendall(
            f"GET /v1 HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {nonce}\r\n\r\n".encode()
        )
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(65536) or b"\r\n\r\n"
        if not received.startswith(b"HTTP/1.1 101 "):
            message = f"no upgrade: {received[:200]!r}"
            raise WrongAnswerError(message)
        body = f'[{{"taskType":"authentication","apiKey":"{KEY}"}}]'.encode()
        connection.sendall(frame_head(len(body)) + body)
        received = b""
        while self.body_of(received) is None:
            received += connection.recv(65536)
        if b"connectionSessionUUID" not in received:
            message = f"not authenticated: {received[:200]!r}"
            raise WrongAnswerError(message)

    def compose(self, endpoint: Endpoint, sources: Iterator[Source]) -> Request:
        """Build one frame."""
        request = composed(endpoint, sources, self)
        request.pieces[0] = frame_head(sum(map(len, request.pieces))) + request.pieces[0]
        return request

    def body_of(self, received: bytes) -> bytes | None:
        """Read one text frame that is not masked."""
        if len(received) < FRAME_HEAD_BYTES:
            return None
        if received[0] != TEXT_FRAME:
            message = f"not a text frame: {received[:200]!r}"
            raise WrongAnswerError(message)
        length, start = received[1], FRAME_HEAD_BYTES
        if length == LENGTH_IN_2_BYTES:
            length, start = int.from_bytes(received[2:4]), 4
        elif length == LENGTH_IN_8_BYTES:
            length, start = int.from_bytes(received[2:10]), 10
        body = received[start : start + length]
        return body if len(body) == length else None


def frame_head(length: int) -> bytes:
    """Return the head of a masked text frame; the mask of zeros leaves the text as it is."""
    if length < LENGTH_IN_2_BYTES:
        return struct.pack(">BB4x", TEXT_FRAME, 0x80 | length)
    if length < 1 << 16:
        return struct.pack(">BBH4x", TEXT_FRAME, 0x80 | LENGTH_IN_2_BYTES, length)
    return struct.pack(">BBQ4x", TEXT_FRAME, 0x80 | LENGTH_IN_8_BYTES, length)


def composed(endpoint: Endpoint, sources: Iterator[Source], way: Rest | WebSocket) -> Request:
    """Build the tasks of one request, whose pictures were never sent before unless the way says so."""
    tasks, pieces, opening = {}, [], b"["
    for _ in range(way.tasks):
        source, number = next(sources), next(NUMBERS)
        task_uuid = f"{number:08x}-0000-4000-8000-{RUN_BITS}"
        tasks[task_uuid] = source
        opening += f'{{"taskType":"imageUpload","taskUUID":"{task_uuid}","image":"'.encode()
        if way.by_url:
            opening += f'{endpoint.pictures_url}/{source.key}/{number}"}}'.encode()
        else:
            opening += f"data:image/{source.picture.kind.lower()};base64,".encode()
            pieces += [opening, *source.variants.base64_parts(0 if way.again else number)]
            opening = b'"}'
        opening += b","
    return Request(tasks, [*pieces, opening[:-1] + b"]"])
