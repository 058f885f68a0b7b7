"""Answers as text: a list as a table, a single answer as one line for each value."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from runware_mock.client.control import Listing
from runware_mock.control_models import Account, Answer, Entry, Expiring, FaultState, Medium, PlanState, Snapshot
from runware_mock.units import write_duration


def json_of(answer: Any) -> Any:
    """Return an answer, or the page of a list, as the server sent it."""
    model = answer.page if isinstance(answer, Listing) else answer
    return model.model_dump(mode="json", exclude_unset=True) if isinstance(model, Answer) else model


def text_of(answer: Any) -> str:
    """Write an answer, or a list of them."""
    if not isinstance(answer, Listing):
        return _aligned([(path, _text(value)) for path, value in _paths("", json_of(answer))])
    more = f"\n(more: --before {answer.next_before})" if answer.next_before else ""
    return table(answer) + more


def table(answers: Sequence[Any]) -> str:
    """Write answers of one kind, one a line, under headings. Nothing is cut, however narrow the terminal."""
    if not answers:
        return "none"
    columns = _COLUMNS[type(answers[0])]
    cells = [attrgetter(column) if isinstance(column, str) else column for column in columns.values()]
    return _aligned([tuple(columns), *(tuple(_text(cell(answer)) for cell in cells) for answer in answers)])


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


# The columns of a table of each kind of answer: heading -> attribute, or a function that returns the value.
_COLUMNS: Mapping[type, Mapping[str, str | Callable[[Any], object]]] = {
    Account: {
        "id": "id",
        "key": "label",
        "clock": "now_at",
        "media": "media",
        "journal": "journal",
        "plans": "plans",
    },
    Medium: {
        "uuid": "uuid",
        "account": "account",
        "format": "format",
        "size": lambda medium: f"{medium.width_px}x{medium.height_px}" if medium.width_px else None,
        "bytes": "size_bytes",
        "downsized": "downsized",
        "last used": "last_used_at",
        "time left": "time_left",
    },
    Expiring: {
        "uuid": "uuid",
        "last used": "last_used_at",
        "expires": "expires_at",
        "time left": "time_left",
        "purged": "would_be_purged",
    },
    PlanState: {
        "name": "name",
        "account": lambda plan: plan.account or "all",
        "must be met": "must_be_met",
        "is met": "is_met",
        "faults met": lambda plan: [fault(one) for one in plan.faults],
        "warnings": "warnings",
    },
    Entry: {
        "id": "id",
        "at": "at",
        "account": "account",
        "over": "transport",
        "client": "client",
        "task": "task_type",
        "taskUUID": "task_uuid",
        "outcome": "outcome",
        "code": lambda entry: next((item["code"] for item in entry.answer if "code" in item), None),
        "ms": lambda entry: f"{entry.duration_ms:.1f}",
        "faults": lambda entry: [met.kind for met in entry.faults],
    },
    Snapshot: {"name": "name", "created": "created_at", "media": "media"},
}
