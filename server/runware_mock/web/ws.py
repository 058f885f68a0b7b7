"""One WebSocket: frames in, one frame out for each task as soon as it is ready."""

import asyncio
import logging
import time
import uuid as uuids
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from runware_mock.accounts import Account
from runware_mock.clock import in_ms
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
from runware_mock.storage import undelivered
from runware_mock.storage.outage import crash
from runware_mock.web.callers import caller_of, keyless, open_account, plan_of
from runware_mock.web.connections import PROTOCOL
from runware_mock.web.performing import end, fall_silent, frames_of, met_by, pause
from runware_mock.web.ws_connections import WsProtocol

if TYPE_CHECKING:
    from runware_mock.web.sockets import Sockets

_log = logging.getLogger(__name__)

# Never 1000: a client of the older Python SDK takes a clean close for an answer still to come, and waits for it.
CLOSE_INTERNAL = 1011
CLOSE_RESTART = 1012
_STRANGER = refuse("missingApiKey")
# Why a fault plan closes.
_PLANNED = "planned"
# A close without one of these codes came from a broken connection, which may have swallowed what was just sent.
_CLEAN_CLOSES = (1000, 1001)

# What was sent this shortly before a connection broke is sent again after a resume; a client that had it after all
# finds no task waiting for it.
_UNSURE_S = 1.0
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
        self.session = (0, "")
        self._running: set[asyncio.Task[None]] = set()
        self._just_sent: deque[tuple[float, str]] = deque(maxlen=256)
        self._room = asyncio.Semaphore(_IN_FLIGHT_FRAMES)
        self._handling = asyncio.Lock()
        self._is_finishing = False
        self._held: list[str] = []
        self._close_after: tuple[int, int] | None = None
        self._is_silent = False
        self._is_resumed = False
        self._is_over = asyncio.Event()
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
                if self._is_silent:
                    await self._is_over.wait()
                    return
        except WebSocketDisconnect as closed:
            if closed.code not in _CLEAN_CLOSES:
                await self._keep_unsure()

    @property
    def waits_for_more(self) -> bool:
        """Whether an older socket of the session, in whatever process, may still leave something for this one."""
        return self._is_resumed and not self._is_silent

    async def finish(self) -> None:
        """Begin nothing more, deliver what still runs, then close."""
        self._is_finishing = True
        self._is_over.set()
        async with self._handling:
            pass
        while self._running:
            await asyncio.wait(self._running)
        if self._is_silent:
            # Nobody would hear a close frame, let alone answer it.
            end(self._websocket.scope, is_reset=True)
        else:
            await self._close(CLOSE_RESTART, "the server is stopping")

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
            await self._deliver(ws_frame(Reply.refused(refusal)))
        except Exception as error:  # noqa: BLE001 - see Engine._run
            _log.exception("a frame failed inside the mock")
            await self._deliver(ws_frame(Reply.refused(crash(error))))
        running = asyncio.create_task(self._deliver_all(futures, size_bytes))
        self._running.add(running)
        running.add_done_callback(self._running.discard)

    async def _start(self, tasks: Sequence[object]) -> list[Future[Reply]]:
        for _ in filter(is_ping, tasks):
            performance, _refusal = await self._meet("ping", self._account)
            if performance is None or performance.hang_up is None:
                await self._send(ws_frame(PONG))
        tasks = [task for task in tasks if not is_ping(task)]
        if self._account is not None:
            caller = caller_of(self._websocket.scope, self._account, self._services, self._api_key)
            return self._engine.submit(tasks, caller)
        for task in tasks:
            await self._send(ws_frame(Reply.refused(self._stranger, task)))
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
            await pause(performance, self._is_over)
        if refused is not None:
            self._account, self._since_s = None, time.monotonic()
            await self._refuse(refused)
            return
        self._account, self._api_key = account, api_key
        # What is no UUID is not stored, nor sent back: it may be anything.
        resumes = isinstance(session_uuid, str) and is_uuid(session_uuid, v4=False)
        self.session = (account.id, str(session_uuid) if resumes else str(uuids.uuid4()))
        # From here on, what an older socket of the session cannot deliver comes here.
        self._sockets.speaks_for(self.session, self)
        await self._send(ws_frame(authenticated(self.session[1])))
        if resumes:
            self._is_resumed = True
            await self.replay()
            self._sockets.look_out()

    async def _refuse(self, refusal: Refusal) -> None:
        # The socket stays open: one SDK hangs for good when it is closed behind this answer.
        await self._send(ws_frame(Reply.refused(refusal, {"taskType": AUTHENTICATION})))

    async def _deliver_all(self, futures: Sequence[Future[Reply]], size_bytes: int) -> None:
        try:
            performing: list[asyncio.Task[None]] = []
            # asyncio's own wrappers take as long as sending what is waited for.
            ready: asyncio.Queue[Future[Reply]] = asyncio.Queue()
            loop = asyncio.get_running_loop()
            for future in futures:
                future.add_done_callback(lambda done: loop.call_soon_threadsafe(ready.put_nowait, done))
            for _ in futures:
                reply = (await ready.get()).result()
                if reply.performance is None:
                    await self._deliver_next([ws_frame(reply)])
                elif not reply.performance.delay_s:
                    await self._perform(reply, reply.performance)
                else:
                    # One late reply does not hold up the others.
                    performing.append(asyncio.create_task(self._perform(reply, reply.performance)))
            if performing:
                await asyncio.gather(*performing)
            if len(self._running) <= 1:
                # No reply is to come for which another could wait.
                await self._deliver_next([])
        finally:
            self._protocol.release(size_bytes)
            self._room.release()

    async def _deliver_next(self, frames: Sequence[str]) -> None:
        """Send frames, and then those that were held back for the next ones."""
        held, self._held = self._held, []
        for frame in (*frames, *held):
            await self._deliver(frame)

    async def _perform(self, reply: Reply, performance: Performance) -> None:
        """Answer as the faults that were met want it."""
        await pause(performance, self._is_over)
        frames = frames_of(reply, performance)
        if performance.is_silent:
            self._is_silent = True
            fall_silent(self._websocket.scope)
            await self._keep(frames)
        elif performance.hang_up is not None:
            # As with a connection that really broke: the answer is there for a client that comes back.
            await self._keep(frames)
            if performance.hang_up != "drop":
                end(self._websocket.scope, is_reset=performance.hang_up == "reset")
        elif performance.close_code is not None and performance.close_after_frames == 0:
            await self._keep(frames)
            await self._close(performance.close_code, _PLANNED)
        elif performance.is_held:
            self._held += frames
        else:
            if performance.close_code is not None:
                self._close_after = (performance.close_after_frames, performance.close_code)
            await self._deliver_next(frames * performance.copies)

    async def _close(self, code: int, reason: str) -> None:
        # The client may go away at this very moment.
        with suppress(WebSocketDisconnect, RuntimeError):
            if self._websocket.application_state is WebSocketState.CONNECTED:
                await self._websocket.close(code, reason)

    async def _meet(self, point: Point, account: Account | None) -> tuple[Performance | None, Refusal | None]:
        """Return what an occasion of the connection meets."""
        if account is None:
            return None, None
        occasion = Occasion(point, "ws", plan=plan_of(self._websocket.scope, account))
        return await met_by(self._services, account.id, occasion)

    async def _deliver(self, frame: str) -> None:
        """Send an answer, here or on the socket with which the client came back, or keep it for that one."""
        if await self._send(frame):
            now_s = time.monotonic()
            # What is sure by now is not held any longer: results may be big.
            while self._just_sent and self._just_sent[0][0] < now_s - _UNSURE_S:
                self._just_sent.popleft()
            self._just_sent.append((now_s, frame))
        else:
            await self._keep([frame])

    async def _send(self, frame: str) -> bool:
        if self._is_silent:
            return False
        try:
            await self._websocket.send_text(frame)
        except (WebSocketDisconnect, RuntimeError):
            return False
        if self._close_after is not None:
            left, code = self._close_after
            self._close_after = (left - 1, code)
            if left == 1:
                self._close_after = None
                await self._close(code, _PLANNED)
        return True

    async def _keep_unsure(self) -> None:
        unsure_s = time.monotonic() - _UNSURE_S
        await self._keep([frame for sent_s, frame in self._just_sent if sent_s >= unsure_s])

    async def _keep(self, frames: list[str]) -> None:
        if not frames or self._account is None:
            return
        await asyncio.to_thread(self._store, frames)
        # Looked up only now: a client that came back a moment ago has found nothing yet.
        if successor := self._sockets.successor(self):
            await successor.replay()

    async def replay(self) -> None:
        """Send what older sockets of the session could not deliver."""
        for frame in await asyncio.to_thread(self._take):
            await self._deliver(frame)

    def _store(self, frames: list[str]) -> None:
        with self._services.database.writing(self.session[0]) as connection:
            self._services.live.refresh(connection)
            undelivered.keep(connection, *self.session, frames, self._services.now_at(self.session[0]))

    def _take(self) -> list[str]:
        with self._services.database.writing(self.session[0]) as connection:
            self._services.live.refresh(connection)
            since_at = self._services.now_at(self.session[0]) - in_ms(self._services.settings.replay_window)
            return undelivered.take(connection, *self.session, since_at)
