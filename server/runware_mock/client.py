"""The control API of a running server as Python methods.

    control = ControlClient("http://127.0.0.1:8080", api_key="a-key-for-tests-0123456789abcdef")
    control.clock.advance(days=31)
    assert control.media.list() == []

Methods return the models of `runware_mock.control_models`. Every refusal is a ControlError that names the field.
There is nothing to close, and threads may share a client.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypedDict, Unpack

from runware_mock import control_models as models
from runware_mock.answer_calls import AnswerCalls
from runware_mock.connection import DEFAULT_URL, ControlError, Listing, Wire, named
from runware_mock.control_models import write_span

__all__ = ["ControlClient", "ControlError", "EntryFilter", "Fault", "Listing"]


class Fault(dict[str, Any]):
    """One fault of a plan: `Fault("latency", delay="2s", task_type="imageUpload", times=3)`."""

    def __init__(self, kind: str, **fields: Any) -> None:
        super().__init__(kind=kind, **fields)


class EntryFilter(TypedDict, total=False):
    """Selects the journal entries that match every given field.

    `kind` is `task` unless you ask for `lookup` (getResponse, getTaskDetails), `request` (refused before it ran a
    task), `webhook` or `all`. `status` is an HTTP status or close code; 0 finds answers that were never sent.
    """

    task_type: str | None
    task_uuid: str | None
    outcome: str | None
    transport: str | None
    code: str | None
    sha256: str | None
    text: str | None
    since: int | None
    before: int | None
    status: int | None
    kind: str | None


class ControlClient:
    """The control API for the account of `api_key`, or for all accounts without a key.

    `token` is the server's `--control-token`. `ca_file` is the certificate to trust if a server with `--tls` has
    another data folder. Every call raises ControlError if it fails.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        api_key: str | None = None,
        token: str | None = None,
        timeout_s: float = 30.0,
        ca_file: Path | None = None,
    ) -> None:
        self._wire = Wire(url, api_key, token, timeout_s, ca_file)
        self.url = self._wire.url
        self.clock = ClockCalls(self._wire)
        self.media = MediaCalls(self._wire)
        self.faults = FaultCalls(self._wire)
        self.answers = AnswerCalls(self._wire)
        self.journal = JournalCalls(self._wire)
        self.snapshots = SnapshotCalls(self._wire)
        self.webhooks = WebhookCalls(self._wire)

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Do nothing: no connection stays open between calls."""

    def status(self) -> models.Status:
        """Return the server's version, its settings, and how much it has stored."""
        return self._wire.get(models.Status, "status")

    def accounts(self) -> Listing[models.Account]:
        """List the accounts."""
        page = self._wire.get(models.Accounts, "accounts")
        return Listing(page.accounts, page)

    def reset(self, scope: str = "all") -> models.Reset:
        """Delete the account's `media`, `journal` or `faults`, reset its `clock`, or do `all` of these."""
        return self._wire.post(models.Reset, "reset", {"scope": scope})

    def purge(self) -> models.Purged:
        """Delete what has expired."""
        return self._wire.post(models.Purged, "purge")

    def export(self) -> bytes:
        """Return the account's whole state as a zip archive."""
        return self._wire.download("export")

    def export_fixtures(self) -> bytes:
        """Return the account's media as a zip of a folder for `--fixtures`: the files, and a manifest."""
        return self._wire.download("export/fixtures")

    def load(self, archive: bytes) -> models.Loaded:
        """Replace the account's state with that of an exported archive."""
        return self._wire.post(models.Loaded, "import", archive)


class _Calls:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire


class ClockCalls(_Calls):
    """`control.clock`: the account's clock, or that of all accounts."""

    def now(self) -> datetime:
        """Return what the clock shows, in UTC."""
        return self.get().now_at

    def get(self) -> models.Clock:
        """Return the clock."""
        return self._wire.get(models.Clock, "clock")

    def freeze(self) -> models.Clock:
        """Stop the clock."""
        return self._wire.post(models.Clock, "clock/freeze")

    def resume(self) -> models.Clock:
        """Let a frozen clock run on from the time it shows."""
        return self._wire.post(models.Clock, "clock/resume")

    def reset(self) -> models.Clock:
        """Go back to the real time."""
        return self._wire.post(models.Clock, "clock/reset")

    def set(self, at: datetime | str | int) -> models.Moved:
        """Move the clock ahead to an instant: a datetime, ISO 8601, or milliseconds since 1970."""
        return self._wire.post(models.Moved, "clock/set", {"at": _at(at)})

    def advance(
        self,
        by: timedelta | str | None = None,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
    ) -> models.Moved:
        """Move the clock ahead by `"31d"`, a timedelta or `days=31`.

        Whatever falls due on the way, such as purges and webhooks, has happened when this returns.
        """
        units = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if by is not None and units:
            raise TypeError("give either a duration or its days, hours, minutes and seconds")
        return self._wire.post(models.Moved, "clock/advance", {"by": _span(units if by is None else by)})


class MediaCalls(_Calls):
    """`control.media`: the stored media."""

    def list(
        self,
        *,
        limit: int = 50,
        before: int | None = None,
        format: str | None = None,  # noqa: A002 - the name of the query's field
        task_type: str | None = None,
        text: str | None = None,
        state: str = "alive",
    ) -> Listing[models.Medium]:
        """List media, newest first. `state` is `alive`, `expired` or `all`; `text` is a part of the UUID."""
        query = {
            "limit": limit,
            "before": before,
            "format": format,
            "task_type": task_type,
            "text": text,
            "state": state,
        }
        page = self._wire.get(models.Media, "media", query)
        return Listing(page.media, page)

    def get(self, uuid: str) -> models.Medium:
        """Return one medium, alive or expired."""
        return self._wire.get(models.Medium, named("media", uuid, "uuid"))

    def delete(self, uuid: str) -> int:
        """Delete one medium; return how many were deleted."""
        return self._wire.delete(named("media", uuid, "uuid"))

    def add(self, picture: bytes | Path, uuid: str | None = None, age: timedelta | str | None = None) -> models.Medium:
        """Store a file, or bytes, as if it had been uploaded `age` ago; without a UUID it gets a random one."""
        data = picture if isinstance(picture, bytes) else Path(picture).read_bytes()
        query = {"uuid": uuid, "age": _span(age)}
        return self._wire.post(models.Medium, "media", data, query)

    def expire(self, uuid: str) -> models.Medium:
        """Make one medium expire now, by the account's clock."""
        return self._wire.post(models.Medium, named("media", uuid, "uuid") + "/expire")

    def forecast(
        self, at: datetime | str | int | None = None, within: timedelta | str | None = None
    ) -> models.Forecast:
        """Return what a purge would delete `at` an instant, or `within` a time from now, by the account's clock."""
        query = {"at": _at(at), "in": _span(within)}
        return self._wire.get(models.Forecast, "forecast", query)


class FaultCalls(_Calls):
    """`control.faults`: fault plans."""

    def plan(
        self, *faults: Mapping[str, Any], name: str | None = None, must_be_met: bool = True, by_name_only: bool = False
    ) -> models.PlanState:
        """Plan faults that happen in this order; without a name, the plan gets a random one."""
        plan = {
            "faults": [{key: _span(value) for key, value in fault.items()} for fault in faults],
            "must_be_met": must_be_met,
            "by_name_only": by_name_only,
        }
        return self.add(plan if name is None else {"name": name, **plan})

    def add(self, plan: Mapping[str, Any]) -> models.PlanState:
        """Add a plan in the form of the API's JSON."""
        return self._wire.post(models.PlanState, "faults", plan)

    def list(self) -> Listing[models.PlanState]:
        """List the plans."""
        page = self._wire.get(models.Plans, "faults")
        return Listing(page.plans, page)

    def get(self, name: str) -> models.PlanState:
        """Return one plan."""
        return self._wire.get(models.PlanState, named("faults", name))

    def delete(self, name: str | None = None) -> int:
        """Delete one plan or, without a name, all of them; return how many were deleted."""
        return self._wire.delete("faults" if name is None else named("faults", name))

    def unmet(self) -> Listing[models.PlanState]:
        """Return the plans that must be met but are not yet fully met."""
        unmet = tuple(plan for plan in self.list() if plan.must_be_met and not plan.is_met)
        return Listing(unmet, models.Plans(plans=unmet))


class JournalCalls(_Calls):
    """`control.journal`: the tasks that were sent, and their answers."""

    def list(self, *, limit: int = 100, **chosen: Unpack[EntryFilter]) -> Listing[models.Entry]:
        """List entries, newest first."""
        page = self._wire.get(models.Entries, "journal", {"limit": limit, **chosen})
        return Listing(page.entries, page)

    def count(self, **chosen: Unpack[EntryFilter]) -> int:
        """Count entries."""
        return self._wire.get(models.Count, "journal/count", chosen).count

    def get(self, id: int) -> models.Entry:  # noqa: A002 - the name of the entry's field
        """Return one entry."""
        return self._wire.get(models.Entry, f"journal/{id}")

    def wait(self, count: int = 1, timeout_s: float = 5.0, **chosen: Unpack[EntryFilter]) -> Listing[models.Entry]:
        """Wait for `count` entries; raises ControlError with code `timeout` if that takes longer than `timeout_s`."""
        query = {"count": count, "timeout": write_span(timedelta(seconds=timeout_s)), **chosen}
        page = self._wire.get(models.Waited, "journal/wait", query, wait_s=timeout_s)
        return Listing(page.entries, page)

    def clear(self) -> int:
        """Delete every entry; return how many there were."""
        return self._wire.delete("journal")


class WebhookCalls(_Calls):
    """`control.webhooks`: the calls of webhooks, one journal entry for each attempt."""

    def list(self, *, limit: int = 100, **chosen: Unpack[EntryFilter]) -> Listing[models.Entry]:
        """List calls, newest first: `status` is what the webhook answered, `task["attempt"]` counts from 1."""
        page = self._wire.get(models.Entries, "webhooks", {"limit": limit, **chosen})
        return Listing(page.entries, page)

    def resend(self, id: int) -> models.Queued:  # noqa: A002 - the name of the entry's field
        """Call a webhook again, with the body of the call that has this id."""
        return self._wire.post(models.Queued, f"webhooks/{id}/resend")


class SnapshotCalls(_Calls):
    """`control.snapshots`: named states of the account."""

    def save(self, name: str) -> models.Snapshot:
        """Save the account's state under a name."""
        return self._wire.post(models.Snapshot, named("snapshots", name))

    def restore(self, name: str) -> models.Snapshot:
        """Return the account to a saved state."""
        return self._wire.post(models.Snapshot, named("snapshots", name) + "/restore")

    def list(self) -> Listing[models.Snapshot]:
        """List the snapshots."""
        page = self._wire.get(models.Snapshots, "snapshots")
        return Listing(page.snapshots, page)

    def delete(self, name: str) -> int:
        """Delete a snapshot; return how many were deleted."""
        return self._wire.delete(named("snapshots", name))


def _at(at: datetime | str | int | None) -> str | int | None:
    return at.isoformat() if isinstance(at, datetime) else at


def _span(value: Any) -> Any:
    """Write a duration; anything else is for the server to judge."""
    return write_span(value) if isinstance(value, timedelta) else value
