"""What control calls return; the same models describe the answers of the control API."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, WithJsonSchema

from runware_mock.faults.plans import PlanState

Instant = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Duration = Annotated[str, WithJsonSchema({"type": "string", "examples": ["31d", "2h30m"]})]


class Status(BaseModel):
    """What the server is and holds; `settings` are those that differ from their default."""

    version: str
    url: str
    settings: dict[str, str]
    accounts: int
    media: int
    journal: int


class Account(BaseModel):
    """An account: `label` is its key, masked; the numbers say how much it has of each."""

    id: int
    label: str
    created_at: Instant
    now_at: Instant
    media: int
    journal: int
    plans: int


class Accounts(BaseModel):
    """All accounts, the newest first."""

    accounts: list[Account]


class Clock(BaseModel):
    """A clock: `offset` is how far it is ahead of the real one; `account` is null for that of all accounts."""

    now_at: Instant
    frozen: bool
    offset: Duration
    account: int | None


class Purged(BaseModel):
    """What a purge removed: media, files that none of them shared any more, and the first thousand UUIDs."""

    media: int
    contents: int
    uuids: list[str]


class Moved(BaseModel):
    """A clock that was moved, and what fell due on the way."""

    clock: Clock
    purged: Purged
    delivered: int


class StoredFile(BaseModel):
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


class Media(BaseModel):
    """A page of media; `next_before` is the `before` of the next page, `total` counts ten thousand at most."""

    media: list[Medium]
    next_before: int | None
    total: int


class Expiring(BaseModel):
    """When a medium expires."""

    uuid: str
    last_used_at: Instant
    expires_at: Instant
    time_left: Duration
    would_be_purged: bool


class WouldPurge(BaseModel):
    """How much a purge would remove."""

    media: int
    bytes: int


class Forecast(BaseModel):
    """When each medium expires, the next first, and what a purge would remove at an instant."""

    at: Instant
    media: list[Expiring]
    would_purge: WouldPurge


class Audit(BaseModel):
    """What became of an uploaded file; `declared` is the media type that its data URI claims."""

    declared: str | None
    format: str
    sent: SentFile
    stored: StoredFile
    frames: int | None
    rule: str


class Explanation(BaseModel):
    """Why a task was refused: the rule, the sentence of the documentation, and what would be valid."""

    rule: str
    sentence: str
    value_head: str | None
    nearest_valid: str | None


class FaultMet(BaseModel):
    """A fault that a task met; where chance had a part in it, `seed` and `draw` are there, too."""

    model_config = ConfigDict(extra="allow")

    plan: str
    kind: str


class Entry(BaseModel):
    """One task in the journal. In `task` and `answer` each long string is `{"head", "chars", "sha256"}`.

    `warnings` name what the task was accepted with, but the real service might not accept.
    """

    id: int
    account: int
    at: Instant
    transport: str
    client: str | None
    task_type: str | None
    task_uuid: str | None
    outcome: Literal["success", "error", "fault", "crash"]
    task: dict[str, Any]
    answer: list[dict[str, Any]]
    duration_ms: float
    faults: list[FaultMet]
    audit: Audit | None
    warnings: list[str]
    explanation: Explanation | None


class Entries(BaseModel):
    """A page of the journal; `next_before` is the `before` of the next page."""

    entries: list[Entry]
    next_before: int | None


class Count(BaseModel):
    """How many there are."""

    count: int


class Waited(Count):
    """How many entries there were in the end, and the newest of them."""

    entries: list[Entry]


class Deleted(BaseModel):
    """How many were removed."""

    deleted: int


class Plans(BaseModel):
    """Fault plans, in the order in which they were made."""

    plans: list[PlanState]


class Reset(BaseModel):
    """How much was forgotten of each part that `scope` names."""

    model_config = ConfigDict(extra="forbid")

    scope: str
    media: int = 0
    journal: int = 0
    faults: int = 0
    clock: int = 0


class Snapshot(BaseModel):
    """A named state of an account."""

    name: str
    created_at: Instant
    media: int


class Snapshots(BaseModel):
    """The snapshots of an account, the newest first."""

    snapshots: list[Snapshot]


class Loaded(BaseModel):
    """How much an archive held."""

    media: int
    journal: int
    plans: int
