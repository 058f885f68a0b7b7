"""`python -m bench.memory`: what the mock takes of a machine's memory, in absolute figures."""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from bench import install
from bench.corpus import Picture
from bench.driver import run_load
from bench.measure import MB, check_all
from bench.peers import MOCK, Server, started
from bench.workloads import HEAVY, Workload

BODIES = 200
GROWTH_LIMIT_MB = 40
LARGE = Workload("24 MP", (Picture("JPEG", 6000, 4000),), connections=1)
LARGE_LIMIT_MB = 200
CROWD = 50
CROWDED = Workload("100 MP", (Picture("JPEG", 10_000, 10_000),), connections=CROWD)
# Baseline 100 MP JPEGs are decoded to a quarter; this lets four in at once.
BUDGET_MB = 600
OVER_BUDGET = 1.25


def rss_mb(server: Server) -> float:
    """Return what a server has now."""
    return server.memory_bytes("VmRSS") / MB


def peak_mb(server: Server) -> float:
    """Return the most that it had."""
    return server.memory_bytes("VmHWM") / MB


def bodies(server: Server) -> tuple[str, bool]:
    """Send 200 bodies of 21 MB."""
    check_all(run_load(server.endpoint, HEAVY, 0))
    first_mb = rss_mb(server)
    load = run_load(server.endpoint, HEAVY, 0, at_least=BODIES)
    check_all(load)
    grown_mb = rss_mb(server) - first_mb
    said = f"after {load.uploads} bodies of 21 MB: {grown_mb:+.0f} MB over the {first_mb:.0f} MB after the first"
    return f"{said} (at most {GROWTH_LIMIT_MB})", grown_mb <= GROWTH_LIMIT_MB


def one_large(server: Server) -> tuple[str, bool]:
    """Upload one JPEG of 24 MP."""
    idle_mb = rss_mb(server)
    server.forget_peak()
    check_all(run_load(server.endpoint, LARGE, 0))
    over_mb = peak_mb(server) - idle_mb
    return f"one JPEG of 24 MP: peak {over_mb:.0f} MB over idle (at most {LARGE_LIMIT_MB})", over_mb <= LARGE_LIMIT_MB


def crowd(server: Server) -> tuple[str, bool]:
    """Upload 50 JPEGs of 100 MP at once."""
    idle_mb = rss_mb(server)
    server.forget_peak()
    load = run_load(server.endpoint, CROWDED, 0, at_least=CROWD)
    check_all(load)
    # The bodies wait in memory whatever the budget is; it is for decoding.
    waiting_mb = CROWD * len(CROWDED.sources[0].raw) * 4 / 3 / MB
    over_mb = peak_mb(server) - idle_mb
    limit_mb = BUDGET_MB * OVER_BUDGET
    said = f"{load.uploads} of {CROWD} JPEGs of 100 MP at once answered: peak {over_mb:.0f} MB over idle"
    return f"{said} (budget {BUDGET_MB} MB, at most {limit_mb:.0f}; bodies {waiting_mb:.0f} MB)", over_mb <= limit_mb


def main() -> int:
    """Measure, print, and return 1 where a limit is missed."""
    install.main()
    budget = ("--memory-budget-bytes", str(BUDGET_MB * 10**6))
    is_kept = True
    with tempfile.TemporaryDirectory() as folder:
        for number, (measure, more) in enumerate(((bodies, ()), (one_large, ()), (crowd, budget))):
            peer = replace(MOCK, command=(*MOCK.command, *more))
            with started(peer, Path(folder) / str(number)) as server:
                said, is_within = measure(server)
            print(said if is_within else f"{said} MISSED", flush=True)
            is_kept = is_kept and is_within
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
