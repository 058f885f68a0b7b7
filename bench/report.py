"""The report: the machine and versions, what was promised, and every figure."""

import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from statistics import median

from bench.install import NODE_DIR, PYTHON
from bench.measure import COLUMNS, PSNR, Row
from bench.peers import SUBJECT
from bench.targets import LIMITS, TARGETS, Target

PACKAGES = ("runware-mock", "pillow", "simplejpeg", "isal", "fastapi", "uvicorn", "msgspec", "sqlalchemy", "alembic")
OTHERS = (
    [PYTHON, "-c", "from importlib.metadata import version as v; print('pyvips', v('pyvips'), '/ moto', v('moto'))"],
    ["node", "-p", "'Node ' + process.version + ', sharp ' + require('sharp').versions.sharp"],
)


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
    # Most are; what pyenv builds is not unless it is told to, and takes a third longer for plain Python. Debian's own
    # is, and was told so in another way.
    is_optimized = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
    is_own = sys.base_prefix == "/usr"
    built = " of the system" if is_own else "" if is_optimized else " (built without --enable-optimizations)"
    others = [
        subprocess.run(command, cwd=NODE_DIR, capture_output=True, text=True, check=False).stdout.strip()
        for command in OTHERS
        if shutil.which(command[0]) and NODE_DIR.is_dir()
    ]
    return [
        machine,
        f"Python {platform.python_version()}{built}, SQLite {sqlite3.sqlite_version}",
        ", ".join(found),
        ", ".join(filter(None, others)) or "no other peers",
    ]


@dataclass(frozen=True)
class Verdict:
    """One promise, and whether it was kept."""

    cells: tuple[str, ...]
    is_kept: bool


def main_column(row: Row) -> str:
    """Return the column that decides: the first."""
    return next((column for column in (*COLUMNS, *row.figures) if column in row.figures), "")


def compared(target: Target, rows: dict[str, Row]) -> Verdict | None:
    """Judge a target; None where one of its two was not measured."""
    row = rows.get(target.row)
    if row is None:
        return None
    column = main_column(row)
    ours, theirs = row.figures[column].get(SUBJECT), row.figures[column].get(target.peer)
    if not ours or not theirs:
        return None
    ratio = median(ours) / median(theirs)
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    is_kept = target.is_met(ratio)
    cells = (
        target.row,
        column,
        f"{median(ours):.4g}",
        target.peer,
        f"{median(theirs):.4g}",
        f"{ratio:.2f}x",
        f"{min(ratios):.2f}-{max(ratios):.2f}",
        str(target),
        "kept" if is_kept else "MISSED",
    )
    return Verdict(cells, is_kept)


def limited(rows: dict[str, Row]) -> Iterator[Verdict]:
    """Judge the absolute bounds of what was measured."""
    for limit in LIMITS:
        name = limit.row.removesuffix(" dB over LANCZOS")
        row = rows.get(name)
        if row is None:
            continue
        column = main_column(row) if name == limit.row else "dB over LANCZOS"
        figures = row.figures[column][SUBJECT]
        is_kept = limit.is_met(median(figures))
        spread = f"{min(figures):.4g}-{max(figures):.4g}"
        cells = (name, column, f"{median(figures):.4g}", "", "", "", spread, str(limit))
        yield Verdict((*cells, "kept" if is_kept else "MISSED"), is_kept)


def verdicts_of(rows: Sequence[Row]) -> list[Verdict]:
    """Judge every promise that can be judged by what was measured."""
    by_name = {row.name: row for row in rows}
    found = [verdict for target in TARGETS if (verdict := compared(target, by_name))]
    return [*found, *limited(by_name)]


def laid(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    """Lay lines out as a Markdown table that reads well as plain text."""
    grid = [headings, *lines]
    widths = [max(len(cell) for cell in column) for column in zip(*grid, strict=True)]
    rows = ["| " + " | ".join(map(str.ljust, cells, widths)) + " |" for cells in grid]
    rows.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return rows


def promises(verdicts: Sequence[Verdict]) -> list[str]:
    """Return the table of promises."""
    headings = ("", "unit", SUBJECT, "against", "", "ratio", "min-max", "promise", "")
    return laid(headings, [verdict.cells for verdict in verdicts])


def everything(rows: Sequence[Row]) -> list[str]:
    """Return the table of all medians."""
    uploads = [row for row in rows if next(iter(COLUMNS)) in row.figures]
    columns = (*COLUMNS, PSNR)
    lines = [
        (row.name, peer, *(written(row.figures.get(column, {}).get(peer)) for column in columns))
        for row in uploads
        for peer in dict.fromkeys(peer for column in columns for peer in row.figures.get(column, {}))
    ]
    others = [
        (row.name, peer, column, written(figures))
        for row in rows
        if row not in uploads
        for column, by_peer in row.figures.items()
        for peer, figures in by_peer.items()
    ]
    tables = laid(("", "peer", *columns), lines) if lines else []
    return [*tables, "", *(laid(("", "peer", "unit", "median"), others) if others else [])]


def written(figures: list[float] | None) -> str:
    """Write a median."""
    return "" if figures is None else f"{median(figures):.4g}"


def summary(verdicts: Sequence[Verdict]) -> str:
    """Sum up in one line."""
    missed = [
        f"{verdict.cells[0]} against {verdict.cells[3] or 'its bound'}" for verdict in verdicts if not verdict.is_kept
    ]
    if missed:
        return f"MISSED: {'; '.join(missed)}"
    return f"all {len(verdicts)} promises kept" if verdicts else "no promise was measured"
