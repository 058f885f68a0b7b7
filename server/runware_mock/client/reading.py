"""JSON to values and back: each field of an answer is read by its type."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime, timedelta
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from runware_mock.client.answers import Answer
from runware_mock.units import parse_duration, write_duration


def read(shape: Any, value: Any) -> Any:
    """Read a value of the wire as what its type says; raises ValueError where that is not possible."""
    if value is None or shape is Any:
        return value
    if get_origin(shape) in (Union, UnionType):
        (shape,) = (part for part in get_args(shape) if part is not type(None))
    if get_origin(shape) is tuple:
        return tuple(read(get_args(shape)[0], item) for item in value)
    reader = _READERS.get(shape, _as_it_is)
    return _read_answer(shape, value) if is_dataclass(shape) else reader(value)


def read_span(text: str) -> timedelta:
    """Read a duration, which may be negative."""
    return -parse_duration(text[1:]) if text.startswith("-") else parse_duration(text)


def write_span(span: timedelta | str) -> str:
    """Write a duration, which may be negative, as the server reads it; a text is left to the server."""
    if isinstance(span, str):
        return span
    return "-" * (span < timedelta()) + write_duration(abs(span))


def write_instant(at: datetime | str | int) -> str | int:
    """Write an instant as the server reads it; one without a time zone is UTC."""
    return at.isoformat() if isinstance(at, datetime) else at


def _read_answer(shape: Any, value: Mapping[str, Any]) -> Answer:
    given = {}
    for name, (kind, is_needed) in _fields(shape).items():
        if name in value:
            given[name] = read(kind, value[name])
        elif is_needed:
            raise ValueError(f"the server's answer has no {name!r}; is it of another version?")
    answer: Answer = shape(**given, json=value)
    return answer


@cache
def _fields(shape: Any) -> dict[str, tuple[Any, bool]]:
    """Return for each field of an answer its type, and whether it must be there."""
    hints = get_type_hints(shape)
    return {one.name: (hints[one.name], one.default is MISSING) for one in fields(shape) if one.name != "json"}


def _as_it_is(value: Any) -> Any:
    return value


_READERS: Mapping[Any, Callable[[Any], Any]] = {datetime: datetime.fromisoformat, timedelta: read_span}
