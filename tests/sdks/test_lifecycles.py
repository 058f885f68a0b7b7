"""The official SDKs poll for an asynchronous task whose life a rule says, to its end or to its error."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest

from runware_mock.testing import RunwareMock
from tests.running import RunningMock
from tests.sdks.answers import assert_worked
from tests.sdks.catalogue import AI_SDK, PROCESS_LIMIT_S, PY_LEGACY, PY_NEW_REST, PY_NEW_WS, SDK_JS, Answer, Sdk
from tests.sdks.uses import ROWS, THREE_AT_ONCE

pytestmark = pytest.mark.timeout(PROCESS_LIMIT_S + 20)

POLLING = (PY_LEGACY, PY_NEW_WS, PY_NEW_REST)
# py-0.5 ignores an answer that says `processing`, and asks again after this time, which is 30 s by default.
IMPATIENT = {"RUNWARE_VIDEO_INITIAL_TIMEOUT": "1000"}


def answered(sdk: Sdk, mock: RunningMock, key: str) -> Answer:
    """Ask for three pictures at once, asynchronously, and return what the SDK makes of them."""
    row = next(row for row in ROWS if (row.sdk, row.use.title, row.delivery) == (sdk, THREE_AT_ONCE, "async"))
    picture = {"path": "", "url": "", "webhook": ""}
    calls = {"calls": [row.call], "picture": picture, "call_limit_s": 25}
    outcome = sdk.run("uses", sdk.url(mock), key, variables=IMPATIENT, **calls)
    assert_worked(outcome)
    return outcome["answers"][row.name]


@pytest.mark.parametrize("sdk", POLLING, ids=str)
def test_an_sdk_polls_until_all_results_are_there(sdk: Sdk, mock: RunningMock) -> None:
    account = RunwareMock(mock.url, f"test-key-{secrets.token_hex(16)}")
    stages = [{"polls": 1, "progress": 20}, {"polls": 1, "results": 1, "progress": 50}]
    account.answers.on("imageInference").give(fields={"NSFWContent": False}, lifecycle=stages)
    answer = answered(sdk, mock, account.api_key)
    assert answer["ok"], answer.get("error")
    assert len(answer["items"]) == 3
    # py-0.5 counts the first result again when it is told of it again, and leaves out the last one.
    assert len({item["imageUUID"] for item in answer["items"]}) == (2 if sdk is PY_LEGACY else 3)


@pytest.mark.parametrize("sdk", POLLING, ids=str)
def test_an_sdk_tells_of_a_task_that_fails_after_it_was_acknowledged(sdk: Sdk, mock: RunningMock) -> None:
    account = RunwareMock(mock.url, f"test-key-{secrets.token_hex(16)}")
    account.answers.on("imageInference").give(
        error={"code": "timeoutProvider", "message": "Much too slow."}, lifecycle=[{"polls": 1}]
    )
    answer = answered(sdk, mock, account.api_key)
    assert not answer["ok"]
    assert answer["error"]["message"] == "Much too slow."


def test_sdk_js_hands_the_first_answer_to_its_user_who_has_to_ask_again(mock: RunningMock) -> None:
    account = RunwareMock(mock.url, f"test-key-{secrets.token_hex(16)}")
    account.answers.on("imageInference").give(fields={}, lifecycle=[{"polls": 1, "progress": 20}])
    (item,) = answered(SDK_JS, mock, account.api_key)["items"]
    assert (item["status"], item["progress"]) == ("processing", 20)


def generated(mock: RunningMock, key: str, **options: object) -> Answer:
    """Ask the AI SDK for one picture; what is in `options` goes into the task."""
    call = {"name": "one", "arguments": {"options": {"maxRetries": 0, "providerOptions": {"runware": options}}}}
    outcome = AI_SDK.run("generate", AI_SDK.url(mock), key, calls=[call], call_limit_s=25)
    assert_worked(outcome)
    return outcome["answers"]["one"]


@pytest.mark.parametrize("fails", [False, True])
def test_the_ai_sdk_waits_for_its_one_answer_until_the_life_is_over(mock: RunningMock, *, fails: bool) -> None:
    account = RunwareMock(mock.url, f"test-key-{secrets.token_hex(16)}")
    account.clock.freeze()
    answer = {"error": "timeoutProvider"} if fails else {"picture": "orange"}
    account.answers.on("imageInference").give({**answer, "lifecycle": [{"polls": 1}, {"lasts": "30s"}]})
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(generated, mock, account.api_key)
        account.journal.wait(1, timeout_s=PROCESS_LIMIT_S)
        account.clock.advance(seconds=29)
        assert not asked.done()
        account.clock.advance(seconds=1)
        answered = asked.result()
    assert answered["ok"] is not fails
    # The provider reads `error` where the API writes `errors`, so its words are always the same.
    assert not fails or answered["error"]["message"] == "Unknown Runware API error"


def test_the_ai_sdk_never_polls_and_takes_an_acknowledgement_for_a_broken_answer(mock: RunningMock) -> None:
    account = RunwareMock(mock.url, f"test-key-{secrets.token_hex(16)}")
    account.answers.on("imageInference").give(fields={}, lifecycle=[{"polls": 1}])
    answer = generated(mock, account.api_key, deliveryMethod="async")
    assert answer["error"]["message"] == "Invalid JSON response"
    assert [entry.task_type for entry in account.journal.list(kind="all")] == ["imageInference"]
