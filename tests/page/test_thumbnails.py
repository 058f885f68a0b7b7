"""Thumbnails and versions follow the content, whatever a UUID named before."""

from collections.abc import Iterator

import pytest

from tests import plain
from tests.control.calling import Calls, calling
from tests.images.painting import one_color_png
from tests.pictures import png
from tests.running import RunningMock

UUID = "50836053-a0ee-4cf5-b9d6-ae7c5d140ad0"


@pytest.fixture
def control(mock: RunningMock, api_key: str) -> Iterator[Calls]:
    with calling(mock, api_key) as calls:
        yield calls
        calls.post("/reset")


def add(control: Calls, picture: bytes) -> None:
    control.client.post(f"/media?uuid={UUID}", content=picture).raise_for_status()


def test_a_thumbnail_that_was_asked_for_too_early_comes_later(mock: RunningMock, control: Calls) -> None:
    url = f"{mock.url}/ui/thumbnails/{UUID}"
    assert plain.get(url).status_code == 404
    add(control, png())
    assert plain.get(url).status_code == 200


@pytest.mark.parametrize("path", ["/ui/thumbnails/{}", "/image/ii/{}.png"])
def test_a_uuid_that_is_given_again_shows_the_new_picture(mock: RunningMock, control: Calls, path: str) -> None:
    url = mock.url + path.format(UUID)
    add(control, one_color_png(64))
    first = plain.get(url)
    known = {"If-None-Match": first.headers["ETag"]}
    assert plain.get(url, headers=known).status_code == 304
    control.delete(f"/media/{UUID}")
    add(control, png(80, 60))
    second = plain.get(url, headers=known)
    assert second.status_code == 200
    assert second.content != first.content
    assert second.headers["ETag"] != first.headers["ETag"]
