"""Answers as text: a list as a table, a single answer as one line for each value."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from runware_mock.client.answers import Account, Entry, Expiring, FaultState, Listing, Medium, PlanState, Snapshot
from runware_mock.units import write_duration


def text_of(answer: Any) -> str:
    """Write an answer, or a list of them."""
    if not isinstance(answer, Listing):
        paths = dict(_paths("", answer.json))
        return _aligned([(path, _text(value)) for path, value in paths.items()])
    more = f"\n(more: --before {answer.next_before})" if answer.next_before else ""
    return table(answer) + more


def table(answers: Sequence[Any]) -> str:
    """Write answers of one kind, one a line, under headings. Nothing is cut, however narrow the terminal."""
    if not answers:
        return "none"
    columns = _COLUMNS[type(answers[0])]
    return _aligned([tuple(columns), *(tuple(_text(cell(answer)) for cell in columns.values()) for answer in answers)])


def fault(state: FaultState) -> str:
    """Write how often a fault was met, and how often it will be."""
    return f"{state.kind} {state.met} {'without end' if state.times is None else f'of {state.times}'}"


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _paths(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Return every value in a JSON document with its path, such as `faults[0].kind`."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _paths(f"{path}.{name}".removeprefix("."), part)
    elif isinstance(value, list) and any(isinstance(part, Mapping) for part in value):
        for position, part in enumerate(value):
            yield from _paths(f"{path}[{position}]", part)
    else:
        yield path, value


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


def _code(entry: Entry) -> object:
    return next((item["code"] for item in entry.answer if "code" in item), None)


# The columns of a table of each kind of answer: heading -> value.
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
        "size": lambda medium: f"{medium.width_px}x{medium.height_px}" if medium.width_px else None,
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
