"""Clients of the soak: idle ones, busy ones, and those whose clocks, snapshots and faults are played with."""

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import suppress

from runware_mock.client.control import ControlClient, Fault
from soak.chores import Books, Chore, Chores
from soak.talkers import Json, Lost, Talker, WsTalker

_MOST_AT_ONCE = 5
_MOST_KEPT = 500
_PLANNED = "planned by the soak"
_TASK_FAULTS = (
    Fault("error", code="failedToTransferImage", parameter="image", message=_PLANNED),
    Fault("latency", delay="300ms"),
)
_WS_FAULTS = (
    *_TASK_FAULTS,
    *(Fault("close", code=1011), Fault("reset", after_work=True), Fault("drop"), Fault("reorder")),
)
_REST_FAULTS = (*_TASK_FAULTS, Fault("http", status=503), Fault("reset", after_work=True), Fault("truncate"))


class Lane:
    """A client that works: it sends chores, and checks that each has exactly one answer, the right one."""

    def __init__(self, talker: Talker, books: Books, seed: int, pause_s: float) -> None:
        self.talker, self.books = talker, books
        self.chores = Chores(books, seed)
        self.draw = random.Random(seed)
        self.pause_s = pause_s

    async def run(self, until_s: float) -> None:
        """Work until then."""
        try:
            while time.monotonic() < until_s:
                await self.turn()
                await asyncio.sleep(self.draw.uniform(0.5, 1.5) * self.pause_s)
        except Exception as error:  # noqa: BLE001 - whatever it is, the balance does not hold
            self.books.wrong.append(f"{type(self).__name__} has ended: {error!r}")

    async def turn(self) -> None:
        """Do what is next."""
        await self.send(self.chores.some(_MOST_AT_ONCE))

    async def send(self, chores: Sequence[Chore]) -> None:
        """Send chores in one request."""
        books = self.books
        books.sent += len(chores)
        books.entries += sum(chore.leaves_an_entry for chore in chores)
        answers = await self.talker.ask([chore.task for chore in chores])
        for chore in chores:
            item = answers.get(chore.task["taskUUID"])
            if item is None:
                books.wrong.append(f"{self.talker.transport}: no answer to {chore.task['taskType']}")
            else:
                self.take(chore, item)

    def take(self, chore: Chore, item: Json) -> None:
        """Take the answer to a chore."""
        self.books.answered += 1
        if problem := chore.problem(item):
            self.books.wrong.append(problem)
        elif "code" not in item:
            chore.done(item)


class Idle(Lane):
    """A socket that pings, and uploads now and then."""

    def __init__(self, talker: WsTalker, books: Books, seed: int, pause_s: float) -> None:
        super().__init__(talker, books, seed, pause_s)
        self._socket = talker
        self.pings = 0

    async def turn(self) -> None:
        """Ping."""
        await asyncio.sleep(self.draw.uniform(0, self.pause_s))
        await self._socket.ping()
        self.pings += 1
        if self.draw.random() < 0.1:  # noqa: PLR2004 - a share
            await self.send([self.chores.small_upload()])


class Faulty(Lane):
    """A client that plans a fault and meets it, over and over."""

    def __init__(self, talker: Talker, books: Books, seed: int, pause_s: float, control: ControlClient) -> None:
        super().__init__(talker, books, seed, pause_s)
        self._control = control
        self._faults = _WS_FAULTS if isinstance(talker, WsTalker) else _REST_FAULTS

    async def turn(self) -> None:
        """Plan, meet, and prove that it was met exactly as often as planned."""
        fault = Fault(**self.draw.choice(self._faults), times=self.draw.randint(1, 3), task_type="imageUpload")
        plan = await asyncio.to_thread(self._control.faults.plan, fault)
        while not (plan := await asyncio.to_thread(self._control.faults.get, plan.name)).is_met:
            await self._meet(fault)
            await asyncio.sleep(0.05)
        (state,) = plan.faults
        if state.met != state.times:
            self.books.wrong.append(f"{state.kind} was met {state.met} times, not {state.times}")
        await asyncio.to_thread(self._control.faults.delete, plan.name)

    async def _meet(self, fault: Fault) -> None:
        chore = self.chores.small_upload()
        try:
            self.books.sent += 1
            self.books.entries += 1
            answers = await self.talker.ask([chore.task])
        except Lost as lost:
            self.books.planned += 1
            if fault["kind"] in {"error", "latency"}:
                self.books.wrong.append(f"{lost}, though only {fault['kind']} was planned")
            if fault["kind"] != "http":
                # It was done: its answer is there for who asks.
                await self._ask_for(chore)
            return
        item = answers.get(chore.task["taskUUID"])
        if item is None:
            self.books.wrong.append(f"no answer to an upload that met {fault['kind']}")
        elif _PLANNED in str(item.get("message")):
            self.books.planned += 1
        else:
            self.take(chore, item)

    async def _ask_for(self, chore: Chore) -> None:
        asked = {"taskType": "getResponse", "taskUUID": chore.task["taskUUID"]}
        with suppress(Lost):
            item = (await self.talker.ask([asked])).get(chore.task["taskUUID"], {"code": "nothing"})
            if problem := chore.problem(item):
                self.books.wrong.append(f"after a lost answer: {problem}")
            else:
                chore.done(item)


class Leaping(Lane):
    """A client whose clock leaps: all that it has stored is purged."""

    def __init__(self, talker: Talker, books: Books, seed: int, pause_s: float, control: ControlClient) -> None:
        super().__init__(talker, books, seed, pause_s)
        self._control = control
        self.purged = 0

    async def turn(self) -> None:
        """Store a lot, and leap."""
        for _ in range(20):
            await self.send([self.chores.upload() for _ in range(_MOST_AT_ONCE)])
            await asyncio.sleep(self.pause_s / 4)
        await self.leap()

    async def leap(self) -> None:
        """Let all expire."""
        # The schedule may be quicker than the call, never the other way round.
        moved = await asyncio.to_thread(self._control.clock.advance, "31d")
        self.purged += len(self.books.media)
        left = (await asyncio.to_thread(self._control.media.list, state="all")).json["total"]
        if moved.purged.media > len(self.books.media) or left:
            self.books.wrong.append(f"purged {moved.purged.media} of {len(self.books.media)}, left {left}")
        self.books.media.clear()
        self.chores.forget()


class Returning(Lane):
    """A client that goes back to a snapshot."""

    def __init__(self, talker: Talker, books: Books, seed: int, pause_s: float, control: ControlClient) -> None:
        super().__init__(talker, books, seed, pause_s)
        self._control = control

    async def turn(self) -> None:
        """Save, change something, and restore."""
        await asyncio.to_thread(self._control.snapshots.save, "before")
        media, entries = dict(self.books.media), self.books.entries
        for _ in range(5):
            await self.send(self.chores.some(_MOST_AT_ONCE))
        await asyncio.to_thread(self._control.snapshots.restore, "before")
        await asyncio.to_thread(self._control.snapshots.delete, "before")
        self.books.media, self.books.entries = media, entries
        if self.books.entries > _MOST_KEPT:
            # A snapshot takes as much memory as the account is large, and what is measured is whether memory grows.
            await asyncio.to_thread(self._control.reset)
            self.books.media, self.books.entries = {}, 0
        self.chores.forget()
        await self.send([self.chores.upload() for _ in range(_MOST_AT_ONCE)])
