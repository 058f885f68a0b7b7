"""Whether the host of a virtual machine has given its cores to others while something was measured."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

STAT = Path("/proc/stat")
# With a tenth of the time taken, a server does a fifth less.
MOST_SHARE = 0.04
TRIES = 4


def ticks() -> tuple[int, int]:
    """Return how many ticks were taken from all cores since boot, and how many there were; none where nobody counts."""
    if not STAT.exists():
        return 0, 1
    # proc(5): user nice system idle iowait irq softirq steal guest guest_nice; guests are in user, too.
    counted = [int(figure) for figure in STAT.read_text().partition("\n")[0].split()[1:9]]
    return counted[7], sum(counted)


def undisturbed(measure: Callable[[], T], say: Callable[[str], None]) -> T:
    """Return what `measure` does in a quiet moment, or in the quietest of some."""
    tried: list[tuple[float, T]] = []
    while not tried or (tried[-1][0] > MOST_SHARE and len(tried) < TRIES):
        taken_before, all_before = ticks()
        measured = measure()
        taken, all_ticks = ticks()
        tried.append(((taken - taken_before) / max(1, all_ticks - all_before), measured))
        if tried[-1][0] > MOST_SHARE:
            say(f"disturbed: the host took {tried[-1][0]:.0%} of the time")
    return min(tried, key=lambda one: one[0])[1]
