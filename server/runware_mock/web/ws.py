"""One WebSocket: frames in, the answers to their tasks out."""

import asyncio
import logging
import time
import uuid as uuids
from collections.abc import Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

from starlette.websockets import WebSocket, WebSocketDisconnect

from runware_mock.accounts import Account
from runware_mock.faults.occasion import Occasion, Point
from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.protocol.messages import Reply, is_uuid, parse_tasks, ws_frame
from runware_mock.protocol.performance import Performance
from runware_mock.protocol.session import (
    AUTHENTICATION,
    PONG,
    authenticated,
    first_authentication,
    is_authentication,
    is_ping,
)
from runware_mock.storage.outage import crash
from runware_mock.web.answers import Answers
from runware_mock.web.callers import caller_of, keyless, open_account, plan_of
from runware_mock.web.connections import PROTOCOL
from runware_mock.web.performing import end, met_by, pause

if TYPE_CHECKING:
    from runware_mock.web.sockets import Sockets
    from runware_mock.web.ws_connections import WsProtocol

_log = logging.getLogger(__name__)

# Never 1000: a client of the older Python SDK takes a clean close for an answer still to come, and waits for it.
CLOSE_INTERNAL = 1011
CLOSE_RESTART = 1012
_STRANGER = refuse("missingApiKey")
# A close without one of these codes came from a broken connection, which may have swallowed what was just sent.
_CLEAN_CLOSES = (1000, 1001)

_IN_FLIGHT_FRAMES = 64
# Parsing a longer frame would hold up the other clients of the event loop.
_PARSED_IN_LOOP = 64 * 1024


class Socket:
    """One client's connection."""

    def __init__(self, websocket: WebSocket, sockets: "Sockets") -> None:
        self._websocket = websocket
        self._sockets = sockets
        self._engine = sockets.engine
        self._services = sockets.engine.services
        self._account: Account | None = None
        self._api_key: object = None
        # What a task is told before it is known who asks.
        self._stranger = _STRANGER
        self.answers = Answers(websocket, self._services, sockets.successor)
        self._running: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(_IN_FLIGHT_FRAMES)
        self._handling = asyncio.Lock()
        self._is_finishing = False
        self._protocol: WsProtocol = websocket.scope[PROTOCOL]
        # Since when it is known who this is, or waited for.
        self._since_s = time.monotonic()

    async def run(self) -> None:
        """Receive frames until the client goes away or falls silent."""
        try:
            while True:
                raw = await self._receive()
                if raw is None:
                    await self._websocket.close(CLOSE_INTERNAL, "idle")
                    return
                async with self._handling:
                    if not self._is_finishing:
                        await self._room.acquire()
                        await self._handle(raw)
                # An idle socket holds nothing of what it was sent.
                del raw
                if self.answers.is_silent:
                    await self.answers.is_over.wait()
                    return
        except WebSocketDisconnect as closed:
            if closed.code not in _CLEAN_CLOSES:
                await self.answers.keep_unsure()

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

    async def _receive(self) -> str | bytes | None:
        """Return the next frame, or None after the idle time; a task that still runs is no idleness."""
        while True:
            patience_s = self._services.settings.idle_timeout.total_seconds()
            if self._account is None:
                # Whatever a client sends: until it has said who it is, all of it together must not take longer.
                patience_s += self._since_s - time.monotonic()
            try:
                async with asyncio.timeout(patience_s):
                    message = await self._websocket.receive()
            except TimeoutError:
                if self._running or (self._account is not None and self._protocol.is_receiving()):
                    continue
                return None
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1006))
            text = message.get("text")
            frame: str | bytes = message["bytes"] if text is None else text
            return frame

    async def _handle(self, raw: str | bytes) -> None:
        """Start the tasks of a frame; authentication is over before the next frame is looked at."""
        size_bytes = self._protocol.take_size()
        futures: list[Future[Reply]] = []
        try:
            texts = self._services.texts
            is_short = len(raw) <= _PARSED_IN_LOOP
            message = parse_tasks(raw, texts) if is_short else await asyncio.to_thread(parse_tasks, raw, texts)
            tasks = message.tasks
            if authentication := first_authentication(tasks):
                await self._authenticate(authentication.get("apiKey"), authentication.get("connectionSessionUUID"))
            if self._account is not None:
                tasks = await keyless(message, self._api_key, self._account)
            futures = await self._start([task for task in tasks if not is_authentication(task)])
        except Refusal as refusal:
            await self.answers.deliver(ws_frame(Reply.refused(refusal)))
        except Exception as error:  # noqa: BLE001 - see Engine._run
            _log.exception("a frame failed inside the mock")
            await self.answers.deliver(ws_frame(Reply.refused(crash(error))))
        running = asyncio.create_task(self._answer(futures, size_bytes))
        self._running.add(running)
        running.add_done_callback(self._running.discard)

    async def _start(self, tasks: Sequence[object]) -> list[Future[Reply]]:
        for _ in filter(is_ping, tasks):
            performance, _refusal = await self._meet("ping", self._account)
            if performance is None or performance.hang_up is None:
                await self.answers.send(ws_frame(PONG))
        tasks = [task for task in tasks if not is_ping(task)]
        if self._account is not None:
            caller = caller_of(self._websocket.scope, self._account, self._services, self._api_key)
            return self._engine.submit(tasks, caller)
        for task in tasks:
            await self.answers.send(ws_frame(Reply.refused(self._stranger, task)))
        return []

    async def _authenticate(self, api_key: object, session_uuid: object) -> None:
        self._stranger = _STRANGER
        try:
            account = await open_account(api_key, self._services)
            performance, refused = await self._meet("authentication", account)
        except Refusal as refusal:
            await self._refuse(refusal)
            return
        except Exception:  # noqa: BLE001 - see Engine._run
            _log.exception("an authentication failed inside the mock")
            self._stranger = refuse("mockInternalError", "Its log says more.")
            await self._refuse(self._stranger)
            return
        if performance is not None:
            await pause(performance, self.answers.is_over)
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

    async def _answer(self, futures: Sequence[Future[Reply]], size_bytes: int) -> None:
        try:
            await self.answers.deliver_all(futures)
            if len(self._running) <= 1:
                # No reply is to come for which another could wait.
                await self.answers.deliver_held()
        finally:
            self._protocol.release(size_bytes)
            self._room.release()

    async def _meet(self, point: Point, account: Account | None) -> tuple[Performance | None, Refusal | None]:
        """Return what an occasion of the connection meets."""
        if account is None:
            return None, None
        occasion = Occasion(point, "ws", plan=plan_of(self._websocket.scope, account))
        return await met_by(self._services, account.id, occasion)
