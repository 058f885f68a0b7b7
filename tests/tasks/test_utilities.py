"""What programs ask before their first upload: the account, the models, the details of a task."""

import pytest

from tests import plain
from tests.pictures import png
from tests.running import RunningMock, running_mock
from tests.talking import Talker, new_uuid, talking, upload
from tests.tasks.asking import task

MODEL = {
    "category": "lora",
    "architecture": "sdxl",
    "format": "safetensors",
    "air": "acme:1@1",
    "uniqueIdentifier": "abc",
    "name": "Our style",
    "version": "1",
    "downloadURL": "https://example.com/model.safetensors",
    "tags": ["ours"],
}


def test_the_account_has_a_balance_a_masked_key_and_its_usage(talker: Talker, api_key: str) -> None:
    talker.ask(upload(png()))
    item = talker.ask(task("accountManagement", operation="getDetails")).item
    assert item["balance"] == 100.0
    assert item["operation"] == "getDetails"
    (key,) = item["apiKeys"]
    assert api_key not in str(item)
    assert key["apiKey"].endswith("****") or "…" in key["apiKey"] or key["apiKey"] != api_key
    assert item["usage"]["today"]["requests"] == 1
    assert (
        talker.ask(task("accountManagement", operation="getDetails")).item["organizationUUID"]
        == (item["organizationUUID"])
    )


def test_the_balance_is_a_setting(api_key: str) -> None:
    with running_mock(balance=1.5) as mock, talking(mock, "rest", api_key) as talker:
        assert talker.ask(task("accountManagement", operation="getDetails")).item["balance"] == 1.5


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (task("accountManagement"), "missingOperation"),
        (task("accountManagement", operation="getMoney"), "invalidOperation"),
        (task("modelSearch", limit=0), "invalidLimit"),
        (task("modelSearch", limit=101), "invalidLimit"),
        (task("modelSearch", offset=-1), "invalidOffset"),
        (task("modelSearch", visibility="mine"), "invalidVisibility"),
        (task("modelUpload", **{**MODEL, "air": "acme"}), "invalidAir"),
        (task("modelUpload", **{**MODEL, "downloadURL": "file:///x"}), "invalidDownloadURL"),
        (task("modelUpload", **{**MODEL, "category": "checkpoint"}), "missingType"),
        (task("getTaskDetails"), "taskNotFound"),
    ],
)
def test_a_wrong_question_is_refused(talker: Talker, given: dict[str, object], code: str) -> None:
    assert talker.ask({**given, "taskUUID": new_uuid()}).error["code"] == code


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"search": "flux.1 [schnell]"}, ["runware:100@1"]),
        ({"search": "runware:101@1"}, ["runware:101@1"]),
        ({"category": "LoRA"}, ["runware-mock:1@1"]),
        ({"category": "checkpoint", "architecture": "sd1x"}, ["civitai:4384@128713"]),
        ({"tags": "photorealistic"}, ["civitai:101055@128078", "civitai:4384@128713"]),
        ({"tags": ["fantasy", "nothing"]}, ["civitai:4384@128713"]),
        ({"conditioning": "canny"}, ["runware-mock:2@1"]),
        ({"search": "no such model"}, []),
        ({"visibility": "private"}, []),
    ],
)
def test_a_search_finds_models_by_words_and_filters(
    talker: Talker, filters: dict[str, object], found: list[str]
) -> None:
    item = talker.ask(task("modelSearch", **filters)).item
    assert [model["air"] for model in item["results"]] == found
    assert item["totalResults"] == len(found)


def test_a_search_comes_in_pages(talker: Talker) -> None:
    whole = talker.ask(task("modelSearch", limit=100)).item
    pages = [talker.ask(task("modelSearch", limit=4, offset=offset)).item for offset in range(0, 40, 4)]
    assert [model for page in pages for model in page["results"]] == whole["results"]
    assert {page["totalResults"] for page in pages} == {len(whole["results"])}


def test_an_uploaded_model_is_found_by_its_own_account_alone(mock: RunningMock, api_key: str) -> None:
    with talking(mock, "rest", api_key) as talker:
        _finds_its_own(mock, talker)


def _finds_its_own(mock: RunningMock, talker: Talker) -> None:
    phases = talker.ask(task("modelUpload", **MODEL)).data
    assert [item["status"] for item in phases] == ["validated", "downloaded", "optimized", "stored", "ready"]
    talker.ask(task("modelUpload", **{**MODEL, "name": "Our newer style", "private": True}))
    (found,) = talker.ask(task("modelSearch", visibility="private")).item["results"]
    assert (found["air"], found["name"], found["private"]) == ("acme:1@1", "Our newer style", True)
    assert talker.ask(task("modelSearch", visibility="public")).item["totalResults"] == 0
    with talking(mock, "rest", f"stranger-{new_uuid()}") as stranger:
        assert stranger.ask(task("modelSearch", search="style")).item["totalResults"] == 0


def test_the_details_of_a_task_are_its_request_and_its_response(talker: Talker) -> None:
    good, bad = upload(png()), upload("no picture")
    item, error = talker.ask(good).item, talker.ask(bad).error
    details = talker.ask(task("getTaskDetails", taskUUID=good["taskUUID"])).item
    assert details["taskUUID"] == good["taskUUID"]
    assert details["request"][0]["taskType"] == "imageUpload"
    assert details["response"] == {"data": [item]}
    assert talker.ask(task("getTaskDetails", taskUUID=bad["taskUUID"])).item["response"]["errors"][0] == error


def test_an_authentication_alone_is_answered_over_rest(mock: RunningMock, api_key: str) -> None:
    answer = plain.post(mock.rest_url, json=[{"taskType": "authentication", "apiKey": api_key}])
    (item,) = answer.json()["data"]
    assert item["taskType"] == "authentication"
    assert item["connectionSessionUUID"]
