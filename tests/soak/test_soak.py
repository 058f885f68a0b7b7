"""`make soak` in small: some seconds, some sockets."""

from pathlib import Path

import pytest

from soak.__main__ import Plan, balance_of


@pytest.mark.timeout(180)
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only /proc tells what a process takes")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_under_everything_at_once_keeps_its_books(workers: int) -> None:
    plan = Plan(0.05, 30, 2, 4, workers, pause_s=0.2, ping_every_s=1)
    balance = balance_of(plan)
    # So short a run tells nothing of growth.
    failed = [line for line in balance.lines if line.is_held is False and not line.what.startswith("memory")]
    assert not failed
    assert {line.what: line.figure for line in balance.lines}["pongs"] != "0 of 0"
