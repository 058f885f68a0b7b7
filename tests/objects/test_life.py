"""An object from the upload to the purge: there before its row, gone after it, and never left behind."""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from runware_mock.purge import ORPHAN_AGE_S, collect_orphans, count_orphans, purge_expired
from runware_mock.storage.models import content, medium
from tests import plain
from tests.control.calling import calling
from tests.objects.places import FolderPlace, Paint, Place, folder_place, until
from tests.pictures import png
from tests.process import scenes
from tests.process.clients import rest
from tests.running import RunningMock, mock_process, run_command, running_mock
from tests.talking import RestTalker, new_uuid, talking, upload

KEY = "a-key-of-the-object-tests"
RETENTION = timedelta(days=30)


@contextmanager
def mock_on(place: Place, **settings: object) -> Iterator[tuple[RunningMock, RestTalker]]:
    """Run a server that keeps files in a place, and a client of it."""
    with running_mock(**place.settings, **{"purge_every": "365d", **settings}) as mock, rest(mock.url, KEY) as talker:
        yield mock, talker


def keys(mock: RunningMock) -> set[str]:
    """Return the objects that rows point at."""
    with mock.services.database.reading() as connection:
        return set(connection.scalars(select(content.c.object_key)))


def orphan(mock: RunningMock) -> None:
    """Leave what a server leaves that is killed before it has written the row."""
    data = png()
    mock.services.blobs.place(hashlib.sha256(data).digest(), mock.services.codec.stored_form(data))


@pytest.mark.parametrize("paint", [scenes.small, scenes.heavy, scenes.big], ids=lambda paint: paint.__name__)
def test_the_bytes_of_an_upload_are_an_object_and_not_in_the_database(
    place: Place, transport: str, paint: Paint
) -> None:
    with mock_on(place) as (mock, _), talking(mock, transport, KEY) as talker:
        item = talker.ask(upload(paint(1))).item
        with mock.services.database.reading() as connection:
            row = connection.execute(select(content)).one()
        assert row.bytes is None
        assert place.names() == {row.object_key}
        assert len(plain.get(item["imageURL"]).content) == row.size_bytes


def test_a_fixture_that_is_uploaded_again_is_stored_once(place: Place, transport: str) -> None:
    with mock_on(place) as (mock, _), talking(mock, transport, KEY) as talker:
        items = [talker.ask(upload(scenes.small(1))).item for _ in range(3)]
        assert (mock.count(content), mock.count(medium), len(place.names())) == (1, 3, 1)
        assert all(plain.get(item["imageURL"]).content == scenes.small(1) for item in items)


def test_of_the_same_bytes_sent_at_once_one_object_is_kept(place: Place) -> None:
    with mock_on(place) as (mock, _):

        def send(_number: int) -> str:
            with rest(mock.url, KEY) as talker:
                return str(talker.ask(upload(scenes.small(1))).item["imageURL"])

        with ThreadPoolExecutor(8) as pool:
            urls = list(pool.map(send, range(16)))
        assert all(plain.get(url).content == scenes.small(1) for url in urls)
        purge_expired(mock.services)
        assert place.names() == keys(mock)
        assert (mock.count(content), mock.count(medium)) == (1, 16)


def test_a_purge_deletes_rows_and_then_their_objects_and_no_other(place: Place) -> None:
    with mock_on(place) as (mock, talker):
        talker.ask(upload(scenes.small(1)), upload(scenes.small(2)))
        mock.clock.advance(RETENTION / 2)
        young = talker.ask(upload(scenes.small(2)), upload(scenes.small(3))).data
        mock.clock.advance(RETENTION / 2)
        assert purge_expired(mock.services).contents == 1
        assert len(place.names()) == 2
        assert place.names() == keys(mock)
        pictures = {plain.get(item["imageURL"]).content for item in young}
        assert pictures == {scenes.small(2), scenes.small(3)}


def test_what_was_purged_can_be_uploaded_again(place: Place) -> None:
    with mock_on(place) as (mock, talker):
        talker.ask(upload(scenes.small(1)))
        mock.clock.advance(RETENTION)
        purge_expired(mock.services)
        assert place.names() == set()
        item = talker.ask(upload(scenes.small(1))).item
        assert plain.get(item["imageURL"]).content == scenes.small(1)


@pytest.mark.parametrize("way", ["task", "control", "reset", "snapshot"])
def test_whatever_deletes_a_row_leaves_its_object_to_the_next_purge(place: Place, way: str) -> None:
    with mock_on(place) as (mock, talker), calling(mock, KEY) as control:
        uuid = talker.ask(upload(png())).item["imageUUID"]
        if way == "task":
            task = {"taskType": "mediaStorage", "taskUUID": new_uuid(), "operation": "delete", "media": uuid}
            assert talker.ask(task).item
        elif way == "control":
            control.delete(f"/media/{uuid}")
        elif way == "reset":
            control.post("/reset")
        else:
            control.post("/snapshots/kept")
            control.post("/reset")
            control.post("/purge")
            assert len(place.names()) == 1
            control.delete("/snapshots/kept")
        control.post("/purge")
        assert place.names() == set()


def test_an_upload_that_has_stored_its_object_keeps_it_though_its_row_is_late(place: Place) -> None:
    picture = png()
    with mock_on(place) as (mock, _), rest(mock.url, KEY) as talker:
        talker.ask(upload(png()))
        others = place.names()
        with ExitStack() as opened:
            # A connection that is opened while somebody writes would wait for that one.
            for _ in range(8):
                opened.enter_context(mock.services.database.reading())
        with ThreadPoolExecutor(1) as pool:
            with mock.services.database.writing():
                answering = pool.submit(talker.ask, upload(picture))
                for _ in until(lambda: place.names() > others):
                    pass
                assert collect_orphans(mock.services) == 0
            item = answering.result().item
        assert plain.get(item["imageURL"]).content == picture
        # Even one that is as old as can be is nobody's orphan once it has its row.
        assert collect_orphans(mock.services, age_s=0) == 1
        assert place.names() == keys(mock)
        assert plain.get(item["imageURL"]).content == picture


def test_an_object_without_a_row_is_collected_when_it_is_old_enough(place: Place) -> None:
    with mock_on(place) as (mock, talker):
        item = talker.ask(upload(scenes.small(1))).item
        orphan(mock)
        assert (count_orphans(mock.services), collect_orphans(mock.services)) == (0, 0)
        assert len(place.names()) == 2
        # The mark, by which the storage was asked for its time, is as old as that.
        assert count_orphans(mock.services, age_s=0) == 2
        assert collect_orphans(mock.services, age_s=0) == 2
        assert place.names() == keys(mock)
        assert plain.get(item["imageURL"]).content == scenes.small(1)


@pytest.fixture
def folder(tmp_path: Path) -> FolderPlace:
    """Return a place whose files a test can make old."""
    return folder_place(tmp_path)


def make_old(folder: FolderPlace, names: set[str], age_s: float) -> None:
    for file in folder.folder.rglob("*"):
        if file.name in names:
            stored_s = file.stat().st_mtime - age_s
            os.utime(file, (stored_s, stored_s))


def test_the_server_and_the_command_collect_orphans_by_themselves(folder: FolderPlace, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with mock_on(folder, data_dir=data) as (mock, talker):
        item = talker.ask(upload(scenes.small(1))).item
        kept = keys(mock)
        for _ in range(3):
            orphan(mock)
    young, *old = sorted(folder.names() - kept)
    make_old(folder, kept | set(old), ORPHAN_AGE_S + 60)
    make_old(folder, {young}, ORPHAN_AGE_S - 60)
    purge = ("purge", "--data-dir", str(data), "--retention", "36500d", *folder.arguments)
    assert run_command(*purge, "--dry-run").stdout == "would purge 0 media, 0 bytes, 2 orphaned objects\n"
    assert run_command(*purge).stdout == "purged 0 media, 0 bytes, 2 orphaned objects\n"
    assert folder.names() == kept | {young}
    assert run_command(*purge).stdout == "purged 0 media, 0 bytes\n"
    make_old(folder, {young}, 120)
    with mock_on(folder, data_dir=data) as (mock, _):
        for _ in until(lambda: folder.names() == kept):
            pass
        assert plain.get(f"{mock.url}{httpx.URL(item['imageURL']).path}").content == scenes.small(1)


def test_half_an_object_is_an_orphan_and_never_an_object(folder: FolderPlace) -> None:
    with mock_on(folder) as (mock, talker):
        assert talker.ask(upload(png())).item
        (whole,) = folder.folder.rglob("*.png")
        whole.with_name("half.png.0123.part").write_bytes(b"half")
        collect_orphans(mock.services, age_s=0)
        assert folder.names() == {whole.name}


def test_databases_that_share_a_place_leave_each_others_objects_alone(place: Place, tmp_path: Path) -> None:
    with (
        mock_on(place, data_dir=tmp_path / "one") as (one, talker_one),
        mock_on(place, data_dir=tmp_path / "other") as (other, talker_other),
    ):
        items = [talker.ask(upload(scenes.small(1))).item for talker in (talker_one, talker_other)]
        assert len(place.names()) == 2
        for mock in (one, other):
            collect_orphans(mock.services, age_s=0)
        other.clock.advance(RETENTION)
        purge_expired(other.services)
        assert place.names() == keys(one)
        assert plain.get(items[0]["imageURL"]).content == scenes.small(1)


def test_a_purge_that_runs_all_the_time_loses_no_upload(place: Place, tmp_path: Path) -> None:
    """Each thread uploads the same few pictures, looks at each, and deletes every other."""
    uploads, threads = 20, 4
    with mock_on(place, data_dir=tmp_path, purge_every="1ms") as (mock, _):

        def upload_and_look(_thread: int) -> list[str]:
            kept = []
            with rest(mock.url, KEY) as talker:
                for number in range(uploads):
                    item = talker.ask(upload(scenes.small(number % 3))).item
                    assert plain.get(item["imageURL"]).content == scenes.small(number % 3)
                    delete = {"taskType": "mediaStorage", "operation": "delete", "media": item["imageUUID"]}
                    assert talker.ask({**delete, "taskUUID": new_uuid()}).item
                kept.append(str(talker.ask(upload(scenes.small(9))).item["imageURL"]))
            return kept

        with ThreadPoolExecutor(threads) as pool:
            urls = [url for kept in pool.map(upload_and_look, range(threads)) for url in kept]
        assert all(plain.get(url).content == scenes.small(9) for url in urls)
        for _ in until(lambda: place.names() == keys(mock)):
            pass
        assert mock.count(content) == 1


def test_nothing_is_left_of_a_server_in_memory(place: Place) -> None:
    with mock_on(place) as (_, talker):
        talker.ask(upload(scenes.small(1)), upload(scenes.heavy(1)))
        assert len(place.names()) == 2
    assert place.names() == set()


def test_what_was_stored_in_the_database_before_stays_there_and_readable(place: Place, tmp_path: Path) -> None:
    with mock_on(Place(None), data_dir=tmp_path) as (_, talker):
        before = talker.ask(upload(scenes.small(1))).item
    with mock_on(place, data_dir=tmp_path) as (mock, talker):
        after = talker.ask(upload(scenes.small(2)), upload(scenes.small(1))).data
        assert len(place.names()) == 1
        for item, number in ((before, 1), (after[0], 2), (after[1], 1)):
            path = httpx.URL(item["imageURL"]).path
            assert plain.get(mock.url + path).content == scenes.small(number)


def test_a_server_that_is_not_told_of_the_storage_says_that_it_cannot_be_used(place: Place, tmp_path: Path) -> None:
    with mock_on(place, data_dir=tmp_path) as (_, talker):
        path = httpx.URL(talker.ask(upload(scenes.small(1))).item["imageURL"]).path
    with mock_on(Place(None), data_dir=tmp_path) as (mock, talker):
        answer = plain.get(mock.url + path)
        assert answer.status_code == 503
        assert "--content-url is not set" in answer.json()["errors"][0]["message"]


def test_two_servers_on_one_database_serve_each_others_objects(place: Place, tmp_path: Path) -> None:
    with (
        mock_process(tmp_path, *place.arguments) as one,
        mock_process(tmp_path, *place.arguments) as other,
        rest(one.url) as talker,
    ):
        item = talker.ask(upload(scenes.heavy(1))).item
        assert plain.get(other.url + httpx.URL(item["imageURL"]).path).content == scenes.heavy(1)


def test_metrics_count_the_bytes_of_objects(place: Place) -> None:
    with mock_on(place) as (mock, talker):
        talker.ask(upload(scenes.small(1)), upload(scenes.heavy(1)), upload(scenes.small(1)))
        stored = len(scenes.small(1)) + len(scenes.heavy(1))
        assert f"runware_mock_stored_bytes {float(stored)!r}\n" in plain.get(f"{mock.url}/metrics").text
