"""Whatever the kind: it is counted, it stands in the journal, and nobody else notices."""

from contextlib import suppress
from typing import Any, get_args

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from runware_mock.faults.base import Fault
from runware_mock.faults.kinds import AnyFault
from tests.control.calling import Calls
from tests.faults.planning import plan
from tests.pictures import png
from tests.running import RunningMock
from tests.talking import WsTalker, new_uuid, talking, upload

pytestmark = pytest.mark.both_transports

NEEDED: dict[str, dict[str, Any]] = {
    "error": {"code": "invalidImage"},
    "latency": {"delay": "10ms"},
    "rate_limit": {"rate_per_s": 0.001, "burst": 1, "times": 1},
}
FAILURES = (httpx.TransportError, ConnectionClosed, TimeoutError, ValueError, KeyError, AssertionError)
OF_TASKS: dict[str, type[Fault]] = {
    get_args(kind.model_fields["kind"].annotation)[0]: kind
    for kind in get_args(get_args(AnyFault)[0])
    if kind.point == "task"
}


def _send(mock: RunningMock, transport: str, api_key: str, task: object) -> None:
    """Send a task whose answer may be late, broken or missing."""
    with suppress(*FAILURES), talking(mock, transport, api_key) as talker:
        if isinstance(talker, WsTalker):
            talker.socket.close_timeout = 0.1
            talker.socket.send(f"[{_json(task)}]")
            talker.socket.recv(0.5)
        else:
            talker.ask(task)


def _json(task: object) -> str:
    return httpx.Request("POST", "http://x", json=task).content.decode()


@pytest.mark.parametrize(
    ("kind", "over"), [(kind, over) for kind, model in OF_TASKS.items() for over in model.transports]
)
def test_a_fault_that_is_met_is_counted_and_told_by_the_journal(
    mock: RunningMock, api_key: str, control: Calls, kind: str, over: str
) -> None:
    name = plan(control, {"kind": kind, **NEEDED.get(kind, {})})
    if kind == "rate_limit":
        _send(mock, over, api_key, upload(png()))
    task = upload("http://127.0.0.1:9/refused.png" if kind == "source" else png())
    _send(mock, over, api_key, task)
    with talking(mock, over, f"neighbour-{new_uuid()}") as neighbour:
        assert neighbour.ask(upload(png())).item

    (state,) = control.get(f"/faults/{name}")["faults"]
    assert (state["met"], state["remaining"]) == (1, 0)
    (entry,) = control.get("/journal", task_uuid=task["taskUUID"])["entries"]
    assert [(one["plan"], one["kind"]) for one in entry["faults"]] == [(name, kind)]

    with talking(mock, over, api_key) as again:
        assert again.ask(upload(png())).item
    assert control.get("/journal", limit=1)["entries"][0]["faults"] == []
