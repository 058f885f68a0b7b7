"""`python -m bench`: compare the mock with naive, paired in one run."""

import argparse
import sys
import time
from pathlib import Path

from bench.driver import WrongAnswerError
from bench.measure import FULL, MEASUREMENTS, QUICK, Bench
from bench.peers import BASELINE, PEERS, StartError
from bench.report import lines_of, table, verdict, versions
from bench.targets import TARGETED_PEER

RESULTS = Path(__file__).with_name("RESULTS.md")


def say(line: str = "") -> None:
    """Print one line of the report."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def progress(line: str) -> None:
    """Tell how far the run is, apart from the report."""
    sys.stderr.write(f"  {line}\n")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about 80 s, not 5 min")
    parser.add_argument(
        "--only",
        action="append",
        choices=MEASUREMENTS,
        help="measure only this (may be given again)",
    )
    parser.add_argument(
        "--peer",
        action="append",
        choices=[name for name in PEERS if name != BASELINE],
        help=f"compare this with {BASELINE} (may be given again; default mock)",
    )
    parser.add_argument("--detail", action="store_true", help="latency, CPU, bytes")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    return parser.parse_args()


def main() -> int:
    """Measure, report, and return 1 on a wrong answer or a missed target."""
    arguments = parse_arguments()
    names = (*(arguments.peer or [TARGETED_PEER]), BASELINE)
    effort = QUICK if arguments.quick else FULL
    bench = Bench([PEERS[name] for name in names], effort, progress)
    began_s = time.perf_counter()
    report = versions()
    say("\n".join(report))
    try:
        rows = bench.run(arguments.only or MEASUREMENTS)
    except (WrongAnswerError, StartError, OSError) as error:
        say("\n".join(["", f"FAILED: {error}", *getattr(error, "__notes__", [])]))
        return 1
    lines = lines_of(rows, detail=False)
    took_s = time.perf_counter() - began_s
    report += [
        f"{effort.rounds} rounds, {took_s:.0f} s: ratio of medians, min-max of rounds",
        "",
        *table(lines),
        "",
    ]
    if arguments.detail:
        report += [*table(lines_of(rows, detail=True)), ""]
    report.append(verdict(lines))
    say("\n".join(report[len(versions()) :]))
    if arguments.write:
        RESULTS.write_text("# Results of `make bench`\n\n" + "\n".join(report) + "\n")
    return 1 if any(line.missed for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
