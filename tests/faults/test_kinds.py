"""Whatever the kind: it is counted, it stands in the journal, and nobody else notices."""

from typing import Any, get_args

import pytest

from runware_mock.faults.base import Fault
from runware_mock.faults.kinds import AnyFault
from tests.control.calling import Calls
from tests.faults.planning import plan, send_and_forget
from tests.pictures import png
from tests.running import RunningMock
from tests.talking import new_uuid, talking, upload

pytestmark = pytest.mark.both_transports

NEEDED: dict[str, dict[str, Any]] = {
    "answer": {"text": "x"},
    "error": {"code": "invalidImage"},
    "latency": {"delay": "10ms"},
    "rate_limit": {"rate_per_s": 0.001, "burst": 1, "times": 1},
}
OF_TASKS: dict[str, type[Fault]] = {
    get_args(kind.model_fields["kind"].annotation)[0]: kind
    for kind in get_args(get_args(AnyFault)[0])
    if kind.point == "task"
}


@pytest.mark.parametrize(
    ("kind", "over"), [(kind, over) for kind, model in OF_TASKS.items() for over in model.transports]
)
def test_a_fault_that_is_met_is_counted_and_told_by_the_journal(
    mock: RunningMock, api_key: str, control: Calls, kind: str, over: str
) -> None:
    name = plan(control, {"kind": kind, **NEEDED.get(kind, {})})
    if kind == "rate_limit":
        send_and_forget(mock, over, api_key, upload(png()))
    task = upload("http://127.0.0.1:9/refused.png" if kind == "source" else png())
    send_and_forget(mock, over, api_key, task)
    with talking(mock, over, f"neighbour-{new_uuid()}") as neighbour:
        assert neighbour.ask(upload(png())).item

    (entry,) = control.get("/journal/wait", task_uuid=task["taskUUID"], timeout="60s")["entries"]
    (state,) = control.get(f"/faults/{name}")["faults"]
    assert (state["met"], state["remaining"]) == (1, 0)
    assert [(one["plan"], one["kind"]) for one in entry["faults"]] == [(name, kind)]

    with talking(mock, over, api_key) as again:
        assert again.ask(upload(png())).item
    assert control.get("/journal", limit=1)["entries"][0]["faults"] == []
