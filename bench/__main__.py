"""Compare the mock with its peers, paired in one run: `make bench`."""

import argparse
import os
import platform
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import median

from bench import install
from bench.driver import WrongAnswerError
from bench.lines import LINES, verdict
from bench.measure import MEASUREMENTS, Bench, Row
from bench.servers import MOCK, NODE, PEERS, StartError

PACKAGES = ("runware-mock", "pillow", "simplejpeg", "isal", "pyvips", "fastapi", "uvicorn", "sqlalchemy")
VERSIONS = f"from importlib.metadata import version as v; print(', '.join(f'{{p}} {{v(p)}}' for p in {PACKAGES}))"
NODE_VERSIONS = "'Node ' + process.version + ', sharp ' + require('sharp').versions.sharp"


def machine() -> list[str]:
    """Say what was measured on what."""
    commands = [(install.PYTHON, "-c", VERSIONS), *([("node", "-p", NODE_VERSIONS)] if NODE.is_installed() else [])]
    where = NODE.cwd if NODE.is_installed() else None
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return [
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        f"load average {load}",
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}",
        *(subprocess.check_output(command, cwd=where, text=True).strip() for command in commands),
    ]


def table(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    """Lay lines out as a Markdown table that reads well as plain text."""
    widths = [max(map(len, column)) for column in zip(headings, *lines, strict=True)]
    rows = ["| " + " | ".join(map(str.ljust, cells, widths)) + " |" for cells in (headings, *lines)]
    return [rows[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *rows[1:]]


def report(rows: Sequence[Row]) -> list[str]:
    """Return the table of all medians, each peer's with the ratio of the mock's to it, and the lines."""
    columns = list(dict.fromkeys(name for row in rows for name in row.figures))
    verdicts = [cells for line in LINES if (cells := verdict(line, {row.name: row for row in rows}))]
    return [
        *table(("", "unit", *columns), [(row.name, row.unit, *(cell(row, name) for name in columns)) for row in rows]),
        "",
        *table(("line", "against", "promised", "measured", ""), verdicts),
    ]


def cell(row: Row, server: str) -> str:
    """Write a median, and how often the mock makes it."""
    if server not in row.figures:
        return ""
    figure = f"{median(row.figures[server]):.4g}"
    return figure if server == MOCK.name else f"{figure} ({row.ratio(server):.2f}x)"


def main() -> int:
    """Measure, report, and return 1 on a wrong answer or a line that is not kept."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each server (default %(default)s)")
    parser.add_argument("--only", action="append", choices=MEASUREMENTS, help="measure only this (may be given again)")
    arguments = parser.parse_args()
    install.main()
    peers = [peer for peer in PEERS if peer.is_installed()]
    began_s = time.perf_counter()
    print("\n".join(machine()), flush=True)
    try:
        bench = Bench(peers, arguments.rounds, lambda line: print(f"  {line}", file=sys.stderr))
        rows = bench.run(arguments.only or MEASUREMENTS)
    except (WrongAnswerError, StartError, OSError) as error:
        print("\n".join([f"FAILED: {error}", *getattr(error, "__notes__", [])]))
        return 1
    print(
        f"{arguments.rounds} rounds, {time.perf_counter() - began_s:.0f} s; medians, in brackets the mock by the peer\n"
    )
    lines = report(rows)
    print("\n".join(lines))
    return 1 if any("MISSED" in line for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
