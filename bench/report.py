"""The report: the machine and versions, the table, PASS or MISS."""

import os
import platform
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from statistics import median

from bench.measure import Row
from bench.peers import BASELINE
from bench.targets import TARGETED_PEER, TARGETS

PACKAGES = (
    "runware-mock",
    "pillow",
    "simplejpeg",
    "fastapi",
    "uvicorn",
    "pydantic",
    "msgspec",
    "sqlalchemy",
    "alembic",
)
HEADINGS = ("", "unit", "peer", "median", BASELINE, "ratio", "min-max", "target", "")


def versions() -> list[str]:
    """Say what was measured on what."""
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{package} not installed")
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    machine = (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {platform.system()} "
        f"{platform.machine()}, {os.cpu_count()} cores, load average {load}"
    )
    return [
        machine,
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}",
        ", ".join(found),
    ]


@dataclass(frozen=True)
class Line:
    """One comparison of a peer with the baseline."""

    row: Row
    peer: str

    @property
    def ratio(self) -> float:
        """The ratio of the medians."""
        figures = self.row.figures
        return median(figures[self.peer]) / median(figures[BASELINE])

    @property
    def spread(self) -> tuple[float, float]:
        """The least and the greatest ratio of one round."""
        figures = self.row.figures
        pairs = zip(figures[self.peer], figures[BASELINE], strict=True)
        ratios = [one / other for one, other in pairs]
        return min(ratios), max(ratios)

    @property
    def missed(self) -> bool:
        """Tell whether a target was missed."""
        target = TARGETS.get(self.row.name) if self.peer == TARGETED_PEER else None
        return target is not None and not target.met(self.ratio)

    def cells(self) -> tuple[str, ...]:
        """Return the line as text."""
        figures, least_and_most = self.row.figures, self.spread
        target = TARGETS.get(self.row.name) if self.peer == TARGETED_PEER else None
        verdict = "" if target is None else "MISS" if self.missed else "PASS"
        return (
            self.row.name,
            self.row.unit,
            self.peer,
            f"{median(figures[self.peer]):.4g}",
            f"{median(figures[BASELINE]):.4g}",
            f"{self.ratio:.2f}x",
            "{:.2f}-{:.2f}".format(*least_and_most),
            "" if target is None else str(target),
            verdict,
        )


def lines_of(rows: Sequence[Row], *, detail: bool) -> list[Line]:
    """Pair every other peer with the baseline, row by row."""
    return [Line(row, peer) for row in rows if row.detail == detail for peer in row.figures if peer != BASELINE]


def table(lines: Sequence[Line]) -> list[str]:
    """Lay the lines out as a Markdown table that reads well as plain text."""
    grid = [HEADINGS, *(line.cells() for line in lines)]
    widths = [max(len(cell) for cell in column) for column in zip(*grid, strict=True)]
    laid = ["| " + " | ".join(map(str.ljust, cells, widths)) + " |" for cells in grid]
    laid.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return laid


def verdict(lines: Sequence[Line]) -> str:
    """Sum up in one line."""
    missed = [line.row.name for line in lines if line.missed]
    judged = [line for line in lines if line.peer == TARGETED_PEER and line.row.name in TARGETS]
    if not judged:
        return "no targets were measured"
    if missed:
        return f"MISS: {', '.join(missed)}"
    return f"PASS: all {len(judged)} targets measured"
