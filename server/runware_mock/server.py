"""uvicorn, set up for big messages, and stopped without losing an answer."""

import asyncio
import resource
import socket
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from importlib import import_module
from ssl import SSLContext
from threading import Timer
from typing import Any

import uvicorn
from fastapi import FastAPI

from runware_mock.api.connections import HttpProtocol
from runware_mock.api.limits import Limits
from runware_mock.api.sockets import Sockets
from runware_mock.api.ui.changes import Changes
from runware_mock.settings import Settings
from runware_mock.version import __version__

# Longer than any client library keeps an idle connection, so that none sends into a closed one.
_KEEP_ALIVE_S = 75
# websockets-based SDKs send protocol pings every 20 s themselves; ours only find dead peers.
_PING_INTERVAL_S = 20.0
_PING_TIMEOUT_S = 60.0
_CLOSE_REPLY_S = 5.0
_SOCKETS = "runware_mock.api.ws_connections"
_DECODING = "runware_mock.images.decoding"
# What not every start waits for: soon, as nothing can be imported where no file can be opened any more.
_IMPORTED_AFTER_S = 1.0


def _import_later() -> None:
    # Whoever needs one that cannot be imported now is told why.
    with suppress(Exception):
        for name in (_DECODING, _SOCKETS):
            import_module(name)


def _most_files() -> int:
    """Return how many files this process may have open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if files == resource.RLIM_INFINITY else files


class MockServer(uvicorn.Server):
    """Calls `on_ready` once an upload would succeed, and lets open sockets finish when it stops.

    It speaks TLS with a `context`.
    """

    def __init__(
        self, app: FastAPI, settings: Settings, context: SSLContext | None, on_ready: Callable[[], None]
    ) -> None:
        self.limits = Limits(settings, _most_files())
        super().__init__(
            uvicorn.Config(
                app,
                loop="uvloop",
                http=partial(HttpProtocol, limits=self.limits),  # type: ignore[arg-type] # it is only called
                ws=self._open_socket,  # type: ignore[arg-type] # likewise
                ws_max_size=settings.max_message_bytes,
                ws_per_message_deflate=False,
                ws_ping_interval=_PING_INTERVAL_S,
                ws_ping_timeout=_PING_TIMEOUT_S,
                timeout_keep_alive=_KEEP_ALIVE_S,
                server_header=False,
                headers=[("X-Runware-Mock", __version__)],
                log_config=None,
                access_log=False,
                lifespan="on",
                backlog=2048,
                ssl_context_factory=None if context is None else lambda _config, _default: context,
            )
        )
        self._on_ready = on_ready
        self._sockets: Sockets = app.state.sockets
        self._changes: Changes = app.state.changes
        self._sweeping: asyncio.Task[None] | None = None
        self._importing = Timer(_IMPORTED_AFTER_S, _import_later)
        self._importing.daemon = True

    def _open_socket(self, **given: Any) -> asyncio.Protocol:
        # Not at each start, of which it would take a twentieth.
        protocol: asyncio.Protocol = import_module(_SOCKETS).WsProtocol(limits=self.limits, **given)
        return protocol

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then say so."""
        await super().startup(sockets)
        self._sweeping = asyncio.create_task(self._sweep())
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix="waiting"))
        # Who waits for a picture waits in a thread, of which none can be started where no memory is left.
        loop.run_in_executor(None, int)
        self._importing.start()
        await self.on_tick(0)  # sets the default headers, which would otherwise come with the first tick
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nobody new, finish what runs, close."""
        self._importing.cancel()
        for server in self.servers:
            server.close()
        await self._sockets.close()
        await self._changes.close()
        await self._wait_for_close_replies()
        await super().shutdown(sockets)
        if self._sweeping is not None:
            self._sweeping.cancel()
        if self._importing.is_alive():
            # A process that ends in the middle of an import may hang.
            self._importing.join()

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.limits.sweep_every_s)
            self.limits.sweep(self.server_state.connections, loop.time())

    async def _wait_for_close_replies(self) -> None:
        """Let clients read to the end: uvicorn drops a socket at once, and what is on its way with it."""
        give_up_s = time.monotonic() + _CLOSE_REPLY_S
        while time.monotonic() < give_up_s and any(  # noqa: ASYNC110 - uvicorn has no event for it
            getattr(connection, "close_sent", False) for connection in self.server_state.connections
        ):
            await asyncio.sleep(0.01)
