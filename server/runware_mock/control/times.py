"""Instants and durations as control calls write them: `2026-01-01T00:00:00.000Z`, `31d`, `2h30m`."""

from datetime import UTC, datetime, timedelta

from runware_mock.control.refusals import ControlRefused
from runware_mock.units import parse_duration, write_duration

# After the year 9999 there are no more dates. What is written down lies less than 200 years ahead of a clock: a
# retention and the life of a medium are 100 years at most.
_LATEST_AT = 247_090_953_599_999


def write_at(at: int) -> str:
    """Write an instant."""
    moment = datetime.fromtimestamp(at // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"


def write_at_or_none(at: int | None) -> str | None:
    """Write an instant that may be missing."""
    return None if at is None else write_at(at)


def read_at(value: object, field: str) -> int:
    """Read an ISO 8601 instant, UTC unless it says otherwise, or milliseconds since 1970."""
    if isinstance(value, int) and not isinstance(value, bool):
        at = value
    else:
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            raise ControlRefused(
                f"{value!r} is not an instant (write for example 2026-12-31T23:59:59Z)", field
            ) from None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        at = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    if not 0 <= at <= _LATEST_AT:
        raise ControlRefused(f"{value!r} lies outside of the years 1970 to 9799", field)
    return at


def read_span(value: object, field: str) -> timedelta:
    """Read a duration such as `31d` or `2h30m`."""
    try:
        return parse_duration(value)
    except ValueError as error:
        raise ControlRefused(f"{value!r} is {error}", field) from None


def write_span_ms(span_ms: int) -> str:
    """Write a duration that may be negative."""
    return ("-" if span_ms < 0 else "") + write_duration(timedelta(milliseconds=abs(span_ms)))
