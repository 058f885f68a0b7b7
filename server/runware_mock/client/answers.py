"""What the control API answers, as values. Fields that this version does not know are in `json` alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

Json = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """An answer; `json` is what came over the wire."""

    json: Json = field(repr=False, compare=False, kw_only=True)


class Listing(list[T]):
    """The answers of a list, the newest first; `json` is what came over the wire."""

    def __init__(self, answers: Iterable[T], json: Json) -> None:
        super().__init__(answers)
        self.json = json

    @property
    def next_before(self) -> int | None:
        """What to give as `before` for the next page; None at the end."""
        return self.json.get("next_before")


@dataclass(frozen=True)
class Status(Answer):
    """What the server is and holds. `settings` are those that differ from their default."""

    version: str
    url: str
    settings: Mapping[str, str]
    accounts: int
    media: int
    journal: int
    uptime_s: float | None = None


@dataclass(frozen=True)
class Account(Answer):
    """One account. `label` is its key, masked; `now_at` what its clock shows."""

    id: int
    label: str
    created_at: datetime
    now_at: datetime
    media: int
    journal: int
    plans: int


@dataclass(frozen=True)
class Clock(Answer):
    """A clock. `offset` is how far it is ahead of the real one; `account` is None for that of all accounts."""

    now_at: datetime
    frozen: bool
    offset: timedelta
    account: int | None


@dataclass(frozen=True)
class Purged(Answer):
    """What was removed: media, files that none of them shared, and the first thousand UUIDs."""

    media: int
    contents: int
    uuids: tuple[str, ...]


@dataclass(frozen=True)
class Moved(Answer):
    """A clock that was moved, and what fell due on the way."""

    clock: Clock
    purged: Purged
    delivered: int


@dataclass(frozen=True)
class Sent(Answer):
    """A file as it was sent; sizes in pixels as stored in it, before its EXIF orientation is applied."""

    sha256: str
    size_bytes: int
    width_px: int | None
    height_px: int | None
    orientation: int | None


@dataclass(frozen=True)
class Stored(Answer):
    """The same file as it was stored."""

    size_bytes: int
    width_px: int | None
    height_px: int | None


@dataclass(frozen=True)
class Medium(Answer):
    """A stored medium. `kind` is image, video, audio or 3d; `time_left` is on its account's clock."""

    id: int
    uuid: str
    account: int
    url: str
    kind: str
    format: str
    width_px: int | None
    height_px: int | None
    frames: int | None
    size_bytes: int
    sent: Sent
    downsized: bool
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    time_left: timedelta
    task_type: str | None = None


@dataclass(frozen=True)
class Expiring(Answer):
    """When a medium expires."""

    uuid: str
    last_used_at: datetime
    expires_at: datetime
    time_left: timedelta
    would_be_purged: bool


@dataclass(frozen=True)
class WouldPurge(Answer):
    """How much a purge would remove."""

    media: int
    bytes: int


@dataclass(frozen=True)
class Forecast(Answer):
    """What a purge at an instant would remove, and when each medium expires, the next first."""

    at: datetime
    media: tuple[Expiring, ...]
    would_purge: WouldPurge


@dataclass(frozen=True)
class FaultState(Answer):
    """A fault of a plan: how many matching tasks it has seen and met. The fields of its kind are in `json`."""

    kind: str
    times: int | None
    seen: int
    met: int
    remaining: int | None
    task_type: str | None = None
    task_uuid: str | None = None
    nth: int | None = None
    transport: str | None = None
    probability: float = 1.0
    seed: int | None = None


@dataclass(frozen=True)
class PlanState(Answer):
    """A fault plan and how far it has come; `account` is None for a plan of all accounts."""

    name: str
    account: int | None
    must_be_met: bool
    by_name_only: bool
    is_met: bool
    warnings: tuple[str, ...]
    faults: tuple[FaultState, ...]


@dataclass(frozen=True)
class Audit(Answer):
    """What became of an uploaded file. `declared` is the media type its data URI claims; `rule` is a sentence."""

    declared: str | None
    format: str
    sent: Sent
    stored: Stored
    frames: int | None
    rule: str


@dataclass(frozen=True)
class Explanation(Answer):
    """Why a task was refused: the rule, the sentence of the docs, the value's head, and what would be valid."""

    rule: str
    sentence: str
    value_head: str | None
    nearest_valid: str | None


@dataclass(frozen=True)
class FaultMet(Answer):
    """A fault that a task met; `draw` is the number its probability drew."""

    plan: str
    kind: str
    draw: float | None = None


@dataclass(frozen=True)
class Entry(Answer):
    """One task in the journal. In `task` and `answer`, each long string is `{"head", "chars", "sha256"}`.

    `warnings` name parameters that the mock ignored because it does not know them.
    """

    id: int
    account: int
    at: datetime
    transport: str
    client: str | None
    task_type: str | None
    task_uuid: str | None
    outcome: str
    task: Json
    answer: tuple[Json, ...]
    duration_ms: float
    faults: tuple[FaultMet, ...]
    audit: Audit | None
    explanation: Explanation | None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reset(Answer):
    """How much of each part was forgotten."""

    scope: str
    media: int = 0
    journal: int = 0
    faults: int = 0
    clock: int = 0


@dataclass(frozen=True)
class Snapshot(Answer):
    """A named state of an account."""

    name: str
    created_at: datetime
    media: int


@dataclass(frozen=True)
class Loaded(Answer):
    """How much an archive held."""

    media: int
    journal: int
    plans: int = 0
