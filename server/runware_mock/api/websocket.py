"""One WebSocket: frames in, the answers to their tasks out."""

import asyncio
import logging
import time
import uuid as uuids
from collections.abc import Coroutine, Sequence
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from runware_mock.api.connections import PROTOCOL
from runware_mock.api.dependencies import caller_of, keyless, open_account, plan_of, read_tasks
from runware_mock.api.fault_effects import end, met_by, pause
from runware_mock.api.outbox import Answers
from runware_mock.faults.event import Event, Point
from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.protocol.messages import Reply, is_uuid, ws_frame
from runware_mock.protocol.response_plan import ResponsePlan
from runware_mock.protocol.session import (
    AUTHENTICATION,
    PONG,
    authenticated,
    first_authentication,
    is_authentication,
    is_ping,
)
from runware_mock.storage.accounts import Account
from runware_mock.storage.outage import crash
from runware_mock.tasks.runner import Pending

if TYPE_CHECKING:
    from runware_mock.api.sockets import Sockets
    from runware_mock.api.ws_connections import WsProtocol

_log = logging.getLogger(__name__)

# Never 1000: a client of the older Python SDK takes a clean close for an answer still to come, and waits for it.
CLOSE_INTERNAL = 1011
CLOSE_RESTART = 1012
_STRANGER = refuse("missingApiKey")
# A close without one of these codes came from a broken connection, which may have swallowed what was just sent.
_CLEAN_CLOSES = (1000, 1001)

_IN_FLIGHT_FRAMES = 64
# When to look again whether a client is idle of which a frame is being read.
_BUSY_S = 0.25


class _Frame:
    """A frame whose tasks are not all answered: `left` of them, of which those in `waiting` are done."""

    __slots__ = ("is_answered", "left", "size_bytes", "waiting")

    def __init__(self, size_bytes: int, left: int, is_answered: asyncio.Future[None]) -> None:
        self.size_bytes = size_bytes
        self.left = left
        self.is_answered = is_answered
        self.waiting: asyncio.Queue[Pending] | None = None


class Socket:
    """One client's connection."""

    def __init__(self, websocket: WebSocket, sockets: "Sockets") -> None:
        self._websocket = websocket
        self._sockets = sockets
        self._runner = sockets.runner
        self._services = sockets.runner.services
        self._account: Account | None = None
        self._api_key: object = None
        # What a task is told before it is known who asks.
        self._stranger = _STRANGER
        self.answers = Answers(websocket, self._services, sockets.successor)
        # For each frame that is not answered yet, what is done when it is.
        self._running: set[asyncio.Future[None]] = set()
        self._acting: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(_IN_FLIGHT_FRAMES)
        self._handling = asyncio.Lock()
        self._is_finishing = False
        self._protocol: WsProtocol = websocket.scope[PROTOCOL]
        # Since when it is known who this is, or waited for; when it was last heard of.
        self._since_s = self._heard_s = time.monotonic()
        self._watching: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Receive frames until the client goes away or falls silent."""
        self._watch()
        try:
            while True:
                raw = await self._receive()
                async with self._handling:
                    if not self._is_finishing:
                        await self._room.acquire()
                        await self._handle(raw)
                # An idle socket holds nothing of what it was sent.
                del raw
                if self._account is None:
                    self._watch()
                if self.answers.is_silent:
                    await self.answers.is_over.wait()
                    return
        except WebSocketDisconnect as closed:
            if closed.code not in _CLEAN_CLOSES:
                await self.answers.keep_unsure()
        finally:
            if self._watching is not None:
                self._watching.cancel()

    async def finish(self) -> None:
        """Begin nothing more, deliver what still runs, then close."""
        self._is_finishing = True
        self.answers.is_over.set()
        async with self._handling:
            pass
        while self._running:
            await asyncio.wait(self._running)
        if self.answers.is_silent:
            # Nobody would hear a close frame, let alone answer it.
            end(self._websocket.scope, is_reset=True)
        else:
            await self.answers.close(CLOSE_RESTART, "the server is stopping")

    async def _receive(self) -> str | bytes:
        message = await self._websocket.receive()
        self._heard_s = time.monotonic()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1006))
        text = message.get("text")
        frame: str | bytes = message["bytes"] if text is None else text
        return frame

    def _watch(self) -> None:
        """Close the socket after the idle time; a task that still runs is no idleness.

        Looked at when that may have gone by: a timeout for each frame takes as long as to read it.
        """
        if self._watching is not None:
            self._watching.cancel()
        if self.answers.is_silent:
            return
        idle_s = self._services.settings.idle_timeout.total_seconds()
        now_s = time.monotonic()
        if self._handling.locked():
            left_s = min(idle_s, _BUSY_S)
        elif self._account is None:
            # Whatever a client sends: until it has said who it is, all of it together must not take longer.
            left_s = self._since_s + idle_s - now_s
        elif self._running or self._protocol.is_receiving():
            left_s = idle_s
        else:
            left_s = self._heard_s + idle_s - now_s
        if left_s > 0:
            self._watching = asyncio.get_running_loop().call_later(left_s, self._watch)
        else:
            self._act(self.answers.close(CLOSE_INTERNAL, "idle"))

    def _act(self, act: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(act)
        # The loop alone would forget it.
        self._acting.add(task)
        task.add_done_callback(self._acting.discard)

    async def _handle(self, raw: str | bytes) -> None:
        """Start the tasks of a frame; authentication is over before the next frame is looked at."""
        size_bytes = self._protocol.take_size()
        pending: list[Pending] = []
        try:
            tasks = await read_tasks(raw)
            if authentication := first_authentication(tasks):
                await self._authenticate(authentication.get("apiKey"), authentication.get("connectionSessionUUID"))
            if self._account is not None:
                tasks = await keyless(tasks, self._api_key, self._account, len(raw))
            pending = await self._start([task for task in tasks if not is_authentication(task)])
        except Refusal as refusal:
            await self.answers.deliver(ws_frame(Reply.refused(refusal)))
        except Exception as error:  # noqa: BLE001 - see Runner._run
            _log.exception("a frame failed inside the mock")
            await self.answers.deliver(ws_frame(Reply.refused(crash(error))))
        loop = asyncio.get_running_loop()
        frame = _Frame(size_bytes, len(pending), loop.create_future())
        self._running.add(frame.is_answered)
        if not pending:
            self._end(frame)
        for one in pending:
            one.add_done_callback(lambda done: loop.call_soon_threadsafe(self._answer, frame, done))

    async def _start(self, tasks: Sequence[object]) -> list[Pending]:
        for _ in filter(is_ping, tasks):
            response_plan, _refusal = await self._meet("ping", self._account)
            if response_plan is None or response_plan.hang_up is None:
                await self.answers.send(ws_frame(PONG))
        tasks = [task for task in tasks if not is_ping(task)]
        if self._account is not None:
            caller = caller_of(self._websocket.scope, self._account, self._services, self._api_key)
            return self._runner.submit(tasks, caller)
        for task in tasks:
            await self.answers.send(ws_frame(Reply.refused(self._stranger, task)))
        return []

    async def _authenticate(self, api_key: object, session_uuid: object) -> None:
        self._stranger = _STRANGER
        try:
            account = await open_account(api_key, self._services)
            response_plan, refused = await self._meet("authentication", account)
        except Refusal as refusal:
            await self._refuse(refusal)
            return
        except Exception:  # noqa: BLE001 - see Runner._run
            _log.exception("an authentication failed inside the mock")
            self._stranger = refuse("mockInternalError", "Its log says more.")
            await self._refuse(self._stranger)
            return
        if response_plan is not None:
            await pause(response_plan, self.answers.is_over)
        if refused is not None:
            self._account, self._since_s = None, time.monotonic()
            await self._refuse(refused)
            return
        self._account, self._api_key = account, api_key
        # What is no UUID is not stored, nor sent back: it may be anything.
        resumes = isinstance(session_uuid, str) and is_uuid(session_uuid, v4=False)
        session = (account.id, str(session_uuid) if resumes else str(uuids.uuid4()))
        # From here on, what an older socket of the session cannot deliver comes here.
        self._sockets.speaks_for(session, self.answers)
        await self.answers.send(ws_frame(authenticated(session[1])))
        if resumes:
            self.answers.is_resumed = True
            await self.answers.replay()
            self._sockets.look_out()

    async def _refuse(self, refusal: Refusal) -> None:
        # The socket stays open: one SDK hangs for good when it is closed behind this answer.
        await self.answers.send(ws_frame(Reply.refused(refusal, {"taskType": AUTHENTICATION})))

    def _answer(self, frame: "_Frame", done: Pending) -> None:
        """Answer a task that is done, at once unless it, or one before it in its frame, has to wait."""
        if frame.waiting is None:
            try:
                is_out = self.answers.deliver_now(done.result())
            except (Exception, CancelledError):  # noqa: BLE001 - met again by the task that is made below
                is_out = False
            if is_out:
                frame.left -= 1
                if not frame.left:
                    self._end(frame)
                return
            frame.waiting = asyncio.Queue()
            self._act(self._answer_in_turn(frame, frame.waiting))
        frame.waiting.put_nowait(done)

    async def _answer_in_turn(self, frame: "_Frame", waiting: asyncio.Queue[Pending]) -> None:
        try:
            await self.answers.deliver_all(waiting, frame.left)
        finally:
            self._end(frame)

    def _end(self, frame: "_Frame") -> None:
        if len(self._running) == 1 and self.answers.holds_back:
            # No reply is to come for which another could wait.
            self._act(self._deliver_held(frame))
            return
        self._running.discard(frame.is_answered)
        frame.is_answered.set_result(None)
        self._protocol.release(frame.size_bytes)
        self._room.release()

    async def _deliver_held(self, frame: "_Frame") -> None:
        try:
            await self.answers.deliver_held()
        finally:
            self._end(frame)

    async def _meet(self, point: Point, account: Account | None) -> tuple[ResponsePlan | None, Refusal | None]:
        """Return what an occasion of the connection meets."""
        if account is None:
            return None, None
        occasion = Event(point, "ws", plan=plan_of(self._websocket.scope, account))
        return await met_by(self._services, account.id, occasion)
