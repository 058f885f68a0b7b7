"""The mock in a test: `serve()` runs a server in this process, and RunwareMock is one account on a server."""

import hashlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, Unpack
from uuid import UUID

from runware_mock.client import ControlClient, ControlError, EntryFilter
from runware_mock.clock import monotonic_s
from runware_mock.control_models import Entry, PlanState

_SHOWN_TASKS = 10
_SHOWN_DIGEST_CHARS = 12


def task_history(entries: Sequence[Entry]) -> str:
    """List tasks and refused requests one a line, oldest first; of many, only the last."""
    if not entries:
        return "no task was sent to the mock"
    earlier = len(entries) - _SHOWN_TASKS
    head = [f"  ({counted(earlier, 'earlier task')} not shown)"] if earlier > 0 else []
    return "\n".join(["tasks sent to the mock:", *head, *map(_task_line, entries[-_SHOWN_TASKS:])])


def unmet_plan(plan: PlanState) -> str:
    """Say which faults of a plan, or answers of a rule, did not happen as often as planned."""
    is_rule = all(fault.kind == "answer" for fault in plan.faults)
    whole, part, done = ("rule", "answer", "given") if is_rule else ("fault plan", "fault", "happened")
    lines = [f"the {whole} {plan.name!r} was not fully {'used' if is_rule else 'met'}"]
    lines += [
        f"  {part} {number}{'' if is_rule else f', {fault.kind}'}: {done} {fault.met} of {counted(wanted, 'time')}; "
        f"{counted(fault.seen, 'matching call')} seen"
        for number, fault in enumerate(plan.faults, 1)
        # A fault that is planned without end has to happen once.
        if fault.met < (wanted := fault.times or 1)
    ]
    lines += [f"  {warning}" for warning in plan.warnings]
    return "\n".join([*lines, *([f"  nearest task: {plan.nearest}"] if plan.nearest else [])])


def crash_report(crashes: Sequence[Entry]) -> str:
    """Say that these tasks crashed the mock itself."""
    return f"the mock itself crashed (its log says why); {task_history(crashes)}"


def counted(count: int, noun: str) -> str:
    """Return `1 upload`, `2 uploads`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _task_line(entry: Entry) -> str:
    task_uuid = f" {entry.task_uuid}" if entry.task_uuid else ""
    return f"  {entry.outcome} {entry.asked}{task_uuid} ({entry.transport}){_detail(entry)}"


def _detail(entry: Entry) -> str:
    if entry.audit:
        sent = entry.audit.sent
        size = f" {sent.width_px}x{sent.height_px}" if sent.width_px else ""
        return f": {entry.audit.format}{size}, SHA-256 {sent.sha256[:_SHOWN_DIGEST_CHARS]}…"
    if entry.outcome != "success" and entry.answer:
        return f": {entry.answer[0].get('code')}: {entry.answer[0].get('message')}"
    return ""


# What `env()` returns unless a test project has names of its own: environment variable -> attribute of RunwareMock.
ENV_NAMES: Mapping[str, str] = {
    "RUNWARE_API_KEY": "api_key",
    "RUNWARE_BASE_URL": "rest_url",
    "RUNWARE_WS_URL": "ws_url",
}
# With these, Python, curl and Node trust a server with TLS.
_TRUST_NAMES = ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")
_PAGE_ENTRIES = 1000
# 53 characters with the prefix: one of the SDKs refuses keys of fewer than 32.
_KEY_BYTES = 24


class RunwareMock:
    """One account on a running server, isolated from all other accounts.

    Attributes:
        url: Address of the server.
        api_key: The API key of the account.
        token: The server's control token, if it has one.
        ca_file: The certificate to trust if the server uses TLS.
        control: The control API for this account.
        clock: Freezes, sets and advances the account's clock.
        answers: Scripts what tasks are answered with.
        faults: Plans what goes wrong.
        journal: Lists, counts and awaits the tasks that were sent, with their answers.
        media: Lists, adds, deletes and forecasts stored media.
        snapshots: Saves and restores the account's state.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None,
        *,
        token: str | None = None,
        env_names: Mapping[str, str] = ENV_NAMES,
        ca_file: Path | None = None,
    ) -> None:
        self.url = url.rstrip("/").removesuffix("/v1")
        self.api_key = api_key or ""
        self.token = token
        self.ca_file = ca_file
        self._env_names = env_names
        self.control = ControlClient(self.url, api_key, token=token, ca_file=ca_file)
        self.clock = self.control.clock
        self.faults = self.control.faults
        self.answers = self.control.answers
        self.journal = self.control.journal
        self.media = self.control.media
        self.snapshots = self.control.snapshots
        self.webhooks = self.control.webhooks

    def __repr__(self) -> str:
        """Leave the key out: a repr may end up in a report."""
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
        """Return the environment variables that point an application at the mock."""
        trusted = {} if self.ca_file is None else dict.fromkeys(_TRUST_NAMES, str(self.ca_file))
        return {**{name: getattr(self, attribute) for name, attribute in self._env_names.items()}, **trusted}

    def account(self, api_key: str | None) -> "RunwareMock":
        """Return another account on this server; None stands for all of them, to plan faults and look at tasks."""
        return RunwareMock(self.url, api_key, token=self.token, env_names=self._env_names, ca_file=self.ca_file)

    @property
    def tasks(self) -> list[Entry]:
        """Every task that was sent, with its answer, oldest first; no getResponse, and no request without a task."""
        return self._entries()

    @property
    def uploads(self) -> list[Entry]:
        """The uploads that succeeded, by `imageUpload` or `mediaStorage`, oldest first."""
        return [entry for entry in self._entries(outcome="success") if _is_upload(entry)]

    def assert_uploaded(
        self, picture: bytes | Path | None = None, *, times: int | None = None, sha256: str | None = None
    ) -> list[Entry]:
        """Fail unless the picture was uploaded: at least once, or exactly `times` times. Return its uploads.

        Give the picture as bytes, as a file, or by its SHA-256. Without a picture, any upload counts.
        """
        __tracebackhide__ = True
        wanted, uploads = _digest(picture, sha256), self.uploads
        found = [entry for entry in uploads if wanted is None or _sent_sha256(entry) == wanted]
        if len(found) != times if times is not None else not found:
            expected = "an upload" if times is None else counted(times, "upload")
            of_what = "" if wanted is None else f" of the file with SHA-256 {wanted}"
            raise AssertionError(f"expected {expected}{of_what}, but there {_were(len(found))}\n{self._history()}")
        return found

    def assert_not_uploaded(self, picture: bytes | Path | None = None, *, sha256: str | None = None) -> None:
        """Fail if the picture was uploaded or, without a picture, if anything was."""
        __tracebackhide__ = True
        self.assert_uploaded(picture, times=0, sha256=sha256)

    def wait_for_uploads(self, count: int = 1, timeout_s: float = 5.0) -> list[Entry]:
        """Wait until `count` uploads have succeeded, and return them; fail after `timeout_s` seconds."""
        __tracebackhide__ = True
        deadline_s = monotonic_s() + timeout_s
        uploads: list[Entry] = []
        last_id = 0
        while True:
            new = self._entries(outcome="success", since=last_id)
            uploads += filter(_is_upload, new)
            if len(uploads) >= count:
                return uploads
            last_id = new[-1].id if new else last_id
            left_s = max(deadline_s - monotonic_s(), 0.0)
            try:
                self.journal.wait(1, timeout_s=left_s, outcome="success", since=last_id)
            except ControlError as error:
                if error.code != "timeout":
                    raise
                waited = f"waited {timeout_s:g} s for {counted(count, 'upload')}, but there {_were(len(uploads))}"
                raise AssertionError(f"{waited}\n{self._history()}") from None

    def wait_for_webhook(
        self, task_uuid: str | UUID | None = None, *, outcome: str | None = "success", timeout_s: float = 5.0
    ) -> Entry:
        """Wait until a webhook, of this task or of any, was called, and return the newest such call.

        `outcome` is `success`, `error` (the webhook refused, or cannot be reached), `fault` (a fault plan lost it), or
        None for any. Fails after `timeout_s` seconds.
        """
        __tracebackhide__ = True
        of_task: EntryFilter = {"kind": "webhook", "task_uuid": None if task_uuid is None else str(task_uuid)}
        chosen: EntryFilter = {**of_task, "outcome": outcome}
        try:
            return self.journal.wait(1, timeout_s=timeout_s, **chosen)[0]
        except ControlError as error:
            if error.code != "timeout":
                raise
            calls = "\n".join(map(_call_line, self._entries(**of_task))) or "  none"
            raise AssertionError(f"waited {timeout_s:g} s for a webhook; calls that were made:\n{calls}") from None

    def expires_at(self, uuid: str | UUID) -> datetime:
        """Return when a stored medium expires if nothing uses it before then."""
        return self.media.get(str(uuid)).expires_at

    def time_left(self, uuid: str | UUID) -> timedelta:
        """Return how long a stored medium has until it expires, by the account's clock."""
        return self.media.get(str(uuid)).time_left

    def is_stored(self, uuid: str | UUID) -> bool:
        """Return whether a task could use this medium now."""
        return any(medium.uuid == str(uuid).lower() for medium in self.media.list(text=str(uuid), state="alive"))

    def crashes(self, since: int = 0) -> list[Entry]:
        """Return the tasks and requests after journal entry `since` that crashed the mock itself, oldest first."""
        return self._entries(outcome="crash", since=since, kind="all")

    def _entries(self, **chosen: Unpack[EntryFilter]) -> list[Entry]:
        entries: list[Entry] = []
        while True:
            page = self.journal.list(limit=_PAGE_ENTRIES, **chosen)
            entries += page
            if page.next_before is None:
                return entries[::-1]
            chosen["before"] = page.next_before

    def _history(self) -> str:
        return task_history([entry for entry in self._entries(kind="all") if entry.kind in ("task", "request")])


def fresh_key() -> str:
    """Return an API key that nobody has used: it opens an account of its own."""
    return f"test-{secrets.token_hex(_KEY_BYTES)}"


@contextmanager
def serve(**settings: Any) -> Iterator[RunwareMock]:
    """Run a server until the block ends: on a free port, in memory unless `data_dir` or `database_url` is given.

    It accepts any setting of `runware-mock serve`, such as `retention="7d"` or `seed=1`. It works in any thread, even
    inside a running event loop, and keeps running while a test freezes time. It yields an account of the first API key
    in the settings or, without one, of a fresh key; `.account()` opens others.

    Raises:
        ValueError: A setting is unknown or has a bad value.
        OSError: The port is taken.
        TlsUnusable: There is no usable certificate.
    """
    with import_server().running(settings) as server:
        yield RunwareMock(server.url, server.api_key or fresh_key(), token=server.token, ca_file=server.ca_file)


def import_server() -> ModuleType:
    """Import the server, which takes most of a second: every pytest run loads this module, and few need a server."""
    from runware_mock import local_server

    return local_server


def _call_line(entry: Entry) -> str:
    problem = entry.task.get("problem", "")
    return f"  {entry.outcome} {entry.asked} {entry.task_uuid}, attempt {entry.task.get('attempt')}: {problem}"


def _is_upload(entry: Entry) -> bool:
    if entry.task_type == "mediaStorage":
        return bool(entry.task.get("operation", "upload") == "upload")
    return entry.task_type == "imageUpload"


def _sent_sha256(entry: Entry) -> str | None:
    return entry.audit.sent.sha256 if entry.audit else None


def _digest(picture: bytes | Path | None, sha256: str | None) -> str | None:
    if picture is None:
        return sha256.lower() if sha256 else None
    if sha256 is not None:
        raise TypeError("give either the picture or its sha256, not both")
    return hashlib.sha256(picture if isinstance(picture, bytes) else picture.read_bytes()).hexdigest()


def _were(count: int) -> str:
    return f"{'was' if count == 1 else 'were'} {count or 'none'}"
