"""What a socket tells its client: each answer as soon as it is ready, or as the faults that it met want it."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from runware_mock.api.connections import PROTOCOL
from runware_mock.api.fault_effects import end, fall_silent, frames_of, pause
from runware_mock.clock import in_ms
from runware_mock.protocol.messages import Reply, ws_frame
from runware_mock.protocol.response_plan import ResponsePlan
from runware_mock.services import Services
from runware_mock.storage import undelivered
from runware_mock.tasks.runner import Pending

if TYPE_CHECKING:
    from runware_mock.api.ws_connections import WsProtocol

# Why a fault plan closes.
_PLANNED = "planned"
# What was sent this shortly before a connection broke is sent again after a resume; a client that had it after all
# finds no task waiting for it.
_UNSURE_S = 1.0


class Answers:
    """The answers of one socket; those that cannot be delivered are kept for the one with which its client comes back.

    `session` is the account and the UUID by which it is found again, of an account 0 until the client has said who it
    is. `successor` returns the answers of the socket that speaks for the session now, if it is another one.
    """

    def __init__(
        self, websocket: WebSocket, services: Services, successor: Callable[["Answers"], "Answers | None"]
    ) -> None:
        self._websocket = websocket
        self._services = services
        self._successor = successor
        self.session = (0, "")
        self.is_silent = False
        self.is_resumed = False
        self.is_over = asyncio.Event()
        self._just_sent: deque[tuple[float, str]] = deque(maxlen=256)
        self._held: list[str] = []
        self._close_after: tuple[int, int] | None = None

    @property
    def waits_for_more(self) -> bool:
        """Whether an older socket of the session, in whatever process, may still leave something for this one."""
        return self.is_resumed and not self.is_silent

    async def send(self, frame: str) -> bool:
        """Send what is not kept; tell whether it went out."""
        if self.is_silent:
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
                await self.close(code, _PLANNED)
        return True

    def deliver_now(self, reply: Reply) -> bool:
        """Send an answer at once, if nothing is planned and nothing stands in the way; tell whether it went out.

        A task of its own for each answer, and a queue for it to wait at, take five times as long.
        """
        if reply.response_plan is not None or self.is_silent or self._held or self._close_after is not None:
            return False
        protocol: WsProtocol = self._websocket.scope[PROTOCOL]
        frame = ws_frame(reply)
        if not protocol.send_now(frame.encode()):
            return False
        self._was_sent(frame)
        return True

    async def deliver(self, frame: str) -> None:
        """Send an answer, here or on the socket with which the client came back, or keep it for that one."""
        if await self.send(frame):
            self._was_sent(frame)
        else:
            await self._keep([frame])

    async def deliver_all(self, ready: asyncio.Queue[Pending], count: int) -> None:
        """Deliver so many replies in the order in which they are ready."""
        performing: list[asyncio.Task[None]] = []
        for _ in range(count):
            reply = (await ready.get()).result()
            if reply.response_plan is None:
                await self._deliver_next([ws_frame(reply)])
            elif not reply.response_plan.delay_s:
                await self._perform(reply, reply.response_plan)
            else:
                # One late reply does not hold up the others.
                performing.append(asyncio.create_task(self._perform(reply, reply.response_plan)))
        if performing:
            await asyncio.gather(*performing)

    @property
    def holds_back(self) -> bool:
        """Whether something is to come after the next reply."""
        return bool(self._held)

    async def deliver_held(self) -> None:
        """Deliver what was to come after the next reply, when none is to come."""
        await self._deliver_next([])

    async def close(self, code: int, reason: str) -> None:
        """Close the socket, if it is open."""
        # The client may go away at this very moment.
        with suppress(WebSocketDisconnect, RuntimeError):
            if self._websocket.application_state is WebSocketState.CONNECTED:
                await self._websocket.close(code, reason)

    async def keep_unsure(self) -> None:
        """Keep what may have been lost with the connection."""
        unsure_s = time.monotonic() - _UNSURE_S
        await self._keep([frame for sent_s, frame in self._just_sent if sent_s >= unsure_s])

    async def replay(self) -> None:
        """Send what older sockets of the session could not deliver."""
        for frame in await asyncio.to_thread(self._take):
            await self.deliver(frame)

    def _was_sent(self, frame: str) -> None:
        now_s = time.monotonic()
        # What is sure by now is not held any longer: results may be big.
        while self._just_sent and self._just_sent[0][0] < now_s - _UNSURE_S:
            self._just_sent.popleft()
        self._just_sent.append((now_s, frame))

    async def _deliver_next(self, frames: Sequence[str]) -> None:
        """Send frames, and then those that were held back for the next ones."""
        held, self._held = self._held, []
        for frame in (*frames, *held):
            await self.deliver(frame)

    async def _perform(self, reply: Reply, response_plan: ResponsePlan) -> None:
        """Answer as the faults that were met want it."""
        await pause(response_plan, self.is_over)
        frames = frames_of(reply, response_plan)
        if response_plan.is_silent:
            self.is_silent = True
            fall_silent(self._websocket.scope)
            await self._keep(frames)
        elif response_plan.hang_up is not None:
            # As with a connection that really broke: the answer is there for a client that comes back.
            await self._keep(frames)
            if response_plan.hang_up != "drop":
                end(self._websocket.scope, is_reset=response_plan.hang_up == "reset")
        elif response_plan.close_code is not None and response_plan.close_after_frames == 0:
            await self._keep(frames)
            await self.close(response_plan.close_code, _PLANNED)
        elif response_plan.is_held:
            self._held += frames
        else:
            if response_plan.close_code is not None:
                self._close_after = (response_plan.close_after_frames, response_plan.close_code)
            await self._deliver_next(frames * response_plan.copies)

    async def _keep(self, frames: list[str]) -> None:
        if not frames or not self.session[0]:
            return
        await asyncio.to_thread(self._store, frames)
        # Looked up only now: a client that came back a moment ago has found nothing yet.
        if successor := self._successor(self):
            await successor.replay()

    def _store(self, frames: list[str]) -> None:
        with self._services.database.writing(self.session[0]) as connection:
            self._services.clocks.refresh(connection)
            undelivered.keep(connection, *self.session, frames, self._services.now_at(self.session[0]))

    def _take(self) -> list[str]:
        with self._services.database.writing(self.session[0]) as connection:
            self._services.clocks.refresh(connection)
            since_at = self._services.now_at(self.session[0]) - in_ms(self._services.settings.replay_window)
            return undelivered.take(connection, *self.session, since_at)
