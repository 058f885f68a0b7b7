"""Patterns of rules and plans: a text fits or not whatever its length, and none takes for ever."""

import pytest

from runware_mock.faults.patterns import check_of

# Each tries more ways to fit than there is time for: repeats of repeats, many repeats, many alternatives, a reference
# to a group, an expression with spaces, one that allows errors.
NEVER_ENDING = (
    r"^(?:(?:a|a|ab)+)+(?:a|a)+$",
    "[ab]*" * 12 + "[cd]",
    "(a|[ab])" * 30 + "[cd]",
    r"(a+)+\1[cd]",
    r"(?x)([ab]+) +[cd]",
    r"(?:[ab]+[ab]+){e<=3}[cd]{4}",
)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("never", NEVER_ENDING)
def test_a_regular_expression_that_would_never_end_fits_nothing(never: str) -> None:
    assert not check_of({"regex": never})("a" * 200 + "!")


@pytest.mark.parametrize("length", [0, 10, 3_000, 20_000])
@pytest.mark.parametrize("pattern", [r"cat.*number 5\b", r"(?i)CAT.*\bnumber [5-7]$", r"(cat|kitten).+5", r"\A.?cat"])
def test_a_text_of_any_length_fits_or_does_not(pattern: str, length: int) -> None:
    fits = check_of({"regex": pattern})
    assert fits("cat" + " " * length + " number 5")
    assert not fits("dog" + " " * length + " number 5")
