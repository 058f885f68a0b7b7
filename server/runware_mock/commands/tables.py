"""Answers as a person reads them: a list as a table, one answer as a path and a value a line."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from runware_mock.client import (
    Account,
    Entry,
    Expiring,
    FaultState,
    Listing,
    Medium,
    PlanState,
    Snapshot,
)
from runware_mock.units import write_duration

# Wider than any table: what is piped on is never folded.
_UNFOLDED = 10_000


def text_of(answer: Any) -> str:
    """Write an answer, or a list of them."""
    if not isinstance(answer, Listing):
        return lines(answer.json)
    more = f"\n(more: --before {answer.next_before})" if answer.next_before else ""
    return table(answer) + more


def lines(json: Mapping[str, Any]) -> str:
    """Write JSON one value a line, each after its path."""
    paths = dict(_paths("", json))
    width = max(map(len, paths), default=0)
    return "\n".join(f"{path:{width}}  {_text(value)}".rstrip() for path, value in paths.items())


def table(answers: Sequence[Any]) -> str:
    """Write answers of one kind one a line, under headings."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not answers:
        return "none"
    columns = _COLUMNS[type(answers[0])]
    grid = Table(*columns, box=box.SIMPLE if sys.stdout.isatty() else None, pad_edge=False)
    for answer in answers:
        grid.add_row(*(Text(_text(cell(answer))) for cell in columns.values()))
    console = Console(width=None if sys.stdout.isatty() else _UNFOLDED)
    with console.capture() as written:
        console.print(grid)
    return "\n".join(line.rstrip() for line in written.get().splitlines())


def _paths(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    inner: Iterable[tuple[str, Any]] = ()
    if isinstance(value, Mapping):
        inner = ((f"{path}.{name}".removeprefix("."), part) for name, part in value.items())
    elif isinstance(value, list) and any(isinstance(part, Mapping) for part in value):
        inner = ((f"{path}[{position}]", part) for position, part in enumerate(value))
    else:
        yield path, value
    for at, part in inner:
        yield from _paths(at, part)


def _text(value: Any) -> str:
    match value:
        case None | [] | ():
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case timedelta():
            return write_duration(value - value % timedelta(seconds=1))
        case list() | tuple():
            return ", ".join(map(str, value))
    return str(value)


def fault(state: FaultState) -> str:
    """Write a fault and how often it was met, of how often it may be."""
    times = "for ever" if state.times is None else f"of {state.times}"
    return f"{state.kind} {state.met} {times}"


def _size(one: Medium) -> str | None:
    return f"{one.width_px}x{one.height_px}" if one.width_px else None


def _code(entry: Entry) -> object:
    return next((item["code"] for item in entry.answer if "code" in item), None)


# What a table shows of each kind of answer: heading -> value.
_COLUMNS: Mapping[type, Mapping[str, Callable[[Any], object]]] = {
    Account: {
        "id": lambda account: account.id,
        "key": lambda account: account.label,
        "clock": lambda account: account.now_at,
        "media": lambda account: account.media,
        "journal": lambda account: account.journal,
        "plans": lambda account: account.plans,
    },
    Medium: {
        "uuid": lambda medium: medium.uuid,
        "account": lambda medium: medium.account,
        "format": lambda medium: medium.format,
        "size": _size,
        "bytes": lambda medium: medium.size_bytes,
        "downsized": lambda medium: medium.downsized,
        "last used": lambda medium: medium.last_used_at,
        "time left": lambda medium: medium.time_left,
    },
    Expiring: {
        "uuid": lambda medium: medium.uuid,
        "last used": lambda medium: medium.last_used_at,
        "expires": lambda medium: medium.expires_at,
        "time left": lambda medium: medium.time_left,
        "purged": lambda medium: medium.would_be_purged,
    },
    PlanState: {
        "name": lambda plan: plan.name,
        "account": lambda plan: plan.account or "all",
        "must be met": lambda plan: plan.must_be_met,
        "is met": lambda plan: plan.is_met,
        "faults met": lambda plan: [fault(one) for one in plan.faults],
        "warnings": lambda plan: plan.warnings,
    },
    Entry: {
        "id": lambda entry: entry.id,
        "at": lambda entry: entry.at,
        "account": lambda entry: entry.account,
        "over": lambda entry: entry.transport,
        "client": lambda entry: entry.client,
        "task": lambda entry: entry.task_type,
        "taskUUID": lambda entry: entry.task_uuid,
        "outcome": lambda entry: entry.outcome,
        "code": _code,
        "ms": lambda entry: f"{entry.duration_ms:.1f}",
        "faults": lambda entry: [met.kind for met in entry.faults],
    },
    Snapshot: {
        "name": lambda snapshot: snapshot.name,
        "created": lambda snapshot: snapshot.created_at,
        "media": lambda snapshot: snapshot.media,
    },
}
