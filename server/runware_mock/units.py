"""Durations and sizes as people write them: `2h30m`, `256MiB`."""

import re
from datetime import timedelta

_UNITS_S = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
# Operating system timers cannot wait much longer.
_LONGEST = timedelta(days=36_500)
_UNITS_BYTES = {"b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_NUMBER = r"\d+(?:\.\d+)?"


def parse_duration(value: object, longest: timedelta = _LONGEST) -> timedelta:
    """Return the timedelta that `30d`, `2h30m`, `1.5s` or `0` stands for, or the timedelta that was given.

    Raises ValueError for anything else: a number needs a unit, and there is a longest duration.
    """
    if isinstance(value, timedelta):
        return value
    text = str(value).strip().lower()
    if re.fullmatch(_NUMBER, text):
        if float(text) == 0:
            return timedelta(0)
        raise ValueError(f"{text} has no unit: write {text}s, {text}m or {text}d")
    if not re.fullmatch(rf"({_NUMBER}(ms|[smhdw]))+", text):
        raise ValueError("not a duration (write for example 30d, 2h30m or 90s)")
    parts = re.findall(rf"({_NUMBER})(ms|[smhdw])", text)
    try:
        span = sum((timedelta(seconds=float(number) * _UNITS_S[unit]) for number, unit in parts), timedelta())
    except OverflowError:
        span = timedelta.max
    if span > longest:
        raise ValueError(f"a duration of more than {longest.days}d")
    return span


def parse_size(value: object) -> int:
    """Return the number of bytes that `256MiB`, `1.5GB` or `0` stands for, or the int that was given.

    Raises ValueError for anything else: the text of a number needs a unit.
    """
    if type(value) is int and value >= 0:
        return value
    text = str(value).strip().lower()
    match = re.fullmatch(rf"({_NUMBER})\s*([a-z]*)", text)
    if match is None or match[2] not in ("", *_UNITS_BYTES):
        raise ValueError("not a size (write for example 256MiB or 1GB)")
    if not match[2] and float(text) != 0:
        raise ValueError(f"{text} has no unit: write {text}MiB, {text}KB or {text}B")
    whole, _, decimals = match[1].partition(".")
    parts: int = 10 ** len(decimals)
    return int(whole + decimals) * _UNITS_BYTES[match[2] or "b"] // parts


def write_duration(span: timedelta) -> str:
    """Write a duration so that `parse_duration` reads it back."""
    text = ""
    for unit in ("d", "h", "m"):
        count, span = divmod(span, timedelta(seconds=_UNITS_S[unit]))
        text += f"{count}{unit}" if count else ""
    seconds = f"{span.total_seconds():f}".rstrip("0").rstrip(".")
    return text + (f"{seconds}s" if span or not text else "")


def write_size(size_bytes: int) -> str:
    """Write a size so that `parse_size` reads it back."""
    for unit in ("GiB", "MiB", "KiB"):
        if size_bytes and size_bytes % _UNITS_BYTES[unit.lower()] == 0:
            return f"{size_bytes // _UNITS_BYTES[unit.lower()]}{unit}"
    return f"{size_bytes}B" if size_bytes else "0"
