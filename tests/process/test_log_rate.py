"""What goes wrong a thousand times is one line of the log; two things that go wrong are two."""

import logging
import sqlite3
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from runware_mock.logs import RateLimitFilter
from runware_mock.storage.database import outage_of

Lines = list[str]


class Collecting(logging.Handler):
    """Keeps lines."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: Lines = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.lines.append(self.format(record))


@pytest.fixture
def now_s() -> list[float]:
    """Return the time, for a test to change."""
    return [0.0]


@pytest.fixture
def told(now_s: list[float]) -> Iterator[Lines]:
    """Return the lines of a log of the test's own."""
    collecting = Collecting()
    collecting.addFilter(RateLimitFilter(lambda: now_s[0]))
    log.addHandler(collecting)
    yield collecting.lines
    log.removeHandler(collecting)


log = logging.Logger("tests.rate_limit", logging.INFO)  # noqa: LOG001 - nobody else is to listen to it


def fail(error: Exception, what: str) -> None:
    log.error("task %s failed", what, exc_info=error)


def full() -> Exception:
    return OperationalError("INSERT", None, sqlite3.OperationalError("database or disk is full"))


def test_an_outage_is_one_line_wherever_it_is_noticed(told: Lines) -> None:
    for number in range(1000):
        fail(full(), str(number))
    fail(full(), "purge")
    assert told == ["task 0 failed: the database cannot be used: database or disk is full"]


@pytest.mark.parametrize(("later_s", "is_told"), [(59.9, False), (60.0, True)])
def test_it_is_told_again_after_a_minute_with_what_was_left_out(
    told: Lines, now_s: list[float], later_s: float, *, is_told: bool
) -> None:
    for _ in range(5):
        fail(full(), "a")
    now_s[0] = later_s
    fail(full(), "b")
    end = "task b failed: the database cannot be used: database or disk is full (4 more like this were not logged)"
    assert told[1:] == ([end] if is_told else [])


def other_mistake() -> Exception:
    return IntegrityError("INSERT", None, sqlite3.IntegrityError("NOT NULL constraint failed"))


@pytest.mark.parametrize("mistake", [other_mistake, lambda: ValueError("7")])
def test_a_mistake_of_ours_shows_where_it_was_made_once(told: Lines, mistake: Callable[[], Exception]) -> None:
    for _ in range(3):
        fail(mistake(), "a")
    (line,) = told
    assert type(mistake()).__name__ in line.splitlines()[1]


def test_two_outages_are_two_lines_and_so_are_two_warnings(told: Lines) -> None:
    fail(full(), "a")
    fail(OperationalError("INSERT", None, sqlite3.OperationalError("disk I/O error")), "a")
    for number in (1, 2, 1):
        log.warning("worker %d has ended", number)
    assert len(told) == 4


def test_what_is_no_warning_is_told_each_time(told: Lines) -> None:
    for _ in range(3):
        log.info("purged")
    assert told == ["purged"] * 3


@pytest.mark.parametrize(
    ("said", "is_told"),
    [
        ("numpy.so: cannot open shared object file: Too many open files", True),
        ("numpy.so: failed to map segment from shared object", True),
        ("No module named 'numpy'", False),
    ],
)
def test_a_library_that_the_machine_has_no_room_for_is_an_outage(said: str, *, is_told: bool) -> None:
    assert (outage_of(ImportError(said)) is not None) == is_told
