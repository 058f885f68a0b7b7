"""Uploads by URL, from the request to the stored picture."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from runware_mock.storage.models import content, medium
from tests import plain
from tests.images.looking import stored_bytes
from tests.images.picture_host import PICTURE, PictureHost
from tests.running import RunningMock, running_mock
from tests.talking import Talker, new_uuid, talking, upload


@pytest.fixture(scope="module")
def hasty_mock() -> Iterator[RunningMock]:
    """Run a server that soon loses patience and takes no more than 2000 bytes more than the picture."""
    with running_mock(fetch_timeout="4s", max_message_bytes=len(PICTURE) + 2000) as running:
        yield running


@pytest.mark.parametrize("path", ["/picture", "/mislabelled", "/hops/5"])
def test_a_picture_is_fetched_and_stored(talker: Talker, host: PictureHost, path: str) -> None:
    item = talker.ask(upload(host.at(path))).item
    assert item["imageURL"].endswith(".png")
    assert stored_bytes(item) == PICTURE


def test_white_space_around_a_url_is_ignored(talker: Talker, host: PictureHost) -> None:
    assert stored_bytes(talker.ask(upload(f"  {host.at('/picture')}\n")).item) == PICTURE


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/absent", "The server answered 404."),
        ("/hops/6", "More than 5 redirects."),
        ("/to/http://169.254.169.254/", "The address 169.254.169.254"),
        ("/to/file:///etc/passwd", "leads to file:"),
    ],
)
def test_what_cannot_be_fetched_is_said_and_its_neighbour_succeeds(
    talker: Talker, host: PictureHost, path: str, word: str
) -> None:
    answer = talker.ask(upload(host.at(path)), upload(PICTURE))
    (error,) = answer.errors
    assert error["code"] == "failedToTransferImage"
    assert error["parameter"] == "image"
    assert error["message"].startswith("Invalid value for 'image' parameter. Failed to transfer the provided image.")
    assert word in error["message"]
    assert len(answer.data) == 1


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/page", "The format is HTML."),
        ("/nothing", "not a picture in a known format"),
        ("/of_length/9", "not a picture"),
    ],
)
def test_what_is_fetched_but_is_no_picture_is_refused_as_such(
    talker: Talker, host: PictureHost, path: str, word: str
) -> None:
    error = talker.ask(upload(host.at(path))).error
    assert error["code"] == "invalidImage"
    assert word in error["message"]


@pytest.mark.parametrize("url", ["http://nowhere.invalid/a.png", "http://[broken/", "http://169.254.169.254/"])
def test_a_url_that_leads_nowhere_is_refused(talker: Talker, url: str) -> None:
    assert talker.ask(upload(url)).error["code"] == "failedToTransferImage"


@pytest.mark.parametrize(
    ("path", "word"), [("/endless", "longer than"), ("/silence", "4 s"), ("/trickle/header", "4 s")]
)
def test_limits_hold_from_end_to_end(
    hasty_mock: RunningMock, transport: str, api_key: str, host: PictureHost, path: str, word: str
) -> None:
    with talking(hasty_mock, transport, api_key) as talker:
        answer = talker.ask(upload(host.at(path)), upload(host.at("/picture")))
        (error,) = answer.errors
        assert error["code"] == "failedToTransferImage"
        assert word in error["message"]
        assert stored_bytes(answer.data[0]) == PICTURE


def test_a_mapped_url_is_served_from_its_file_without_network(tmp_path: Path, transport: str, api_key: str) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(PICTURE)
    url = "https://cdn.example.com/a.png"
    with (
        running_mock(fetch="off", url_map=(f"{url}={file}",)) as mock,
        talking(mock, transport, api_key) as talker,
    ):
        assert stored_bytes(talker.ask(upload(url)).item) == PICTURE
        assert "--fetch off" in talker.ask(upload(url + "?other")).error["message"]


def runware_url(item: dict[str, str], extension: str) -> str:
    """Return the address that clients of the real service build from an imageUUID."""
    return f"https://im.runware.ai/image/ii/{item['imageUUID']}.{extension}"


def test_the_url_of_a_stored_image_is_taken_from_the_store_without_network(transport: str, api_key: str) -> None:
    with running_mock(fetch="off") as mock, talking(mock, transport, api_key) as talker:
        first = talker.ask(upload(PICTURE)).item
        urls = [
            first["imageURL"],
            runware_url(first, "webp"),
            runware_url(first, "PNG"),
            runware_url(first, "jpg") + "?width=100#top",
            runware_url(first, "png").replace("/image/ii/", "/image/ws/2/ii/"),
            runware_url(first, "png").replace(first["imageUUID"], first["imageUUID"].upper()),
        ]
        answer = talker.ask(*map(upload, urls))
        assert not answer.errors
        assert len({item["imageUUID"] for item in answer.data} | {first["imageUUID"]}) == 7
        assert all(stored_bytes(item) == PICTURE for item in answer.data)
        assert (mock.count(content), mock.count(medium)) == (1, 7)


def test_the_url_of_an_image_that_is_not_stored_is_refused(transport: str, api_key: str) -> None:
    with running_mock(fetch="off") as mock, talking(mock, transport, api_key) as talker:
        for url in (runware_url({"imageUUID": new_uuid()}, "png"), f"{mock.url}/image/ii/{new_uuid()}.png"):
            error = talker.ask(upload(url)).error
            assert error["code"] == "failedToTransferImage"
            assert "of this UUID is stored." in error["message"]


def test_the_image_of_another_account_is_not_found_by_its_url(transport: str, api_key: str) -> None:
    with running_mock(fetch="off") as mock:
        with talking(mock, transport, api_key) as talker:
            item = talker.ask(upload(PICTURE)).item
        with talking(mock, transport, "another " + api_key) as stranger:
            assert stranger.ask(upload(runware_url(item, "png"))).error["code"] == "failedToTransferImage"


@pytest.mark.parametrize("own", [True, False])
def test_an_upload_by_url_is_a_use_and_renews_the_image(transport: str, api_key: str, *, own: bool) -> None:
    """Hold: "Images are deleted 30 days after last use. As long as you continue using them, we will continue…"."""
    with running_mock(fetch="off", retention="30d") as mock, talking(mock, transport, api_key) as talker:
        first = talker.ask(upload(PICTURE)).item
        mock.clock.advance(timedelta(days=20))
        second = talker.ask(upload(first["imageURL"] if own else runware_url(first, "webp"))).item
        mock.clock.advance(timedelta(days=20))
        assert stored_bytes(first) == PICTURE
        mock.clock.advance(timedelta(days=10))
        assert plain.get(first["imageURL"]).status_code == 404
        assert plain.get(second["imageURL"]).status_code == 404
        assert talker.ask(upload(runware_url(first, "webp"))).error["code"] == "failedToTransferImage"


def test_without_a_use_it_is_gone_after_30_days(transport: str, api_key: str) -> None:
    with running_mock(fetch="off", retention="30d") as mock, talking(mock, transport, api_key) as talker:
        item = talker.ask(upload(PICTURE)).item
        mock.clock.advance(timedelta(days=30, milliseconds=-1))
        assert stored_bytes(item) == PICTURE
        mock.clock.advance(timedelta(milliseconds=1))
        assert plain.get(item["imageURL"]).status_code == 404
