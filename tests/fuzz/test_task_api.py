"""Whatever tasks are sent, each is answered as the document of the upload API says, and what is stored stays whole."""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import strategies as st
from schemathesis import CheckContext, Response

from runware_mock.client import ControlClient
from runware_mock.tasks import TASKS
from runware_mock.tasks.inputs import IMAGE_FIELDS
from tests import plain
from tests.fuzz.consistency import assert_consistent
from tests.fuzz.operations import Case, hold, operations
from tests.images.samples import SMALL_FILES
from tests.pictures import png
from tests.running import RunningMock, running_mock
from tests.talking import data_uri, new_uuid, talking, upload

EXAMPLES = 5
KEY = "fuzz-key-one-0123456789abcdef0123"
# Larger pictures only take longer.
LARGEST_PX = 300
MOST_RESULTS = 2


@pytest.fixture(scope="module")
def described() -> Iterator[tuple[RunningMock, dict[str, Any]]]:
    """Run a server that fetches and sends nothing, for URLs are drawn at random; return its document, too."""
    with running_mock(fetch="off") as mock:
        yield mock, plain.get(f"{mock.url}/openapi.json").json()


def only(document: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """Return the document of tasks of these types alone."""
    chosen = deepcopy(document)
    post = chosen["paths"]["/v1"]["post"]
    items = {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in names]}
    post["requestBody"]["content"]["application/json"]["schema"].update(items=items, maxItems=4)
    chosen["paths"] = {"/v1": {"post": post}}
    return chosen


class Known:
    """What lets most tasks come far: images that are some, sizes that are small, UUIDs that are there."""

    def __init__(self, uuids: list[str], urls: list[str]) -> None:
        pictures = [data_uri(picture) for picture in SMALL_FILES.values()]
        self._uuids = uuids
        self._images = st.sampled_from([*pictures, *uuids, *urls, new_uuid(), "no picture", pictures[0][:200]])

    def steer(self, data: st.DataObject, case: Case) -> None:
        """Change what was drawn; most of it is to be done, not only checked."""
        case.query = {"dryRun": "1"} if data.draw(st.integers(0, 5)) == 0 else {}
        body: Any = case.body
        for task in body if isinstance(body, list) else []:
            if isinstance(task, dict):
                self._give_images(data, task)
                for name, most in (("width", LARGEST_PX), ("height", LARGEST_PX), ("numberResults", MOST_RESULTS)):
                    if type(task.get(name)) is int and task[name] > most:
                        task[name] = most
                if task.get("taskType") == "getResponse" and data.draw(st.booleans()):
                    task["taskUUID"] = data.draw(st.sampled_from(self._uuids))

    def _give_images(self, data: st.DataObject, task: dict[str, Any]) -> None:
        for name in [name for name in task if name in IMAGE_FIELDS or name == "media"]:
            if data.draw(st.integers(0, 4)):
                is_list = isinstance(task[name], list)
                task[name] = data.draw(st.lists(self._images, max_size=3) if is_list else self._images)
        if task.get("inputs") is not None and data.draw(st.booleans()):
            task["inputs"] = {"image": data.draw(self._images)}


def answered(_context: CheckContext, response: Response, case: Case) -> None:
    """Check that every task has its answer, and that none broke the mock."""
    told = _told(response)
    assert "mockInternalError" not in [one.get("code") for one in told], told
    body: Any = case.body
    if not isinstance(body, list) or not body or response.status_code == 401:
        return
    uuids = {one.get("taskUUID") for one in told}
    for task in body:
        uuid = task.get("taskUUID") if isinstance(task, Mapping) else None
        if isinstance(uuid, str) and 0 < len(uuid) <= 36 and task.get("taskType") in list(TASKS):
            assert uuid in uuids, told


def _told(response: Response) -> list[dict[str, Any]]:
    """Return the results and errors of an answer, or the events of a streamed text."""
    text = response.content.decode()
    if text.startswith("data: "):
        return [json.loads(event.removeprefix("data: ")) for event in text.split("\n\n")[:-2]]
    answer = json.loads(text)
    return [*answer["data"], *answer.get("errors", [])]


def headers() -> st.SearchStrategy[Mapping[str, str]]:
    """Name the account most of the time."""
    return st.sampled_from([{"Authorization": f"Bearer {KEY}"}] * 9 + [{}])


def test_every_task_is_answered_as_documented(
    described: tuple[RunningMock, dict[str, Any]], subtests: pytest.Subtests, caplog: pytest.LogCaptureFixture
) -> None:
    mock, document = described
    with talking(mock, "rest", KEY) as talker, ControlClient(mock.url, KEY) as control:
        items = talker.ask(*(upload(png()) for _ in range(3))).data
        steer = Known([item["imageUUID"] for item in items], [item["imageURL"] for item in items]).steer
        names = [one["$ref"].rpartition("/")[2] for one in document["components"]["schemas"]["Task"]["oneOf"]]
        for chosen in ([name] for name in names):
            for operation in operations(only(document, chosen), mock.url):
                with subtests.test(chosen[0]):
                    hold(operation, EXAMPLES, headers(), steer, answered)
        for operation in operations(only(document, names), mock.url):
            with subtests.test("mixed"):
                hold(operation, 4 * EXAMPLES, headers(), steer, answered)
        assert control.journal.count(outcome="crash") == 0
        assert talker.ask(upload(png())).item
    warned = [record.getMessage() for record in caplog.records if record.levelname != "INFO"]
    assert [text for text in warned if not text.startswith(("gave up", "could not deliver"))] == []
    assert_consistent(mock)


def test_every_other_operation_is_answered_as_documented(
    described: tuple[RunningMock, dict[str, Any]], subtests: pytest.Subtests
) -> None:
    mock, document = described
    with talking(mock, "rest", KEY) as talker:
        files = [f"ii/{talker.ask(upload(picture)).item['imageUUID']}.jpg" for picture in SMALL_FILES.values()]
        audio = {"taskType": "mediaStorage", "taskUUID": new_uuid(), "media": data_uri(b"ID3" + bytes(99), "audio/mp3")}
        files.append(f"ai/{talker.ask(audio).item['mediaUUID']}.mp3")

    def steer(data: st.DataObject, case: Case) -> None:
        if "path" in case.path_parameters and data.draw(st.integers(0, 3)):
            case.path_parameters["path"] = data.draw(st.sampled_from(files))
        case.headers.clear()
        if data.draw(st.booleans()):
            case.headers["Range"] = data.draw(st.from_regex(r"(bytes|lines)=[0-9]{0,3}-[0-9]{0,3}", fullmatch=True))

    others = {**document, "paths": {path: one for path, one in document["paths"].items() if _is_other(path)}}
    for operation in operations(others, mock.url):
        with subtests.test(operation.label):
            hold(operation, 4 * EXAMPLES, st.just({}), steer)


def _is_other(path: str) -> bool:
    return path != "/v1" and not path.startswith("/_mock/")
