"""An image is gone at the very millisecond its retention ends, whether or not the purge has run."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from runware_mock.purge import purge_expired
from runware_mock.services import Caller
from runware_mock.storage.models import content, medium
from runware_mock.tasks import TASKS
from runware_mock.tasks.work import ContentGone
from tests.process import scenes
from tests.process.clients import fetched, rest
from tests.running import RunningMock, running_mock
from tests.talking import RestTalker, upload

RETENTION = timedelta(days=30)
MILLISECOND = timedelta(milliseconds=1)


@contextmanager
def mock_and_client(folder: Path) -> Iterator[tuple[RunningMock, RestTalker]]:
    # Its own purge has run once, at the start, when nothing was stored yet.
    with running_mock(data_dir=folder, purge_every="365d") as mock, rest(mock.url) as talker:
        yield mock, talker


def served(mock: RunningMock, image_url: str) -> int:
    return fetched(mock.url, image_url).status_code


def used(talker: RestTalker, image_url: str) -> list[str]:
    """Use an image: upload it by its own address; return the codes of what is wrong."""
    return talker.ask(upload(image_url)).codes


@pytest.mark.parametrize("is_purged", [False, True])
def test_an_image_is_served_until_its_retention_ends_and_not_a_millisecond_longer(
    tmp_path: Path, *, is_purged: bool
) -> None:
    with mock_and_client(tmp_path) as (mock, talker):
        image_url = talker.ask(upload(scenes.small(1))).item["imageURL"]
        mock.clock.advance(RETENTION - MILLISECOND)
        if is_purged:
            assert purge_expired(mock.services).media == 0
        assert served(mock, image_url) == 200
        mock.clock.advance(MILLISECOND)
        if is_purged:
            assert purge_expired(mock.services).media == 1
        assert mock.count(medium) == (0 if is_purged else 1)
        assert served(mock, image_url) == 404
        assert used(talker, image_url) == ["failedToTransferImage"]


@pytest.mark.parametrize("is_purged", [False, True])
def test_a_use_in_the_last_millisecond_keeps_an_image_for_another_retention(tmp_path: Path, *, is_purged: bool) -> None:
    with mock_and_client(tmp_path) as (mock, talker):
        image_url = talker.ask(upload(scenes.small(1))).item["imageURL"]
        mock.clock.advance(RETENTION - MILLISECOND)
        assert used(talker, image_url) == []
        mock.clock.advance(RETENTION - MILLISECOND)
        if is_purged:
            assert purge_expired(mock.services).media == 0
        assert served(mock, image_url) == 200
        mock.clock.advance(MILLISECOND)
        assert served(mock, image_url) == 404


def test_looking_at_an_image_is_no_use(tmp_path: Path) -> None:
    with mock_and_client(tmp_path) as (mock, talker):
        image_url = talker.ask(upload(scenes.small(1))).item["imageURL"]
        mock.clock.advance(RETENTION - MILLISECOND)
        assert served(mock, image_url) == 200
        mock.clock.advance(MILLISECOND)
        assert served(mock, image_url) == 404


def test_an_upload_of_the_same_bytes_is_no_use_of_the_earlier_image(tmp_path: Path) -> None:
    with mock_and_client(tmp_path) as (mock, talker):
        earlier = talker.ask(upload(scenes.small(1))).item["imageURL"]
        mock.clock.advance(RETENTION - MILLISECOND)
        later = talker.ask(upload(scenes.small(1))).item["imageURL"]
        mock.clock.advance(MILLISECOND)
        assert (served(mock, earlier), served(mock, later)) == (404, 200)


def test_content_that_a_living_image_shares_survives_and_goes_with_the_last_one(tmp_path: Path) -> None:
    with mock_and_client(tmp_path) as (mock, talker):
        talker.ask(upload(scenes.small(1)))
        mock.clock.advance(RETENTION - MILLISECOND)
        later = talker.ask(upload(scenes.small(1))).item["imageURL"]
        mock.clock.advance(MILLISECOND)
        purged = purge_expired(mock.services)
        assert (purged.media, purged.contents) == (1, 0)
        assert fetched(mock.url, later).content == scenes.small(1)
        mock.clock.advance(RETENTION - MILLISECOND)
        purged = purge_expired(mock.services)
        assert (purged.media, purged.contents) == (1, 1)
        assert (mock.count(medium), mock.count(content)) == (0, 0)


def test_bytes_whose_content_was_purged_can_be_uploaded_again(tmp_path: Path) -> None:
    with mock_and_client(tmp_path) as (mock, talker):
        talker.ask(upload(scenes.small(1)))
        mock.clock.advance(RETENTION)
        assert purge_expired(mock.services).contents == 1
        image_url = talker.ask(upload(scenes.small(1))).item["imageURL"]
        assert fetched(mock.url, image_url).content == scenes.small(1)


def test_bytes_whose_content_is_purged_meanwhile_are_not_taken_for_what_was_given_its_id(tmp_path: Path) -> None:
    with mock_and_client(tmp_path) as (mock, talker):
        talker.ask(upload(scenes.heavy(1)))
        caller = Caller(mock.services.accounts.open("another-key"), "rest", mock.url)
        write = TASKS["imageUpload"].work(upload(scenes.heavy(1)), mock.services, caller)
        assert callable(write)
        mock.clock.advance(RETENTION)
        assert purge_expired(mock.services).contents == 1
        talker.ask(upload(scenes.heavy(2)))
        with pytest.raises(ContentGone), mock.services.database.writing() as connection:
            write(connection)
