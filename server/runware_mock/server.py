"""Run uvicorn with its documented options: in one process, or in several under its own supervisor."""

import errno
import json
import logging
import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from ssl import SSLContext
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from runware_mock import malloc, services
from runware_mock.api.limits import allow_files
from runware_mock.api.transport import HttpProtocol, SocketProtocol
from runware_mock.app import FixturesUnusable, create_app, prepare_for_workers
from runware_mock.certificates import TlsUnusable, server_context
from runware_mock.logs import set_up_logging
from runware_mock.scheduler import Schedule
from runware_mock.settings import Settings
from runware_mock.values import url_of
from runware_mock.version import __version__

_log = logging.getLogger(__name__)

# Longer than any client library keeps an idle connection open, so that none sends on a closed one.
_KEEP_ALIVE_S = 75
_HEAD_LIMIT_BYTES = 64 * 2**10
# How long running requests may take to end when the server stops. Docker kills a container after 10 s.
_STOPS_WITHIN_S = 5
# A decode cannot be interrupted: one that still runs after this time ends with the process.
_ENDS_WITHIN_S = 6.0
# A process that is starting or decoding may be slow to tell uvicorn that it is alive.
_ALIVE_WITHIN_S = 60
# Longer than a person's pause between two pictures: the next one would take 75 ms to get 100 MB from the system again.
_HEAP_LOOK_S = 10.0


class CannotListen(Exception):
    """The address is taken, or not this machine's; the message is for the user."""


# What keeps a server from starting; the message of each is for the user.
UNUSABLE = (*services.UNUSABLE, CannotListen, FixturesUnusable, TlsUnusable)


class MockServer(uvicorn.Server):
    """Calls `on_ready` once an upload would succeed."""

    def __init__(
        self, app: ASGIApp, settings: Settings, context: SSLContext | None, on_ready: Callable[[], None]
    ) -> None:
        super().__init__(_config(app, settings, lambda: context))
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start serving, then call `on_ready`."""
        await super().startup(sockets)
        self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop within 10 s, and at once when a second signal comes."""
        if self.should_exit:
            os._exit(1)
        _later(_ENDS_WITHIN_S, lambda: os._exit(0))
        super().handle_exit(sig, frame)

    def stop(self, *_signal: object) -> None:
        """Stop on a signal that comes before uvicorn handles signals, or that it raises again once it has stopped."""
        self.should_exit = True


class _Supervisor(Multiprocess):
    """Calls `on_ready` once, when all processes serve; logs when one is replaced."""

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket], on_ready: Callable[[], None]) -> None:
        super().__init__(config, sockets)
        self._on_ready: Callable[[], None] | None = on_ready

    def keep_subprocess_alive(self) -> None:
        """Replace the processes that have ended."""
        before = list(self.processes)
        # Only if one has ended: pinging a process that ends before it answers would block for `_ALIVE_WITHIN_S`.
        if not all(process.process.is_alive() for process in before):
            super().keep_subprocess_alive()
        for gone in set(before) - set(self.processes):
            _log.error("worker %s has ended with status %s; another is started", gone.pid, gone.exitcode)
        if self._on_ready and all(process.is_ready() for process in self.processes):
            self._on_ready()
            self._on_ready = None

    def terminate_all(self) -> None:
        """Accept no more connections, and let all processes finish what runs."""
        # First of all: uvicorn's own handler would only note a second signal, and nobody reads that any more.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._kill_all())
        for listening in self.sockets:
            listening.close()
        super().terminate_all()
        _later(_ENDS_WITHIN_S, self._kill_all)

    def _kill_all(self) -> None:
        for process in self.processes:
            process.process.kill()


def _later(delay_s: float, act: Callable[[], None]) -> None:
    """Call `act` after `delay_s`, unless the process ends first."""
    timer = threading.Timer(delay_s, act)
    timer.daemon = True
    timer.start()


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a bound socket; raises OSError if the address is taken or not this machine's."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            # On Windows it would let a second server take the same port.
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if host == "::":
            # Accept IPv4, too, whatever the system's default is.
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    bound.setblocking(False)  # noqa: FBT003 - its only parameter
    return bound


def address_of(bound: socket.socket, *, is_tls: bool = False) -> str:
    """Return the URL of a bound socket, as a client on this machine writes it."""
    host, port = bound.getsockname()[:2]
    return url_of(host, port, is_tls=is_tls)


def ready_document(url: str) -> str:
    """Return the content of the ready file."""
    return json.dumps({"url": url, "ws_url": f"ws{url.removeprefix('http')}/v1", "version": __version__}) + "\n"


def listen(settings: Settings) -> socket.socket:
    """Return a socket that listens where the settings say; raises CannotListen."""
    try:
        bound = listening_socket(settings.host, settings.port)
        # Binding does not reserve the port: two sockets may be bound to it, but only one may listen. A client that
        # connects now is served as soon as the server is ready.
        bound.listen()
    except UnicodeError as error:
        # A part of a host name has at most 63 characters.
        raise CannotListen(f"cannot listen on {settings.host}:{settings.port} (--host, --port): {error}") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CannotListen(
                f"port {settings.port} is in use: choose another with --port (0 picks a free one)"
            ) from error
        raise CannotListen(
            f"cannot listen on {settings.host}:{settings.port} (--host, --port): {error.strerror}"
        ) from error
    return bound


def serve(settings: Settings, bound: socket.socket, on_ready: Callable[[str], None]) -> int:
    """Serve a listening socket until a signal comes, and return the exit status.

    Calls `on_ready` once with the server's URL, when an upload would succeed. Raises DatabaseUnusable,
    FixturesUnusable, StoreFailed or TlsUnusable if the server cannot start.
    """
    allow_files(2 * settings.max_connections)
    with bound, ExitStack() as cleanup:
        context = server_context(settings)

        def announce() -> None:
            on_ready(address_of(bound, is_tls=settings.uses_tls))

        if settings.workers > 1:
            folder = prepare_for_workers(settings, cleanup)
            make_app: Any = partial(_worker_app, settings, folder)
            config = _config(make_app, settings, partial(server_context, settings), factory=True)
            supervisor = _Supervisor(config, [bound], announce)
            supervisor.run()
            return int(any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes))
        app = create_app(settings)
        _keep_memory(app)
        server = MockServer(app, settings, context, announce)
        # uvicorn sets this handler itself, but only later; and when it has stopped, it raises the signal again.
        for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
            if number := getattr(signal, name, None):
                signal.signal(number, server.stop)
        server.run(sockets=[bound])
    return 0


def _config(
    app: ASGIApp, settings: Settings, context: Callable[[], SSLContext | None], *, factory: bool = False
) -> uvicorn.Config:
    """Return uvicorn's options for an application, or for the factory that creates it in each worker process."""
    return uvicorn.Config(
        app,
        factory=factory,
        http=HttpProtocol,
        ws=SocketProtocol,
        ws_max_size=settings.max_message_bytes,
        # Compression makes no picture smaller, but a message of 19 MB a second slower.
        ws_per_message_deflate=False,
        # Clients ping. A dead one is closed as idle; the pong of a live one could come late, behind a long frame.
        ws_ping_interval=None,
        h11_max_incomplete_event_size=_HEAD_LIMIT_BYTES,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_STOPS_WITHIN_S,
        timeout_worker_healthcheck=_ALIVE_WITHIN_S,
        workers=settings.workers,
        server_header=False,
        headers=[("X-Runware-Mock", __version__)],
        log_config=None,
        # At lower levels it logs addresses and frames, which may contain keys.
        log_level="warning",
        access_log=False,
        lifespan="on",
        ssl_context_factory=partial(_context_of, context) if settings.uses_tls else None,
    )


def _context_of(context: Callable[[], SSLContext | None], *_given: object) -> Any:
    return context()


def _worker_app(settings: Settings, folder: Path) -> ASGIApp:
    """Return the application of one worker process; all of them share `folder`."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    set_up_logging(settings.log_level, settings.log_format)
    app = create_app(settings, shared=folder)
    _keep_memory(app)
    return app


def _end_with_parent() -> None:
    """End this process when its parent has ended, for whatever reason."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _keep_memory(app: Any) -> None:
    malloc.keep()
    Schedule("heap", malloc.Idleness(app.state.services.metrics.total).look, _HEAP_LOOK_S).start()
