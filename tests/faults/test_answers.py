"""Faults of answers: another one, a late one, a broken one."""

import json
import time
from datetime import timedelta
from typing import Any

import httpx
import pytest

from runware_mock.faults.answers import LatencyFault
from runware_mock.protocol.errors import CATALOGUE, OURS
from runware_mock.protocol.response_plan import NOTHING
from tests import plain
from tests.control.calling import Calls, calling
from tests.faults.planning import is_met, plan
from tests.pictures import png
from tests.running import RunningMock, running_mock
from tests.talking import Talker, WsTalker, new_uuid, talking, talking_ws, upload

pytestmark = pytest.mark.both_transports


def post(mock: RunningMock, api_key: str, *tasks: object) -> httpx.Response:
    """Send tasks over REST; return the bare response."""
    return plain.post(mock.rest_url, json=tasks, headers={"Authorization": f"Bearer {api_key}"}, timeout=30)


def stored(control: Calls) -> int:
    """Count what the account has stored."""
    total: int = control.get("/media")["total"]
    return total


@pytest.mark.parametrize("code", [code for code, entry in CATALOGUE.items() if entry.code is None and code not in OURS])
def test_an_error_is_that_of_the_catalogue(talker: Talker, control: Calls, code: str) -> None:
    name = plan(control, {"kind": "error", "code": code})
    task = upload(png())
    answer = talker.ask(task)
    assert (answer.error["code"], answer.error["taskUUID"]) == (code, task["taskUUID"])
    assert answer.status in (None, CATALOGUE[code].status)
    assert is_met(control, name)
    (entry,) = control.get("/journal", outcome="error")["entries"]
    assert entry["faults"] == [{"plan": name, "kind": "error"}]
    assert talker.ask(task).item


def test_an_error_may_have_a_parameter_and_words_of_its_own(talker: Talker, control: Calls) -> None:
    fault = {"kind": "error", "code": "invalidParameter", "parameter": "inputs.image", "message": "No cats today."}
    plan(control, fault)
    error = talker.ask(upload(png())).error
    assert (error["code"], error["parameter"], error["message"]) == ("invalidImage", "inputs.image", "No cats today.")


@pytest.mark.parametrize(
    ("fault", "least_s"),
    [
        ({"delay": "1s"}, 1),
        ({"distribution": "uniform", "least": "1s", "most": "1200ms"}, 1),
        ({"distribution": "lognormal", "delay": "1s", "sigma": 0.01}, 0.9),
    ],
)
def test_an_answer_comes_late_and_its_neighbours_in_time(
    mock: RunningMock, api_key: str, control: Calls, fault: dict[str, Any], least_s: float
) -> None:
    late, prompt = upload(png()), upload(png())
    name = plan(control, {"kind": "latency", "task_uuid": late["taskUUID"], **fault})
    with talking_ws(mock, api_key) as talker:
        began_s = time.monotonic()
        talker.socket.send(json.dumps([late, prompt]))
        first, second = talker.frame()["data"][0], talker.frame()["data"][0]
        assert time.monotonic() - began_s >= least_s
    assert [first["taskUUID"], second["taskUUID"]] == [prompt["taskUUID"], late["taskUUID"]]
    assert is_met(control, name)


def test_an_answer_comes_late_over_rest(mock: RunningMock, api_key: str, control: Calls) -> None:
    plan(control, {"kind": "latency", "delay": "300ms"})
    began_s = time.monotonic()
    assert post(mock, api_key, upload(png())).json()["data"]
    assert time.monotonic() - began_s >= 0.3


def test_a_status_and_a_body_answer_the_whole_request_before_the_work(
    mock: RunningMock, api_key: str, control: Calls
) -> None:
    fault = {"kind": "http", "status": 502, "body": "<h1>Bad Gateway</h1>", "headers": {"Retry-After": "7"}}
    name = plan(control, {**fault, "nth": 2})
    answer = post(mock, api_key, upload(png()), upload(png()))
    assert (answer.status_code, answer.text) == (502, "<h1>Bad Gateway</h1>")
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["retry-after"] == "7"
    assert answer.headers["x-runware-mock"]
    assert answer.headers["access-control-allow-origin"] == "*"
    assert stored(control) == 1
    (entry,) = control.get("/journal", outcome="fault")["entries"]
    assert (entry["faults"], entry["answer"]) == ([{"plan": name, "kind": "http"}], [])
    assert post(mock, api_key, upload(png())).status_code == 200


def test_a_status_may_come_after_the_work(mock: RunningMock, api_key: str, control: Calls) -> None:
    plan(control, {"kind": "http", "status": 504, "after_work": True})
    assert post(mock, api_key, upload(png())).status_code == 504
    assert stored(control) == 1


def test_a_rate_limit_lets_its_burst_through_and_says_when_to_come_again(
    mock: RunningMock, api_key: str, control: Calls
) -> None:
    # The server's real clock is the test's: it stands still.
    plan(control, {"kind": "rate_limit", "rate_per_s": 0.5, "burst": 2})
    answers = [post(mock, api_key, upload(png())) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert answers[2].headers["retry-after"] == "2"
    assert answers[2].json()["errors"][0]["code"] == "rateLimitExceeded"


def test_a_rate_limits_bucket_fills_with_time_but_not_above_its_burst(transport: str, api_key: str) -> None:
    with running_mock() as own, calling(own, api_key) as control, talking(own, transport, api_key) as talker:
        name = plan(control, {"kind": "rate_limit", "rate_per_s": 0.5, "burst": 2})

        def stored_of(count: int) -> int:
            return sum(not talker.ask(upload(png())).codes for _ in range(count))

        assert stored_of(3) == 2
        own.clock.advance(timedelta(seconds=1))
        assert stored_of(1) == 0
        own.clock.advance(timedelta(seconds=1))
        assert stored_of(2) == 1
        own.clock.advance(timedelta(hours=1))
        assert stored_of(5) == 2
        state = control.get(f"/faults/{name}")["faults"][0]
        assert (state["seen"], state["met"], state["remaining"]) == (11, 6, None)


def test_what_chance_picks_says_nothing_of_how_long_it_waits() -> None:
    fault = {"kind": "latency", "distribution": "uniform", "most": "1s", "probability": 0.2, "seed": 1}
    late = LatencyFault.model_validate(fault)
    delays_s = [late.add_to(NOTHING, late.draw(seen)).delay_s for seen in range(1000) if late.is_drawn(seen)]
    assert 150 < len(delays_s) < 250
    assert 0.4 < sum(delays_s) / len(delays_s) < 0.6


def test_a_rate_limit_refuses_over_websocket_too(mock: RunningMock, api_key: str, control: Calls) -> None:
    plan(control, {"kind": "rate_limit", "rate_per_s": 0.001})
    with talking_ws(mock, api_key) as talker:
        assert talker.ask(upload(png())).item
        assert talker.ask(upload(png())).codes == ["rateLimitExceeded"]


def test_a_cut_answer_breaks_off_over_rest(mock: RunningMock, api_key: str, control: Calls) -> None:
    plan(control, {"kind": "truncate", "keep": 0.5})
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        post(mock, api_key, upload(png()))
    assert stored(control) == 1


def test_a_cut_answer_is_half_a_frame_over_websocket(mock: RunningMock, api_key: str, control: Calls) -> None:
    plan(control, {"kind": "truncate", "keep": 0.5})
    with talking_ws(mock, api_key) as talker:
        talker.socket.send(json.dumps([upload(png())]))
        half = talker.socket.recv(10)
        with pytest.raises(json.JSONDecodeError):
            json.loads(half)
        assert str(half).startswith('{"data":[{"taskType":"imageUpload"')
        assert talker.ask(upload(png())).item


def test_a_garbled_answer_is_as_long_but_another_the_same_for_the_same_seed(
    mock: RunningMock, transport: str, api_key: str, control: Calls
) -> None:
    plan(control, {"kind": "garble", "share": 0.2, "seed": 3, "times": 2})
    task = {"taskType": "promptEnhance", "taskUUID": new_uuid(), "prompt": "a cat"}
    with talking(mock, transport, api_key) as talker:
        raw = [_raw(mock, talker, api_key, {**task, "taskUUID": new_uuid()}) for _ in range(3)]
    assert len({len(one) for one in raw}) == 1
    with pytest.raises((json.JSONDecodeError, KeyError, AssertionError)):
        assert json.loads(raw[0])["data"][0]["taskType"] == "promptEnhance"
    assert json.loads(raw[2])["data"][0]["taskType"] == "promptEnhance"


def _raw(mock: RunningMock, talker: Talker, api_key: str, task: object) -> str:
    if not isinstance(talker, WsTalker):
        return post(mock, api_key, task).text
    talker.socket.send(json.dumps([task]))
    return str(talker.socket.recv(10))


def test_a_reply_comes_more_than_once(mock: RunningMock, api_key: str, control: Calls) -> None:
    name = plan(control, {"kind": "duplicate", "copies": 3})
    task = upload(png())
    with talking_ws(mock, api_key) as talker:
        talker.socket.send(json.dumps([task]))
        frames = [talker.frame() for _ in range(3)]
        assert frames[0] == frames[1] == frames[2]
        assert talker.ask(upload(png())).item
    assert is_met(control, name)
    assert stored(control) == 2


def test_a_reply_comes_after_the_next_one(talker: Talker, control: Calls) -> None:
    tasks = [upload(png()) for _ in range(3)]
    plan(control, {"kind": "reorder", "task_uuid": tasks[0]["taskUUID"]})
    answer = talker.ask(*tasks)
    order = [item["taskUUID"] for item in answer.data]
    assert order[0] != tasks[0]["taskUUID"]
    assert sorted(order) == sorted(task["taskUUID"] for task in tasks)


def test_a_reply_that_no_other_follows_comes_nevertheless(talker: Talker, control: Calls) -> None:
    plan(control, {"kind": "reorder"})
    assert talker.ask(upload(png())).item


def test_each_item_of_a_reply_comes_in_a_frame_of_its_own(mock: RunningMock, api_key: str, control: Calls) -> None:
    plan(control, {"kind": "split"})
    task = {"taskType": "promptEnhance", "taskUUID": new_uuid(), "prompt": "a cat", "promptVersions": 3}
    with talking_ws(mock, api_key) as talker:
        talker.socket.send(json.dumps([task]))
        assert [len(talker.frame()["data"]) for _ in range(3)] == [1, 1, 1]
