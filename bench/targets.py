"""The targets, each against naive in the same run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A bound on the ratio of the mock's median to naive's."""

    bound: float
    at_least: bool

    def met(self, ratio: float) -> bool:
        """Tell whether a ratio is within the bound."""
        return ratio >= self.bound if self.at_least else ratio <= self.bound

    def __str__(self) -> str:
        """Write the bound as the table shows it."""
        return f"{'>=' if self.at_least else '<='} {self.bound:.2f}x"


def at_least(bound: float) -> Target:
    """Return a target for figures of which more is better."""
    return Target(bound, at_least=True)


def at_most(bound: float) -> Target:
    """Return a target for figures of which less is better."""
    return Target(bound, at_least=False)


# "no workload slower than naive; tiny at least 3x, small 4x, gif 6x, photo 1.5x;
# start at most 450 ms where naive takes 410"
TARGETS = {
    "tiny": at_least(3.0),
    "small": at_least(4.0),
    "photo": at_least(1.5),
    "png": at_least(1.0),
    "webp": at_least(1.0),
    "gif": at_least(6.0),
    "start": at_most(450 / 410),
}
TARGETED_PEER = "mock"
