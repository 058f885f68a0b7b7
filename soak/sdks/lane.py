"""What drives both Python SDKs: lanes that upload and use, and go to another replica when theirs fails.

The first line on stdin says what to do, its end says to stop; each outcome is a line on stdout.
"""

import asyncio
import contextlib
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

CONNECT_LIMIT_S = 10
CALL_LIMIT_S = 20
KEPT = 200

# Connects to a URL with an API key; the client has upload(path) -> uuid, url and task_uuid, use(uuid) -> task_uuid, close().
Connect = Callable[[str, str], Awaitable[Any]]


def told(error: BaseException) -> dict[str, Any]:
    """Return what a user of the SDK sees."""
    data = getattr(error, "error_data", None) or {}
    message = data.get("message") or str(error) or type(error).__name__
    return {"type": type(error).__name__, "code": data.get("code") or getattr(error, "code", None), "message": message}


class Lane:
    """One after the other: a call, its outcome, the next call."""

    def __init__(self, connect: Connect, command: dict[str, Any], lane: dict[str, Any]) -> None:
        self.connect, self.command, self.lane = connect, command, lane
        self.draw = random.Random(lane["seed"])
        self.at = lane["seed"]
        self.mine: list[str] = []

    async def run(self, is_over: asyncio.Event) -> None:
        """Work until all is over, on one replica after the other."""
        while not is_over.is_set():
            urls = self.command["urls"]
            began_s = time.time()
            try:
                connecting = self.connect(urls[self.at % len(urls)], self.lane["key"])
                client = await asyncio.wait_for(connecting, CONNECT_LIMIT_S)
            except Exception as error:
                self.tell("connect", began_s, error=told(error))
                await asyncio.sleep(0.2)
            else:
                for _ in range(self.command["calls_on_a_replica"]):
                    if is_over.is_set() or not await self.call(client):
                        break
                with contextlib.suppress(Exception):
                    await asyncio.wait_for(client.close(), 2)
            self.at += 1

    async def call(self, client: Any) -> bool:
        """Upload or use; tell whether the client may go on."""
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
            return "of this UUID" in refused["message"]
        self.tell(what, began_s, **given | done)
        if what == "upload":
            self.mine = [*self.mine[-KEPT:], done["uuid"]]
        return True

    def tell(self, what: str, began_s: float, **outcome: Any) -> None:
        """Print one outcome."""
        replica = self.at % len(self.command["urls"])
        line = {"what": what, "key": self.lane["key"], "replica": replica, "began_s": began_s, "ended_s": time.time()}
        print(json.dumps(line | outcome), flush=True)


async def _drive(connect: Connect) -> None:
    command = json.loads(sys.stdin.readline())
    is_over = asyncio.Event()
    running = asyncio.gather(*(Lane(connect, command, lane).run(is_over) for lane in command["lanes"]))
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    is_over.set()
    await running


def drive(connect: Connect) -> None:
    """Run until stdin ends."""
    asyncio.run(_drive(connect))
