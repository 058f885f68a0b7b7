"""Media as the control API shows them: what was sent, what is stored, when it expires, and what a purge would do."""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest

from runware_mock.purge import forecast
from runware_mock.storage.media import Totals
from tests import plain
from tests.control.calling import Calls, calling
from tests.images.painting import encoded, exif, photo
from tests.pictures import png
from tests.running import RunningMock, running_mock
from tests.stores import Store
from tests.talking import Talker, new_uuid, talking, upload

pytestmark = pytest.mark.both_databases


@pytest.fixture
def rest(mock: RunningMock, api_key: str) -> Iterator[Talker]:
    """A client of the test's account."""
    with talking(mock, "rest", api_key) as talker:
        yield talker


def test_a_medium_tells_what_was_sent_and_what_is_stored(rest: Talker, control: Calls) -> None:
    picture = png(2100, 1050)
    uuid = rest.ask(upload(picture)).item["imageUUID"]
    medium = control.get(f"/media/{uuid}")
    assert medium["sent"] == {
        "sha256": hashlib.sha256(picture).hexdigest(),
        "size_bytes": len(picture),
        "width_px": 2100,
        "height_px": 1050,
        "orientation": 1,
    }
    assert (medium["width_px"], medium["height_px"], medium["downsized"]) == (2048, 1024, True)
    assert (medium["kind"], medium["format"], medium["frames"]) == ("image", "png", 1)
    assert medium["size_bytes"] == len(plain.get(medium["url"]).content)
    assert (medium["expires_at"], medium["time_left"]) == ("2026-01-31T00:00:00.000Z", "30d")


def test_a_medium_that_is_stored_as_it_was_sent_says_so(rest: Talker, control: Calls) -> None:
    uuid = rest.ask(upload(png())).item["imageUUID"]
    assert not control.get(f"/media/{uuid.upper()}")["downsized"]


def test_the_orientation_of_a_turned_picture_is_told(rest: Talker, control: Calls) -> None:
    uuid = rest.ask(upload(encoded(photo((3000, 2000)), "JPEG", exif=exif(6)))).item["imageUUID"]
    medium = control.get(f"/media/{uuid}")
    assert medium["sent"]["orientation"] == 6
    assert (medium["width_px"], medium["height_px"]) == (1365, 2048)


def test_media_are_listed_newest_first_page_by_page(rest: Talker, control: Calls) -> None:
    uuids = [rest.ask(upload(png())).item["imageUUID"] for _ in range(5)]
    first = control.get("/media", limit=3)
    rest_of_them = control.get("/media", limit=3, before=first["next_before"])
    assert [medium["uuid"] for medium in first["media"] + rest_of_them["media"]] == uuids[::-1]
    assert (first["total"], rest_of_them["next_before"]) == (5, None)


def test_media_are_found_by_format_text_and_state(rest: Talker, control: Calls) -> None:
    uuid = rest.ask(upload(png())).item["imageUUID"]
    assert control.get("/media", format="PNG")["total"] == 1
    assert control.get("/media", format="jpg")["total"] == 0
    assert control.get("/media", task_type="imageUpload")["total"] == 1
    assert control.get("/media", task_type="caption")["total"] == 0
    assert control.get("/media", text=uuid[3:12])["total"] == 1
    assert control.get("/media", text="%")["total"] == 0
    assert control.get("/media", state="expired")["total"] == 0
    status, error = control.refused("GET", "/media", params={"state": "dead"})
    assert (status, error["field"]) == (400, "state")


def test_an_account_sees_its_own_media_only(mock: RunningMock, talker: Talker, control: Calls) -> None:
    uuid = talker.ask(upload(png())).item["imageUUID"]
    with calling(mock, "another-" + new_uuid()) as other:
        assert other.get("/media")["total"] == 0
        assert other.refused("GET", f"/media/{uuid}")[0] == 404
        assert other.refused("DELETE", f"/media/{uuid}")[0] == 404
    with calling(mock, None) as everyone:
        assert everyone.get(f"/media/{uuid}")["uuid"] == uuid
    assert control.get("/media")["total"] == 1


def test_a_deleted_medium_is_gone(talker: Talker, control: Calls) -> None:
    item = talker.ask(upload(png())).item
    assert control.delete(f"/media/{item['imageUUID']}") == {"deleted": 1}
    assert plain.get(item["imageURL"]).status_code == 404
    assert control.refused("DELETE", f"/media/{item['imageUUID']}")[1]["code"] == "notFound"


def test_a_medium_can_be_added_with_an_age_and_a_uuid(talker: Talker, control: Calls) -> None:
    uuid = new_uuid()
    added = control.post("/media", content=png(), query={"uuid": uuid.upper(), "age": "29d"})
    assert (added["uuid"], added["time_left"]) == (uuid, "1d")
    assert talker.ask({"taskType": "caption", "taskUUID": new_uuid(), "inputImage": uuid}).item
    assert control.get(f"/media/{uuid}")["time_left"] == "30d"


@pytest.mark.parametrize(
    ("query", "content", "field", "status"),
    [
        ({"uuid": "no-uuid"}, png(), "uuid", 400),
        ({"age": "yesterday"}, png(), "age", 400),
        ({}, b"no picture", "body", 400),
        ({}, b"", "body", 400),
    ],
)
def test_what_cannot_be_added_is_refused(
    control: Calls, query: dict[str, str], content: bytes, field: str, status: int
) -> None:
    answer = control.refused("POST", "/media", params=query, content=content)
    assert (answer[0], answer[1]["field"]) == (status, field)
    assert control.get("/media", state="all")["total"] == 0


def test_a_uuid_cannot_be_added_twice(mock: RunningMock, control: Calls) -> None:
    uuid = control.post("/media", content=png())["uuid"]
    with calling(mock, "another-" + new_uuid()) as other:
        status, error = other.refused("POST", "/media", params={"uuid": uuid}, content=png())
    assert (status, error["code"], error["field"]) == (409, "conflict", "uuid")


def test_adding_needs_an_account(mock: RunningMock) -> None:
    with calling(mock, None) as everyone:
        status, error = everyone.refused("POST", "/media", content=png())
    assert (status, error["field"]) == (400, "account")


def test_a_forecast_tells_what_a_purge_would_remove_and_removes_nothing(mock: RunningMock, api_key: str) -> None:
    with calling(mock, api_key) as control:
        same = png()
        old = control.post("/media", content=same, query={"age": "20d"})["uuid"]
        young = control.post("/media", content=same)["uuid"]
        soon = control.get("/forecast", **{"in": "10d"})
        assert [(one["uuid"], one["would_be_purged"]) for one in soon["media"]] == [(old, True), (young, False)]
        # The young one still needs the bytes.
        assert soon["would_purge"] == {"media": 1, "bytes": 0}
        assert control.get("/forecast", at="2026-01-30T23:59:59.999Z")["would_purge"]["media"] == 1
        assert control.get("/forecast", at="2026-01-31")["would_purge"] == {"media": 2, "bytes": len(same)}
        assert control.get("/forecast")["would_purge"]["media"] == 0
        assert control.get("/media")["total"] == 2
        with talking(mock, "rest", api_key) as talker:
            assert talker.ask({"taskType": "caption", "taskUUID": new_uuid(), "inputImage": old}).item
        assert control.get("/forecast", at="2026-01-30")["would_purge"]["media"] == 0


def test_a_forecast_counts_no_bytes_that_a_snapshot_keeps(control: Calls) -> None:
    control.post("/media", content=png(), query={"age": "29d"})
    control.post("/snapshots/before")
    assert control.get("/forecast", **{"in": "1d"})["would_purge"] == {"media": 1, "bytes": 0}
    assert control.post("/clock/advance", by="1d")["purged"]["contents"] == 0


def test_a_forecast_for_all_accounts_heeds_the_clock_of_each(store: Store) -> None:
    keys, same = [f"key-{number}-{'0' * 26}" for number in range(2)], png()
    with running_mock(**store.settings) as running, ExitStack() as clients:
        one, other = (clients.enter_context(calling(running, key)) for key in keys)
        everyone = clients.enter_context(calling(running, None))
        gone, left = (calls.post("/media", content=same, query={"age": "20d"})["uuid"] for calls in (one, other))
        for calls in (one, other):
            calls.post("/clock/freeze")
        running.clock.advance(timedelta(days=5))
        one.post("/clock/resume")
        running.clock.advance(timedelta(days=10))
        seen = everyone.get("/forecast")
        assert {medium["uuid"]: medium["would_be_purged"] for medium in seen["media"]} == {gone: True, left: False}
        assert (seen["would_purge"], forecast(running.services)) == ({"media": 1, "bytes": 0}, Totals(1, 0))
        other.post("/clock/reset")
        # Two clocks rule them, and yet their bytes go together.
        expected = {"media": 2, "bytes": len(same)}
        assert (everyone.get("/forecast")["would_purge"], forecast(running.services)) == (
            expected,
            Totals(2, len(same)),
        )
        assert everyone.post("/purge")["contents"] == 1
