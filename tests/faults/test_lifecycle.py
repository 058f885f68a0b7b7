"""The life of an asynchronous task as a rule says: processed for polls or a time, in part there, finished, failed."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from runware_mock.testing import RunwareMock
from runware_mock.webhooks import deliver_due
from tests.control.calling import Calls
from tests.running import RunningMock
from tests.talking import Talker, Task, WsTalker, new_uuid, talking
from tests.tasks.asking import inference
from tests.tasks.webhooks import status, webhook

pytestmark = pytest.mark.both_databases


@pytest.fixture
def scripted(mock: RunningMock, api_key: str) -> RunwareMock:
    """Return the test's account."""
    return RunwareMock(mock.url, api_key)


def sent(talker: Talker, **fields: object) -> Task:
    """Send an asynchronous task, which is acknowledged."""
    asked = inference(deliveryMethod="async", **fields)
    assert talker.ask(asked).item == {"taskType": "imageInference", "taskUUID": asked["taskUUID"]}
    return asked


def poll(talker: Talker, asked: Task) -> list[tuple[object, object]]:
    """Return status and progress of each item that getResponse tells."""
    answer = talker.ask({"taskType": "getResponse", "taskUUID": asked["taskUUID"]})
    if answer.errors:
        return [(answer.error["status"], answer.error["code"])]
    return [(item["status"], item.get("progress")) for item in answer.data]


def test_a_task_is_processed_for_some_polls_with_growing_progress(talker: Talker, scripted: RunwareMock) -> None:
    scripted.answers.on("imageInference").give(picture="teal", lifecycle=[{"polls": 3}])
    asked, other = sent(talker), sent(talker)
    assert [poll(talker, asked) for _ in range(3)] == [[("processing", progress)] for progress in (25, 50, 75)]
    assert poll(talker, asked) == poll(talker, asked) == [("success", None)]
    # Each task has polls of its own.
    assert poll(talker, other) == [("processing", 25)]


def test_a_task_is_processed_for_a_time_on_the_clock_of_its_account(talker: Talker, scripted: RunwareMock) -> None:
    scripted.clock.freeze()
    scripted.answers.on("imageInference").give(fields={}, lifecycle=[{"lasts": "10s"}])
    asked = sent(talker)
    assert poll(talker, asked) == [("processing", 0)]
    scripted.clock.advance(seconds=5)
    assert poll(talker, asked) == [("processing", 50)]
    scripted.clock.advance(seconds=4.999)
    assert poll(talker, asked)[0][0] == "processing"
    scripted.clock.advance(seconds=0.001)
    assert poll(talker, asked) == [("success", None)]


def test_stages_follow_each_other_and_results_come_one_after_the_other(talker: Talker, scripted: RunwareMock) -> None:
    scripted.clock.freeze()
    stages: list[dict[str, Any]] = [
        {"polls": 1, "progress": 10},
        {"lasts": "5s", "progress": 20},
        {"polls": 2, "results": 1, "progress": 60},
        {"polls": 1, "results": 2, "progress": 90},
    ]
    scripted.answers.on("imageInference").give(fields={}, lifecycle=stages)
    asked = sent(talker, numberResults=3)
    assert poll(talker, asked) == [("processing", 10)]
    assert poll(talker, asked) == poll(talker, asked) == [("processing", 20)]
    scripted.clock.advance(seconds=5)
    there, missing = ("success", None), ("processing", 60)
    assert poll(talker, asked) == poll(talker, asked) == [there, missing, missing]
    assert poll(talker, asked) == [there, there, ("processing", 90)]
    assert poll(talker, asked) == [there] * 3


def test_a_task_may_fail_after_it_was_acknowledged(talker: Talker, scripted: RunwareMock) -> None:
    scripted.answers.on("imageInference").give(error="timeoutProvider", lifecycle=[{"polls": 1}])
    asked = sent(talker)
    assert poll(talker, asked) == [("processing", 50)]
    assert poll(talker, asked) == poll(talker, asked) == [("error", "timeoutProvider")]


def test_without_a_lifecycle_that_takes_time_a_task_fails_at_once(talker: Talker, scripted: RunwareMock) -> None:
    scripted.answers.on(nth=1).give(error="timeoutProvider")
    scripted.answers.on().give(error="timeoutProvider", lifecycle=[{"polls": 1}])
    for asked in (inference(deliveryMethod="async"), inference()):
        assert talker.ask(asked).codes == ["timeoutProvider"]
        assert poll(talker, asked) == [("error", "timeoutProvider")]


def test_a_wrong_task_is_refused_at_once_whatever_its_lifecycle(talker: Talker, scripted: RunwareMock) -> None:
    scripted.answers.on().give(fields={}, lifecycle=[{"polls": 1}])
    assert talker.ask(inference(deliveryMethod="async", width=1)).codes == ["invalidWidth"]


def test_a_fault_that_refuses_the_task_leaves_it_no_life(talker: Talker, scripted: RunwareMock) -> None:
    scripted.faults.plan({"kind": "error", "code": "rateLimitExceeded"})
    scripted.answers.on().give(error="timeoutProvider", lifecycle=[{"polls": 1}])
    assert talker.ask(inference(deliveryMethod="async")).codes == ["rateLimitExceeded"]


def test_a_life_goes_on_when_its_rule_is_deleted_and_survives_a_snapshot(talker: Talker, scripted: RunwareMock) -> None:
    scripted.answers.on().give(fields={"n": 1}, lifecycle=[{"polls": 2}])
    asked = sent(talker)
    scripted.answers.delete()
    assert poll(talker, asked) == [("processing", 33)]
    scripted.snapshots.save("in the middle")
    for _ in range(2):
        assert poll(talker, asked) == [("processing", 66)]
        assert poll(talker, asked) == [("success", None)]
        scripted.snapshots.restore("in the middle")


def test_a_webhook_is_called_for_each_result_when_it_is_there(talker: Talker, scripted: RunwareMock) -> None:
    stages = [{"lasts": "10s"}, {"lasts": "20s", "results": 1}, {"polls": 9, "results": 1}]
    scripted.answers.on("imageInference").give(fields={}, lifecycle=stages)
    with webhook(status(200)) as hook:
        sent(talker, numberResults=2, webhookURL=hook.url)
        for wait_s, called in ((9.9, 0), (0.1, 1), (19.9, 1), (0.1, 2)):
            scripted.clock.advance(seconds=wait_s)
            assert len(hook.taken) == called
    assert all("imageUUID" in body for _, body in hook.taken)


def test_a_webhook_is_told_of_the_error_at_the_end_of_the_life(
    mock: RunningMock, talker: Talker, scripted: RunwareMock
) -> None:
    scripted.answers.on("imageInference").give(error="timeoutProvider", lifecycle=[{"lasts": "10s"}])
    with webhook(status(200)) as hook:
        sent(talker, webhookURL=hook.url)
        deliver_due(mock.services)
        assert hook.taken == []
        scripted.clock.advance(seconds=10)
    assert [body["code"] for _, body in hook.taken] == ["timeoutProvider"]


def test_a_client_that_waits_gets_its_answer_when_the_life_is_over(talker: Talker, scripted: RunwareMock) -> None:
    scripted.clock.freeze()
    scripted.answers.on("imageInference", nth=1).give(fields={}, lifecycle=[{"lasts": "10s"}])
    scripted.answers.on("imageInference").give(error="timeoutProvider", lifecycle=[{"lasts": "10s"}])
    for codes in ([], ["timeoutProvider"]):
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(talker.ask, inference())
            scripted.journal.wait(1, timeout_s=60)
            scripted.clock.advance(seconds=9.999)
            assert not answer.done()
            scripted.clock.advance(seconds=0.001)
            assert answer.result().codes == codes
        scripted.journal.clear()


def test_a_socket_gets_each_result_in_a_frame_of_its_own_when_it_is_there(
    mock: RunningMock, api_key: str, scripted: RunwareMock
) -> None:
    scripted.clock.freeze()
    stages = [{"lasts": "10s"}, {"lasts": "20s", "results": 1}]
    scripted.answers.on("imageInference").give(fields={}, lifecycle=stages)
    with talking(mock, "ws", api_key) as talker:
        assert isinstance(talker, WsTalker)
        asked = inference(numberResults=3)
        talker.socket.send(json.dumps([asked]))
        scripted.journal.wait(1, timeout_s=60)
        assert poll(talker, asked) == [("processing", None)]
        found = []
        for wait_s, frames in ((10, 1), (20, 2)):
            scripted.clock.advance(seconds=wait_s)
            found += [json.loads(talker.socket.recv(timeout=10))["data"] for _ in range(frames)]
    assert [len(items) for items in found] == [1, 1, 1]
    assert len({items[0]["imageUUID"] for items in found}) == 3


@pytest.mark.parametrize(
    ("answer", "field", "word"),
    [
        ({"lifecycle": [{}]}, "give[0].lifecycle[0]", "either polls or lasts"),
        ({"lifecycle": [{"polls": 1, "lasts": "1s"}]}, "give[0].lifecycle[0]", "either polls or lasts"),
        ({"lifecycle": [{"polls": 0}]}, "give[0].lifecycle[0].polls", "1"),
        ({"lifecycle": [{"polls": 1, "progress": 101}]}, "give[0].lifecycle[0].progress", "100"),
        ({"lifecycle": [{"lasts": "soon"}]}, "give[0].lifecycle[0].lasts", "duration"),
        ({"lifecycle": [{"lasts": "40m"}, {"lasts": "11m"}]}, "give[0].lifecycle", "more than 50m"),
        ({"lifecycle": [{"polls": 1, "results": 2}, {"polls": 1}]}, "give[0].lifecycle", "fewer results"),
        ({"lifecycle": [{"polls": 1}] * 21}, "give[0].lifecycle", "20"),
        ({"error": "timeoutProvider", "lifecycle": [{"polls": 1, "results": 1}]}, "give[0]", "has no results"),
    ],
)
def test_what_is_no_lifecycle_is_refused_by_its_field(
    control: Calls, answer: dict[str, Any], field: str, word: str
) -> None:
    status_code, error = control.refused("POST", "/answers", json={"give": answer, "name": new_uuid()})
    assert (status_code, error["field"]) == (400, field)
    assert word in error["message"]
