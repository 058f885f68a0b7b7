"""What both Python SDKs are driven by: lanes that upload and use, and go to another replica when theirs fails.

The first line on stdin says what to do, its end says to stop; each outcome is a line on stdout.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

CONNECT_LIMIT_S = 10
CALL_LIMIT_S = 20
KEPT = 200


class Sdk(Protocol):
    """One client of an SDK."""

    async def upload(self, path: str) -> dict[str, Any]:
        """Upload a file; return uuid, url and task_uuid."""

    async def use(self, uuid: str) -> dict[str, Any]:
        """Use a medium; return task_uuid."""

    async def close(self) -> None:
        """Disconnect."""


# Makes a connected client of a URL and an API key.
Opened = Callable[[str, str], Any]


def told(error: BaseException) -> dict[str, Any]:
    """Return what a user of the SDK sees."""
    data = getattr(error, "error_data", None) or {}
    return {
        "type": type(error).__name__,
        "code": data.get("code") or getattr(error, "code", None),
        "message": data.get("message") or str(error) or type(error).__name__,
        "status": getattr(error, "status_code", None),
    }


class Lane:
    """One after the other: a call, its outcome, the next call."""

    def __init__(self, opened: Opened, command: dict[str, Any], lane: dict[str, Any]) -> None:
        self.opened, self.command, self.lane, self.key = opened, command, lane, lane["key"]
        self.draw = random.Random(lane["seed"])
        self.at = lane["seed"]
        self.mine: list[str] = []

    async def run(self, is_over: asyncio.Event) -> None:
        """Work until all is over."""
        while not is_over.is_set():
            client = await self.connected()
            if client is None:
                continue
            for _ in range(self.command["calls_on_a_replica"]):
                if is_over.is_set() or not await self.call(client):
                    break
            try:
                await asyncio.wait_for(client.close(), 2)
            except Exception:
                pass
            self.at += 1

    async def connected(self) -> Any:
        """Connect to the next replica that lets us."""
        began_s = time.time()
        try:
            urls = self.command["urls"]
            return await asyncio.wait_for(self.opened(urls[self.at % len(urls)], self.key), CONNECT_LIMIT_S)
        except Exception as error:
            self.tell("connect", began_s, error=told(error))
            self.at += 1
            await asyncio.sleep(0.2)
            return None

    async def call(self, client: Sdk) -> bool:
        """Do one thing; tell whether the client may go on."""
        began_s = time.time()
        if self.mine and self.draw.random() < self.command["uses"]:
            uuid = self.draw.choice(self.mine)
            what, given, doing = "use", {"uuid": uuid}, client.use(uuid)
        else:
            picture = self.lane["first"] + self.draw.randrange(self.lane["count"])
            what, given, doing = "upload", {"picture": picture}, client.upload(self.command["pictures"][picture])
        try:
            done = await asyncio.wait_for(doing, CALL_LIMIT_S)
        except Exception as error:
            refused = told(error)
            self.tell(what, began_s, error=refused, **given)
            if what == "use":
                self.mine.remove(given["uuid"])
            return "planned by" in refused["message"] or "of this UUID" in refused["message"]
        self.tell(what, began_s, **{**given, **done})
        if what == "upload":
            self.mine = [*self.mine[-KEPT:], done["uuid"]]
        return True

    def tell(self, what: str, began_s: float, **outcome: Any) -> None:
        """Print one outcome."""
        replica = self.at % len(self.command["urls"])
        line = {"what": what, "key": self.key, "replica": replica, "began_s": began_s, "ended_s": time.time()}
        print(json.dumps({**line, **outcome}), flush=True)


async def _driven(opened: Opened) -> None:
    command = json.loads(sys.stdin.readline())
    is_over = asyncio.Event()
    lanes = [Lane(opened, command, lane) for lane in command["lanes"]]
    running = asyncio.gather(*(lane.run(is_over) for lane in lanes))
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    is_over.set()
    await running


def drive(opened: Opened) -> None:
    """Run until stdin ends."""
    asyncio.run(_driven(opened))
