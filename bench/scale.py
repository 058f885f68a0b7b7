"""Growth and memory, in absolute figures: `make bench-scale`.

The mock with nothing stored and with a million media, what fifty uploads of 100 MP at once take of memory, and how
long a browser waits for the page at first.
"""

import argparse
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median

import httpx

from bench import install
from bench.__main__ import machine, table
from bench.driver import KEY, Workload, run_load
from bench.measure import TINY, p99
from bench.pictures import Picture
from bench.servers import MOCK, started
from bench.stored import check_all
from runware_mock.client import ControlClient

FILE_NAME = "runware-mock.sqlite3"
MEDIA = 1_000_000
PIECE = 50_000
DAY_MS = 86_400_000
# A p99 is that of the machine's worst moments, so the figure is the median of several rounds.
ROUNDS = 7
ONE_AT_A_TIME = replace(TINY, connections=1, slot_s=2.0)
GROWTH_LIMIT = 1.5
CROWD = Workload("100 MP", (Picture("JPEG", 10_000, 10_000),), connections=50)
BUDGET_MB = 600
OVER_BUDGET = 1.25
VIEWED = 100_000
VIEW_LIMIT_MS = 150
# By then a server has prepared its page; nobody opens it sooner after the ready line.
VIEWED_AFTER_S = 3.5
# What differs from one row to the next. All other columns are copied from the row of a real upload.
FRESH = {
    "sent_sha256": "randomblob(32)",
    "bytes": "randomblob(600)",
    "size_bytes": "600",
    "uuid": (
        "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-a' || "
        "substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))"
    ),
}


def fill(folder: Path, media: int) -> None:
    """Store so many media, each with a content of its own; the older half will expire within a day."""
    with started(MOCK, folder) as server:
        run_load(server.url, TINY)
    with sqlite3.connect(folder / FILE_NAME) as database:
        database.execute("PRAGMA synchronous=OFF")
        last_id = database.execute("SELECT max(id) FROM content").fetchone()[0]
        for first in range(1, media + 1, PIECE):
            more = f"SELECT n + 1 FROM n LIMIT {PIECE}"  # noqa: S608 - numbers of ours
            ids = f"(WITH RECURSIVE n(n) AS (VALUES ({first}) UNION ALL {more}) SELECT n FROM n)"  # noqa: S608 - numbers of ours
            age_ms = f"CASE WHEN n <= {media // 2} THEN {59 * DAY_MS // 2} ELSE {DAY_MS} END"
            times = dict.fromkeys(("created_at", "last_used_at"), f"{int(time.time() * 1000)} - {age_ms} + n / 10")
            copy(database, "content", ids, {"id": f"n + {last_id}", "created_at": times["created_at"]})
            copy(database, "medium", ids, {"id": f"n + {last_id}", "content_id": f"n + {last_id}", **times})
            database.commit()


def copy(database: sqlite3.Connection, name: str, ids: str, fresh: dict[str, str]) -> None:
    """Insert one row for each `n` of a query: a copy of the table's first row, but for what has to differ."""
    names = [row[1] for row in database.execute(f"PRAGMA table_info({name})")]
    values = [{**FRESH, **fresh}.get(column, f"one.{column}") for column in names]
    first = f"(SELECT * FROM {name} ORDER BY id LIMIT 1)"  # noqa: S608 - a name of ours
    query = f"SELECT {', '.join(values)} FROM {ids}, {first} AS one"  # noqa: S608 - ours
    database.execute(f"INSERT INTO {name} ({', '.join(names)}) {query}")


def purge(folder: Path, media: int) -> tuple[float, float]:
    """Let half expire while uploads go on; return rows purged a second, and the p99 of the uploads in ms."""
    took_s: list[float] = []
    with started(MOCK, folder) as server:

        def advance() -> None:
            began_s = time.perf_counter()
            with ControlClient(server.url, KEY, timeout_s=600) as control:
                control.clock.advance("1d")
            took_s.append(time.perf_counter() - began_s)

        run_load(server.url, ONE_AT_A_TIME, 1.0)
        purging = threading.Thread(target=advance)
        purging.start()
        latencies_s: list[float] = []
        while purging.is_alive():
            latencies_s += run_load(server.url, ONE_AT_A_TIME, 0.3).latencies_s
    return media // 2 / took_s[0], p99(latencies_s) * 1000


def growth(folder: Path, media: int) -> list[tuple[str, ...]]:
    """Measure a server with nothing stored beside one with many media, in turns."""
    folders = {0: folder / "empty", media: folder / "full"}
    figures: dict[int, list[float]] = {stored: [] for stored in folders}
    with ExitStack() as stack:
        servers = {}
        for stored, place in folders.items():
            fill(place, stored)
            servers[stored] = stack.enter_context(started(MOCK, place))
        for _ in range(ROUNDS):
            for stored, server in servers.items():
                load = run_load(server.url, ONE_AT_A_TIME, ONE_AT_A_TIME.slot_s)
                figures[stored].append(p99(load.latencies_s) * 1000)
    none, many = (median(figures[stored]) for stored in folders)
    rows_per_s, p99_ms = purge(folders[media], media)
    return [
        ("upload p99, ms", f"{none:.3g}", f"{many:.3g}", f"<= {GROWTH_LIMIT}x", judged(many / none <= GROWTH_LIMIT)),
        ("purge beside uploads, rows/s", "", f"{rows_per_s:.3g}", "", ""),
        ("upload p99 beside a purge, ms", "", f"{p99_ms:.3g}", "", ""),
    ]


def crowd(folder: Path) -> list[tuple[str, ...]]:
    """Upload 50 JPEGs of 100 MP at once to a server with a small memory budget."""
    with started(MOCK, folder, "--memory-budget-bytes", f"{BUDGET_MB}MB") as server:
        run_load(server.url, TINY)
        idle_mb = server.memory_mb()
        server.forget_peak()
        check_all(run_load(server.url, CROWD, at_least=CROWD.connections))
        over_mb = server.memory_mb("VmHWM") - idle_mb
    limit_mb = BUDGET_MB * OVER_BUDGET
    name = f"50 uploads of 100 MP at once, budget {BUDGET_MB} MB: peak over idle, MB"
    return [(name, f"{over_mb:.0f}", "", f"<= {limit_mb:.0f}", judged(over_mb <= limit_mb))]


def view(folder: Path) -> list[tuple[str, ...]]:
    """Open the page of a server that has just started on many media; the figure is the median of some starts."""
    fill(folder, VIEWED)
    views_ms = []
    for _ in range(ROUNDS):
        with started(MOCK, folder) as server:
            time.sleep(VIEWED_AFTER_S)
            began_s = time.perf_counter()
            page = httpx.get(
                f"{server.url}/ui", headers={"Accept": "text/html"}, trust_env=False, follow_redirects=True
            )
            page.raise_for_status()
            views_ms.append((time.perf_counter() - began_s) * 1000)
    view_ms = median(views_ms)
    limit = f"<= {VIEW_LIMIT_MS}"
    return [
        (f"first view of the page, {VIEWED:,} media, ms", "", f"{view_ms:.0f}", limit, judged(view_ms <= VIEW_LIMIT_MS))
    ]


def judged(is_kept: bool) -> str:  # noqa: FBT001 - what it is for
    """Say whether a limit is kept."""
    return "kept" if is_kept else "MISSED"


def main() -> int:
    """Measure, print, and return 1 where a limit is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--media", type=int, default=MEDIA, help="how many are stored (default %(default)s)")
    arguments = parser.parse_args()
    install.main()
    print("\n".join(machine()), flush=True)
    measures: tuple[Callable[[Path], list[tuple[str, ...]]], ...] = (
        crowd,
        view,
        lambda folder: growth(folder, arguments.media),
    )
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for number, measure in enumerate(measures):
            lines += measure(Path(folder) / str(number))
    print("\n".join(["", *table(("", "no media", f"{arguments.media:,} media", "promised", ""), lines)]))
    return 1 if any("MISSED" in line for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
