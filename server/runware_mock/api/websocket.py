"""One WebSocket: receives frames, sends the answers to their tasks."""

import asyncio
import logging
import uuid as uuids
from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from runware_mock.api.dependencies import (
    bearer_key,
    caller_of,
    head_account,
    keyless,
    open_account,
    read_tasks,
)
from runware_mock.api.failures import refused
from runware_mock.api.fault_effects import end, met_by, pause, when_ready
from runware_mock.api.guard import check_origin
from runware_mock.api.incoming import Incoming
from runware_mock.api.limits import BUSY, Readers, Room
from runware_mock.api.outbox import PLANNED, TOO_BIG, Outbox, Sessions
from runware_mock.api.request_records import Noted, RequestEntries, log_request, note
from runware_mock.api.transport import STOPPING, TRANSPORT
from runware_mock.clock import monotonic_s
from runware_mock.faults.base import Point
from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.protocol.messages import (
    AUTHENTICATION,
    PONG,
    Reply,
    authenticated,
    first_authentication,
    is_authentication,
    is_ping,
    is_uuid,
    ws_frame,
)
from runware_mock.protocol.redaction import holds_key
from runware_mock.protocol.response_plan import ResponsePlan
from runware_mock.storage.accounts import Account
from runware_mock.storage.database import crash
from runware_mock.storage.journal import NOTHING_SENT
from runware_mock.tasks.runner import Pending, Runner

_log = logging.getLogger(__name__)

# Never 1000: after a clean close, the older Python SDK goes on waiting for its answer.
CLOSE_INTERNAL, CLOSE_RESTART, CLOSE_TRY_LATER = 1011, 1012, 1013
_STRANGER = refuse("missingApiKey", "Send it first, in a task of taskType authentication.")
# A close without one of these codes means a broken connection, which may have lost what was just sent.
_CLEAN_CLOSES = (1000, 1001)

_IN_FLIGHT_FRAMES = 64
# How soon to check again whether a client is idle while its frame is being handled.
_BUSY_S = 0.25
# Each image has a frame of its own, as many in one would make it long; only getResponse gets all in one frame.
_TOGETHER = "getResponse"


class Socket:
    """One client's connection."""

    def __init__(self, websocket: WebSocket, sockets: "Sockets") -> None:
        self._websocket = websocket
        self._sockets = sockets
        self._services = sockets.runner.services
        self._account: Account | None = None
        self._api_key: object = None
        # The refusal of a task whose client has not authenticated.
        self._stranger = _STRANGER
        self.outbox = Outbox(websocket, self._services, sockets.readers, sockets.sessions.successor, sockets.entries)
        self._transport: asyncio.Transport = websocket.scope[TRANSPORT]
        self._stopping: asyncio.Event = websocket.scope["state"][STOPPING]
        # One asyncio task for each frame that is not answered yet.
        self._running: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(_IN_FLIGHT_FRAMES)
        self._handling = asyncio.Lock()
        self._opened_s = self._heard_s = monotonic_s()
        Incoming(self._transport, self._may_meet, self._met_by_message, lambda: self.outbox.close(TOO_BIG, PLANNED))

    def _may_meet(self) -> bool:
        return self._account is not None and self._services.clocks.is_planned(self._account.id)

    async def _met_by_message(self, size_bytes: int) -> ResponsePlan | None:
        # If the database cannot be read, the tasks report it.
        with suppress(SQLAlchemyError, Refusal):
            plan, _ = await self._meet("upload", self._account, noted := Noted(), size_bytes)
            if plan is not None and plan.kept_bytes is not None:
                # The message never arrives, so nothing else puts it into the journal.
                status = TOO_BIG if plan.hang_up is None else NOTHING_SENT
                await self._sockets.entries.add(self._websocket.scope, noted, (), status=status, api_key=self._api_key)
            return plan
        return None

    async def run(self) -> None:
        """Receive frames until the client goes away or falls silent, or the server stops."""
        supervising = asyncio.create_task(self._supervise())
        watching = asyncio.create_task(self._sockets.readers.watch(self._transport))
        try:
            while True:
                raw = await self._receive()
                if self.outbox.is_silent:
                    # uvicorn resumes reading whenever it is asked for a message.
                    self._transport.pause_reading()
                    await self._stopping.wait()
                    break
                async with self._handling:
                    if not self._stopping.is_set():
                        await self._handle(raw)
                # Do not keep the last frame while the socket is idle.
                del raw
            await supervising
        except WebSocketDisconnect as closed:
            if closed.code not in _CLEAN_CLOSES:
                await self.outbox.keep_unsure(closed.code)
        finally:
            supervising.cancel()
            watching.cancel()

    async def _receive(self) -> str | bytes:
        message = await self._websocket.receive()
        self._heard_s = monotonic_s()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1006))
        text = message.get("text")
        frame: str | bytes = message["bytes"] if text is None else text
        return frame

    async def _supervise(self) -> None:
        """Close the socket when it is idle, or when the server stops."""
        while (left_s := self._left_s()) > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), left_s)
                await self._finish()
                return
        await self.outbox.close(CLOSE_INTERNAL, "idle")

    def _left_s(self) -> float:
        """Return how long the socket may still be silent; a socket with a running task is not idle."""
        idle_s, now_s = self._services.settings.idle_timeout.total_seconds(), monotonic_s()
        if self._handling.locked():
            return min(idle_s, _BUSY_S)
        if self._account is None:
            # Until it has authenticated, a client has this long in total, whatever it sends.
            return self._opened_s + idle_s - now_s
        return idle_s if self._running or self.outbox.is_silent else self._heard_s + idle_s - now_s

    async def _finish(self) -> None:
        """Start nothing more, deliver what still runs, then close."""
        async with self._handling:
            pass
        while self._running:
            await asyncio.wait(self._running)
        if self.outbox.is_silent:
            # A silent client would not read a close frame, let alone answer it.
            end(self._transport, is_reset=True)
        else:
            await self.outbox.close(CLOSE_RESTART, "the server is stopping")

    async def _handle(self, raw: str | bytes) -> None:
        """Start the tasks of a frame; authentication ends before the next frame is handled."""
        await self._slots.acquire()
        room, size_bytes = self._sockets.room, len(raw)
        room.take(size_bytes)
        noted = Noted()
        pending: list[tuple[Pending, bool]] = []
        try:
            if room.has_room(size_bytes):
                pending = await self._begun(raw, noted)
            else:
                refused = Reply.refused(refuse("serviceUnavailable", BUSY))
                await self._journal(refused, noted, CLOSE_TRY_LATER)
                await self.outbox.close(CLOSE_TRY_LATER, BUSY)
        except Refusal as refusal:
            noted.body = raw
            await self._refuse(Reply.refused(refusal), noted)
        except WebSocketDisconnect:
            # `run` receives the same from the next message.
            pass
        except Exception as error:  # noqa: BLE001 - see Runner._run
            _log.exception("a frame failed inside the mock")
            await self._refuse(Reply.refused(crash(error)), noted)
        answering = asyncio.create_task(self._answer(pending, size_bytes, noted))
        self._running.add(answering)
        answering.add_done_callback(self._running.discard)

    async def _refuse(self, reply: Reply, noted: Noted) -> None:
        noted.add_replies([reply])
        await self._journal(reply, noted)
        await self.outbox.deliver(reply)

    async def _journal(self, refused: Reply, noted: Noted, status: int | None = None, api_key: object = None) -> None:
        """Add a refused frame to the journal; `status` is the close code if it ends the socket."""
        key = api_key or self._api_key
        await self._sockets.entries.add(self._websocket.scope, noted, [refused.error], status=status, api_key=key)

    async def _begun(self, raw: str | bytes, noted: Noted) -> list[tuple[Pending, bool]]:
        """Start a frame's tasks; return their pending replies, and whether each item of one has its own frame."""
        tasks = await read_tasks(raw, self._services.settings)
        noted.add_tasks(tasks)
        if authentication := first_authentication(tasks):
            api_key = authentication.get("apiKey")
            try:
                await self._authenticate(api_key, authentication.get("connectionSessionUUID"), noted)
            except Refusal as refusal:
                refused = Reply.refused(refusal, {"taskType": AUTHENTICATION})
                await self._journal(refused, noted, api_key=api_key)
                # The socket stays open: one SDK hangs forever if it is closed after this answer.
                await self.outbox.send(ws_frame(refused))
        if self._account is not None:
            noted.account, noted.account_id = self._account.label, self._account.id
            tasks = await keyless(tasks, self._api_key, self._account, len(raw))
        for _ in filter(is_ping, tasks):
            plan, _refusal = await self._meet("ping", self._account, noted)
            if plan is None or plan.hang_up is None:
                await self._send(PONG)
        tasks = [task for task in tasks if not is_ping(task) and not is_authentication(task)]
        if self._account is None:
            for task in tasks:
                refused = Reply.refused(self._stranger, task)
                await self._journal(refused, noted)
                await self._send(refused)
            return []
        caller = caller_of(self._websocket.scope, self._account, self._services, self._api_key)
        pending = self._sockets.runner.submit(tasks, caller)
        one_each = [isinstance(task, dict) and task.get("taskType") != _TOGETHER for task in tasks]
        return list(zip(pending, one_each, strict=True))

    async def _send(self, reply: Reply) -> None:
        """Send one of possibly many immediate answers; raises WebSocketDisconnect if the client has gone."""
        # Gives other clients a turn in between.
        await asyncio.sleep(0)
        if not await self.outbox.send(ws_frame(reply)) and not self.outbox.is_silent:
            raise WebSocketDisconnect(1006)

    async def _answer(self, pending: Sequence[tuple[Pending, bool]], size_bytes: int, noted: Noted) -> None:
        """Deliver each reply to a frame as soon as it is ready."""
        try:
            await asyncio.gather(*(self._answer_one(one, noted, one_each=one_each) for one, one_each in pending))
            log_request("WS", self._websocket.url.path, None, noted)
            if len(self._running) == 1 and self.outbox.holds_back:
                # No further reply is pending that a held one could follow.
                await self.outbox.deliver_held()
        finally:
            self._sockets.room.release(size_bytes)
            self._slots.release()

    async def _answer_one(self, pending: Pending, noted: Noted, *, one_each: bool) -> None:
        noted.add_replies([reply := await asyncio.wrap_future(pending)])
        async for part in when_ready(reply, self._services, self._account, self._websocket.scope):
            await self.outbox.deliver(part, one_each=one_each)

    async def _authenticate(self, api_key: object, session_uuid: object, noted: Noted) -> None:
        """Open the account of a key and say so; raises the refusal of the key."""
        self._stranger = _STRANGER
        try:
            account = await open_account(api_key, self._services)
            plan, planned_refusal = await self._meet("authentication", account, noted)
        except Refusal:
            raise
        except Exception:  # noqa: BLE001 - see Runner._run
            _log.exception("an authentication failed inside the mock")
            self._stranger = refuse("mockInternalError", "Its log says more.")
            raise self._stranger from None
        if plan is not None:
            await pause(plan, self._stopping)
        if planned_refusal is not None:
            raise planned_refusal
        self._account, self._api_key = account, api_key
        # Anything but a UUID is neither stored nor sent back: it could be anything.
        resumes = isinstance(session_uuid, str) and is_uuid(session_uuid)
        session = (account.id, str(session_uuid) if resumes else str(uuids.uuid4()))
        # From here on, this socket gets what an older one of the session cannot deliver.
        self._sockets.sessions.speaks_for(session, self.outbox)
        await self.outbox.send(ws_frame(authenticated(session[1])))
        if resumes:
            self.outbox.is_resumed = True
            await self.outbox.replay()
            self._sockets.sessions.look_out()

    async def _meet(
        self, point: Point, account: Account | None, noted: Noted, size_bytes: int | None = None
    ) -> tuple[ResponsePlan | None, Refusal | None]:
        """Return the response plan and the refusal that a connection event meets."""
        if account is None:
            return None, None
        return await met_by(self._services, self._websocket.scope, account, point, noted, size_bytes)


class Sockets:
    """The open WebSockets of this process."""

    def __init__(self, runner: Runner, room: Room, readers: Readers, entries: RequestEntries) -> None:
        self.runner = runner
        self.entries = entries
        self.room = room
        self.readers = readers
        self.sessions = Sessions(runner.services)
        self.open_count = 0

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one socket until it closes."""
        denial = await self._denial(websocket)
        if denial is not None:
            await websocket.send_denial_response(denial)
            return
        await websocket.accept()
        socket = Socket(websocket, self)
        self.open_count += 1
        try:
            await socket.run()
        except Exception:  # noqa: BLE001 - see Runner._run
            _log.exception("a socket failed inside the mock")
            with suppress(WebSocketDisconnect, RuntimeError):
                await websocket.close(CLOSE_INTERNAL)
        finally:
            self.open_count -= 1
            self.sessions.forget(socket.outbox)

    async def _denial(self, websocket: WebSocket) -> Response | None:
        """Return the response that refuses a socket before it is open, or None."""
        scope, services = websocket.scope, self.runner.services
        try:
            check_origin(websocket, services.settings)
            # Few clients send a key this early.
            account = await head_account(scope, services)
            note(scope, noted := Noted())
            plan, _ = await met_by(services, scope, account, "upgrade", noted)
        except Refusal as refusal:
            # Logged, as a browser does not tell a page why its socket was refused.
            key = bearer_key(scope)
            holds_own_key = key is not None and holds_key(refusal.message.lower(), key.lower())
            _log.warning("%s", "The Origin of a socket held its own key." if holds_own_key else refusal.message)
            return refused(refusal)
        except Exception as error:  # noqa: BLE001 - see Runner._run
            _log.exception("a socket failed inside the mock")
            return refused(crash(error))
        return None if plan is None or plan.answer is None else Response(status_code=plan.answer.status)
