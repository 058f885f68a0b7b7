"""Plans: named, ordered, consumed one by one, for whom they are meant and nobody else."""

import threading

import pytest

from runware_mock.storage.models import control_version
from tests.control.calling import Calls, calling
from tests.faults.planning import is_met, met, plan
from tests.pictures import png
from tests.running import RunningMock, running_mock
from tests.stores import Store
from tests.talking import RestTalker, Talker, new_uuid, talking, upload

pytestmark = pytest.mark.both_databases

ERROR = {"kind": "error", "code": "failedToTransferImage", "parameter": "image"}


def codes(talker: Talker, count: int, **fields: object) -> list[str]:
    """Upload so many pictures, one after the other; return what became of each."""
    return ["".join(talker.ask(upload(png(), **fields)).codes) or "stored" for _ in range(count)]


def test_a_fault_is_met_as_often_as_planned_and_then_no_more(talker: Talker, control: Calls) -> None:
    name = plan(control, {**ERROR, "times": 2})
    assert not is_met(control, name)
    assert codes(talker, 3) == ["failedToTransferImage", "failedToTransferImage", "stored"]
    state = control.get(f"/faults/{name}")
    assert state["is_met"]
    assert [(one["seen"], one["met"], one["remaining"]) for one in state["faults"]] == [(3, 2, 0)]


def test_the_faults_of_a_plan_are_met_in_their_order(talker: Talker, control: Calls) -> None:
    plan(control, ERROR, {"kind": "error", "code": "invalidImage"}, {"kind": "error", "code": "rateLimitExceeded"})
    assert codes(talker, 4) == ["failedToTransferImage", "invalidImage", "rateLimitExceeded", "stored"]


def test_each_plan_adds_its_own_fault_to_the_same_task(talker: Talker, control: Calls) -> None:
    first = plan(control, ERROR)
    second = plan(control, {"kind": "latency", "delay": "0s"})
    assert codes(talker, 1) == ["failedToTransferImage"]
    assert (met(control, first), met(control, second)) == ([1], [1])
    (entry,) = control.get("/journal")["entries"]
    assert [(one["plan"], one["kind"]) for one in entry["faults"]] == [(first, "error"), (second, "latency")]


def test_one_task_of_a_batch_fails_and_its_neighbours_succeed(talker: Talker, control: Calls) -> None:
    tasks = [upload(png()) for _ in range(5)]
    name = plan(control, {**ERROR, "task_uuid": tasks[2]["taskUUID"].upper()})
    answer = talker.ask(*tasks)
    assert [error["taskUUID"] for error in answer.errors] == [tasks[2]["taskUUID"]]
    assert answer.codes == ["failedToTransferImage"]
    assert len(answer.data) == 4
    assert is_met(control, name)


def test_a_fault_is_for_the_task_type_it_names(talker: Talker, control: Calls) -> None:
    plan(control, {**ERROR, "task_type": "caption"})
    uuid = talker.ask(upload(png())).item["imageUUID"]
    caption = {"taskType": "caption", "taskUUID": new_uuid(), "inputImage": uuid}
    assert talker.ask(caption).codes == ["failedToTransferImage"]
    assert talker.ask({**caption, "taskUUID": new_uuid()}).item


def test_the_nth_task_that_fits_meets_the_fault(talker: Talker, control: Calls) -> None:
    plan(control, {**ERROR, "nth": 3})
    assert codes(talker, 4) == ["stored", "stored", "failedToTransferImage", "stored"]


def test_a_fault_is_for_the_transport_it_names(mock: RunningMock, api_key: str, control: Calls) -> None:
    name = plan(control, {**ERROR, "transport": "ws"})
    with talking(mock, "rest", api_key) as rest, talking(mock, "ws", api_key) as ws:
        assert codes(rest, 1) == ["stored"]
        assert codes(ws, 1) == ["failedToTransferImage"]
    assert is_met(control, name)


def test_a_fault_for_ever_stays_until_it_is_deleted(talker: Talker, control: Calls) -> None:
    name = plan(control, {**ERROR, "times": None})
    assert set(codes(talker, 4)) == {"failedToTransferImage"}
    assert control.get(f"/faults/{name}")["faults"][0]["remaining"] is None
    assert control.delete(f"/faults/{name}") == {"deleted": 1}
    assert codes(talker, 1) == ["stored"]


def test_what_is_left_to_chance_is_the_same_for_the_same_seed(talker: Talker, control: Calls) -> None:
    fault = {**ERROR, "times": None, "probability": 0.5, "seed": 7}
    seen = []
    for _ in range(2):
        name = plan(control, fault)
        seen.append(codes(talker, 12))
        control.delete(f"/faults/{name}")
    assert seen[0] == seen[1]
    assert set(seen[0]) == {"failedToTransferImage", "stored"}


def test_a_seed_that_is_not_given_is_drawn_and_told_by_plan_and_journal(talker: Talker, control: Calls) -> None:
    name = plan(control, {**ERROR, "times": None, "probability": 0.999})
    seed = control.get(f"/faults/{name}")["faults"][0]["seed"]
    assert isinstance(seed, int)
    codes(talker, 3)
    faults = [one for entry in control.get("/journal")["entries"] for one in entry["faults"]]
    assert faults
    assert all(one["seed"] == seed and 1 <= one["draw"] <= 3 for one in faults)


def test_a_plan_is_met_by_its_own_account_alone(mock: RunningMock, talker: Talker, control: Calls) -> None:
    name = plan(control, ERROR)
    with talking(mock, talker.name, "another-" + new_uuid()) as other:
        assert codes(other, 2) == ["stored", "stored"]
    assert met(control, name) == [0]


def test_a_plan_of_all_accounts_is_met_by_any(store: Store, transport: str, api_key: str) -> None:
    with (
        running_mock(**store.settings) as mock,
        calling(mock, None) as everyone,
        talking(mock, transport, api_key) as one,
        talking(mock, transport, "another") as other,
    ):
        name = plan(everyone, {**ERROR, "times": 2})
        assert codes(one, 1) + codes(other, 1) + codes(one, 1) == ["failedToTransferImage"] * 2 + ["stored"]
        assert is_met(everyone, name)


def test_a_key_can_name_a_plan_where_an_sdk_can_set_no_header(
    mock: RunningMock, transport: str, api_key: str, control: Calls
) -> None:
    name = plan(control, ERROR, name="flaky", by_name_only=True)
    with talking(mock, transport, api_key) as plain, talking(mock, transport, f"{api_key}+flaky") as named:
        assert codes(plain, 1) == ["stored"]
        assert codes(named, 2) == ["failedToTransferImage", "stored"]
    assert is_met(control, name)
    # Both were the same account.
    assert control.get("/media")["total"] == 2


def test_a_header_can_name_a_plan(mock: RunningMock, api_key: str, control: Calls) -> None:
    plan(control, ERROR, name="flaky", by_name_only=True)
    with talking(mock, "rest", api_key) as talker:
        assert isinstance(talker, RestTalker)
        assert codes(talker, 1) == ["stored"]
        talker._client.headers["X-Runware-Mock-Plan"] = "flaky"
        assert codes(talker, 1) == ["failedToTransferImage"]


def test_a_key_with_a_plus_and_no_such_plan_is_a_key_like_any_other(
    mock: RunningMock, transport: str, api_key: str, control: Calls
) -> None:
    with talking(mock, transport, f"{api_key}+no-plan") as talker:
        assert codes(talker, 1) == ["stored"]
    assert control.get("/media")["total"] == 0


def test_with_keys_configured_the_key_before_the_plan_must_be_one_of_them(transport: str) -> None:
    with running_mock(api_key=("good",)) as mock, calling(mock, "good") as control:
        plan(control, ERROR, name="flaky")
        with talking(mock, transport, "good+flaky") as talker:
            assert codes(talker, 1) == ["failedToTransferImage"]
        with calling(mock, "bad+flaky") as stranger:
            assert stranger.refused("GET", "/faults")[0] == 401


def test_twenty_tasks_at_once_meet_a_fault_as_often_as_planned(mock: RunningMock, api_key: str, control: Calls) -> None:
    name = plan(control, {**ERROR, "times": 7})
    results: list[str] = []

    def send(transport: str) -> None:
        with talking(mock, transport, api_key) as talker:
            results.extend(codes(talker, 2))

    senders = [threading.Thread(target=send, args=(("rest", "ws")[number % 2],)) for number in range(10)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert sorted(results).count("failedToTransferImage") == 7
    assert met(control, name) == [7]


def test_two_servers_on_one_database_consume_a_plan_together(store: Store, transport: str, api_key: str) -> None:
    with (
        running_mock(**store.settings) as first,
        running_mock(**store.settings) as second,
        calling(first, api_key) as control,
        talking(first, transport, api_key) as here,
        talking(second, transport, api_key) as there,
    ):
        assert codes(here, 1) + codes(there, 1) == ["stored", "stored"]
        name = plan(control, {**ERROR, "times": 3})
        assert codes(there, 1) + codes(here, 1) + codes(there, 2) == ["failedToTransferImage"] * 3 + ["stored"]
        assert is_met(control, name)


def test_two_servers_asked_at_once_meet_a_fault_as_often_as_planned(store: Store, api_key: str) -> None:
    with (
        running_mock(**store.settings) as first,
        running_mock(**store.settings) as second,
        calling(first, api_key) as control,
    ):
        name = plan(control, {**ERROR, "times": 7})
        results: list[str] = []

        def send(number: int) -> None:
            with talking((first, second)[number % 2], ("rest", "ws")[number // 2 % 2], api_key) as talker:
                results.extend(codes(talker, 4))

        senders = [threading.Thread(target=send, args=(number,)) for number in range(8)]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        assert (len(results), results.count("failedToTransferImage")) == (32, 7)
        assert met(control, name) == [7]


def test_a_name_is_taken_once(control: Calls) -> None:
    plan(control, ERROR, name="mine")
    status, error = control.refused("POST", "/faults", json={"faults": [ERROR], "name": "mine"})
    assert (status, error["code"], error["field"]) == (409, "conflict", "name")
    assert control.refused("GET", "/faults/other")[0] == 404
    assert control.refused("DELETE", "/faults/other")[0] == 404
    plan(control, ERROR)
    assert control.delete("/faults") == {"deleted": 2}


def test_without_a_key_the_plans_and_rules_of_every_account_are_listed_and_deleted(store: Store, api_key: str) -> None:
    with running_mock(**store.settings) as mock, calling(mock, None) as everyone, calling(mock, api_key) as control:
        plan(control, ERROR, name="mine")
        control.post("/answers", name="a cat", task_type="caption", give={"text": "a cat"})
        plan(everyone, ERROR, name="ours")
        assert [(one["name"], one["account"]) for one in everyone.get("/faults")["plans"]] == [
            ("ours", None),
            ("mine", 1),
            ("a cat", 1),
        ]
        assert [one["name"] for one in everyone.get("/answers")["rules"]] == ["a cat"]
        assert [one["name"] for one in control.get("/faults")["plans"]] == ["mine", "a cat"]
        # Another account may have a plan of this name, too.
        status, error = everyone.refused("DELETE", "/faults/mine")
        assert (status, "account 1 has one" in error["message"]) == (404, True)
        assert everyone.delete("/answers") == {"deleted": 1}
        assert everyone.delete("/faults") == {"deleted": 2}
        assert control.get("/faults")["plans"] == []


def test_a_database_that_cannot_tell_of_plans_leaves_nobody_waiting(store: Store, transport: str, api_key: str) -> None:
    with running_mock(**store.settings) as mock, talking(mock, transport, api_key) as talker:
        assert talker.ask(upload(png())).item
        with mock.services.database.writing() as connection:
            control_version.drop(connection)
        assert talker.ask(upload(png())).item
        unread = {"taskType": "caption", "taskUUID": new_uuid(), "inputImage": new_uuid()}
        assert talker.ask(unread).codes == ["mockInternalError"]


def test_a_task_that_is_refused_for_itself_meets_no_fault(talker: Talker, control: Calls) -> None:
    name = plan(control, ERROR)
    assert talker.ask({"taskType": "imageUpload", "taskUUID": "no uuid"}).codes == ["invalidTaskUUID"]
    assert met(control, name) == [0]
