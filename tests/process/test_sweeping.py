"""What a content was found by outlives it until a purge has swept it out, and never leads to another picture."""

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, select

from runware_mock.purge import CHUNK, purge_expired
from runware_mock.storage import contents
from runware_mock.storage.pieces import DIGEST_BYTES, joined_ids
from runware_mock.storage.statements.pieces import digests_in, ids_in
from runware_mock.storage.tables import content, content_digest, dropped_digests, medium
from tests.control.calling import Calls, calling
from tests.process import scenes
from tests.process.clients import API_KEY, fetched, rest
from tests.running import RunningMock, running_mock
from tests.stores import Store
from tests.talking import RestTalker, upload

ONE, OTHER, THIRD = scenes.small(1), scenes.small(2), scenes.small(3)
COUNTED = (content, content_digest, dropped_digests)

pytestmark = pytest.mark.both_databases


@pytest.fixture
def mock(store: Store) -> Iterator[RunningMock]:
    """Run a server that purges when it is told to."""
    with running_mock(**store.settings, purge_every="365d") as running:
        yield running


@pytest.fixture
def talker(mock: RunningMock) -> Iterator[RestTalker]:
    """Upload to it."""
    with rest(mock.url) as talker:
        yield talker


@pytest.fixture
def control(mock: RunningMock) -> Iterator[Calls]:
    """Control it."""
    with calling(mock, API_KEY) as control:
        yield control


def counted(mock: RunningMock) -> list[int]:
    return [mock.count(table) for table in COUNTED]


def test_a_purge_sweeps_out_what_deleted_contents_were_found_by(
    mock: RunningMock, talker: RestTalker, control: Calls
) -> None:
    gone = [talker.ask(upload(scene)).item["imageUUID"] for scene in (ONE, OTHER)]
    talker.ask(upload(THIRD))
    for uuid in gone:
        control.delete(f"/media/{uuid}")
    assert counted(mock) == [1, 3, 2]
    control.post("/purge")
    assert counted(mock) == [1, 1, 0]


def test_a_picture_whose_id_was_given_to_another_is_stored_anew(
    mock: RunningMock, talker: RestTalker, control: Calls
) -> None:
    control.delete(f"/media/{talker.ask(upload(ONE)).item['imageUUID']}")
    other, again = talker.ask(upload(OTHER)).item, talker.ask(upload(ONE)).item
    assert [fetched(mock.url, item["imageURL"]).content for item in (other, again)] == [OTHER, ONE]
    # The first one's is still to be swept, but means what was stored anew.
    assert counted(mock) == [2, 2, 1]
    control.post("/purge")
    assert counted(mock) == [2, 2, 0]
    assert talker.ask(upload(ONE), upload(OTHER)).data
    assert counted(mock) == [2, 2, 0]


@pytest.mark.parametrize("steps", range(12))
def test_a_purge_that_was_stopped_leaves_the_rest_to_the_next(
    mock: RunningMock, talker: RestTalker, steps: int
) -> None:
    talker.ask(*(upload(scenes.small(scene)) for scene in range(CHUNK + 1)))
    with mock.services.database.writing() as connection:
        connection.core.execute(medium.update().values(last_used_at=0))
    asked = count()
    purge_expired(mock.services, lambda: next(asked) >= steps)
    left, found, together = counted(mock)
    # What is to be swept is known until it is swept.
    assert found == left or together > 0
    purge_expired(mock.services)
    assert counted(mock) == [0, 0, 0]


def test_uploads_of_what_was_deleted_share_one_content(mock: RunningMock, talker: RestTalker) -> None:
    talker.ask(upload(ONE))
    with mock.services.database.writing() as connection:
        connection.core.execute(medium.delete())
        contents.delete_unused(connection, connection.core.scalars(select(content.c.id)).all())
    answers = [talker.ask(upload(ONE), upload(ONE)).data for _ in range(2)]
    assert [len(data) for data in answers] == [2, 2]
    assert (mock.count(medium), *counted(mock)) == (4, 1, 1, 1)


def test_of_two_purges_at_once_none_forgets_what_was_deleted_after_the_other(
    mock: RunningMock, talker: RestTalker, control: Calls
) -> None:
    control.delete(f"/media/{talker.ask(upload(ONE)).item['imageUUID']}")
    with mock.services.database.reading() as connection:
        swept, _ = contents.to_sweep(connection, 100)
    control.post("/purge")
    control.delete(f"/media/{talker.ask(upload(OTHER)).item['imageUUID']}")
    with mock.services.database.writing() as connection:
        contents.forget_to_sweep(connection, swept)
    assert counted(mock) == [0, 1, 1]
    control.post("/purge")
    assert counted(mock) == [0, 0, 0]


_ids = st.lists(st.integers(1, 2**63 - 1), min_size=1, max_size=50)
_digests = st.lists(st.binary(min_size=DIGEST_BYTES, max_size=DIGEST_BYTES), min_size=1, max_size=50)


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    """Ask a database without tables."""
    with create_engine("sqlite://").connect() as connection:
        yield connection


@given(ids=_ids)
def test_ids_in_one_parameter_are_found_again(connection: Connection, ids: list[int]) -> None:
    assert connection.scalars(ids_in("ids"), {"ids": joined_ids(ids)}).all() == ids


@given(digests=_digests)
def test_digests_in_one_parameter_are_found_again(connection: Connection, digests: list[bytes]) -> None:
    assert connection.scalars(digests_in("digests"), {"digests": b"".join(digests)}).all() == digests
