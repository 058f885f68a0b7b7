"""Asynchronous tasks: the ACK, getResponse, and webhooks that are tried until they arrive."""

import threading
import time
from contextlib import ExitStack
from datetime import timedelta
from http.server import BaseHTTPRequestHandler

import pytest
from msgspec.structs import replace
from sqlalchemy import delete, insert, select

from runware_mock.app import open_services
from runware_mock.settings import Settings
from runware_mock.storage import deliveries
from runware_mock.storage.deliveries import JSON, Request
from runware_mock.storage.migrations import prepare
from runware_mock.storage.models import account, delivery
from runware_mock.webhooks import ATTEMPTS, deliver_due, delivery_schedule
from tests.manual_clock import ManualClock
from tests.pictures import png
from tests.protocol.wires import wait_until
from tests.running import START_AT, RunningMock, running_mock
from tests.stores import Store
from tests.talking import Talker, new_uuid, talking, upload
from tests.tasks.asking import NEEDED, inference, using
from tests.tasks.webhooks import Answer, status, webhook

pytestmark = pytest.mark.both_databases

# "retries: 250 ms, doubling, capped at 8 s".
PAUSES_S = (0, 0.25, 0.5, 1, 2, 4, 8, 8)


def get_response(task: dict[str, object]) -> dict[str, object]:
    """Return the question after a task's result."""
    return {"taskType": "getResponse", "taskUUID": task["taskUUID"]}


@pytest.mark.parametrize("task_type", NEEDED)
def test_every_task_may_be_asynchronous(talker: Talker, task_type: str) -> None:
    """An "ACK: one per task, whatever numberResults"."""
    asked = {**using(task_type, upload(png(64, 48))["image"]), "deliveryMethod": "async"}
    assert talker.ask(asked).item == {"taskType": task_type, "taskUUID": asked["taskUUID"]}
    result = talker.ask(get_response(asked)).item
    assert (result["status"], result["taskType"]) == ("success", task_type)


def test_all_results_come_in_one_answer_each_with_its_status(talker: Talker) -> None:
    asked = inference(numberResults=3, deliveryMethod="async")
    assert len(talker.ask(asked).data) == 1
    for _ in range(2):
        answer = talker.ask(get_response(asked))
        assert [item["status"] for item in answer.data] == ["success"] * 3
        assert {item["taskType"] for item in answer.data} == {"imageInference"}


def test_a_synchronous_answer_has_no_status(talker: Talker) -> None:
    assert "status" not in talker.ask(inference(deliveryMethod="sync")).item


def test_a_wrong_task_is_refused_at_once_even_when_asynchronous(talker: Talker) -> None:
    assert talker.ask(inference(deliveryMethod="async", width=1)).error["code"] == "invalidWidth"


def test_an_asynchronous_task_conflicts_when_it_is_sent_again(talker: Talker) -> None:
    """One SDK takes the conflict for an ACK, and asks for the result."""
    asked = inference(deliveryMethod="async")
    assert talker.ask(asked).item
    assert talker.ask(asked).error["code"] == "conflictTaskUUID"
    assert talker.ask(get_response(asked)).item["status"] == "success"


@pytest.mark.parametrize(("waited_s", "status"), [(0, "processing"), (4.999, "processing"), (5, "success")])
def test_a_task_may_be_processing_for_a_while(transport: str, api_key: str, waited_s: float, status: str) -> None:
    asked = inference(deliveryMethod="async")
    with running_mock(processing_time=timedelta(seconds=5)) as mock, talking(mock, transport, api_key) as talker:
        assert talker.ask(asked).item
        mock.clock.advance(timedelta(seconds=waited_s))
        item = talker.ask(get_response(asked)).item
    assert (item["status"], item["taskType"]) == (status, "imageInference")
    assert ("imageUUID" in item) == (status == "success")


def test_another_account_cannot_ask_for_a_result(mock: RunningMock, talker: Talker, api_key: str) -> None:
    asked = inference(deliveryMethod="async")
    talker.ask(asked)
    with talking(mock, talker.name, api_key + "-other") as stranger:
        assert stranger.ask(get_response(asked)).error["code"] == "taskNotFound"


def settle(mock: RunningMock) -> None:
    """Make what is due, beside what the server makes by itself."""
    deliver_due(mock.services)


def deliver_all(mock: RunningMock) -> None:
    """Make calls until none is left."""

    def is_done() -> bool:
        settle(mock)
        return not mock.count(delivery)

    wait_until(is_done)


@pytest.mark.parametrize("method", ["sync", "async"])
def test_a_webhook_is_called_once_for_each_result(store: Store, transport: str, api_key: str, method: str) -> None:
    """There is "one call per result", and "query strings must survive"."""
    with (
        running_mock(**store.settings) as mock,
        talking(mock, transport, api_key) as talker,
        webhook(status(200)) as hook,
    ):
        asked = inference(numberResults=2, webhookURL=hook.url, deliveryMethod=method)
        talker.ask(asked)
        deliver_all(mock)
        results = talker.ask(get_response(asked)).data
    assert [path for path, _ in hook.taken] == ["/hook?token=secret"] * 2
    # The body is the item itself, to which getResponse adds a few fields.
    told = {body["imageUUID"]: body for _, body in hook.taken}
    assert told.keys() == {item["imageUUID"] for item in results}
    assert all(told[item["imageUUID"]].items() <= item.items() for item in results)


@pytest.mark.parametrize(("webhook_body", "wrapped"), [("flat", False), ("data", True)])
def test_a_webhook_may_get_the_envelope_of_an_answer(api_key: str, webhook_body: str, *, wrapped: bool) -> None:
    with (
        running_mock(webhook_body=webhook_body) as mock,
        talking(mock, "rest", api_key) as talker,
        webhook(status(200)) as hook,
    ):
        item = talker.ask(inference(webhookURL=hook.url)).item
        error = talker.ask(inference(webhookURL=hook.url, width=1)).error
        deliver_all(mock)
    expected = [{"data": [item]}, {"errors": [error]}] if wrapped else [item, error]
    assert sorted((body for _, body in hook.taken), key=str) == sorted(expected, key=str)


def test_a_webhook_is_told_of_a_task_that_failed_but_not_that_it_came_twice(
    store: Store, transport: str, api_key: str
) -> None:
    with (
        running_mock(**store.settings) as mock,
        talking(mock, transport, api_key) as talker,
        webhook(status(200)) as hook,
    ):
        failed = inference(webhookURL=hook.url, inputs={"seedImage": new_uuid()})
        error = talker.ask(failed).error
        talker.ask(inference(webhookURL="ftp://127.0.0.1/hook"))
        done = inference(webhookURL=hook.url)
        item = talker.ask(done).item
        assert talker.ask(done).codes == ["conflictTaskUUID"]
        deliver_all(mock)
    assert sorted((body for _, body in hook.taken), key=str) == sorted([error, item], key=str)


def test_a_webhook_waits_until_the_result_is_ready(store: Store, transport: str, api_key: str) -> None:
    with (
        running_mock(**store.settings, processing_time=timedelta(seconds=5)) as mock,
        talking(mock, transport, api_key) as talker,
        webhook(status(200)) as hook,
    ):
        talker.ask(inference(webhookURL=hook.url, deliveryMethod="async"))
        settle(mock)
        assert not hook.taken
        mock.clock.advance(timedelta(seconds=5))
        deliver_all(mock)
        assert len(hook.taken) == 1


@pytest.mark.parametrize(
    "answer",
    [
        status(500),
        status(404),
        status(302, "http://169.254.169.254/latest/meta-data"),
        status(307, "http://127.0.0.1:1/"),
    ],
    ids=["500", "404", "redirect to a forbidden address", "redirect"],
)
def test_a_webhook_that_refuses_is_tried_again_with_growing_pauses_and_then_given_up(
    store: Store, transport: str, api_key: str, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    with running_mock(**store.settings) as mock, talking(mock, transport, api_key) as talker, webhook(answer) as hook:
        assert talker.ask(inference(webhookURL=hook.url)).item
        for attempt, pause_s in enumerate(PAUSES_S, start=1):
            # Jitter takes up to a fifth of a pause: half of it is never enough.
            mock.clock.advance(timedelta(seconds=pause_s / 2))
            settle(mock)
            assert len(hook.taken) <= attempt - bool(pause_s)
            mock.clock.advance(timedelta(seconds=pause_s / 2))
            while len(hook.taken) < attempt:
                settle(mock)
        assert attempt == ATTEMPTS
        deliver_all(mock)
        mock.clock.advance(timedelta(days=1))
        settle(mock)
        assert len(hook.taken) == ATTEMPTS
    assert "gave up POST" in caplog.text
    assert "secret" not in caplog.text


def test_a_webhook_that_recovers_is_not_called_again(store: Store, transport: str, api_key: str) -> None:
    with (
        running_mock(**store.settings) as mock,
        talking(mock, transport, api_key) as talker,
        webhook(status(503)) as hook,
    ):
        talker.ask(inference(webhookURL=hook.url))
        while not hook.taken:
            settle(mock)
        hook.answer = status(200)
        while mock.count(delivery):
            mock.clock.advance(timedelta(seconds=1))
            settle(mock)
        assert len(hook.taken) == 2


def test_a_webhook_that_hangs_holds_up_neither_tasks_nor_the_webhooks_of_another_account(
    transport: str, api_key: str
) -> None:
    go_on = threading.Event()

    def hang(_handler: BaseHTTPRequestHandler) -> None:
        go_on.wait(30)

    with (
        running_mock() as mock,
        talking(mock, transport, api_key) as talker,
        talking(mock, transport, api_key + "-other") as other,
        webhook(hang) as slow,
        webhook(status(200)) as quick,
    ):
        # More than are called at once.
        talker.ask(inference(webhookURL=slow.url, numberResults=20))
        wait_until(lambda: slow.taken)
        assert other.ask(inference(webhookURL=quick.url)).item
        wait_until(lambda: quick.taken)
        assert mock.count(delivery) >= 20
        go_on.set()


def test_a_webhook_at_a_forbidden_address_is_never_called(transport: str, api_key: str) -> None:
    with (
        running_mock(fetch="public") as mock,
        talking(mock, transport, api_key) as talker,
        webhook(status(200)) as hook,
    ):
        assert talker.ask(inference(webhookURL=hook.url)).item
        for _ in range(ATTEMPTS):
            settle(mock)
            mock.clock.advance(timedelta(seconds=8))
        assert not hook.taken


def test_an_undelivered_webhook_survives_a_restart(store: Store, api_key: str) -> None:
    with webhook(status(200)) as hook:
        with running_mock(**store.settings, processing_time=timedelta(hours=1)) as mock:
            with talking(mock, "rest", api_key) as talker:
                talker.ask(inference(webhookURL=hook.url, deliveryMethod="async"))
            assert mock.count(delivery) == 1
        with running_mock(**store.settings) as mock:
            mock.clock.advance(timedelta(hours=1))
            deliver_all(mock)
        assert len(hook.taken) == 1


def test_what_becomes_of_a_call_is_nothing_to_another_one_that_was_given_its_id(store: Store) -> None:
    hour_ms = 3_600_000
    with store.opened() as database:
        prepare(database)
        with database.writing() as connection:
            connection.execute(insert(account).values(key_hash="1", label="…", created_at=0))
            deliveries.add(connection, 1, Request("POST", "http://127.0.0.1/one", JSON, b"one"), 0)
            taken = deliveries.take(connection, deliveries.find_due(connection, 1, hour_ms), 1000)
        with database.writing() as connection:
            # A reset, while the first one is made.
            connection.execute(delete(delivery))
            deliveries.add(connection, 1, Request("POST", "http://127.0.0.1/two", JSON, b"two"), 5)
            if not store.is_postgres:
                assert connection.scalar(select(delivery.c.id)) == taken[0].id
            assert deliveries.read(connection, taken[0]) is None
            deliveries.put_off(connection, taken[0], 1, 2000)
            deliveries.remove(connection, taken[0])
            assert connection.execute(select(delivery.c.body, delivery.c.attempts, delivery.c.due_at)).all() == [
                (b"two", 0, 5)
            ]


def test_a_task_that_is_not_known_is_not_found(talker: Talker) -> None:
    assert talker.ask({"taskType": "getResponse", "taskUUID": new_uuid()}).error["code"] == "taskNotFound"


def test_deliveries_that_fail_inside_the_mock_again_and_again_are_told(store: Store) -> None:
    def broken(*_asked: object) -> None:
        raise RuntimeError("the network stack is gone")

    clock = ManualClock(START_AT)
    with ExitStack() as cleanup:
        services = replace(open_services(Settings(**store.settings), clock, cleanup), send=broken)
        schedule = delivery_schedule(services)
        owner = services.accounts.open("somebody").id
        with services.database.writing(owner) as connection:
            deliveries.add(connection, owner, Request("POST", "http://127.0.0.1:9/", "text/plain", b""), START_AT)
        schedule.start()
        cleanup.callback(schedule.stop)
        give_up_s = time.monotonic() + 60
        while schedule.is_well():
            # Whatever took it before has let go of it by then.
            clock.advance(timedelta(hours=1))
            assert time.monotonic() < give_up_s
        with services.database.writing(owner) as connection:
            connection.execute(delete(delivery))
        while not schedule.is_well():
            assert time.monotonic() < give_up_s
