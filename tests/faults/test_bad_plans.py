"""What is no plan is refused by its field, and nothing of it is made; what can never be met warns."""

from typing import Any

import pytest

from tests.control.calling import Calls

ERROR = {"kind": "error", "code": "failedToTransferImage", "parameter": "image"}


@pytest.mark.parametrize(
    ("fault", "field", "word"),
    [
        ({"kind": "explosion"}, "faults[0].kind", "latency"),
        ({}, "faults[0].kind", "missing; `runware-mock faults kinds` lists the kinds"),
        (5, "faults[0]", "faults[0] must be a JSON object"),
        ({"kind": "error"}, "faults[0].code", "missing; `runware-mock faults kinds error` lists its fields"),
        (
            {"kind": "error", "code": "failedToTransfer"},
            "faults[0].code",
            "catalogue; did you mean failedToTransferImage?",
        ),
        ({"kind": "error", "code": "x"}, "faults[0].code", "catalogue; there are invalidApiKey, missingApiKey, "),
        ({"kind": "error", "code": "mockInternalError"}, "faults[0].code", "catalogue"),
        ({"kind": "error", "code": "mockStorageUnavailable"}, "faults[0].code", "catalogue"),
        ({"kind": "error", "code": "missingParameter"}, "faults[0]", "parameter"),
        ({**ERROR, "times": 0}, "faults[0].times", "1"),
        ({**ERROR, "times": -1}, "faults[0].times", "1"),
        ({**ERROR, "seed": -1}, "faults[0].seed", "0"),
        ({**ERROR, "seed": 10**40}, "faults[0].seed", "less than"),
        ({**ERROR, "nth": 0}, "faults[0].nth", "1"),
        ({**ERROR, "probability": 0}, "faults[0].probability", "0"),
        ({**ERROR, "probability": 1.1}, "faults[0].probability", "1"),
        ({**ERROR, "transport": "carrier pigeon"}, "faults[0].transport", "rest"),
        ({**ERROR, "surprise": 1}, "faults[0].surprise", "has no field 'surprise'"),
        ({"kind": "answer", "error": {"kode": 1}}, "faults[0].error.kode", "did you mean code?"),
        (
            {"kind": "answer", "error": {"code": "invalidImage", "x": 1}},
            "faults[0].error.x",
            "there is no field 'x'; there are code, parameter, message",
        ),
        ({"kind": "latency", "delay": "-1s"}, "faults[0].delay", "duration"),
        ({"kind": "latency", "delay": "2h"}, "faults[0].delay", "more than 1h"),
        ({"kind": "latency", "delay": "soon"}, "faults[0].delay", "duration"),
        ({"kind": "latency", "least": "2s", "most": "1s"}, "faults[0]", "least"),
        ({"kind": "http", "status": 99}, "faults[0].status", "faults[0].status must be at least 200; it is 99"),
        ({"kind": "http", "status": "x"}, "faults[0].status", "must be a whole number; it is 'x'"),
        ({"kind": "error", "cod": "x"}, "faults[0].cod", "did you mean code?"),
        ({"kind": "source", "reason": "x"}, "faults[0].reason", "must be 'unreachable', 'timeout', 'status' or"),
        ({"kind": "latency", "latency": "2s"}, "faults[0].latency", "latency has no field 'latency'"),
        ({"kind": "http", "headers": {"a b": "c"}}, "faults[0].headers", "header"),
        ({"kind": "http", "headers": {"a": "b\r\nc: d"}}, "faults[0].headers", "header"),
        ({"kind": "http", "headers": {"Content-Length": "5"}}, "faults[0].headers", "how long"),
        ({"kind": "http", "headers": {"transfer-encoding": "chunked"}}, "faults[0].headers", "how long"),
        ({"kind": "http", "content_type": "text/html;\r\nx: y"}, "faults[0].content_type", "pattern"),
        ({"kind": "http", "status": 204, "body": "x"}, "faults[0]", "no body"),
        ({"kind": "http", "transport": "ws"}, "faults[0]", "never happens over ws"),
        ({"kind": "close", "transport": "rest"}, "faults[0]", "never happens over rest"),
        ({"kind": "close", "code": 1006}, "faults[0].code", "1006"),
        ({"kind": "close", "code": 999}, "faults[0].code", "1000"),
        ({"kind": "close", "code": 5000}, "faults[0].code", "4999"),
        ({"kind": "refuse_upgrade", "task_type": "imageUpload"}, "faults[0]", "connections, not tasks"),
        ({"kind": "rate_limit", "rate_per_s": 0}, "faults[0].rate_per_s", "0"),
        ({"kind": "rate_limit"}, "faults[0].rate_per_s", "missing"),
        ({"kind": "slow_upload", "bytes_per_s": 0}, "faults[0].bytes_per_s", "1"),
        ({"kind": "slow_answer", "bytes_per_s": "64"}, "faults[0].bytes_per_s", "no unit"),
        ({"kind": "truncate", "keep": 1}, "faults[0].keep", "1"),
        ({"kind": "duplicate", "copies": 1}, "faults[0].copies", "2"),
        ({"kind": "vanish", "after": "99999999d"}, "faults[0].after", "36500d"),
    ],
)
def test_what_is_no_fault_is_refused_by_its_field(control: Calls, fault: object, field: str, word: str) -> None:
    good = {"kind": "latency"}
    status, error = control.refused("POST", "/faults", json={"faults": [fault, good], "name": "bad"})
    assert (status, error["code"], error["field"]) == (400, "badField", field)
    assert word in error["message"]
    assert control.get("/faults") == {"plans": []}


@pytest.mark.parametrize(
    ("body", "field", "word"),
    [
        ({}, "faults", "the field faults is missing"),
        ({"faults": []}, "faults", "at least 1 item"),
        ({"faults": [ERROR] * 101}, "faults", "at most 100 items"),
        ({"faults": [ERROR], "name": ""}, "name", "at least 1 character"),
        ({"faults": [ERROR], "name": "x" * 101}, "name", "at most 100 characters"),
        ({"faults": [ERROR], "name": "a/b"}, "name", "slash"),
        ({"faults": [ERROR], "name": "a+b"}, "name", "plus"),
        ({"faults": [ERROR], "name": "a\nb"}, "name", "control character"),
        ({"faults": [ERROR], "name": ".."}, "name", "dots"),
        ({"faults": [ERROR], "color": "red"}, "color", "there is no field"),
        ({"faults": [ERROR], "must_be_mett": True}, "must_be_mett", "did you mean must_be_met?"),
        ([], "body", "the body must be a JSON object"),
        (5, "body", "the body must be a JSON object"),
        (None, "body", "the body must be a JSON object"),
    ],
)
def test_what_is_no_plan_is_refused_by_its_field(control: Calls, body: Any, field: str, word: str) -> None:
    status, error = control.refused("POST", "/faults", json=body)
    assert (status, error["field"]) == (400, field)
    assert word in error["message"]


@pytest.mark.parametrize("body", [b"no JSON", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_refused(control: Calls, body: bytes) -> None:
    status, error = control.refused("POST", "/faults", content=body)
    assert (status, error["field"]) == (400, "body")


def test_a_hundred_faults_are_a_plan(control: Calls) -> None:
    assert len(control.post("/faults", faults=[ERROR] * 100)["faults"]) == 100


@pytest.mark.parametrize("kind", ["slow_upload", "slow_answer", "slow_download"])
@pytest.mark.parametrize(("rate", "bytes_per_s"), [("64KiB", 65536), (1, 1)])
def test_a_rate_is_a_size_or_a_number(control: Calls, kind: str, rate: str | int, bytes_per_s: int) -> None:
    (fault,) = control.post("/faults", faults=[{"kind": kind, "bytes_per_s": rate}])["faults"]
    assert fault["bytes_per_s"] == bytes_per_s


@pytest.mark.parametrize(
    ("faults", "word"),
    [
        ([{**ERROR, "task_type": "imageUplod"}], "is not a task type; did you mean imageUpload?"),
        ([{**ERROR, "times": None}, ERROR], "this one never is"),
        ([{**ERROR, "nth": 2}, {"kind": "reset", "nth": 2}], "this one never is"),
        ([{**ERROR, "nth": 2, "times": 2}], "met at most once"),
        ([{**ERROR, "task_uuid": "the first"}], "not a UUID"),
        ([{"kind": "refuse_upgrade"}], "all accounts"),
    ],
)
def test_a_plan_that_can_never_be_met_warns(control: Calls, faults: list[dict[str, Any]], word: str) -> None:
    (warning,) = control.post("/faults", faults=faults)["warnings"]
    assert word in warning
    assert warning.startswith(f"faults[{len(faults) - 1}]")


@pytest.mark.parametrize(
    "faults",
    [
        [{**ERROR, "nth": 2}, {"kind": "reset", "nth": 3}],
        [{**ERROR, "nth": 2, "task_type": "caption"}, {"kind": "reset", "nth": 2}],
        [{**ERROR, "times": None, "probability": 0.5}, ERROR],
        [{**ERROR, "times": None, "transport": "ws"}, ERROR],
        [{"kind": "source", "times": None}, ERROR],
        [{"kind": "rate_limit", "rate_per_s": 1}, ERROR],
        [{"kind": "no_pong", "times": None}, {"kind": "silent"}],
    ],
)
def test_a_plan_that_can_be_met_does_not_warn(control: Calls, faults: list[dict[str, Any]]) -> None:
    assert control.post("/faults", faults=faults)["warnings"] == []
