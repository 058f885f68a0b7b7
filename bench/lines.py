"""What the mock promises of its speed: each line is a bound on a ratio, and a miss by 5 % still counts as reached."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.measure import AGAIN, FIRST, MEMORY, PING, START, Row
from bench.servers import NAIVE, NODE, VIPS

TOLERANCE = 0.05


@dataclass(frozen=True)
class Line:
    """A bound on the mock's figure by a peer's: at least, or at most where less is better."""

    row: str
    peer: str
    bound: float


LINES = (
    Line("tiny", NODE.name, 1.5),
    Line("small", NODE.name, 3),
    Line("photo", NODE.name, 1.2),
    Line("PNG", NODE.name, 1.1),
    Line("WebP", NODE.name, 1.3),
    Line("GIF", NODE.name, 15),
    *(Line(row, VIPS.name, 1) for row in ("tiny", "small", "photo", "PNG", "GIF")),
    Line("WebP", VIPS.name, 0.9),
    Line(AGAIN.name, FIRST.name, 5),
    Line(START, NAIVE.name, 0.9),
    Line(PING, NODE.name, 1 / 3),
    Line(MEMORY, NODE.name, 1),
)


def verdict(line: Line, rows: Mapping[str, Row]) -> tuple[str, ...] | None:
    """Return the cells of a line in the report; None if it was not measured."""
    row = rows.get(line.row)
    ratio = row.ratio(line.peer) if row else None
    if row is None or ratio is None:
        return None
    reached = line.bound / ratio if row.is_less_better else ratio / line.bound
    judged = "kept" if reached >= 1 else "within 5 %" if reached >= 1 - TOLERANCE else "MISSED"
    sign = "<=" if row.is_less_better else ">="
    return line.row, line.peer, f"{sign} {line.bound:.3g}x", f"{ratio:.2f}x", judged
