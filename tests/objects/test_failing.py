"""An object storage that is shut, stuck or gone: told as what it is, in time, and everything else goes on."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest

from runware_mock.purge import purge_expired
from runware_mock.storage.models import content, journal, medium
from tests import plain
from tests.control.calling import calling
from tests.objects.gate import Gate, gate_to
from tests.objects.places import Paint, S3Place, s3_place, until
from tests.objects.s3_server import BUCKET, credentials, s3_server
from tests.objects.test_life import KEY, keys, mock_on
from tests.pictures import png
from tests.process import scenes
from tests.process.clients import rest
from tests.running import RunningMock
from tests.talking import Talker, Task, new_uuid, talking, upload

# What is not held up must be done within it, on a machine that may be busy. Only where the storage is stuck must a test
# wait for it to pass.
TIMEOUT_S = {"shut": 10, "stuck": 3}
# One call may take twice as long, and a task makes one or two.
BOUND_S = 30
CODE = "mockStorageUnavailable"
# More than there are threads that wait for the storage.
MANY = 40


@pytest.fixture
def gate(s3_url: str) -> Iterator[Gate]:
    """Stand between the mock and the storage."""
    with gate_to(s3_url) as opened:
        yield opened


@pytest.fixture
def place(s3_url: str, gate: Gate) -> S3Place:
    """Return a place that is reached through the gate."""
    return s3_place(s3_url, gate.url)


@pytest.fixture
def way() -> str:
    """Say how the gate will fail, unless the test says so."""
    return "shut"


@pytest.fixture
def failing(place: S3Place, way: str) -> Iterator[RunningMock]:
    """Run a server that keeps its files there."""
    with mock_on(place, content_timeout=f"{TIMEOUT_S[way]}s") as (mock, _):
        yield mock


@pytest.fixture
def client(failing: RunningMock, transport: str) -> Iterator[Talker]:
    """Open a client of that server."""
    with talking(failing, transport, KEY) as talker:
        yield talker


def caption(uuid: str) -> Task:
    return {"taskType": "caption", "taskUUID": new_uuid(), "inputImage": uuid}


def enhance() -> Task:
    return {"taskType": "promptEnhance", "taskUUID": new_uuid(), "prompt": "a cat", "promptVersions": 1}


def fail(gate: Gate, way: str) -> None:
    (gate.shut if way == "shut" else gate.stick)()


@pytest.mark.parametrize("way", ["shut", "stuck"])
@pytest.mark.parametrize("paint", [scenes.small, scenes.big], ids=["small", "big"])
def test_an_upload_fails_in_time_leaves_nothing_and_its_neighbour_succeeds(
    failing: RunningMock, client: Talker, gate: Gate, place: S3Place, way: str, paint: Paint
) -> None:
    fail(gate, way)
    task, began_s = upload(paint(1)), time.monotonic()
    answer = client.ask(task, enhance())
    assert time.monotonic() - began_s < BOUND_S
    assert answer.codes == [CODE]
    assert "this is no answer of the service" in answer.errors[0]["message"]
    assert len(answer.data) == 1
    assert (failing.count(content), failing.count(medium), failing.count(journal)) == (0, 0, 2)
    with calling(failing, KEY) as control:
        assert control.get("/journal/count", outcome="crash")["count"] == 1
    # It recovers by itself, and what failed may be sent again.
    gate.open()
    item = client.ask(task).item
    assert plain.get(item["imageURL"]).status_code == 200
    assert keys(failing) <= place.names()


def test_alone_it_is_answered_503(failing: RunningMock, gate: Gate) -> None:
    gate.shut()
    with rest(failing.url, KEY) as talker:
        assert talker.ask(upload(png())).status == 503


@pytest.mark.parametrize("way", ["shut", "stuck"])
def test_what_is_stored_cannot_be_read_for_a_while(client: Talker, gate: Gate, way: str) -> None:
    item = client.ask(upload(scenes.small(1))).item
    thumbnail = httpx.URL(item["imageURL"]).copy_with(path=f"/ui/thumbnails/{item['imageUUID']}")
    fail(gate, way)
    answer = plain.get(item["imageURL"], timeout=BOUND_S)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, CODE)
    assert plain.head(item["imageURL"], timeout=BOUND_S).status_code == 503
    assert plain.get(thumbnail, timeout=BOUND_S).status_code == 503
    assert client.ask(caption(item["imageUUID"])).codes == [CODE]
    gate.open()
    assert plain.get(item["imageURL"]).content == scenes.small(1)
    assert plain.get(thumbnail).status_code == 200
    assert client.ask(caption(item["imageUUID"])).item


def test_while_the_storage_is_stuck_everything_else_goes_on(place: S3Place, gate: Gate) -> None:
    with mock_on(place, content_timeout="30s") as (mock, talker), ThreadPoolExecutor(2 * MANY) as pool:
        first = upload(scenes.small(0))
        item = talker.ask(first).item
        gate.stick()
        uploads = [pool.submit(_ask, mock, upload(scenes.small(1 + number))) for number in range(MANY)]
        looks = [pool.submit(plain.get, item["imageURL"], timeout=60) for _ in range(MANY)]
        result = {"taskType": "getResponse", "taskUUID": first["taskUUID"]}
        assert talker.ask(result).data[0]["imageUUID"] == item["imageUUID"]
        assert talker.ask(enhance(), {**enhance(), "taskType": "unknown"}).codes == ["invalidTaskType"]
        delete = {"taskType": "mediaStorage", "operation": "delete", "media": new_uuid()}
        assert talker.ask({**delete, "taskUUID": new_uuid()}).codes == ["mediaNotFound"]
        assert plain.get(f"{mock.url}/health").status_code == 200
        with calling(mock, KEY) as control:
            assert control.get("/media")["total"] == 1
        assert not any(one.done() for one in uploads)
        assert not any(one.done() for one in looks)
        # What was stuck is not lost.
        gate.open()
        assert all(one.result().content == scenes.small(0) for one in looks)
        assert {one.result()["taskType"] for one in uploads} == {"imageUpload"}


def _ask(mock: RunningMock, task: Task) -> dict[str, str]:
    with rest(mock.url, KEY) as talker:
        return talker.ask(task).item


def test_a_storage_that_is_slow_but_alive_fails_nobody(place: S3Place, gate: Gate) -> None:
    with mock_on(place, content_timeout="10s") as (mock, talker), ThreadPoolExecutor(MANY) as pool:
        gate.slow_down(0.1)
        tasks = [upload((scenes.small, scenes.big)[number % 2](number)) for number in range(MANY)]
        urls = [item["imageURL"] for item in pool.map(lambda task: _ask(mock, task), tasks)]
        assert plain.get(f"{mock.url}/ready", timeout=60).status_code == 200
        looks = list(pool.map(lambda url: plain.get(url, timeout=60), urls))
        assert {one.status_code for one in looks} == {200}
        assert [one.content for one in looks[::2]] == [scenes.small(number) for number in range(0, MANY, 2)]
        assert talker.ask(enhance()).item
        assert mock.count(medium) == mock.count(journal) - 1 == MANY


@pytest.mark.parametrize("way", ["shut", "stuck"])
def test_ready_tells_the_truth_and_is_quick_about_it(failing: RunningMock, gate: Gate, way: str) -> None:
    def readiness() -> int:
        answer = plain.get(f"{failing.url}/ready", timeout=60)
        assert answer.status_code == 200 or answer.json()["missing"][0].startswith("object storage: ")
        return answer.status_code

    assert readiness() == 200
    fail(gate, way)
    for _ in until(lambda: readiness() == 503):
        pass
    began_s = time.monotonic()
    assert [readiness() for _ in range(10)] == [503] * 10
    assert time.monotonic() - began_s < BOUND_S
    gate.open()
    for _ in until(lambda: readiness() == 200):
        pass


def test_a_purge_removes_rows_at_once_and_objects_when_the_storage_is_back(
    failing: RunningMock, gate: Gate, place: S3Place
) -> None:
    with rest(failing.url, KEY) as talker:
        talker.ask(upload(scenes.small(1)), upload(scenes.small(2)))
    failing.clock.advance(timedelta(days=30))
    gate.shut()
    assert purge_expired(failing.services).contents == 2
    assert (failing.count(content), len(place.names())) == (0, 2)
    gate.open()
    purge_expired(failing.services)
    assert place.names() == set()


def test_control_calls_say_that_the_storage_cannot_be_used(failing: RunningMock, gate: Gate) -> None:
    with rest(failing.url, KEY) as talker, calling(failing, KEY) as control:
        talker.ask(upload(png()))
        archive = control.client.get("/export").content
        gate.shut()
        for method, path, body in (("POST", "/media", png()), ("GET", "/export", b""), ("POST", "/import", archive)):
            status, error = control.refused(method, path, content=body)
            assert (status, error["code"]) == (503, "unavailable")
        assert control.get("/media")["total"] == 1
        gate.open()
        assert control.post("/media", content=png())["format"] == "png"


def test_a_bucket_that_is_gone_is_a_storage_that_cannot_be_used_and_not_a_lost_picture() -> None:
    """Nothing is given up for lost that may come back."""
    with credentials(), s3_server() as url, mock_on(s3_place(url)) as (_, talker):
        item = talker.ask(upload(scenes.small(1))).item
        plain.post(f"{url}/moto-api/reset").raise_for_status()
        answer = plain.get(item["imageURL"])
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, CODE)
        assert "NoSuchBucket" in talker.ask(upload(png())).error["message"]
        plain.put(f"{url}/{BUCKET}").raise_for_status()
        item = talker.ask(upload(scenes.small(1))).item
        assert plain.get(item["imageURL"]).content == scenes.small(1)
