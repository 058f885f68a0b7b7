"""`python -m bench`: compare the mock with its peers, paired in one run."""

import argparse
import sys
import time
from pathlib import Path

from bench import install
from bench.asking import WrongAnswerError
from bench.measure import FULL, MEASUREMENTS, QUICK, Bench
from bench.peers import PEERS, SUBJECT, USUAL, StartError
from bench.report import everything, promises, summary, verdicts_of, versions
from bench.stolen import MOST_SHARE, TRIES

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
    parser.add_argument("--quick", action="store_true", help="about 7 min, not 40")
    parser.add_argument("--only", action="append", choices=MEASUREMENTS, help="measure only this (may be given again)")
    parser.add_argument(
        "--peer",
        action="append",
        choices=[name for name in PEERS if name != SUBJECT],
        help=f"compare with this (may be given again; default {', '.join(USUAL[1:])})",
    )
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    return parser.parse_args()


def main() -> int:
    """Measure, report, and return 1 on a wrong answer or a broken promise."""
    arguments = parse_arguments()
    install.main()
    asked = [PEERS[name] for name in (SUBJECT, *(arguments.peer or USUAL[1:]))]
    peers = [peer for peer in asked if peer.is_installed()]
    for peer in asked:
        if peer not in peers:
            say(f"{peer.name} is left out: {peer.command[0]} and what it needs are not installed")
    effort = QUICK if arguments.quick else FULL
    bench = Bench(peers, effort, progress)
    began_s = time.perf_counter()
    report = versions()
    say("\n".join(report))
    try:
        rows = bench.run(arguments.only or MEASUREMENTS)
    except (WrongAnswerError, StartError, OSError) as error:
        say("\n".join(["", f"FAILED: {error}", *getattr(error, "__notes__", [])]))
        return 1
    verdicts = verdicts_of(rows)
    took_s = time.perf_counter() - began_s
    head = len(report)
    report += [
        f"{effort.rounds} rounds, {took_s:.0f} s: ratios of medians, min-max of the rounds",
        f"Where the host took over {MOST_SHARE:.0%} of the time, a slot is the quietest of up to {TRIES}",
        "",
        *promises(verdicts),
        "",
        summary(verdicts),
        "",
        *everything(rows),
    ]
    say("\n".join(report[head:]))
    if arguments.write:
        RESULTS.write_text("# Results of `make bench`\n\n" + "\n".join(report) + "\n")
    return 0 if all(verdict.is_kept for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
