"""The mock in a test: `serve()` runs a server in this process, and RunwareMock is one account on a server."""

import hashlib
import secrets
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack
from uuid import UUID

from runware_mock.client import (
    ClockCalls,
    ControlClient,
    ControlError,
    Entry,
    EntryFilter,
    FaultCalls,
    JournalCalls,
    Listing,
    MediaCalls,
    SnapshotCalls,
)
from runware_mock.failure_messages import counted, task_history

if TYPE_CHECKING:
    from runware_mock.settings import Settings

# What an application is told unless its own names are given: environment variable -> attribute of the mock.
ENV_NAMES: Mapping[str, str] = {
    "RUNWARE_API_KEY": "api_key",
    "RUNWARE_BASE_URL": "rest_url",
    "RUNWARE_WS_URL": "ws_url",
}
# What makes Python programs and curl trust a server with TLS, and Node.
_TRUST_NAMES = ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")
_PAGE = 1000


class RunwareMock:
    """One account on a running server; what other accounts do is not seen here.

    `control` is the control API for this account, and `clock`, `faults`, `journal`, `media` and `snapshots` its parts.
    """

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        token: str | None = None,
        env_names: Mapping[str, str] = ENV_NAMES,
        ca_file: Path | None = None,
    ) -> None:
        self.url = url.rstrip("/").removesuffix("/v1")
        self.api_key = api_key
        self.token = token
        self.ca_file = ca_file
        self._env_names = env_names
        self._accounts: list[RunwareMock] = []

    def __repr__(self) -> str:
        """Leave the key out: reprs end up in reports."""
        return f"<RunwareMock at {self.url}>"

    @property
    def rest_url(self) -> str:
        """Address of the REST API."""
        return f"{self.url}/v1"

    @property
    def ws_url(self) -> str:
        """Address of the WebSocket API."""
        return f"ws{self.url.removeprefix('http')}/v1"

    def env(self) -> dict[str, str]:
        """Return the environment variables that point an application here."""
        trusted = {} if self.ca_file is None else dict.fromkeys(_TRUST_NAMES, str(self.ca_file))
        return {**{name: getattr(self, attribute) for name, attribute in self._env_names.items()}, **trusted}

    def account(self, api_key: str) -> "RunwareMock":
        """Return another account on this server, which closes with this one."""
        given: dict[str, Any] = {"token": self.token, "env_names": self._env_names, "ca_file": self.ca_file}
        self._accounts.append(RunwareMock(self.url, api_key, **given))
        return self._accounts[-1]

    @cached_property
    def control(self) -> ControlClient:
        """The control API."""
        return ControlClient(self.url, self.api_key, token=self.token, ca_file=self.ca_file)

    def close(self) -> None:
        """Close the connection of `control`."""
        for account in self._accounts:
            account.close()
        if opened := self.__dict__.pop("control", None):
            opened.close()

    @property
    def clock(self) -> ClockCalls:
        """Freeze, set and advance the account's clock."""
        return self.control.clock

    @property
    def faults(self) -> FaultCalls:
        """Plan what goes wrong."""
        return self.control.faults

    @property
    def journal(self) -> JournalCalls:
        """What was asked and answered, filtered and counted."""
        return self.control.journal

    @property
    def media(self) -> MediaCalls:
        """What is stored."""
        return self.control.media

    @property
    def snapshots(self) -> SnapshotCalls:
        """Keep the account's state under a name, and put it back."""
        return self.control.snapshots

    @property
    def tasks(self) -> list[Entry]:
        """Every task asked and how it was answered, the oldest first."""
        return self._entries()

    @property
    def uploads(self) -> list[Entry]:
        """The uploads that succeeded, `imageUpload` and `mediaStorage`, the oldest first."""
        return [entry for entry in self._entries(outcome="success") if _is_upload(entry)]

    def assert_uploaded(
        self, picture: bytes | Path | None = None, *, times: int | None = None, sha256: str | None = None
    ) -> list[Entry]:
        """Fail unless this file (or that of a SHA-256, or any) was uploaded, `times` times where that is given.

        Returns the uploads in question.
        """
        __tracebackhide__ = True
        wanted, uploads = _digest(picture, sha256), self.uploads
        found = [entry for entry in uploads if wanted is None or _sent(entry) == wanted]
        if len(found) != times if times is not None else not found:
            expected = "an upload" if times is None else counted(times, "upload")
            of_what = "" if wanted is None else f" of the file with SHA-256 {wanted}"
            raise AssertionError(f"expected {expected}{of_what}, there {_were(len(found))}\n{task_history(self.tasks)}")
        return found

    def assert_not_uploaded(self, picture: bytes | Path | None = None, *, sha256: str | None = None) -> None:
        """Fail if this file (or that of a SHA-256, or any) was uploaded."""
        __tracebackhide__ = True
        self.assert_uploaded(picture, times=0, sha256=sha256)

    def wait_for_uploads(self, count: int = 1, timeout_s: float = 5.0) -> list[Entry]:
        """Wait until so many uploads have succeeded, and return them; fail if it takes longer than that."""
        __tracebackhide__ = True
        give_up_s = time.monotonic() + timeout_s
        uploads: list[Entry] = []
        last_id = 0
        while True:
            new = self._entries(outcome="success", since=last_id)
            uploads += filter(_is_upload, new)
            if len(uploads) >= count:
                return uploads
            last_id = new[-1].id if new else last_id
            try:
                left_s = max(give_up_s - time.monotonic(), 0.0)
                self.journal.wait(1, timeout_s=left_s, outcome="success", since=last_id)
            except ControlError as error:
                if error.code != "timeout":
                    raise
                waited = f"waited {timeout_s:g} s for {counted(count, 'upload')}, there {_were(len(uploads))}"
                raise AssertionError(f"{waited}\n{task_history(self.tasks)}") from None

    def expires_at(self, uuid: str | UUID) -> datetime:
        """Return when a stored medium expires unless it is used before."""
        return self.media.get(str(uuid)).expires_at

    def time_left(self, uuid: str | UUID) -> timedelta:
        """Return how long that is from now, on the account's clock."""
        return self.media.get(str(uuid)).time_left

    def is_stored(self, uuid: str | UUID) -> bool:
        """Tell whether a task could use this medium now."""
        return any(medium.uuid == str(uuid).lower() for medium in self.media.list(text=str(uuid), state="alive"))

    def crashes(self, since: int = 0) -> list[Entry]:
        """Return the tasks, after entry `since` of the journal, that broke the mock itself, the oldest first."""
        return self._entries(outcome="crash", since=since)

    def _entries(self, **chosen: Unpack[EntryFilter]) -> list[Entry]:
        return list(self._newest_first(**chosen))[::-1]

    def _newest_first(self, **chosen: Unpack[EntryFilter]) -> Iterator[Entry]:
        page: Listing[Entry] | None = None
        while page is None or page.next_before:
            page = self.journal.list(limit=_PAGE, **chosen)
            yield from page
            chosen["before"] = page.next_before


def _is_upload(entry: "Entry") -> bool:
    if entry.task_type == "mediaStorage":
        return bool(entry.task.get("operation", "upload") == "upload")
    return entry.task_type == "imageUpload"


def _sent(entry: "Entry") -> str | None:
    return entry.audit.sent.sha256 if entry.audit else None


def _digest(picture: bytes | Path | None, sha256: str | None) -> str | None:
    if picture is None:
        return sha256.lower() if sha256 else None
    if sha256 is not None:
        raise TypeError("give the picture or its sha256, not both")
    return hashlib.sha256(picture if isinstance(picture, bytes) else picture.read_bytes()).hexdigest()


def _were(count: int) -> str:
    return f"{'was' if count == 1 else 'were'} {count or 'none'}"


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
        key, trusted = next(iter(configured.api_keys()), fresh_key()), _trusted(configured)
        token = configured.control_token.get_secret_value() if configured.control_token else None
        mock = RunwareMock(url, key, token=token, ca_file=trusted)
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


def _trusted(settings: "Settings") -> Path | None:
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
        return Settings(**{"port": 0, "in_memory": not {"data_dir", "database_url"} & given.keys(), **given})
    except BadSetting as bad:
        raise ValueError(f"bad value for the setting {bad.name}: {bad}") from None
