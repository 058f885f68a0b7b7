"""A machine whose clock goes back or ahead: nothing is purged early or twice, and nobody waits for the lost time."""

import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from runware_mock.app import open_services
from runware_mock.clock import ClockJumpDetector, boot_id, in_ms
from runware_mock.purge import DOUBT, purge_expired, purge_trusting, trusted_clock
from runware_mock.settings import Settings
from runware_mock.storage import media
from runware_mock.storage.models import delivery, medium
from tests import plain
from tests.control.calling import calling
from tests.manual_clock import ManualClock
from tests.pictures import png
from tests.running import START_AT, RunningMock, running_mock
from tests.talking import new_uuid, talking, upload
from tests.tasks.asking import inference
from tests.tasks.webhooks import status, webhook

RETENTION = timedelta(days=30)
SOON_S = 30.0
JUMPED = "the machine's clock has jumped 31d ahead: nothing is purged for an hour"


def test_pictures_are_not_deleted_when_the_clock_goes_wrong_for_a_while(
    transport: str, api_key: str, caplog: pytest.LogCaptureFixture
) -> None:
    picture = png()
    with running_mock(purge_every="20ms") as mock, talking(mock, transport, api_key) as talker:
        item = talker.ask(upload(picture)).item
        mock.clock.jump(timedelta(days=31))
        # It is gone at that instant, as always; but nothing is given up for it.
        assert plain.get(item["imageURL"]).status_code == 404
        give_up_s = time.monotonic() + SOON_S
        while JUMPED not in caplog.text:
            assert time.monotonic() < give_up_s
        assert talker.ask(upload(png())).item
        assert mock.count(medium) == 2
        mock.clock.jump(timedelta(days=-31))
        assert plain.get(item["imageURL"]).content == picture


@pytest.mark.skipif(not boot_id(), reason="this system does not tell when it was started")
@pytest.mark.parametrize(
    ("jump", "waited", "left"),
    [
        (timedelta(), timedelta(), 1),
        (timedelta(days=31), timedelta(minutes=59), 1),
        (timedelta(days=31), timedelta(hours=1), 0),
        (timedelta(), timedelta(days=31), 0),
    ],
)
def test_a_start_after_the_clock_has_jumped_purges_nothing_for_an_hour(
    tmp_path: Path, api_key: str, jump: timedelta, waited: timedelta, left: int
) -> None:
    with running_mock(data_dir=tmp_path) as mock, talking(mock, "rest", api_key) as talker:
        assert talker.ask(upload(png())).item
        purge_trusting(mock.services, trusted_clock(mock.services))
    clock = ManualClock(START_AT)
    clock.jump(jump)
    with ExitStack() as cleanup:
        services = open_services(Settings(data_dir=tmp_path), clock, cleanup)
        trust = trusted_clock(services)
        purge_trusting(services, trust)
        clock.advance(waited)
        purge_trusting(services, trust)
        with services.database.reading() as connection:
            assert media.count(connection) == left


class JumpingClock(ManualClock):
    """A clock that jumps 31 days ahead just before its `last_reading`-th reading from now."""

    last_reading = 0

    def now_at(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        self.last_reading -= 1
        if self.last_reading == 0:
            self.jump(timedelta(days=31))
        return super().now_at()


@pytest.mark.parametrize("last_reading", range(1, 5))
def test_pictures_are_not_deleted_when_the_clock_goes_wrong_amid_a_purge(
    tmp_path: Path, api_key: str, last_reading: int
) -> None:
    with running_mock(data_dir=tmp_path) as mock, talking(mock, "rest", api_key) as talker:
        assert talker.ask(upload(png())).item
    clock = JumpingClock(START_AT)
    with ExitStack() as cleanup:
        services = open_services(Settings(data_dir=tmp_path), clock, cleanup)
        trust = ClockJumpDetector(clock, DOUBT)
        clock.last_reading = last_reading
        purge_trusting(services, trust)
        assert clock.last_reading <= 0
        clock.jump(timedelta(days=-31))
        assert purge_expired(services).media == 0
        clock.advance(RETENTION)
        assert purge_expired(services).media == 1


@pytest.mark.parametrize(
    ("jump", "waited", "is_trusted"),
    [
        (timedelta(seconds=59.9), timedelta(), True),
        (timedelta(minutes=1), timedelta(), False),
        (timedelta(days=365), timedelta(minutes=59), False),
        (timedelta(days=365), timedelta(hours=1), True),
        (timedelta(days=-365), timedelta(), True),
    ],
)
def test_a_clock_that_has_jumped_ahead_is_trusted_after_an_hour(
    jump: timedelta, waited: timedelta, *, is_trusted: bool
) -> None:
    clock = ManualClock(START_AT)
    trust = ClockJumpDetector(clock, timedelta(hours=1))
    for _ in range(3):
        clock.advance(timedelta(days=1))
        assert not trust.jump()
    clock.jump(jump)
    trust.jump()
    clock.advance(waited)
    assert trust.jump() == (timedelta() if is_trusted else jump)
    # From here on it is judged anew.
    clock.jump(timedelta(minutes=-2) if is_trusted else -jump)
    assert not trust.jump()


def purged(mock: RunningMock) -> int:
    return purge_expired(mock.services).media


def test_time_that_comes_twice_purges_nothing_early_and_nothing_twice(transport: str, api_key: str) -> None:
    with running_mock() as mock, talking(mock, transport, api_key) as talker:
        first = talker.ask(upload(png())).item
        mock.clock.jump(timedelta(days=-2))
        second = talker.ask(upload(png())).item
        for item in (first, second):
            assert plain.get(item["imageURL"]).status_code == 200
        mock.clock.advance(RETENTION - timedelta(milliseconds=1))
        assert purged(mock) == 0
        mock.clock.advance(timedelta(milliseconds=1))
        assert purged(mock) == 1
        assert plain.get(second["imageURL"]).status_code == 404
        mock.clock.jump(timedelta(days=-10))
        assert purged(mock) == 0
        mock.clock.advance(timedelta(days=12))
        assert purged(mock) == 1
        assert plain.get(first["imageURL"]).status_code == 404


def test_the_journal_keeps_its_order_and_task_uuids_when_the_clock_goes_back(transport: str, api_key: str) -> None:
    with running_mock() as mock, talking(mock, transport, api_key) as talker:
        tasks = [upload(png()) for _ in range(6)]
        for task in tasks:
            assert talker.ask(task).item
            mock.clock.jump(timedelta(hours=-1))
        for task in tasks:
            assert talker.ask(task).codes == ["conflictTaskUUID"]
            result = talker.ask({"taskType": "getResponse", "taskUUID": task["taskUUID"]})
            assert result.item["taskUUID"] == task["taskUUID"]
        with calling(mock, api_key) as control:
            entries = control.get("/journal", outcome="success", task_type="imageUpload")["entries"]
        assert [entry["task_uuid"] for entry in reversed(entries)] == [task["taskUUID"] for task in tasks]
        assert all(0 <= entry["duration_ms"] < in_ms(timedelta(minutes=1)) for entry in entries)


def test_nobody_waits_a_day_for_a_token_of_the_quota(transport: str, api_key: str) -> None:
    with running_mock(quota_tasks_per_minute=2) as mock, talking(mock, transport, api_key) as talker:
        for _ in range(2):
            assert talker.ask(upload(png())).item
        assert talker.ask(upload(png())).codes == ["rateLimitExceeded"]
        mock.clock.jump(timedelta(seconds=-59))
        assert talker.ask(upload(png())).codes == ["rateLimitExceeded"]
        mock.clock.jump(timedelta(days=-1))
        assert talker.ask(upload(png())).item


def test_a_webhook_that_has_failed_is_tried_again_though_the_clock_has_gone_back(api_key: str) -> None:
    with webhook(status(503)) as hook, running_mock() as mock, talking(mock, "rest", api_key) as talker:
        assert talker.ask(inference(webhookURL=hook.url)).item
        give_up_s = time.monotonic() + SOON_S
        for attempts, jump in ((1, timedelta(minutes=-30)), (1, timedelta(days=-1)), (2, timedelta())):
            while len(hook.taken) < attempts:
                assert time.monotonic() < give_up_s
                time.sleep(0.01)
            mock.clock.jump(jump)
        assert len(hook.taken) == 2


@pytest.mark.parametrize("jump", [timedelta(days=-1), timedelta(days=1)])
def test_webhooks_are_called_once_for_each_result_on_both_sides_of_a_jump(api_key: str, jump: timedelta) -> None:
    with webhook(status(200)) as hook, running_mock() as mock, talking(mock, "rest", api_key) as talker:
        for _ in range(2):
            assert talker.ask({**inference(webhookURL=hook.url), "taskUUID": new_uuid()}).item
            give_up_s = time.monotonic() + SOON_S
            while mock.count(delivery):
                assert time.monotonic() < give_up_s
                time.sleep(0.01)
            mock.clock.jump(jump)
        assert len(hook.taken) == 2
