"""Which cells a matrix has, what a run has shown, and the verdict on it."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, Literal

from runware_mock.client import ControlError
from runware_mock.control_models import Entry
from runware_mock.testing import RunwareMock

Outcome = Literal["passed", "failed", "crashed", "hung"]
Verdict = Literal["survived", "failed", "lost", "doubled", "hung", "crashed", "not met"]

# What nobody wants of an application. To fail with an error of its own is honest.
BAD: tuple[Verdict, ...] = ("lost", "doubled", "hung", "crashed")
# A delay in a cell: longer than an answer takes, short enough for hundreds of cells.
_DELAY = timedelta(milliseconds=300)
# Where a kind's example would not do: what a client should retry, a limit that the first task exceeds, a position that
# also short messages have, and a rate at which large ones end before they seem to hang.
_FAULTS: Mapping[str, Mapping[str, Any]] = {
    "error": {"kind": "error", "code": "internalServerError"},
    "rate_limit": {"kind": "error", "code": "rateLimitExceeded"},
    **{kind: {"kind": kind, "after_bytes": 64} for kind in ("cut_answer", "cut_download", "cut_upload")},
    **{kind: {"kind": kind, "bytes_per_s": 2**20} for kind in ("slow_answer", "slow_download", "slow_upload")},
}
# What a plan may hold that is no failure.
_NO_FAILURES = ("answer",)
# A fault that is never met counts the events that could meet it.
_NEVER = 1_000_000_000
# These neither store anything nor cost anything.
_READS = ("authentication", "ping", "getResponse", "getTaskDetails", "modelSearch", "accountManagement")
# Of a test's tasks, the last ones.
_LOOKED_AT = 1000
_SHOWN_ENTRIES = 100


def chosen_kinds(names: str) -> tuple[str, ...]:
    """Return the kinds of faults that are named, with commas between, or all; raises ValueError."""
    from runware_mock.faults.kinds import KINDS

    failures = [kind for kind in KINDS if kind not in _NO_FAILURES]
    chosen = [name.strip() for name in names.split(",")] if names != "all" else failures
    for name in chosen:
        if name not in failures:
            near = get_close_matches(name, failures, 1)
            hint = f"did you mean {near[0]}?" if near else "`runware-mock faults kinds` lists all"
            raise ValueError(f"there is no fault kind {name!r}; {hint}")
    return tuple(dict.fromkeys(chosen))


def fault_of(kind: str) -> dict[str, Any]:
    """Return the fault of a kind as a matrix plans it: with what it needs, and no long delays."""
    if kind in _FAULTS:
        return dict(_FAULTS[kind])
    from runware_mock.faults.kinds import KINDS
    from runware_mock.values import write_duration

    fault: dict[str, Any] = {"kind": kind}
    for name, about in KINDS[kind].model_fields.items():
        if about.is_required() and name != "kind":
            fault[name] = (about.examples or [1])[0]
        elif isinstance(about.default, timedelta) and about.default > _DELAY:
            fault[name] = write_duration(_DELAY)
    return fault


def counting(kinds: Iterable[str]) -> list[dict[str, Any]]:
    """Return faults that never happen, but count what each kind could happen to."""
    return [{**fault_of(kind), "nth": _NEVER} for kind in kinds]


@dataclass(frozen=True)
class Cell:
    """One fault, at the n-th place where it could happen; without a kind, a run without a fault."""

    kind: str | None = None
    position: int = 0

    def faults(self) -> list[dict[str, Any]]:
        """Return the faults to plan."""
        return [] if self.kind is None else [{**fault_of(self.kind), "nth": self.position}]


@dataclass
class Run:
    """What one run has shown.

    Attributes:
        by_mock: RunwareMock failed the test, as by an assertion: the application itself has reported no error.
        own_plans: The test plans faults itself.
        done: Task type -> how many tasks succeeded, and how many different ones these were.
        seen: Kind -> how many events could have met its fault.
    """

    outcome: Outcome = "passed"
    detail: str = ""
    by_mock: bool = False
    duration_s: float = 0.0
    is_met: bool = False
    own_plans: bool = False
    done: dict[str, list[int]] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    journal: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return what `Run(**document)` reads."""
        return asdict(self)


class Watch:
    """Plans faults for one run of a test or program, and looks at what has become of it.

    It plans for, and looks at, all accounts of a server that has no other client (`is_alone`), or one account.
    """

    def __init__(self, mock: RunwareMock, faults: Sequence[Mapping[str, Any]], *, is_alone: bool) -> None:
        self._own = mock
        self._account = mock.account(None) if is_alone else mock
        newest = self._account.journal.list(limit=1)
        self._since = newest[0].id if newest else 0
        self._plan = self._account.faults.plan(*faults, must_be_met=False).name if faults else None

    def look(self, run: Run, kinds: Sequence[str] = ()) -> None:
        """Add to a run what the server knows of it, and delete the plan."""
        with suppress(ControlError):
            plans = [plan for plan in self._own.faults.list() if plan.name != self._plan]
            run.own_plans = any(one.kind not in _NO_FAILURES for plan in plans for one in plan.faults)
            tasks = self._account.journal.list(limit=_LOOKED_AT, since=self._since)[::-1]
            run.done = done(tasks)
            run.journal = [_shown(entry) for entry in tasks[-_SHOWN_ENTRIES:]]
            if self._plan is not None:
                faults = self._account.faults.get(self._plan).faults
                run.is_met = any(one.met for one in faults)
                run.seen = {kind: one.seen for kind, one in zip(kinds, faults, strict=False)}
                self._account.faults.delete(self._plan)


def done(tasks: Iterable[Entry]) -> dict[str, list[int]]:
    """Count the tasks that stored or cost something, by type: all of them, and the different ones."""
    intents: dict[str, Counter[str]] = defaultdict(Counter)
    for entry in tasks:
        is_kept = entry.task_type != "mediaStorage" or entry.task.get("operation", "upload") == "upload"
        if entry.outcome == "success" and entry.task_type and entry.task_type not in _READS and is_kept:
            intent = {name: value for name, value in entry.task.items() if name != "taskUUID"}
            intents[entry.task_type][json.dumps(intent, sort_keys=True, default=str)] += 1
    return {name: [counted.total(), len(counted)] for name, counted in intents.items()}


def verdict(plain: Run, run: Run) -> Verdict:
    """Judge a run with a fault by the run without."""
    if run.outcome in ("hung", "crashed"):
        return run.outcome
    if not run.is_met:
        return "not met"
    types = {*plain.done, *run.done}
    before, after = ({name: one.done.get(name, [0, 0]) for name in types} for one in (plain, run))
    if any(after[name][0] > before[name][0] or _repeats(after[name]) > _repeats(before[name]) for name in types):
        return "doubled"
    if (run.outcome == "passed" or run.by_mock) and any(after[name][1] < before[name][1] for name in types):
        return "lost"
    return "survived" if run.outcome == "passed" else "failed"


def is_the_same(plain: Run, again: Run) -> bool:
    """Tell whether a second run without faults did what the first one did."""
    return again.outcome == "passed" and again.done == plain.done


def _repeats(counted: Sequence[int]) -> int:
    return counted[0] - counted[1]


def _shown(entry: Entry) -> dict[str, Any]:
    code = next((item["code"] for item in entry.answer if "code" in item), None)
    return {
        "id": entry.id,
        "task_type": entry.task_type,
        "task_uuid": entry.task_uuid,
        "over": entry.transport,
        "outcome": entry.outcome,
        "code": code,
        "faults": [met.kind for met in entry.faults],
        "duration_ms": entry.duration_ms,
    }
