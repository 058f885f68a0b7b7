"""Durations and sizes, as users write them."""

import re
from datetime import timedelta

_UNITS_S = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
# Timers of the operating system cannot wait much longer.
_LONGEST = timedelta(days=36_500)
_UNITS_BYTES = {"": 1, "b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 2**10, "mib": 2**20, "gib": 2**30}


def parse_duration(value: object) -> timedelta:
    """Read `30d`, `2h30m`, `1.5s` or a bare number of seconds."""
    if isinstance(value, timedelta):
        return value
    text = str(value).strip().lower()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        text += "s"
    if not re.fullmatch(r"(\d+(\.\d+)?(ms|[smhdw]))+", text):
        raise ValueError("not a duration (write for example 30d, 2h30m, 90s)")
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|[smhdw])", text)
    try:
        span = sum((timedelta(seconds=float(number) * _UNITS_S[unit]) for number, unit in parts), timedelta())
    except OverflowError:
        span = timedelta.max
    if span > _LONGEST:
        raise ValueError(f"a duration of more than {_LONGEST.days}d")
    return span


def parse_size(value: object) -> int:
    """Read `256MiB`, `1.5GB` or a bare number of bytes."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", str(value).strip().lower())
    if match is None or match[2] not in _UNITS_BYTES:
        raise ValueError("not a size (write for example 256MiB or 1GB)")
    whole, _, decimals = match[1].partition(".")
    parts: int = 10 ** len(decimals)
    return int(whole + decimals) * _UNITS_BYTES[match[2]] // parts


def write_duration(span: timedelta) -> str:
    """Write a duration as `parse_duration` reads it."""
    text = ""
    for unit in ("d", "h", "m"):
        count, span = divmod(span, timedelta(seconds=_UNITS_S[unit]))
        text += f"{count}{unit}" if count else ""
    seconds = f"{span.total_seconds():f}".rstrip("0").rstrip(".")
    return text + (f"{seconds}s" if span or not text else "")


def write_size(size_bytes: int) -> str:
    """Write a size as `parse_size` reads it."""
    for unit in ("GiB", "MiB", "KiB"):
        if size_bytes and size_bytes % _UNITS_BYTES[unit.lower()] == 0:
            return f"{size_bytes // _UNITS_BYTES[unit.lower()]}{unit}"
    return str(size_bytes)
