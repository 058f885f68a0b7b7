"""Durations and sizes as users write them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runware_mock.values import parse_duration, parse_size, write_duration, write_size

_LONGEST = timedelta(days=36_500)

DURATIONS = [
    ("0", timedelta(0)),
    ("90s", timedelta(seconds=90)),
    ("250ms", timedelta(milliseconds=250)),
    ("1.5h", timedelta(minutes=90)),
    ("2h30m", timedelta(hours=2, minutes=30)),
    ("30d", timedelta(days=30)),
    ("1w2d", timedelta(days=9)),
    (" 1D ", timedelta(days=1)),
    ("0s", timedelta(0)),
    ("36500d", _LONGEST),
]
NO_DURATIONS = [
    "90",
    "1.5",
    "",
    " ",
    "d",
    "-1d",
    "1 d",
    "1y",
    "1,5h",
    "1h-5m",
    "1.h",
    ".5h",
    "1e3s",
    "infs",
    "nans",
    "1d2",
    "36501d",
]
SIZES = [
    ("0", 0),
    (1024, 1024),
    ("1kb", 1000),
    ("1KiB", 1024),
    ("256MiB", 256 * 2**20),
    ("1.5 GB", 1_500_000_000),
    ("2gib", 2**31),
    ("12B", 12),
    # More digits than a float holds.
    ("9007199254740993B", 9_007_199_254_740_993),
]
NO_SIZES = ["1024", "1.5", "", "MiB", "-1", "1 TB", "1,5GB", "1e6", "0x10", "1MiB 2", "inf"]


@pytest.mark.parametrize(("text", "span"), DURATIONS)
def test_a_duration_is_read(text: str, span: timedelta) -> None:
    assert parse_duration(text) == span


@pytest.mark.parametrize("text", [*NO_DURATIONS, "9" * 400, "9" * 5000 + "d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|no unit"):
        parse_duration(text)


def test_what_has_no_unit_is_refused_with_what_to_write() -> None:
    with pytest.raises(ValueError, match=r"^30 has no unit: write 30s, 30m or 30d$"):
        parse_duration("30")
    with pytest.raises(ValueError, match=r"^256 has no unit: write 256MiB, 256KB or 256B$"):
        parse_size("256")


@given(st.timedeltas(timedelta(0), _LONGEST))
def test_a_duration_is_read_as_it_was_written(span: timedelta) -> None:
    assert parse_duration(write_duration(span)) == span


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(0), "0s"),
        (timedelta(days=30), "30d"),
        (timedelta(minutes=10), "10m"),
        (timedelta(hours=26, seconds=1), "1d2h1s"),
        (timedelta(milliseconds=1500), "1.5s"),
        (timedelta(microseconds=1), "0.000001s"),
    ],
)
def test_a_duration_is_written_as_short_as_it_can_be(span: timedelta, text: str) -> None:
    assert write_duration(span) == text


@given(st.text())
def test_no_text_is_more_than_read_or_refused(text: str) -> None:
    for parse in (parse_duration, parse_size):
        try:
            parse(text)
        except ValueError as error:
            assert str(error)  # noqa: PT017 - either outcome is right


@pytest.mark.parametrize(("text", "size_bytes"), SIZES)
def test_a_size_is_read(text: object, size_bytes: int) -> None:
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize("text", NO_SIZES)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a size|no unit"):
        parse_size(text)


@given(st.integers(0, 10**18), st.sampled_from(["B", "kB", "MB", "GB", "KiB", "MiB", "GiB"]))
def test_a_whole_size_is_exact(number: int, unit: str) -> None:
    factor = {"k": 1000, "m": 1000**2, "g": 1000**3}.get(unit[:1].lower(), 1)
    if unit.endswith("iB"):
        factor = {1000: 2**10, 1000**2: 2**20, 1000**3: 2**30}[factor]
    assert parse_size(f"{number}{unit}") == number * factor


@given(st.integers(0, 10**18))
def test_a_size_is_read_as_it_was_written(size_bytes: int) -> None:
    assert parse_size(write_size(size_bytes)) == size_bytes
