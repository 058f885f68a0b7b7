"""GET of stored pictures, browsers, dry runs, and what getResponse knows."""

import hashlib
import json
from datetime import timedelta

import pytest
from websockets.sync.client import connect

from runware_mock.storage.models import content, journal, medium
from tests import plain
from tests.pictures import png
from tests.running import RunningMock, running_mock
from tests.talking import Talker, new_uuid, talking, upload


@pytest.fixture
def picture() -> bytes:
    """A PNG of a few hundred bytes."""
    return png()


@pytest.fixture
def url(mock: RunningMock, api_key: str, picture: bytes) -> str:
    """The imageURL of that picture."""
    with talking(mock, "rest", api_key) as talker:
        return str(talker.ask(upload(picture)).item["imageURL"])


def test_get_serves_the_bytes_with_their_type_and_version(url: str, picture: bytes) -> None:
    answer = plain.get(url)
    assert (answer.status_code, answer.content) == (200, picture)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Length"] == str(len(picture))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["ETag"] == f'"{hashlib.sha256(picture).hexdigest()}"'


def test_head_serves_the_same_headers_without_the_bytes(url: str, picture: bytes) -> None:
    answer = plain.head(url)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(picture))


@pytest.mark.parametrize(
    "path", ["/image/ii/{}.webp", "/image/ii/{}.PNG", "/image/ws/0.5/ii/{}.jpg", "/image/os/a12/b/{}.jpeg"]
)
def test_any_extension_and_every_known_path_serve_the_picture(
    mock: RunningMock, url: str, picture: bytes, path: str
) -> None:
    answer = plain.get(mock.url + path.format(url[-40:-4]))
    assert (answer.content, answer.headers["Content-Type"]) == (picture, "image/png")


def test_a_uuid_is_found_in_upper_case(mock: RunningMock, url: str, picture: bytes) -> None:
    assert plain.get(f"{mock.url}/image/ii/{url[-40:-4].upper()}.png").content == picture


@pytest.mark.parametrize(
    ("wanted", "status", "first", "end"),
    [
        ("bytes=0-0", 206, 0, 1),
        ("bytes=0-9", 206, 0, 10),
        ("bytes=5-", 206, 5, None),
        ("bytes=-7", 206, -7, None),
        ("bytes=0-999999", 206, 0, None),
        ("bytes=-999999", 206, 0, None),
        ("bytes=9-3", 200, 0, None),
        ("bytes=-", 200, 0, None),
        ("bytes=0-1,4-5", 200, 0, None),
        ("lines=0-1", 200, 0, None),
        ("bytes=a-b", 200, 0, None),
        ("bytes=0-99999999999999999999999", 200, 0, None),
    ],
)
def test_a_range_is_served(url: str, picture: bytes, wanted: str, status: int, first: int, end: int | None) -> None:
    answer = plain.get(url, headers={"Range": wanted})
    assert (answer.status_code, answer.content) == (status, picture[first:end])
    if status == 206:
        start = first % len(picture)
        stop = start + len(answer.content) - 1
        assert answer.headers["Content-Range"] == f"bytes {start}-{stop}/{len(picture)}"


@pytest.mark.parametrize("wanted", ["bytes=999999-", "bytes=999999-1000000", "bytes=-0"])
def test_a_range_beyond_the_end_cannot_be_met(url: str, picture: bytes, wanted: str) -> None:
    answer = plain.get(url, headers={"Range": wanted})
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{len(picture)}")


def test_a_range_of_another_version_gets_the_whole(url: str, picture: bytes) -> None:
    etag = plain.head(url).headers["ETag"]
    assert plain.get(url, headers={"Range": "bytes=0-0", "If-Range": '"other"'}).content == picture
    assert len(plain.get(url, headers={"Range": "bytes=0-0", "If-Range": etag}).content) == 1


@pytest.mark.parametrize(("known", "status"), [("{}", 304), ('"x", W/{}', 304), ("*", 304), ('"x"', 200)])
def test_a_known_version_is_not_sent_again(url: str, known: str, status: int) -> None:
    etag = plain.head(url).headers["ETag"]
    assert plain.get(url, headers={"If-None-Match": known.format(etag)}).status_code == status


def test_a_page_of_another_origin_may_call_the_api(mock: RunningMock, url: str, api_key: str) -> None:
    asks = {"Origin": "http://app.test", "Access-Control-Request-Method": "POST"}
    for address in (mock.rest_url, mock.url + "/", url):
        preflight = plain.options(address, headers=asks)
        assert preflight.status_code == 204
        assert preflight.headers["Access-Control-Allow-Origin"] == "*"
        assert "authorization" in preflight.headers["Access-Control-Allow-Headers"].lower()
        asked = {**asks, "Access-Control-Request-Headers": "authorization,x-made-up"}
        allowed = plain.options(address, headers=asked).headers["Access-Control-Allow-Headers"]
        assert allowed == "authorization,x-made-up"
    headers = {"Origin": "http://app.test", "Authorization": f"Bearer {api_key}"}
    assert (
        plain.post(mock.rest_url, json=[upload(png())], headers=headers).headers["Access-Control-Allow-Origin"] == "*"
    )
    assert plain.get(url, headers=headers).headers["Access-Control-Allow-Origin"] == "*"


def test_every_answer_names_the_mock(mock: RunningMock, url: str) -> None:
    for address in (url, mock.url + "/health", mock.url + "/nothing"):
        assert plain.get(address).headers["X-Runware-Mock"]
    with connect(mock.ws_url) as websocket:
        assert websocket.response is not None
        assert websocket.response.headers["X-Runware-Mock"]


def test_the_same_picture_twice_is_two_images_and_one_content(transport: str, api_key: str, picture: bytes) -> None:
    with running_mock() as mock, talking(mock, transport, api_key) as talker:
        answer = talker.ask(upload(picture), upload(picture))
        assert len({item["imageUUID"] for item in answer.data}) == 2
        assert (mock.count(medium), mock.count(content)) == (2, 1)


def test_a_public_url_is_the_base_of_every_image_url(transport: str, api_key: str) -> None:
    with running_mock(public_url="https://images.test/base/") as mock, talking(mock, transport, api_key) as talker:
        assert talker.ask(upload(png())).item["imageURL"].startswith("https://images.test/base/image/ii/")


def test_a_dry_run_checks_and_stores_nothing(transport: str, api_key: str) -> None:
    """`dryRun=1`: "server validates tasks without executing them"."""
    task = upload(png())
    with running_mock() as mock:
        tasks = [task, upload("no picture"), upload("http://127.0.0.1:1/never-asked.png")]
        if transport == "rest":
            headers = {"Authorization": f"Bearer {api_key}"}
            envelope = plain.post(f"{mock.rest_url}?dryRun=1", json=tasks, headers=headers).json()
            data, errors = envelope["data"], envelope["errors"]
        else:
            with connect(f"{mock.ws_url}?dryRun=1") as websocket:
                websocket.send(json.dumps([{"taskType": "authentication", "apiKey": api_key}, *tasks]))
                frames = [json.loads(websocket.recv()) for _ in range(4)][1:]
                data = [item for frame in frames for item in frame.get("data", [])]
                errors = [error for frame in frames for error in frame.get("errors", [])]
        assert all(item.keys() == {"taskType", "taskUUID", "cost"} for item in data)
        assert task["taskUUID"] in [item["taskUUID"] for item in data]
        assert len(data) == 2
        assert [error["code"] for error in errors] == ["invalidImage"]
        assert (mock.count(medium), mock.count(content), mock.count(journal)) == (0, 0, 0)
        with talking(mock, transport, api_key) as talker:
            assert talker.ask(task).item["imageUUID"]


def test_the_shape_of_the_page_is_there_for_those_who_want_it(api_key: str) -> None:
    headers = {"Authorization": f"Bearer {api_key}"}
    with running_mock(data_shape="object") as mock:
        one = plain.post(mock.rest_url, json=[upload(png())], headers=headers).json()
        two = plain.post(mock.rest_url, json=[upload(png()), upload(png())], headers=headers).json()
        bad = plain.post(mock.rest_url, json=[upload("x")], headers=headers).json()
        with talking(mock, "ws", api_key) as talker:
            assert talker.ask(upload(png())).item
    assert one["data"]["imageUUID"]
    assert len(two["data"]) == 2
    assert bad["data"] == []


def test_get_response_tells_a_failure_again(talker: Talker) -> None:
    task = upload("no picture")
    error = talker.ask(task).error
    again = talker.ask({"taskType": "getResponse", "taskUUID": task["taskUUID"]})
    assert again.error == {**error, "status": "error"}
    assert again.status in (400, None)


def test_get_response_of_a_task_never_sent_is_an_error(talker: Talker) -> None:
    answer = talker.ask({"taskType": "getResponse", "taskUUID": new_uuid()}, upload(png()))
    assert answer.codes == ["taskNotFound"]
    assert len(answer.data) == 1


def test_get_response_prefers_the_success_to_what_failed_before_and_after(talker: Talker) -> None:
    task = upload("no picture")
    get_response = {"taskType": "getResponse", "taskUUID": task["taskUUID"]}
    assert talker.ask(task).errors
    corrected = {**task, "image": upload(png())["image"]}
    image_uuid = talker.ask(corrected).item["imageUUID"]
    assert talker.ask(corrected).error["code"] == "conflictTaskUUID"
    assert talker.ask(get_response).item["imageUUID"] == image_uuid


@pytest.mark.parametrize(
    ("waited", "conflicts"), [(timedelta(hours=24, milliseconds=-1), True), (timedelta(hours=24), False)]
)
def test_a_task_uuid_may_be_used_again_after_24_hours(
    transport: str, api_key: str, waited: timedelta, *, conflicts: bool
) -> None:
    with running_mock() as mock, talking(mock, transport, api_key) as talker:
        task = upload(png())
        assert talker.ask(task).item
        mock.clock.advance(waited)
        assert bool(talker.ask(task).errors) == conflicts


def test_a_crash_of_the_mock_is_told_as_such(transport: str, api_key: str, caplog: pytest.LogCaptureFixture) -> None:
    with running_mock() as mock, talking(mock, transport, api_key) as talker:
        talker.ask(upload(png()))
        with mock.services.database.writing() as connection:
            connection.exec_driver_sql("ALTER TABLE medium RENAME TO gone")
        answer = talker.ask(upload(png()))
        with mock.services.database.writing() as connection:
            connection.exec_driver_sql("ALTER TABLE gone RENAME TO medium")
        assert talker.ask(upload(png())).item
    assert answer.error["code"] == "mockInternalError"
    assert "no answer of the service" in answer.error["message"]
    assert answer.status in (500, None)
    assert "failed inside the mock" in caplog.text


def test_a_browser_takes_a_part_of_the_page_for_what_it_is_declared_as(mock: RunningMock) -> None:
    answer = plain.get(f"{mock.url}/ui/static/page.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["x-content-type-options"] == "nosniff"
