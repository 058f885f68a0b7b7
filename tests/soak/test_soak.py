"""`make soak` and `make replicas` in small, so that they do not rot."""

from dataclasses import replace
from pathlib import Path

import pytest

from soak.__main__ import Plan, soaked
from soak.replicas import Plan as ReplicasPlan
from soak.replicas import ground, judged, run
from soak.sdk_clients import missing
from tests import postgres
from tests.objects.s3_server import MISSING

SDKS = ("runware 0.5, WebSocket", "runware-sdk 1.8, REST")
LACKING = [*filter(None, [postgres.missing()]), *MISSING, *(set(SDKS) & set(missing()))]


@pytest.mark.timeout(180)
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only /proc tells what a process takes")
def test_a_server_under_everything_at_once_keeps_its_books() -> None:
    report = soaked(Plan(0.05, working=4, idle=20, workers=2, pause_s=0.1))
    # So short a run tells nothing of growth.
    assert not [what for what in report.failed if not what.startswith("memory")], report.failed


@pytest.mark.timeout(300)
@pytest.mark.skipif(bool(LACKING), reason=f"not here: {LACKING}")
def test_nothing_that_was_answered_is_lost_with_a_replica_and_what_is_lost_would_be_seen() -> None:
    plan = ReplicasPlan(80, 2, SDKS, kills=1, kill_every_s=0.5, restart_every_s=3, leap_every_s=1)
    with ground(plan) as on:
        run(plan, on)
        report = judged(on)
        assert not report.failed
        for replica in on.replicas:
            replica.start()
        upload = next(one for one in on.outcomes if one.what == "upload" and one.error is None and "steady" in one.key)
        on.outcomes.append(replace(upload, uuid="lost", task_uuid="lost", url=f"{upload.url}/lost"))
        on.outcomes.append(replace(upload, began_s=0, ended_s=0, error={"message": "for no reason"}))
        assert {what for what, wrong in judged(on).failed.items() if wrong} >= {
            "answered uploads that cannot be read back whole",
            "answered and not in the journal",
            "calls that failed while nothing was wrong with their replica",
        }
