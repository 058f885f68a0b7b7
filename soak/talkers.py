"""Clients of either transport, each with one request at a time under way, which check that each task has one answer."""

import json
from collections.abc import Sequence
from typing import Any, Protocol

import httpx
from websockets.asyncio.client import ClientConnection, connect

Json = dict[str, Any]
_ANSWERED_WITHIN_S = 120.0


class Talker(Protocol):
    """A client of one account."""

    async def ask(self, tasks: Sequence[Json]) -> dict[str, Json]:
        """Send tasks in one request; return their answers by taskUUID. Raises AssertionError on a second one."""

    async def close(self) -> None:
        """Disconnect."""


class RestTalker:
    """Speaks REST."""

    def __init__(self, url: str, key: str) -> None:
        self._url = f"{url}/v1"
        headers = {"Authorization": f"Bearer {key}"}
        self._client = httpx.AsyncClient(timeout=_ANSWERED_WITHIN_S, trust_env=False, headers=headers)

    async def ask(self, tasks: Sequence[Json]) -> dict[str, Json]:
        """Send tasks in one request."""
        document = (await self._client.post(self._url, json=list(tasks))).json()
        return _by_task_uuid([*document.get("data", ()), *document.get("errors", ())], len(tasks))

    async def close(self) -> None:
        """Disconnect."""
        await self._client.aclose()


class WsTalker:
    """Speaks over a WebSocket."""

    def __init__(self, url: str, key: str) -> None:
        self._url, self._key = f"ws{url.removeprefix('http')}/v1", key

    async def open(self) -> None:
        """Connect and authenticate."""
        self._socket: ClientConnection = await connect(self._url, open_timeout=_ANSWERED_WITHIN_S, ping_interval=None)
        await self._exchange([{"taskType": "authentication", "apiKey": self._key}], 1)

    async def ask(self, tasks: Sequence[Json]) -> dict[str, Json]:
        """Send tasks in one frame."""
        return _by_task_uuid(await self._exchange(tasks, len(tasks)), len(tasks))

    async def ping(self) -> None:
        """Send a ping task and wait for its pong."""
        (answer,) = await self._exchange([{"taskType": "ping", "ping": True}], 1)
        assert answer.get("pong"), answer

    async def close(self) -> None:
        """Disconnect."""
        await self._socket.close()

    async def _exchange(self, tasks: Sequence[Json], answers: int) -> list[Json]:
        await self._socket.send(json.dumps(list(tasks)))
        items: list[Json] = []
        while len(items) < answers:
            document = json.loads(await self._socket.recv())
            items += [*document.get("data", ()), *document.get("errors", ())]
        return items


def _by_task_uuid(items: Sequence[Json], tasks: int) -> dict[str, Json]:
    answers = {str(item.get("taskUUID")): item for item in items}
    assert len(answers) == len(items) == tasks, items
    return answers
