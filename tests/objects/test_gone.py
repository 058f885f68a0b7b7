"""Objects that somebody has deleted by hand: told clearly, and there again when the picture is uploaded again."""

import logging

import pytest

from tests import plain
from tests.control.calling import calling
from tests.objects.places import Paint, Place
from tests.objects.test_life import KEY, mock_on
from tests.process import scenes
from tests.talking import Task, new_uuid, talking, upload

PICTURE = scenes.small(1)


def caption(uuid: str) -> Task:
    return {"taskType": "caption", "taskUUID": new_uuid(), "inputImage": uuid}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-3"}], ids=["whole", "range"])
def test_its_url_answers_404_and_the_log_names_it(
    place: Place, method: str, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    with mock_on(place) as (_, talker):
        item = talker.ask(upload(PICTURE)).item
        (name,) = place.names()
        place.remove(name)
        with caplog.at_level(logging.WARNING):
            answer = plain.request(method, item["imageURL"], headers=headers)
        assert answer.status_code == 404
        if method == "GET":
            (error,) = answer.json()["errors"]
            assert error["code"] == "mediaNotFound"
            assert "gone from the object storage" in error["message"]
        assert f"the object {name} is gone" in caplog.text


def test_a_task_that_uses_it_is_refused_and_its_neighbour_succeeds(place: Place, transport: str) -> None:
    with mock_on(place) as (mock, _), talking(mock, transport, KEY) as talker:
        gone = talker.ask(upload(PICTURE)).item
        place.remove(*place.names())
        there = talker.ask(upload(scenes.small(2))).item
        answer = talker.ask(caption(gone["imageUUID"]), caption(there["imageUUID"]), upload(gone["imageURL"]))
        assert answer.codes == ["failedToTransferImage", "failedToTransferImage"]
        assert all("gone from the object storage" in error["message"] for error in answer.errors)
        assert [item["taskType"] for item in answer.data] == ["caption"]


def test_its_thumbnail_is_missing_and_the_page_is_not(place: Place) -> None:
    with mock_on(place) as (mock, talker):
        uuid = talker.ask(upload(PICTURE)).item["imageUUID"]
        place.remove(*place.names())
        assert plain.get(f"{mock.url}/ui/thumbnails/{uuid}").status_code == 404
        assert plain.get(f"{mock.url}/ui/media/{uuid}").status_code == 200
        assert plain.get(mock.url, headers={"Accept": "text/html"}).status_code == 200
        talker.ask(upload(PICTURE))
        assert plain.get(f"{mock.url}/ui/thumbnails/{uuid}").status_code == 200


def test_an_export_is_refused_and_names_the_medium(place: Place) -> None:
    with mock_on(place) as (mock, talker), calling(mock, KEY) as control:
        uuid = talker.ask(upload(PICTURE)).item["imageUUID"]
        place.remove(*place.names())
        status, error = control.refused("GET", "/export")
        assert (status, error["code"]) == (409, "conflict")
        assert uuid in error["message"]
        control.delete(f"/media/{uuid}")
        assert control.client.get("/export").status_code == 200


@pytest.mark.parametrize("paint", [scenes.small, scenes.heavy], ids=["small", "heavy"])
def test_uploading_it_again_brings_it_back_for_every_medium(place: Place, transport: str, paint: Paint) -> None:
    picture = paint(7)
    with mock_on(place) as (mock, _), talking(mock, transport, KEY) as talker:
        urls = [talker.ask(upload(picture)).item["imageURL"] for _ in range(2)]
        place.remove(*place.names())
        urls.append(talker.ask(upload(picture)).item["imageURL"])
        assert [plain.get(url).content for url in urls] == [picture] * 3
        assert len(place.names()) == 1


def test_a_medium_that_is_added_and_a_result_drawn_again_bring_it_back_too(place: Place) -> None:
    task = {"taskType": "imageInference", "positivePrompt": "a cat", "model": "runware:101@1"}
    drawn = {**task, "width": 128, "height": 128, "seed": 1}
    with mock_on(place) as (mock, talker), calling(mock, KEY) as control:
        urls = [talker.ask({**drawn, "taskUUID": new_uuid()}).item["imageURL"]]
        urls.append(control.post("/media", content=PICTURE)["url"])
        place.remove(*place.names())
        assert [plain.get(url).status_code for url in urls] == [404, 404]
        talker.ask({**drawn, "taskUUID": new_uuid()})
        control.post("/media", content=PICTURE)
        assert [plain.get(url).status_code for url in urls] == [200, 200]


def test_an_archive_brings_it_back(place: Place) -> None:
    with mock_on(place) as (mock, talker), calling(mock, KEY) as control:
        item = talker.ask(upload(PICTURE)).item
        archive = control.client.get("/export").content
        place.remove(*place.names())
        control.post("/import", content=archive)
        assert plain.get(item["imageURL"]).content == PICTURE
        control.post("/reset")
        control.post("/purge")
        control.post("/import", content=archive)
        assert plain.get(item["imageURL"]).content == PICTURE
        assert len(place.names()) == 1


def test_an_archive_that_is_refused_leaves_no_object(place: Place) -> None:
    with mock_on(place) as (mock, talker), calling(mock, KEY) as control, calling(mock, f"another-{KEY}") as another:
        kept, gone = talker.ask(upload(PICTURE), upload(scenes.small(2))).data
        archive = control.client.get("/export").content
        control.client.delete(f"/media/{gone['imageUUID']}")
        control.post("/purge")
        assert another.refused("POST", "/import", content=archive)[0] == 409, "its UUIDs are those of another account"
        assert plain.get(kept["imageURL"]).content == PICTURE
        assert len(place.names()) == 1
