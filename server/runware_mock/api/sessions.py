"""The WebSockets of this process: opened, and found again by their session."""

import asyncio
import logging
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from runware_mock.api.dependencies import bearer_key, check_origin, open_account, plan_of
from runware_mock.api.envelope import refused
from runware_mock.api.fault_effects import met_by
from runware_mock.api.limits import Readers, Room
from runware_mock.api.outbox import Outbox
from runware_mock.api.websocket import CLOSE_INTERNAL, Socket
from runware_mock.faults.event import Event
from runware_mock.protocol.errors import Refusal
from runware_mock.storage import deliveries
from runware_mock.storage.accounts import Account
from runware_mock.storage.database import ALL_ACCOUNTS, crash
from runware_mock.tasks.runner import Runner

_log = logging.getLogger(__name__)
_LOOK_EVERY_S = 0.25


class Sessions:
    """The open sockets of this process, and which of them speaks for which session."""

    def __init__(self, runner: Runner, room: Room, readers: Readers) -> None:
        self.runner = runner
        self.room = room
        self.readers = readers
        self._open: set[Socket] = set()
        self._sessions: dict[tuple[int, str], Outbox] = {}
        self._looking: asyncio.Task[None] | None = None

    def count(self) -> int:
        """Return how many sockets are open."""
        return len(self._open)

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one socket until it closes."""
        try:
            check_origin(websocket.scope, self.runner.services.settings)
        except Refusal as refusal:
            # A browser shows a page nothing of why its socket was refused.
            _log.warning("%s", refusal.message)
            await websocket.send_denial_response(refused(refusal))
            return
        try:
            status = await self._refused_upgrade(websocket)
        except Exception as error:  # noqa: BLE001 - see Runner._run
            _log.exception("a socket failed inside the mock")
            await websocket.send_denial_response(refused(crash(error)))
            return
        if status is not None:
            await websocket.send_denial_response(Response(status_code=status))
            return
        await websocket.accept()
        socket = Socket(websocket, self)
        self._open.add(socket)
        try:
            await socket.run()
        except Exception:  # noqa: BLE001 - see Runner._run
            _log.exception("a socket failed inside the mock")
            with suppress(WebSocketDisconnect, RuntimeError):
                await websocket.close(CLOSE_INTERNAL)
        finally:
            self._open.discard(socket)
            self._forget(socket.outbox)

    async def _refused_upgrade(self, websocket: WebSocket) -> int | None:
        """Return the status with which a fault plan refuses the socket. Few clients say this early who they are."""
        services, key = self.runner.services, bearer_key(websocket.scope)
        account = Account(ALL_ACCOUNTS, "")
        # A key that is refused is told so when the client authenticates, as ever.
        with suppress(Refusal):
            account = await open_account(key, services) if key else account
        occasion = Event("upgrade", "ws", plan=plan_of(websocket.scope, account))
        response_plan, _ = await met_by(services, account.id, occasion)
        return None if response_plan is None or response_plan.answer is None else response_plan.answer.status

    def speaks_for(self, session: tuple[int, str], outbox: Outbox) -> None:
        """Let a socket get what older ones of its session could not deliver."""
        self._forget(outbox)
        outbox.session = session
        self._sessions[session] = outbox

    def _forget(self, outbox: Outbox) -> None:
        if self._sessions.get(outbox.session) is outbox:
            del self._sessions[outbox.session]

    def look_out(self) -> None:
        """Send on what other processes will keep for sessions that have come back here."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        try:
            while waiting := {session for (_, session), outbox in self._sessions.items() if outbox.waits_for_more}:
                await asyncio.sleep(_LOOK_EVERY_S)
                # A database that cannot be read now is looked at again.
                with suppress(SQLAlchemyError):
                    for session in await asyncio.to_thread(self._kept_for, waiting):
                        if outbox := self._sessions.get(session):
                            await outbox.replay()
        finally:
            self._looking = None

    def _kept_for(self, sessions: set[str]) -> list[tuple[int, str]]:
        with self.runner.services.database.reading() as connection:
            return deliveries.sessions_with_frames(connection, sessions)

    def successor(self, outbox: Outbox) -> Outbox | None:
        """Return those of the open socket with which the client of a closed one came back."""
        found = self._sessions.get(outbox.session)
        return found if found is not outbox else None
