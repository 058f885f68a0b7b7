"""`make replicas` in small: two replicas, and one kill of each kind."""

from dataclasses import replace

import pytest

from soak.replicas import Plan, ground, run
from soak.sdk_clients import missing
from soak.tally import drawn_up
from soak.trouble import KILL
from tests import postgres
from tests.objects.s3_server import MISSING

SDKS = ("runware 0.5, WebSocket", "runware-sdk 1.8, REST")

lacking = [*filter(None, [postgres.missing()]), *MISSING, *(set(SDKS) & set(missing()))]


@pytest.mark.timeout(300)
@pytest.mark.skipif(bool(lacking), reason=f"not here: {lacking}")
def test_nothing_that_was_answered_is_lost_with_a_replica_and_what_is_lost_would_be_seen() -> None:
    plan = Plan(80, 2, SDKS, kills=1, kill_every_s=0.5, restart_every_s=3, move_every_s=1, leap="31d", lanes=1)
    with ground(plan) as on:
        ran = run(plan, on)
        balance = drawn_up(ran)
        assert balance.is_held, [line for line in balance.lines if line.is_held is False]
        assert ran.trouble.count(KILL) > 0
        alive = on.witness.strings("SELECT uuid FROM medium")
        on.witness.rows(f"DELETE FROM medium WHERE uuid = '{alive[0]}' RETURNING uuid")  # noqa: S608 - a UUID
        name = next(iter(ran.trouble.told.planned))
        ran.settled.plans[name] += 1
        ran.ledger.add(replace(next(ran.ledger.answered("upload")), uuid="lost", task_uuid="lost"))
        ran.ground.hooks.called["nobody"].append(0.0)
        failed = {line.what for line in drawn_up(ran).lines if line.is_held is False}
    assert failed >= {
        "media purged before their account's clock had come so far",
        "fault plans not met exactly as often as planned",
        "answered uploads that were never stored, or elsewhere",
        "answered and not in the journal",
        "webhooks called without a result",
    }
