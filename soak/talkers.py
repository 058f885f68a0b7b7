"""Clients of either transport that wait for the one answer of each task, and notice a second one."""

import asyncio
import json
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

Json = dict[str, Any]
_ANSWERED_WITHIN_S = 120.0
_REMEMBERED = 1000
_MOST_BYTES = 2**28


class Lost(Exception):
    """A request came to nothing: its connection broke, or the body is no envelope; the message says which."""


class Talker(Protocol):
    """A client of one account."""

    transport: str
    # Answers that came once too often.
    extra: int

    async def ask(self, tasks: Sequence[Json]) -> dict[str, Json]:
        """Return the answer of each task by its taskUUID; one that is missing was not answered. Raises Lost."""

    async def close(self) -> None:
        """Hang up."""


class RestTalker:
    """One request at a time."""

    transport = "rest"

    def __init__(self, url: str, key: str) -> None:
        self.extra = 0
        self._url = f"{url}/v1"
        headers = {"Authorization": f"Bearer {key}"}
        self._client = httpx.AsyncClient(timeout=_ANSWERED_WITHIN_S, trust_env=False, headers=headers)

    async def ask(self, tasks: Sequence[Json]) -> dict[str, Json]:
        """Send tasks in one request."""
        try:
            answer = await self._client.post(self._url, json=list(tasks))
            document = answer.json()
        except httpx.HTTPError as error:
            raise Lost(type(error).__name__) from error
        except ValueError as error:
            raise Lost(f"status {answer.status_code}") from error
        items = [*document.get("data", ()), *document.get("errors", ())]
        counts = Counter(str(item.get("taskUUID")) for item in items)
        self.extra += sum(counts.values()) - len(counts)
        return {str(item.get("taskUUID")): item for item in items}

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()


class WsTalker:
    """A socket, which is opened again with its session when it breaks: what was not delivered comes then."""

    transport = "ws"

    def __init__(self, url: str, key: str) -> None:
        self.extra = 0
        self.pongs = 0
        self.breaks = 0
        # Of a socket that was opened again, the last answers of the one before may come a second time.
        self.replayed = 0
        self._url, self._key = f"ws{url.removeprefix('http')}/v1", key
        self._session: str | None = None
        self._waiting: dict[str, asyncio.Future[Json]] = {}
        self._answered: deque[str] = deque(maxlen=_REMEMBERED)
        self._is_closing = False

    async def open(self) -> None:
        """Connect, and say who we are."""
        self._socket: ClientConnection = await connect(
            self._url, max_size=_MOST_BYTES, open_timeout=_ANSWERED_WITHIN_S, ping_interval=None, compression=None
        )
        task = {"taskType": "authentication", "apiKey": self._key}
        await self._socket.send(
            json.dumps([task | ({"connectionSessionUUID": self._session} if self._session else {})])
        )
        answer = json.loads(await self._socket.recv())
        self._session = answer["data"][0]["connectionSessionUUID"]
        self._reading = asyncio.create_task(self._read())

    async def ask(self, tasks: Sequence[Json]) -> dict[str, Json]:
        """Send tasks in one frame."""
        waiting = {task["taskUUID"]: asyncio.get_running_loop().create_future() for task in tasks}
        self._waiting |= waiting
        with suppress(ConnectionClosed):
            await self._socket.send(json.dumps(list(tasks)))
        if waiting:
            await asyncio.wait(waiting.values(), timeout=_ANSWERED_WITHIN_S)
        for task_uuid in waiting:
            self._waiting.pop(task_uuid, None)
        return {task_uuid: future.result() for task_uuid, future in waiting.items() if future.done()}

    async def ping(self) -> None:
        """Send a ping; the pong is counted when it comes."""
        await self._socket.send('[{"taskType":"ping","ping":true}]')

    async def close(self) -> None:
        """Hang up."""
        self._is_closing = True
        await self._socket.close()
        await self._reading

    async def _read(self) -> None:
        with suppress(ConnectionClosed):
            async for frame in self._socket:
                document = json.loads(frame)
                for item in (*document.get("data", ()), *document.get("errors", ())):
                    self._take(item)
        if not self._is_closing:
            self.breaks += 1
            await self.open()

    def _take(self, item: Json) -> None:
        if item.get("taskType") == "ping":
            self.pongs += 1
            return
        task_uuid = str(item.get("taskUUID"))
        if (future := self._waiting.get(task_uuid)) is not None and not future.done():
            future.set_result(item)
            self._answered.append(task_uuid)
        elif self.breaks and task_uuid in self._answered:
            self.replayed += 1
        else:
            self.extra += 1
