"""A server on a thread of this process, for tests: it starts on a free port and stops at the end of a `with` block."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from fastapi import APIRouter

from runware_mock.app import create_app
from runware_mock.certificates import ca_file, server_context
from runware_mock.clock import UnfrozenClock, monotonic_s
from runware_mock.server import MockServer, address_of, listening_socket
from runware_mock.settings import BadSetting, Settings

# With its first route, FastAPI imports the last of pydantic: now, since it cannot while freezegun replaces `datetime`.
APIRouter().add_api_route("/", lambda: 0, response_model=int)


class LocalServer(NamedTuple):
    """Where the server is, and what its clients need: a key (None where any will do), its token, its certificate."""

    url: str
    api_key: str | None
    token: str | None
    ca_file: Path | None


class UnfrozenLoop(asyncio.SelectorEventLoop):
    """An event loop whose timers go on while a test freezes the time."""

    def time(self) -> float:
        """Return the loop's time in seconds."""
        return monotonic_s()


@contextmanager
def running(given: Mapping[str, Any]) -> Iterator[LocalServer]:
    """Run a server with these settings until the block ends; raises what `runware_mock.serve` raises."""
    settings = _settings(given)
    trusted = (settings.tls_cert or ca_file(settings.data_dir)) if settings.uses_tls else None
    bound = listening_socket(settings.host, settings.port)
    ready: Future[None] = Future()
    try:
        app = create_app(settings, UnfrozenClock())
        server = MockServer(app, settings, server_context(settings), lambda: ready.set_result(None))
    except BaseException:
        bound.close()
        raise

    def run() -> None:
        try:
            with asyncio.Runner(loop_factory=UnfrozenLoop) as runner:
                runner.run(server.serve(sockets=[bound]))
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(RuntimeError(f"the server did not start; its log says why: {error!r}"))

    thread = threading.Thread(target=run, name="runware-mock", daemon=True)
    thread.start()
    try:
        ready.result()
        url = address_of(bound, is_tls=settings.uses_tls)
        yield LocalServer(url, next(iter(settings.api_keys()), None), settings.token(), trusted)
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


def _settings(given: Mapping[str, Any]) -> Settings:
    if given.get("workers", 1) != 1:
        raise ValueError("bad value for the setting workers: only the command `runware-mock serve` starts processes")
    try:
        return Settings(**{"port": 0, "in_memory": not {"data_dir", "database_url"} & given.keys(), **given})
    except BadSetting as bad:
        raise ValueError(f"bad value for the setting {bad.name}: {bad}") from None
