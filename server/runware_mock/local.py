"""A server in this process: started on a thread of its own, stopped at the end of a `with` block."""

import secrets
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from runware_mock.handle import RunwareMock

if TYPE_CHECKING:
    from pathlib import Path

    from runware_mock.settings import Settings

# One of the clients refuses keys of fewer than 32 characters.
_KEY_BYTES = 24


def fresh_key() -> str:
    """Return an API key that nobody has used, which opens an account of its own."""
    return f"test-{secrets.token_hex(_KEY_BYTES)}"


@contextmanager
def serve(**settings: Any) -> Iterator[RunwareMock]:
    """Run a server until the block ends: on a free port, in memory unless `data_dir` or `database_url` is given.

    Takes any setting of `runware-mock serve` (`retention="7d"`, `seed=1`); raises ValueError for one that is not good,
    OSError where the port is taken, TlsUnusable where no certificate can be had. The mock it gives is an account of its
    own; `.account()` opens others. May be used in any thread, and inside a running event loop.
    """
    configured = _settings(settings)
    with _running(configured) as url:
        key, trusted = next(iter(configured.api_key), fresh_key()), _trusted(configured)
        mock = RunwareMock(url, key, token=configured.control_token, ca_file=trusted)
        try:
            yield mock
        finally:
            mock.close()


@contextmanager
def _running(settings: "Settings") -> Iterator[str]:
    from runware_mock.api.listening import address_of, listening_socket
    from runware_mock.app import create_app
    from runware_mock.certificates import server_context
    from runware_mock.server import MockServer

    bound = listening_socket(settings.host, settings.port)
    switch_interval_s = sys.getswitchinterval()
    ready: Future[None] = Future()
    try:
        server = MockServer(create_app(settings), settings, server_context(settings), lambda: ready.set_result(None))
    except BaseException:
        bound.close()
        raise

    def run() -> None:
        try:
            server.run(sockets=[bound])
        except BaseException as error:
            if not ready.done():
                ready.set_exception(RuntimeError(f"the server did not start, its log says why: {error!r}"))
            else:
                raise

    thread = threading.Thread(target=run, name="runware-mock", daemon=True)
    thread.start()
    try:
        ready.result()
        yield address_of(bound, is_tls=settings.uses_tls)
    finally:
        server.should_exit = True
        thread.join()
        bound.close()
        # The server's own sets it for the whole process, which is the tests' here.
        sys.setswitchinterval(switch_interval_s)


def _trusted(settings: "Settings") -> "Path | None":
    """Return the certificate by which clients know a server with TLS."""
    if not settings.uses_tls:
        return None
    from runware_mock.certificates import ca_file

    return settings.tls_cert or ca_file(settings.data_dir)


def _settings(given: dict[str, Any]) -> "Settings":
    from runware_mock.settings import BadSetting, Settings

    if given.get("workers", 1) != 1:
        raise ValueError("bad value for the setting workers: only the command runware-mock serve starts processes")
    try:
        return Settings.of({"port": 0, "in_memory": not {"data_dir", "database_url"} & given.keys(), **given})
    except BadSetting as bad:
        raise ValueError(f"bad value for the setting {bad.name}: {bad}") from None
