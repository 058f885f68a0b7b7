"""What the control API answers: the server fills these models, OpenAPI describes them, and the client reads them.

In JSON an instant is `2026-01-01T00:00:00.000Z` and a duration is `31d` or `2h30m`. A client ignores fields that it
does not know, so that it can talk to a newer server.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema

from runware_mock.values import parse_duration, write_duration

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(at: int) -> datetime:
    """Return milliseconds since 1970 as a datetime in UTC."""
    return _EPOCH + timedelta(milliseconds=at)


def write_instant(moment: datetime) -> str:
    """Write an instant as JSON has it."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def write_span(span: timedelta) -> str:
    """Write a duration, which may be negative."""
    return "-" * (span < timedelta()) + write_duration(abs(span))


def read_span(value: object) -> timedelta:
    """Read a duration, which may be negative; raises ValueError."""
    if isinstance(value, str) and value.startswith("-"):
        return -read_span(value[1:])
    return parse_duration(value, longest=timedelta.max)


Instant = Annotated[
    datetime,
    PlainSerializer(write_instant, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Duration = Annotated[
    timedelta,
    BeforeValidator(read_span),
    PlainSerializer(write_span, when_used="json"),
    WithJsonSchema({"type": "string", "examples": ["31d", "2h30m"]}),
]


class Answer(BaseModel):
    """What every answer has in common: it does not change."""

    model_config = ConfigDict(frozen=True)


class Status(Answer):
    """What the server is and holds; `settings` are those that differ from their default."""

    version: str
    url: str
    settings: Mapping[str, str]
    accounts: int
    media: int
    journal: int


class Account(Answer):
    """An account: `label` is its key, masked; the numbers say how much it has of each."""

    id: int
    label: str
    created_at: Instant
    now_at: Instant
    media: int
    journal: int
    plans: int


class Accounts(Answer):
    """All accounts, the newest first."""

    accounts: tuple[Account, ...]


class Clock(Answer):
    """A clock: `offset` is how far it is ahead of the real one; `account` is null for that of all accounts."""

    now_at: Instant
    frozen: bool
    offset: Duration
    account: int | None


class Purged(Answer):
    """What a purge removed: media, files that none of them shared any more, and the first thousand UUIDs."""

    media: int
    contents: int
    uuids: tuple[str, ...]


class Moved(Answer):
    """A clock that was moved, and what fell due on the way."""

    clock: Clock
    purged: Purged
    delivered: int


class StoredFile(Answer):
    """A file as it is stored; video, audio and 3D have no size in pixels."""

    size_bytes: int
    width_px: int | None
    height_px: int | None


class SentFile(StoredFile):
    """The same file as it was sent, before its EXIF orientation was applied."""

    sha256: str
    orientation: int | None


class Medium(StoredFile):
    """A stored medium; `time_left` is on its account's clock."""

    id: int
    uuid: str
    account: int
    task_type: str | None
    url: str
    kind: str
    format: str
    frames: int | None
    sent: SentFile
    downsized: bool
    created_at: Instant
    last_used_at: Instant
    expires_at: Instant
    time_left: Duration


class Media(Answer):
    """A page of media; `next_before` is the `before` of the next page, `total` counts those of all pages."""

    media: tuple[Medium, ...]
    next_before: int | None
    total: int


class Expiring(Answer):
    """When a medium expires."""

    uuid: str
    last_used_at: Instant
    expires_at: Instant
    time_left: Duration
    would_be_purged: bool


class WouldPurge(Answer):
    """How much a purge would remove."""

    media: int
    bytes: int


class Forecast(Answer):
    """When each medium expires, the next first, and what a purge would remove at an instant."""

    at: Instant
    media: tuple[Expiring, ...]
    would_purge: WouldPurge


class Audit(Answer):
    """What became of an uploaded file; `declared` is the media type that its data URI claims."""

    declared: str | None
    format: str
    sent: SentFile
    stored: StoredFile
    frames: int | None
    rule: str


class Explanation(Answer):
    """Why a task was refused: the rule, the sentence of the documentation, and what would be valid."""

    rule: str
    sentence: str
    value_head: str | None
    nearest_valid: str | None


class FaultMet(Answer):
    """A fault that a task met; `seed` and `draw` are what chance was drawn from."""

    plan: str
    kind: str
    seed: int | None = None
    draw: int | None = None


class Entry(Answer):
    """One task or request in the journal. In `task` and `answer` each long string is `{"head", "chars", "sha256"}`.

    `kind` is `task`, `lookup` (getResponse, getTaskDetails), `request` (one that ran no task, which `task` describes;
    `account` is null if it opened none) or `webhook` (a call, which `task` describes; `answer` is its body). `status`
    is that of the HTTP response, or the code with which a socket was closed instead of the answer; 0 says that nothing
    was sent or answered; null stands for a frame. `sent_body` is what was sent if a fault changed or replaced the
    answer. `warnings` name what the task was accepted with, but the real service might not accept.
    """

    id: int
    account: int | None
    at: Instant
    transport: str
    client: str | None
    task_type: str | None
    task_uuid: str | None
    outcome: Literal["success", "error", "fault", "crash"]
    task: dict[str, Any]
    answer: tuple[dict[str, Any], ...]
    duration_ms: float
    faults: tuple[FaultMet, ...]
    audit: Audit | None
    warnings: tuple[str, ...]
    explanation: Explanation | None
    kind: Literal["task", "lookup", "request", "webhook"] = "task"
    status: int | None = None
    sent_body: str | dict[str, Any] | None = None

    @property
    def asked(self) -> str | None:
        """The task type, or the method and path of a request that ran no task, or the URL of a webhook."""
        if self.kind not in ("request", "webhook"):
            return self.task_type
        url = self.task.get("path") or self.task.get("url")
        return f"{self.task.get('method')} {url.partition('?')[0] if isinstance(url, str) else '…'}"


class Entries(Answer):
    """A page of the journal; `next_before` is the `before` of the next page."""

    entries: tuple[Entry, ...]
    next_before: int | None


class Count(Answer):
    """How many there are."""

    count: int


class Waited(Count):
    """How many entries there were in the end, and the newest of them."""

    entries: tuple[Entry, ...]


class Queued(Answer):
    """A webhook that will be called again, and when by its account's clock."""

    url: str
    due_at: Instant


class Deleted(Answer):
    """How many were removed."""

    deleted: int


class FaultState(Answer):
    """One fault of a plan, with the fields of its kind: how many events fitted it, and how many met it."""

    model_config = ConfigDict(extra="allow")

    kind: str
    times: int | None
    task_type: str | None
    task_uuid: str | None
    nth: int | None
    transport: str | None
    probability: float
    seed: int | None
    seen: int
    met: int
    remaining: int | None


class PlanState(Answer):
    """A plan and how far it has come; `account` is null for a plan of all accounts.

    If no task has fitted a plan that must be met, `nearest` is the task that comes nearest, and what it lacks.
    """

    name: str
    account: int | None
    must_be_met: bool
    by_name_only: bool
    is_met: bool
    warnings: tuple[str, ...]
    faults: tuple[FaultState, ...]
    nearest: str | None = None


class Plans(Answer):
    """Fault plans, in the order in which they were made."""

    plans: tuple[PlanState, ...]


class Reset(Answer):
    """How much was forgotten of each part that `scope` names."""

    scope: str
    media: int = 0
    journal: int = 0
    faults: int = 0
    clock: int = 0


class Snapshot(Answer):
    """A named state of an account."""

    name: str
    created_at: Instant
    media: int


class Snapshots(Answer):
    """The snapshots of an account, the newest first."""

    snapshots: tuple[Snapshot, ...]


class Loaded(Answer):
    """How much an archive held."""

    media: int
    journal: int
    plans: int
