"""The answers of one WebSocket: sent when they are ready, or kept until the client comes back with a new socket."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from websockets import Frame, Opcode

from runware_mock.api.fault_effects import end, end_after_delivery, frames_of, paced, pause
from runware_mock.api.limits import Readers
from runware_mock.api.request_records import RequestEntries
from runware_mock.api.transport import STOPPING, TRANSPORT
from runware_mock.clock import in_ms, monotonic_s
from runware_mock.protocol.messages import Reply
from runware_mock.protocol.response_plan import ResponsePlan
from runware_mock.services import Services
from runware_mock.storage import deliveries
from runware_mock.storage.journal import NOTHING_SENT

# The close reason of a fault plan.
PLANNED = "planned"
# Frames sent this shortly before a connection broke are sent again after a resume; a client that did get one
# has no task waiting for it any more, and ignores it. Long enough for the break to be noticed on a busy machine.
_UNSURE_S = 5.0
_LOOK_EVERY_S = 0.25
# RFC 6455, section 7.4.1: "1009 … a message that is too big for it to process".
TOO_BIG = 1009


class Outbox:
    """Delivers the answers of one socket, each in its own frame, in the order in which they are ready.

    `session` is the account and the connectionSessionUUID under which answers are kept for the client; the account is
    0 until the client has authenticated. `successor` returns the outbox of a newer socket that has taken over the
    session, if there is one.
    """

    def __init__(
        self,
        websocket: WebSocket,
        services: Services,
        readers: Readers,
        successor: Callable[["Outbox"], "Outbox | None"],
        entries: RequestEntries,
    ) -> None:
        self._websocket = websocket
        self._services = services
        self._readers = readers
        self._successor = successor
        self._entries = entries
        self._transport: asyncio.Transport = websocket.scope[TRANSPORT]
        self._stopping: asyncio.Event = websocket.scope["state"][STOPPING]
        self._sending = asyncio.Lock()
        # Held while the fragments of a frame are sent: no other message may come between them.
        self._writing = asyncio.Lock()
        self._just_sent: deque[tuple[float, str]] = deque(maxlen=256)
        self._held: list[str] = []
        self._close_after: tuple[int, int] | None = None
        self.session = (0, "")
        self.is_silent = False
        self.is_resumed = False

    @property
    def waits_for_more(self) -> bool:
        """Whether an older socket of the session, in any process, may still leave answers for this one."""
        return self.is_resumed and not self.is_silent

    @property
    def holds_back(self) -> bool:
        """Whether frames are held back until after the next reply."""
        return bool(self._held)

    async def send(self, frame: str, bytes_per_s: int | None = None) -> bool:
        """Send a frame without keeping it on failure; return whether it was sent."""
        if self.is_silent:
            return False
        await self._readers.until_read(self._transport)
        try:
            async with self._writing:
                if bytes_per_s is None:
                    await self._websocket.send_text(frame)
                else:
                    await self._send_slowly(frame, bytes_per_s)
        except (WebSocketDisconnect, RuntimeError):
            return False
        if self._close_after is not None:
            left, code = self._close_after
            self._close_after = (left - 1, code)
            if left == 1:
                self._close_after = None
                await self.close(code, PLANNED)
        return True

    async def deliver(self, reply: Reply, *, one_each: bool = False) -> None:
        """Deliver the answer to a task, changed by the faults that it met; with `one_each`, a frame for each item."""
        frames, plan = frames_of(reply, one_each=one_each), reply.response_plan
        if plan is not None:
            # One late reply does not hold up the others.
            await pause(plan, self._stopping)
        async with self._sending:
            if plan is None:
                await self._deliver_next(frames)
            else:
                if sent := _really_sent(frames, plan):
                    await self._entries.note_sent([reply], *sent)
                await self._deliver_planned(frames, plan)

    async def deliver_held(self) -> None:
        """Deliver the frames held back for a next reply, since there is none."""
        async with self._sending:
            await self._deliver_next([])

    async def close(self, code: int, reason: str) -> None:
        """Close the socket, if it is open."""
        # The client may go away at this moment.
        with suppress(WebSocketDisconnect, RuntimeError):
            if self._websocket.application_state is WebSocketState.CONNECTED:
                await self._websocket.close(code, reason)

    async def keep_unsure(self, close_code: int) -> None:
        """Keep what may have been lost with the connection, except the frame that broke it."""
        unsure_s = monotonic_s() - _UNSURE_S
        frames = [frame for sent_s, frame in self._just_sent if sent_s >= unsure_s]
        if close_code == TOO_BIG and frames:
            frames.remove(max(frames, key=len))
        await self._keep(frames)

    async def replay(self) -> None:
        """Send what older sockets of the session could not deliver."""
        for frame in await asyncio.to_thread(self._take):
            await self._deliver(frame)

    async def _send_slowly(self, frame: str, bytes_per_s: int) -> None:
        """Send a frame in fragments; raises WebSocketDisconnect if the client goes away meanwhile."""
        data = frame.encode()
        left_bytes = len(data)
        async for piece in paced(data, bytes_per_s, self._transport, self._stopping):
            opcode = Opcode.TEXT if left_bytes == len(data) else Opcode.CONT
            left_bytes -= len(piece)
            self._transport.write(Frame(opcode, piece, fin=not left_bytes).serialize(mask=False))
        if left_bytes:
            raise WebSocketDisconnect(1006)

    async def _deliver_next(self, frames: list[str], bytes_per_s: int | None = None) -> None:
        """Send frames, and then those that were held back until after them."""
        held, self._held = self._held, []
        for frame in frames:
            await self._deliver(frame, bytes_per_s)
        for frame in held:
            await self._deliver(frame)

    async def _deliver(self, frame: str, bytes_per_s: int | None = None) -> None:
        """Send a frame, or keep it for the socket with which the client comes or came back."""
        if await self.send(frame, bytes_per_s):
            self._was_sent(frame)
        else:
            await self._keep([frame])

    async def _deliver_planned(self, frames: list[str], plan: ResponsePlan) -> None:
        if plan.is_silent:
            self.is_silent = True
            # Read nothing more, so that no ping is answered either.
            self._transport.pause_reading()
            await self._keep(frames)
        elif plan.hang_up is not None:
            # As with a connection that really broke, the answer is kept for a client that comes back.
            await self._keep(frames)
            if plan.hang_up != "drop":
                end(self._transport, is_reset=plan.hang_up == "reset")
        elif plan.kept_bytes is not None and frames:
            await self._keep(frames)
            data = frames[0].encode()
            whole = Frame(Opcode.TEXT, data).serialize(mask=False)
            self._transport.write(whole[: len(whole) - len(data) + plan.kept_bytes])
            await end_after_delivery(self._transport, is_reset=plan.is_reset)
        elif plan.close_code is not None and plan.close_after_frames == 0:
            await self._keep(frames)
            await self.close(plan.close_code, PLANNED)
        elif plan.is_held:
            self._held += frames
        else:
            if plan.close_code is not None:
                self._close_after = (plan.close_after_frames, plan.close_code)
            await self._deliver_next(frames * plan.copies, plan.bytes_per_s)

    def _was_sent(self, frame: str) -> None:
        now_s = monotonic_s()
        # Drop what has surely arrived by now: results may be big.
        while self._just_sent and self._just_sent[0][0] < now_s - _UNSURE_S:
            self._just_sent.popleft()
        # Never send an error twice: two SDKs apply the error of a task that they do not know to every task in flight.
        if not frame.startswith('{"errors"'):
            self._just_sent.append((now_s, frame))

    async def _keep(self, frames: list[str]) -> None:
        if not frames or not self.session[0]:
            return
        await asyncio.to_thread(self._store, frames)
        # Looked up after storing: a client that came back just before has found nothing yet.
        if successor := self._successor(self):
            await successor.replay()

    def _store(self, frames: list[str]) -> None:
        with self._services.database.writing(self.session[0]) as connection:
            self._services.clocks.refresh(connection)
            deliveries.keep_frames(connection, *self.session, frames, self._services.now_at(self.session[0]))

    def _take(self) -> list[str]:
        with self._services.database.writing(self.session[0]) as connection:
            self._services.clocks.refresh(connection)
            since_at = self._services.now_at(self.session[0]) - in_ms(self._services.settings.replay_window)
            return deliveries.take_frames(connection, *self.session, since_at)


def _really_sent(frames: Sequence[str], plan: ResponsePlan) -> tuple[int | None, str | None] | None:
    """Return the close code and the text that a plan makes of an answer's frames; None if they arrive as they are."""
    if plan.is_silent or plan.hang_up is not None:
        return NOTHING_SENT, None
    if plan.kept_bytes is not None and frames:
        return None, frames[0].encode()[: plan.kept_bytes].decode("utf-8", "replace")
    closes = plan.close_code is not None and plan.close_after_frames <= len(frames) * plan.copies
    code = plan.close_code if closes else None
    if closes and plan.close_after_frames == 0:
        return code, None
    changed = plan.kept_share is not None or plan.garbled_share is not None
    return (code, "\n".join(frames) if changed else None) if closes or changed else None


class Sessions:
    """Which open socket of this process speaks for which session."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._sessions: dict[tuple[int, str], Outbox] = {}
        self._looking: asyncio.Task[None] | None = None

    def speaks_for(self, session: tuple[int, str], outbox: Outbox) -> None:
        """Register a socket to get what older ones of its session could not deliver."""
        self.forget(outbox)
        outbox.session = session
        self._sessions[session] = outbox

    def forget(self, outbox: Outbox) -> None:
        """Stop delivering to a socket that has closed."""
        if self._sessions.get(outbox.session) is outbox:
            del self._sessions[outbox.session]

    def look_out(self) -> None:
        """Start forwarding what other processes keep for sessions that have come back here."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        try:
            while waiting := {session for (_, session), outbox in self._sessions.items() if outbox.waits_for_more}:
                await asyncio.sleep(_LOOK_EVERY_S)
                # If the database cannot be read now, the next round tries again.
                with suppress(SQLAlchemyError):
                    for session in await asyncio.to_thread(self._kept_for, waiting):
                        if outbox := self._sessions.get(session):
                            await outbox.replay()
        finally:
            self._looking = None

    def _kept_for(self, sessions: set[str]) -> list[tuple[int, str]]:
        with self._services.database.reading() as connection:
            return deliveries.sessions_with_frames(connection, sessions)

    def successor(self, outbox: Outbox) -> Outbox | None:
        """Return the outbox of the open socket with which the client came back, or None."""
        found = self._sessions.get(outbox.session)
        return found if found is not outbox else None
