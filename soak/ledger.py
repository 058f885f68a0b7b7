"""What clients have seen: each call with its outcome, and of those that failed in which way."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

REFUSED = "refused: expired"
PLANNED = "planned fault"
UNANSWERED = "no answer in the client's time"
UNCLEAR = "other: "
# In this order; the first that fits is meant.
_KINDS = (
    (PLANNED, ("planned by",)),
    (
        "5xx in Runware's envelope",
        ("mockInternalError", "itself failed", "mockStorageUnavailable", "500", "502", "503"),
    ),
    (REFUSED, ("of this UUID is stored",)),
    ("its task forgotten: the clock leapt", ("No task with this taskUUID",)),
    ("done before, its answer lost", ("conflict", "already used", "taskUUID")),
    ("closed with 1011", ("1011",)),
    ("closed with 1012", ("1012",)),
    (
        "no answer in the client's time",
        ("timeout", "timed out", "did not respond", "no response", "could not be received"),
    ),
    (
        "connection lost",
        (
            *("connect", "closed", "disconnect", "websocket", "network", "fetch failed", "reset by", "broken pipe"),
            *(
                "protocolerror",
                "readerror",
                "writeerror",
                "incompleteread",
                "eof",
                "valid HTTP response",
                "cancelled",
                "circuit",
            ),
        ),
    ),
)
# These are the client's trouble with a server that died, or is away: something has to have been.
NEED_TROUBLE = frozenset(name for name, _ in _KINDS) - {REFUSED, PLANNED}


@dataclass(frozen=True)
class Outcome:
    """One call. `sdk` made it, of the account of `key`, at a replica; times in s since 1970."""

    sdk: str
    what: str
    key: str
    replica: int
    began_s: float
    ended_s: float
    uuid: str | None = None
    url: str | None = None
    task_uuid: str | None = None
    picture: int | None = None
    hook: str | None = None
    error: Mapping[str, Any] | None = None

    @property
    def is_answered(self) -> bool:
        """Whether the client has the answer it wanted."""
        return self.error is None

    @property
    def message(self) -> str:
        """What the client was told instead."""
        return "" if self.error is None else str(self.error.get("message"))

    @property
    def kind(self) -> str:
        """In which way it failed."""
        if self.error is None:
            return "answered"
        told = " ".join(str(self.error.get(name)) for name in ("type", "code", "status", "message")).lower()
        for name, words in _KINDS:
            if any(word.lower() in told for word in words):
                return name
        return UNCLEAR + self.message[:80]


@dataclass
class Ledger:
    """All outcomes so far; many threads write."""

    outcomes: list[Outcome] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, outcome: Outcome) -> None:
        """Keep one."""
        with self.lock:
            self.outcomes.append(outcome)

    def answered(self, *whats: str) -> Iterator[Outcome]:
        """Return the answered calls of these sorts."""
        with self.lock:
            kept = list(self.outcomes)
        return (one for one in kept if one.is_answered and one.what in whats)

    def count(self, *whats: str, sdk: str | None = None) -> int:
        """Count the answered calls of these sorts."""
        return sum(sdk is None or one.sdk == sdk for one in self.answered(*whats))

    def failures(self) -> Counter[str]:
        """Count those that failed, by kind."""
        return Counter(one.kind for one in self.outcomes if not one.is_answered)
