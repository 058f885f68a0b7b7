"""`make replicas` in small: two replicas, and one kill of each kind."""

import pytest

from soak.replicas import Plan, balance_of
from soak.sdk_clients import missing
from tests import postgres
from tests.objects.s3_server import MISSING

SDKS = ("runware 0.5, WebSocket", "runware-sdk 1.8, REST")

lacking = [*filter(None, [postgres.missing()]), *MISSING, *(set(SDKS) & set(missing()))]


@pytest.mark.timeout(300)
@pytest.mark.skipif(bool(lacking), reason=f"not here: {lacking}")
def test_nothing_that_was_answered_is_lost_with_a_replica() -> None:
    plan = Plan(80, 2, SDKS, kills=1, kill_every_s=0.5, restart_every_s=3, move_every_s=1, leap="31d", lanes=1)
    balance = balance_of(plan)
    assert balance.is_held, [line for line in balance.lines if line.is_held is False]
    figures = {line.what: line.figure for line in balance.lines}
    assert int(figures["replicas killed with -9"]) > 0
    assert figures["answered uploads that were never stored, or elsewhere"].startswith("0 of ")
