"""How each official SDK takes it when something goes wrong, proved by a plan that is fully met.

The SDKs can set no header, so the key names the plan. py-0.5 is PyPI `runware`, runware-sdk its successor, sdk-js npm
`@runware/sdk-js`. The numbers are those of the rules for the mock.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.control.calling import Calls
from tests.faults.planning import is_met, plan
from tests.running import RunningMock
from tests.sdks.answers import assert_refused, assert_stored, assert_worked
from tests.sdks.catalogue import (
    AI_SDK,
    OVER_WEBSOCKET,
    PROCESS_LIMIT_S,
    PY_LEGACY,
    PY_NEW_REST,
    SCENARIO_LIMIT_S,
    SDKS,
    Answer,
    Outcome,
    Sdk,
)
from tests.sdks.gallery import Picture
from tests.sdks.uses import OF_UPLOADS

pytestmark = pytest.mark.timeout(PROCESS_LIMIT_S + 20)

PLAN = "flaky"
# sdk-js sends again only after this time; its own 60 s would make a slow test.
SDK_JS_REQUEST_TIMEOUT_S = 4
CALL_LIMIT_S = 25
# Long for an answer that is still to come, short beside the 60 s for which py-0.5 waits.
PATIENCE_S = 6


def plan_by_name(control: Calls, fault: dict[str, Any]) -> None:
    """Make the plan that only the SDK's key names."""
    plan(control, fault, name=PLAN, by_name_only=True)


def two_uploads(sdk: Sdk, mock: RunningMock, api_key: str, pictures: tuple[Picture, ...], **options: Any) -> Outcome:
    """Upload two pictures, one after the other, with one client."""
    paths = (pictures[0].path, pictures[1].path)
    options.setdefault("request_timeout_s", SDK_JS_REQUEST_TIMEOUT_S)
    return sdk.run("two_uploads", sdk.url(mock), f"{api_key}+{PLAN}", *paths, **options)


def stored(control: Calls) -> int:
    """Count what the account has stored."""
    total: int = control.get("/media")["total"]
    return total


def journal(control: Calls) -> list[tuple[str, str]]:
    """Return taskUUID and outcome of each task, the oldest first."""
    entries = reversed(control.get("/journal")["entries"])
    return [(entry["task_uuid"], entry["outcome"]) for entry in entries]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop"},
        {"kind": "cut_answer", "after_bytes": 100, "how": "end"},
        {"kind": "cut_answer", "after_bytes": 100, "how": "reset"},
    ],
    ids=["whole", "after 100 bytes", "after 100 bytes by a reset"],
)
@pytest.mark.parametrize("sdk", SDKS, ids=str)
def test_rule_28_a_reply_that_is_lost_after_the_work(
    sdk: Sdk, mock: RunningMock, api_key: str, control: Calls, pictures: tuple[Picture, ...], fault: dict[str, Any]
) -> None:
    """py-0.5 sends the same taskUUID again and has its answer; sdk-js sends a new one and stores the picture twice.

    runware-sdk gives the upload up over WebSocket, and over REST shows the conflict of the taskUUID it sends again.
    """
    plan_by_name(control, {**fault, "task_type": "imageUpload"})
    outcome = two_uploads(sdk, mock, api_key, pictures)
    assert_worked(outcome)
    assert is_met(control, PLAN)
    assert_stored(outcome["second"], pictures[1])
    assert stored(control) == (3 if sdk.after_a_reset == "sends it under a new taskUUID" else 2)
    if sdk.after_a_reset == "gives it up":
        assert "Connection lost" in assert_refused(outcome)["message"]
        return
    if sdk.after_a_reset == "sends it again and takes no conflict":
        assert assert_refused(outcome)["parameter"] == "taskUUID"
        return
    first, (dropped, _) = outcome["first"], journal(control)[0]
    assert_stored(first, pictures[0])
    assert first is not None
    assert (first["taskUUID"] == dropped) == (sdk.after_a_reset == "sends it again")


def test_rule_26_runware_sdk_sends_again_after_two_503(
    mock: RunningMock, api_key: str, control: Calls, pictures: tuple[Picture, ...]
) -> None:
    fault = {"kind": "http", "status": 503, "body": "<h1>Service Unavailable</h1>", "times": 2}
    plan_by_name(control, fault)
    outcome = two_uploads(PY_NEW_REST, mock, api_key, pictures)
    assert_worked(outcome)
    assert is_met(control, PLAN)
    first, second = outcome["first"], outcome["second"]
    assert_stored(first, pictures[0])
    assert_stored(second, pictures[1])
    assert first is not None
    # With the same taskUUID each time.
    assert journal(control) == [
        (first["taskUUID"], "fault"),
        (first["taskUUID"], "fault"),
        (first["taskUUID"], "success"),
        (second["taskUUID"], "success"),
    ]


def test_rule_26_the_ai_sdk_sends_again_after_two_503(mock: RunningMock, api_key: str, control: Calls) -> None:
    plan_by_name(control, {"kind": "http", "status": 503, "times": 2})
    options = {"options": {"size": "192x128", "seed": 7}}
    call = {"name": "a picture", "arguments": options}
    key = f"{api_key}+{PLAN}"
    outcome = AI_SDK.run("generate", mock.rest_url, key, calls=[call], call_limit_s=CALL_LIMIT_S)
    assert_worked(outcome)
    assert is_met(control, PLAN)
    assert outcome["answers"]["a picture"]["ok"], outcome["answers"]
    assert [ended for _, ended in journal(control)] == ["fault", "fault", "success"]
    assert stored(control) == 1


@pytest.mark.parametrize("sdk", OVER_WEBSOCKET, ids=str)
def test_rule_30_a_close_1011_in_the_middle_of_a_batch(
    sdk: Sdk, mock: RunningMock, api_key: str, control: Calls, pictures: tuple[Picture, ...]
) -> None:
    """py-0.5 and sdk-js send again what was not answered; runware-sdk gives that up, and the rest succeeds."""
    plan_by_name(control, {"kind": "close", "code": 1011, "nth": 2, "task_type": "mediaStorage"})
    # The SDK has sent all three before the second answer closes the socket.
    plan(control, {"kind": "latency", "delay": "1s", "times": 3, "task_type": "mediaStorage"})
    answers = three_at_once(sdk, mock, api_key, pictures[0])
    assert is_met(control, PLAN)
    lost = [answer for answer in answers if not answer["ok"]]
    uuids = {item["mediaUUID"] for answer in answers if answer["ok"] for item in answer["items"]}
    assert len(uuids) == 3 - len(lost)
    if sdk.after_a_reset == "gives it up":
        assert lost
        assert all("Connection lost" in answer["error"]["message"] for answer in lost)
    else:
        assert lost == []
    # All the work was done before the close; what is sent under a new taskUUID is done once more.
    if sdk.after_a_reset == "sends it under a new taskUUID":
        assert stored(control) > 3
    else:
        assert stored(control) == 3


def three_at_once(sdk: Sdk, mock: RunningMock, api_key: str, picture: Picture) -> list[Answer]:
    """Upload a picture three times side by side on one socket; each succeeds or fails alone."""
    row = next(row for row in OF_UPLOADS if row.sdk is sdk)
    outcome = sdk.run(
        "uses",
        sdk.url(mock),
        f"{api_key}+{PLAN}",
        calls=[{**row.call, "name": str(number)} for number in range(3)],
        picture={"path": str(picture.path), "url": picture.url, "webhook": ""},
        call_limit_s=CALL_LIMIT_S,
        request_timeout_s=SDK_JS_REQUEST_TIMEOUT_S,
    )
    assert_worked(outcome)
    return list(outcome["answers"].values())


@pytest.mark.parametrize(("code", "comes_back"), [(1011, True), (1000, False)])
def test_rule_29_py_0_5_comes_back_after_1011_and_waits_in_vain_after_1000(
    mock: RunningMock, api_key: str, control: Calls, pictures: tuple[Picture, ...], code: int, *, comes_back: bool
) -> None:
    plan_by_name(control, {"kind": "close", "code": code, "task_type": "imageUpload"})
    limit_s = SCENARIO_LIMIT_S if comes_back else PATIENCE_S
    outcome = two_uploads(PY_LEGACY, mock, api_key, pictures, limit_s=limit_s)
    assert is_met(control, PLAN)
    assert outcome["ok"] == comes_back
    if comes_back:
        assert_stored(outcome["first"], pictures[0])
    else:
        assert outcome["error"]["type"] == "TimeoutError"
        assert stored(control) == 1


@pytest.mark.parametrize("sdk", SDKS, ids=str)
def test_rule_31_a_slow_answer_is_waited_for(
    sdk: Sdk, mock: RunningMock, api_key: str, control: Calls, pictures: tuple[Picture, ...]
) -> None:
    plan_by_name(control, {"kind": "latency", "delay": "2s", "task_type": "imageUpload"})
    outcome = two_uploads(sdk, mock, api_key, pictures, request_timeout_s=10 * SDK_JS_REQUEST_TIMEOUT_S)
    assert_worked(outcome)
    assert outcome["seconds"] >= 2
    assert is_met(control, PLAN)
    assert_stored(outcome["first"], pictures[0])
    assert [ended for _, ended in journal(control)] == ["success", "success"]


@pytest.mark.parametrize("sdk", SDKS, ids=str)
def test_an_answer_that_comes_byte_by_byte_is_put_together(
    sdk: Sdk, mock: RunningMock, api_key: str, control: Calls, pictures: tuple[Picture, ...]
) -> None:
    plan_by_name(control, {"kind": "slow_answer", "bytes_per_s": 400, "task_type": "imageUpload"})
    outcome = two_uploads(sdk, mock, api_key, pictures, request_timeout_s=10 * SDK_JS_REQUEST_TIMEOUT_S)
    assert_worked(outcome)
    assert is_met(control, PLAN)
    assert_stored(outcome["first"], pictures[0])
    assert [ended for _, ended in journal(control)] == ["success", "success"]


@pytest.mark.parametrize("sdk", SDKS, ids=str)
def test_an_upload_that_is_reset_on_its_way(
    sdk: Sdk, mock: RunningMock, api_key: str, control: Calls, pictures: tuple[Picture, ...]
) -> None:
    """All send it again, and nothing is stored twice; but runware-sdk gives it up over WebSocket."""
    plan_by_name(control, {"kind": "cut_upload", "after_bytes": 200, "how": "reset"})
    outcome = two_uploads(sdk, mock, api_key, pictures)
    assert_worked(outcome)
    assert is_met(control, PLAN)
    assert_stored(outcome["second"], pictures[1])
    if sdk.after_a_reset == "gives it up":
        assert "Connection lost" in assert_refused(outcome)["message"]
        assert stored(control) == 1
        return
    assert_stored(outcome["first"], pictures[0])
    assert stored(control) == 2


def test_an_upload_that_is_refused_on_its_way_is_sent_again(
    mock: RunningMock, api_key: str, control: Calls, pictures: tuple[Picture, ...]
) -> None:
    plan_by_name(control, {"kind": "cut_upload", "after_bytes": 200, "how": "refuse", "status": 503})
    outcome = two_uploads(PY_NEW_REST, mock, api_key, pictures)
    assert_worked(outcome)
    assert is_met(control, PLAN)
    assert_stored(outcome["first"], pictures[0])
    assert stored(control) == 2


def test_the_ai_sdk_gives_up_after_a_cut_answer(mock: RunningMock, api_key: str, control: Calls) -> None:
    plan_by_name(control, {"kind": "cut_answer", "after_bytes": 100, "how": "reset"})
    call = {"name": "a picture", "arguments": {"options": {"size": "192x128", "seed": 7}}}
    outcome = AI_SDK.run("generate", mock.rest_url, f"{api_key}+{PLAN}", calls=[call], call_limit_s=CALL_LIMIT_S)
    assert is_met(control, PLAN)
    assert outcome["answers"]["a picture"]["error"]["type"] == "AI_APICallError"
    assert [ended for _, ended in journal(control)] == ["success"]
