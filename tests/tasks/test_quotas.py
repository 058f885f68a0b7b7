"""What an API key may store and ask for, where the server sets a limit: one below, on it, above."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest

from runware_mock.storage.models import content, medium, quota_bucket, undelivered
from tests import plain
from tests.control.calling import calling
from tests.images.painting import encoded, one_color_png, photo
from tests.pictures import png
from tests.protocol.test_sockets import break_connection
from tests.protocol.wires import wait_until
from tests.running import RunningMock, running_mock
from tests.talking import Talker, talking, talking_ws, upload
from tests.tasks.asking import inference, task, using


@contextmanager
def limited(transport: str, api_key: str, **quotas: object) -> Iterator[tuple[RunningMock, Talker]]:
    """Run a server with quotas, and a client of it."""
    with running_mock(**quotas) as mock, talking(mock, transport, api_key) as talker:
        yield mock, talker


def stored_media(mock: RunningMock) -> int:
    """Count what is stored."""
    return mock.count(medium)


def test_media_are_stored_up_to_the_quota(transport: str, api_key: str) -> None:
    with limited(transport, api_key, quota_media=3) as (mock, talker):
        for _ in range(3):
            assert talker.ask(upload(png())).item
        answer = talker.ask(upload(png()), {"taskType": "ping", "ping": True})
        (error,) = answer.errors
        assert error["code"] == "storageQuotaExceeded"
        assert "3 media may be stored (--quota-media)" in error["message"]
        assert error["taskUUID"]
        assert answer.data[0]["pong"]
        assert answer.status in (200, None)
        refused = talker.ask(upload(png()))
        assert refused.status in (402, None)
        assert stored_media(mock) == 3


def test_all_the_results_of_a_task_are_stored_or_none(transport: str, api_key: str) -> None:
    with limited(transport, api_key, quota_media=3) as (mock, talker):
        assert talker.ask(upload(png())).item
        assert talker.ask(inference(numberResults=3)).error["code"] == "storageQuotaExceeded"
        assert (stored_media(mock), mock.count(content)) == (1, 1)
        assert len(talker.ask(inference(numberResults=2)).data) == 2


def test_bytes_are_stored_up_to_the_quota_to_the_byte(transport: str, api_key: str) -> None:
    first, second, third = (encoded(photo((size, 40)), "PNG") for size in (100, 200, 300))
    room = len(first) + len(second)
    for spare, fits in ((-1, False), (0, True), (1, True)):
        with limited(transport, api_key, quota_bytes=room + spare) as (mock, talker):
            assert talker.ask(upload(first)).item
            answer = talker.ask(upload(second))
            assert (not answer.errors) is fits
            assert stored_media(mock) == 1 + fits
            assert talker.ask(upload(third)).error["code"] == "storageQuotaExceeded"


def test_what_counts_is_the_picture_as_it_is_stored(transport: str, api_key: str) -> None:
    with limited(transport, api_key, quota_bytes=100_000) as (_, talker):
        large = one_color_png(6000)
        assert len(large) > 100_000
        assert talker.ask(upload(large)).item


def test_the_same_picture_counts_each_time_though_it_is_kept_once(transport: str, api_key: str) -> None:
    picture = png()
    with limited(transport, api_key, quota_bytes=2 * len(picture)) as (mock, talker):
        assert talker.ask(upload(picture)).item
        assert talker.ask(upload(picture)).item
        assert talker.ask(upload(picture)).error["code"] == "storageQuotaExceeded"
        assert mock.count(content) == 1


def test_a_full_account_is_refused_before_its_picture_is_looked_at(transport: str, api_key: str) -> None:
    for quota in ({"quota_media": 0}, {"quota_bytes": 0}):
        with limited(transport, api_key, **quota) as (_, talker):
            assert talker.ask(upload("http://127.0.0.1:1/never-asked.png")).error["code"] == "storageQuotaExceeded"


def test_what_stores_nothing_is_done_on_a_full_account(transport: str, api_key: str) -> None:
    with limited(transport, api_key, quota_media=1) as (_, talker):
        uuid = talker.ask(upload(png())).item["imageUUID"]
        assert talker.ask(using("caption", uuid)).item["text"]
        assert talker.ask(task("promptEnhance", prompt="a cat", promptMaxLength=64, promptVersions=1)).data
        assert talker.ask(task("mediaStorage", operation="delete", media=uuid)).item
        assert talker.ask(upload(png())).item


def test_room_is_made_by_expiry_before_any_purge(transport: str, api_key: str) -> None:
    with limited(transport, api_key, quota_media=1, retention="1d") as (mock, talker):
        assert talker.ask(upload(png())).item
        mock.clock.advance(timedelta(days=1, milliseconds=-1))
        assert talker.ask(upload(png())).error["code"] == "storageQuotaExceeded"
        mock.clock.advance(timedelta(milliseconds=1))
        assert talker.ask(upload(png())).item


def test_tasks_begin_up_to_the_quota_of_a_minute(transport: str, api_key: str) -> None:
    with limited(transport, api_key, quota_tasks_per_minute=3) as (mock, talker):
        for _ in range(3):
            assert talker.ask(upload(png())).item
        error = talker.ask(upload(png())).error
        assert error["code"] == "rateLimitExceeded"
        assert "3 tasks a minute are accepted (--quota-tasks-per-minute)" in error["message"]
        mock.clock.advance(timedelta(milliseconds=19_999))
        assert talker.ask(upload(png())).error["code"] == "rateLimitExceeded"
        mock.clock.advance(timedelta(milliseconds=1))
        assert talker.ask(upload(png())).item
        assert talker.ask(upload(png())).error["code"] == "rateLimitExceeded"
        mock.clock.advance(timedelta(minutes=10))
        answer = talker.ask(*(upload(png()) for _ in range(4)))
        assert (len(answer.data), answer.codes) == (3, ["rateLimitExceeded"])


def test_the_answer_says_when_to_come_again(api_key: str) -> None:
    with running_mock(quota_tasks_per_minute=4) as mock:
        headers = {"Authorization": f"Bearer {api_key}"}
        for _ in range(4):
            answer = plain.post(mock.rest_url, json=[upload(png())], headers=headers)
            assert "Retry-After" not in answer.headers
        answer = plain.post(mock.rest_url, json=[upload(png())], headers=headers)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "15")


def test_a_question_after_a_result_costs_nothing_and_a_wrong_task_does(transport: str, api_key: str) -> None:
    with limited(transport, api_key, quota_tasks_per_minute=2) as (_, talker):
        sent = upload(png())
        assert talker.ask(sent).item
        for _ in range(5):
            assert talker.ask({"taskType": "getResponse", "taskUUID": sent["taskUUID"]}).item
        assert talker.ask(task("imageUplaod")).error["code"] == "invalidTaskType"
        assert talker.ask(upload(png())).error["code"] == "rateLimitExceeded"


@pytest.mark.parametrize("quota", ["quota_media", "quota_bytes", "quota_tasks_per_minute"])
def test_a_neighbour_is_not_touched(transport: str, api_key: str, quota: str) -> None:
    picture = png()
    most = len(picture) if quota == "quota_bytes" else 1
    with limited(transport, api_key, **{quota: most}) as (mock, talker):
        assert talker.ask(upload(picture)).item
        assert talker.ask(upload(picture)).errors
        with talking(mock, transport, f"{api_key}-of-another") as neighbour:
            assert neighbour.ask(upload(picture)).item
            assert neighbour.ask(upload(picture)).errors


def test_without_quotas_nothing_is_counted(mock: RunningMock, talker: Talker) -> None:
    assert talker.ask(upload(png())).item
    assert not mock.services.quotas.is_on
    assert mock.count(quota_bucket) == 0


def test_two_servers_on_one_database_count_together(tmp_path: Path, transport: str, api_key: str) -> None:
    quotas = {"quota_tasks_per_minute": 3, "data_dir": tmp_path}
    with limited(transport, api_key, **quotas) as (_, one), limited(transport, api_key, **quotas) as (_, other):
        assert one.ask(upload(png())).item
        assert other.ask(upload(png())).item
        assert one.ask(upload(png())).item
        assert other.ask(upload(png())).error["code"] == "rateLimitExceeded"


def test_uploads_side_by_side_do_not_overrun_the_quota(api_key: str) -> None:
    pictures = [encoded(photo((300 + number, 200)), "BMP") for number in range(12)]
    with running_mock(quota_media=5) as mock:
        codes: list[list[str]] = []

        def send(picture: bytes) -> None:
            with talking(mock, "rest", api_key) as talker:
                codes.append(talker.ask(upload(picture)).codes)

        threads = [Thread(target=send, args=(picture,)) for picture in pictures]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(codes) == [[]] * 5 + [["storageQuotaExceeded"]] * 7
        assert (stored_media(mock), mock.count(content)) == (5, 5)


def test_an_answer_that_was_lost_is_told_again_though_the_account_is_full_now(api_key: str) -> None:
    with running_mock(quota_media=1) as mock:
        sent = upload(png())
        with talking_ws(mock, api_key) as talker:
            uuid = talker.ask(sent).item["imageUUID"]
            break_connection(talker)
        wait_until(lambda: mock.count(undelivered))
        with talking(mock, "rest", api_key) as again:
            assert again.ask(sent).item["imageUUID"] == uuid


def test_a_reset_gives_the_tasks_of_the_minute_back(transport: str, api_key: str) -> None:
    with limited(transport, api_key, quota_tasks_per_minute=1) as (mock, talker), calling(mock, api_key) as control:
        assert talker.ask(upload(png())).item
        assert talker.ask(upload(png())).errors
        control.post("/reset")
        assert talker.ask(upload(png())).item


def test_what_a_test_stores_by_the_control_api_is_not_limited(api_key: str) -> None:
    with running_mock(quota_media=1) as mock, calling(mock, api_key) as control:
        for _ in range(2):
            control.post("/media", content=png())
        assert stored_media(mock) == 2
