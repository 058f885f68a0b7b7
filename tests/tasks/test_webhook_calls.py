"""Webhooks to look at: each attempt in the journal, calls again, and faults that a webhook meets."""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from runware_mock.cli import main
from runware_mock.client import ControlClient, ControlError
from runware_mock.storage.models import delivery
from runware_mock.testing import RunwareMock
from runware_mock.webhooks import ATTEMPTS, deliver_due
from tests import plain
from tests.control.calling import Calls, calling
from tests.faults.planning import met, plan
from tests.process.ports import free_port
from tests.running import RunningMock, running_mock
from tests.talking import talking
from tests.tasks.asking import inference
from tests.tasks.webhooks import Webhook, status, webhook

KEY = "a-key-with-webhooks-000000000000"


@pytest.fixture
def mock() -> Iterator[RunningMock]:
    """Run a server whose clock stands still, so that a call that failed is not made again by itself."""
    with running_mock() as running:
        yield running


@pytest.fixture
def control(mock: RunningMock) -> Iterator[Calls]:
    with calling(mock, KEY) as calls:
        yield calls


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook(status(200)) as served:
        yield served


def ask(mock: RunningMock, **fields: object) -> dict[str, Any]:
    """Send a task, make every call that is due, and return the task."""
    task = inference(**fields)
    with talking(mock, "rest", KEY) as talker:
        talker.ask(task)
    settle(mock)
    return task


def settle(mock: RunningMock) -> None:
    while mock.count(delivery) and _is_anything_due(mock):
        deliver_due(mock.services)


def _is_anything_due(mock: RunningMock) -> bool:
    with mock.services.database.reading() as connection:
        rows = connection.execute(delivery.select()).all()
    return any(row.attempts < 0 or row.due_at <= mock.services.now_at(row.account_id) for row in rows)


def calls(control: Calls, **chosen: str | int) -> list[dict[str, Any]]:
    """Return the calls in the journal, the oldest first."""
    found: list[dict[str, Any]] = control.get("/webhooks", **chosen)["entries"]
    return found[::-1]


def test_a_call_is_in_the_journal_with_what_it_carried(mock: RunningMock, control: Calls, hook: Webhook) -> None:
    task = ask(mock, webhookURL=hook.url)
    (entry,) = calls(control, task_uuid=task["taskUUID"])
    assert (entry["kind"], entry["transport"], entry["outcome"], entry["status"]) == ("webhook", "hook", "success", 200)
    assert entry["task"] == {"method": "POST", "url": hook.url, "attempt": 1}
    assert entry["answer"] == [hook.taken[0][1]]
    assert (entry["task_type"], entry["task_uuid"]) == (task["taskType"], task["taskUUID"])
    assert entry["duration_ms"] > 0
    assert control.get("/journal/count") == {"count": 1}


def test_advancing_the_clock_goes_through_all_attempts_at_once(
    mock: RunningMock, control: Calls, hook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    hook.answer = status(500)
    ask(mock, webhookURL=hook.url)
    assert control.post("/clock/advance", by="1m")["delivered"] == ATTEMPTS - 1
    found = calls(control)
    assert [entry["task"]["attempt"] for entry in found] == list(range(1, ATTEMPTS + 1))
    assert {(entry["outcome"], entry["status"], entry["task"]["problem"]) for entry in found} == {
        ("error", 500, "The server answered 500.")
    }
    # Each says when the next one comes, and comes when the one before has said; the last one is given up.
    assert [entry["task"]["nextAt"] for entry in found] == [*(entry["at"] for entry in found[1:]), None]
    assert caplog.text.count("could not deliver POST") == caplog.text.count("gave up POST") == 1


def test_a_closed_port_and_the_control_api_are_named(mock: RunningMock, control: Calls) -> None:
    ask(mock, webhookURL=f"http://127.0.0.1:{free_port()}/hook")
    ask(mock, webhookURL=f"{mock.url}/_mock/reset")
    refused, forbidden = calls(control, outcome="error")
    assert (refused["status"], refused["task"]["attempt"]) == (0, 1)
    assert "Connection refused" in refused["task"]["problem"]
    assert forbidden["status"] == 403
    assert forbidden["task"]["problem"].endswith("A webhook may not call the mock's own control API.")


def test_a_webhook_is_called_again_with_the_same_body(mock: RunningMock, control: Calls, hook: Webhook) -> None:
    ask(mock, webhookURL=hook.url)
    (entry,) = calls(control)
    assert control.post(f"/webhooks/{entry['id']}/resend")["url"] == hook.url
    settle(mock)
    assert hook.taken[0] == hook.taken[1]
    assert [one["task"]["attempt"] for one in calls(control)] == [1, 1]


def test_only_a_webhook_of_the_account_is_called_again(mock: RunningMock, control: Calls, hook: Webhook) -> None:
    ask(mock, webhookURL=hook.url)
    task, call = (control.get("/journal", kind=kind)["entries"][0]["id"] for kind in ("task", "webhook"))
    assert control.refused("POST", f"/webhooks/{task}/resend")[0] == 404
    with calling(mock, "another-key-0000000000000000") as other:
        status_code, error = other.refused("POST", f"/webhooks/{call}/resend")
        assert (status_code, error["field"]) == (404, "id")
    assert len(hook.taken) == 1


def test_an_upload_to_an_endpoint_is_in_the_journal_but_not_sent_again(mock: RunningMock, control: Calls) -> None:
    ask(mock, uploadEndpoint="http://127.0.0.1:9/results/")
    (entry,) = calls(control)
    assert (entry["task"]["method"], entry["answer"]) == ("PUT", [])
    assert entry["task"]["bytes"] > 0
    assert control.refused("POST", f"/webhooks/{entry['id']}/resend")[0] == 409


# Faults


def test_a_lost_webhook_is_never_called(mock: RunningMock, control: Calls, hook: Webhook) -> None:
    name = plan(control, {"kind": "lose_webhook"})
    lost = ask(mock, webhookURL=hook.url)
    ask(mock, webhookURL=hook.url)
    assert [body["taskUUID"] == lost["taskUUID"] for _, body in hook.taken] == [False]
    assert met(control, name) == [1]
    (entry,) = calls(control, outcome="fault")
    assert (entry["status"], entry["task"]["attempt"], entry["task_uuid"]) == (0, 0, lost["taskUUID"])
    assert entry["task"]["problem"] == "A fault plan has lost this call."
    # It can be called later: this is what a receiver must be ready for.
    control.post(f"/webhooks/{entry['id']}/resend")
    settle(mock)
    assert hook.taken[-1][1]["taskUUID"] == lost["taskUUID"]


def test_a_duplicate_webhook_is_called_as_often_as_planned(mock: RunningMock, control: Calls, hook: Webhook) -> None:
    plan(control, {"kind": "duplicate_webhook", "copies": 3})
    ask(mock, webhookURL=hook.url)
    assert [body for _, body in hook.taken] == [hook.taken[0][1]] * 3
    faults = control.get("/journal")["entries"][0]["faults"]
    assert [one["kind"] for one in faults] == ["duplicate_webhook"]


def test_a_delayed_webhook_is_called_when_the_clock_of_its_account_says_so(
    mock: RunningMock, control: Calls, hook: Webhook
) -> None:
    plan(control, {"kind": "delay_webhook", "delay": "10s", "times": None})
    ask(mock, webhookURL=hook.url)
    assert control.post("/clock/advance", by="9999ms")["delivered"] == 0
    assert control.post("/clock/advance", by="1ms")["delivered"] == 1
    assert len(hook.taken) == 1


def test_results_out_of_order_come_last_one_first_and_later_tasks_overtake_them(
    mock: RunningMock, control: Calls, hook: Webhook
) -> None:
    plan(control, {"kind": "reorder_webhook", "gap": "1s"})
    slow = ask(mock, webhookURL=hook.url, numberResults=3)
    quick = ask(mock, webhookURL=hook.url)
    for _ in range(3):
        control.post("/clock/advance", by="1s")
    (results,) = control.get("/journal", task_uuid=slow["taskUUID"])["entries"]
    uuids = [item["imageUUID"] for item in results["answer"]]
    assert hook.taken[0][1]["taskUUID"] == quick["taskUUID"]
    assert [body["imageUUID"] for _, body in hook.taken[1:]] == uuids[::-1]


def test_a_webhook_may_say_that_a_task_failed_which_succeeded(mock: RunningMock, control: Calls, hook: Webhook) -> None:
    plan(control, {"kind": "error_webhook", "code": "timeoutProvider", "task_type": "imageInference"})
    task = ask(mock, webhookURL=hook.url)
    ((_, body),) = hook.taken
    assert (body["code"], body["taskUUID"]) == ("timeoutProvider", task["taskUUID"])
    assert control.get("/journal")["entries"][0]["outcome"] == "success"


def test_a_task_without_a_webhook_meets_no_such_fault(mock: RunningMock, control: Calls) -> None:
    name = plan(control, {"kind": "lose_webhook"})
    ask(mock)
    assert met(control, name) == [0]


def test_an_error_that_a_webhook_cannot_carry_is_refused(control: Calls) -> None:
    faults = [{"kind": "error_webhook", "code": "mockInternalError"}]
    status_code, error = control.refused("POST", "/faults", json={"faults": faults})
    assert (status_code, error["field"]) == (400, "faults[0].code")


# In Python


def test_a_test_waits_for_a_webhook_and_calls_it_again(mock: RunningMock, hook: Webhook) -> None:
    python = RunwareMock(mock.url, KEY)
    task = ask(mock, webhookURL=hook.url)
    call = python.wait_for_webhook(task["taskUUID"])
    assert call.answer[0]["taskUUID"] == task["taskUUID"]
    assert [one.id for one in python.webhooks.list(status=200)] == [call.id]
    assert python.webhooks.resend(call.id).url == hook.url
    with pytest.raises(ControlError, match="no webhook 0"):
        ControlClient(mock.url, KEY).webhooks.resend(0)


def test_a_test_that_waits_in_vain_is_told_what_was_called(mock: RunningMock, hook: Webhook) -> None:
    hook.answer = status(503)
    python = RunwareMock(mock.url, KEY)
    ask(mock, webhookURL=hook.url)
    with pytest.raises(AssertionError, match=r"error POST http://127.0.0.1:\d+/hook .*, attempt 1: .* answered 503"):
        python.wait_for_webhook(timeout_s=0.01)


# On the command line and on the page


def test_the_command_lists_calls_and_makes_one_again(mock: RunningMock, control: Calls, hook: Webhook) -> None:
    hook.answer = status(503)
    ask(mock, webhookURL=hook.url)
    named = ["--url", mock.url, "--account", KEY]
    listed = CliRunner().invoke(main, ["webhooks", "list", *named]).stdout.splitlines()
    assert "attempt 1: The server answered 503." in listed[1]
    again = CliRunner().invoke(main, ["webhooks", "resend", listed[1].split()[0], *named]).stdout
    assert again == f"calling {hook.url.partition('?')[0]} again\n"
    settle(mock)
    assert len(calls(control)) == 2


def test_the_page_shows_calls_and_other_requests_with_their_status(
    mock: RunningMock, control: Calls, hook: Webhook
) -> None:
    ask(mock, webhookURL=hook.url)
    plain.get(mock.rest_url)
    plan(control, {"kind": "reset"})
    with suppress(httpx.TransportError):
        ask(mock)
    page = plain.get(f"{mock.url}/ui/journal").text
    badges = re.findall(r'<span class="outcome \w+">([^<]*)</span>', page)
    assert [" ".join(badge.split()) for badge in badges] == [
        "fault, no answer",
        "405 error",
        "200 success",
        "200 success",
    ]
    assert page.count("Call it again") == 1
    # A request that ran no task cannot be sent again from what the journal keeps.
    assert page.count("Replay this request") == 2
    only_webhooks = plain.get(f"{mock.url}/ui/journal?kind=webhook&status=200").text
    assert only_webhooks.count('class="entry"') == 1
