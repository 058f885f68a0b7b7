"""Whoever writes what others may be about to use waits for them: two transactions step by step, on either database."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, insert, select, update

from runware_mock.images.formats import Picture
from runware_mock.storage import contents, media
from runware_mock.storage.contents import Placed
from runware_mock.storage.database import ALL_ACCOUNTS, PURGER, Clashed, Database, retried
from runware_mock.storage.media import Moment
from runware_mock.storage.migrations import prepare
from runware_mock.storage.models import account, content, medium
from tests.stores import Store
from tests.talking import new_uuid

pytestmark = pytest.mark.both_databases

PICTURE = Picture("png", 1, 1, 1, b"a picture")
DIGEST = hashlib.sha256(PICTURE.data).digest()
NOW_AT = 1000
ALIVE = Moment(NOW_AT, 0)
EXPIRED = Moment(NOW_AT, NOW_AT)
WAIT_S = 30


@pytest.fixture
def opened(store: Store) -> Iterator[Database]:
    """Open a database with two accounts."""
    with store.opened() as database:
        prepare(database)
        with database.writing() as connection:
            for number in (1, 2):
                connection.execute(insert(account).values(key_hash=str(number), label="…", created_at=0))
        yield database


@pytest.fixture
def aside(store: Store) -> Iterator[Callable[[Callable[[], object]], Future[object]]]:
    """Start something in a thread, and return when it waits for the transaction of the test, or has ended."""
    with ThreadPoolExecutor(1) as pool:

        def start(act: Callable[[], object]) -> Future[object]:
            began = threading.Event()

            def acted() -> object:
                began.set()
                return act()

            started = pool.submit(acted)
            assert began.wait(WAIT_S)
            waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            while store.is_postgres and not started.done() and not store.rows(waiting):
                time.sleep(0.01)
            return started

        yield start


Aside = Callable[[Callable[[], object]], Future[object]]


def stored(connection: Connection, account_id: int = 1) -> str:
    """Store a medium of the picture; return its UUID."""
    content_id = contents.add(connection, Placed(DIGEST, PICTURE), NOW_AT).id
    uuid = new_uuid()
    media.add(connection, account_id, content_id, uuid, NOW_AT, task_type="imageUpload")
    return uuid


def content_id_of(connection: Connection) -> int:
    return int(connection.scalars(select(content.c.id)).one())


def delete_unused(database: Database) -> int:
    with database.writing(2) as connection:
        return contents.delete_unused(connection, [content_id_of(connection)])


def test_a_picture_is_stored_once(opened: Database) -> None:
    placed = Placed(DIGEST, PICTURE)
    with opened.writing(1) as connection:
        first, again = (contents.add(connection, placed, NOW_AT) for _ in range(2))
    with opened.writing(1) as connection:
        assert first == again == contents.add(connection, placed, NOW_AT) == contents.find(connection, DIGEST)
        assert content_id_of(connection) == first.id


@pytest.mark.parametrize("is_brought_again", [False, True])
def test_a_picture_that_somebody_is_about_to_point_at_is_not_deleted(
    opened: Database, aside: Aside, *, is_brought_again: bool
) -> None:
    with opened.writing(1) as connection:
        contents.add(connection, Placed(DIGEST, PICTURE), NOW_AT)
    with opened.writing(1) as connection:
        brought = contents.add(connection, Placed(DIGEST, PICTURE), NOW_AT) if is_brought_again else None
        held = brought or contents.hold(connection, DIGEST)
        assert held is not None
        deleting = aside(lambda: delete_unused(opened))
        assert not deleting.done()
        media.add(connection, 1, held.id, new_uuid(), NOW_AT, task_type="imageUpload")
    assert deleting.result(WAIT_S) == 0


def test_a_picture_that_is_being_deleted_is_stored_again(opened: Database, aside: Aside) -> None:
    with opened.writing(1) as connection:
        before = contents.add(connection, Placed(DIGEST, PICTURE), NOW_AT).id

    def store_it() -> str:
        with opened.writing(2) as connection:
            return stored(connection, 2)

    with opened.writing(1) as connection:
        assert contents.delete_unused(connection, [before]) == 1
        storing = aside(store_it)
        assert not storing.done()
    uuid = str(storing.result(WAIT_S))
    with opened.reading() as connection:
        read = media.read_own(connection, 2, uuid, ALIVE)
    assert read is not None
    assert read.data == PICTURE.data


def test_of_two_who_delete_the_last_two_media_of_a_picture_one_deletes_it(opened: Database, aside: Aside) -> None:
    with opened.writing(ALL_ACCOUNTS) as connection:
        uuids = [stored(connection, account_id) for account_id in (1, 2)]

    def delete_second() -> int:
        with opened.writing(2) as connection:
            content_id = media.remove(connection, 2, uuids[1], ALIVE)
            assert content_id is not None
            return contents.delete_unused(connection, [content_id])

    with opened.writing(1) as connection:
        content_id = media.remove(connection, 1, uuids[0], ALIVE)
        assert content_id is not None
        assert contents.delete_unused(connection, [content_id]) == 0
        deleting = aside(delete_second)
    assert deleting.result(WAIT_S) == 1


def purge(database: Database) -> int:
    with database.writing(PURGER) as connection:
        expired = media.pop_expired(connection, ALL_ACCOUNTS, EXPIRED, 10)
        contents.delete_unused(connection, [content_id for _, content_id in expired])
        return len(expired)


def test_what_is_used_is_not_purged_meanwhile(opened: Database, aside: Aside) -> None:
    with opened.writing(1) as connection:
        uuid = stored(connection)
    with opened.writing(1) as connection:
        assert media.use(connection, 1, uuid, Moment(NOW_AT + 1, 0)) is not None
        purging = aside(lambda: purge(opened))
    # PostgreSQL passes over it, SQLite waits and finds it renewed.
    assert purging.result(WAIT_S) == 0
    with opened.reading() as connection:
        read = media.read_own(connection, 1, uuid, Moment(NOW_AT + 1, NOW_AT))
    assert read is not None
    assert read.data == PICTURE.data


def test_what_is_purged_is_not_used_any_more(opened: Database, aside: Aside) -> None:
    with opened.writing(1) as connection:
        uuid = stored(connection)

    def use() -> object:
        # This process's clock is a moment behind.
        with opened.writing(1) as connection:
            return media.use(connection, 1, uuid, ALIVE)

    with opened.writing(PURGER) as connection:
        assert len(media.pop_expired(connection, ALL_ACCOUNTS, EXPIRED, 10)) == 1
        using = aside(use)
        assert not using.done()
    assert using.result(WAIT_S) is None


def test_one_purge_waits_for_the_chunk_of_another(opened: Database, aside: Aside) -> None:
    with opened.writing(1) as connection:
        stored(connection)
    with opened.writing(PURGER) as connection:
        assert len(media.pop_expired(connection, ALL_ACCOUNTS, EXPIRED, 10)) == 1
        purging = aside(lambda: purge(opened))
        assert not purging.done()
    assert purging.result(WAIT_S) == 0


@pytest.mark.parametrize(
    ("ours", "theirs", "waits"),
    [((1,), (1,), True), ((1,), (2,), False), ((1,), (0,), True), ((0,), (1,), True), ((1, 2), (2,), True)],
)
def test_who_writes_for_the_same_account_waits(
    store: Store, opened: Database, aside: Aside, ours: tuple[int, ...], theirs: tuple[int, ...], *, waits: bool
) -> None:
    def write() -> None:
        with opened.writing(*theirs):
            pass

    with opened.writing(*ours):
        writing = aside(write)
        if store.is_postgres:
            assert writing.done() is not waits
    writing.result(WAIT_S)


def test_a_deadlock_is_broken_and_what_was_given_up_is_done_again(store: Store, opened: Database) -> None:
    with opened.writing(ALL_ACCOUNTS) as connection:
        ids = [int(one) for one in connection.scalars(select(account.c.id).order_by(account.c.id))]
    both_have_one = threading.Barrier(2)
    clashes: list[Clashed] = []

    def write(first: int, second: int) -> None:
        with opened.writing() as connection:
            connection.execute(update(account).where(account.c.id == first).values(issued=account.c.issued + 1))
            if store.is_postgres and not clashes:
                both_have_one.wait(WAIT_S)
            connection.execute(update(account).where(account.c.id == second).values(issued=account.c.issued + 1))

    @retried
    def write_again(first: int, second: int) -> None:
        try:
            write(first, second)
        except Clashed as clash:
            clashes.append(clash)
            raise

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(write_again, *ids), pool.submit(write_again, *reversed(ids))]:
            done.result(WAIT_S)
    assert bool(clashes) == store.is_postgres
    assert store.rows("SELECT issued FROM account") == [(2,), (2,)]


def test_what_is_viewed_does_not_change(opened: Database) -> None:
    with opened.viewing() as view:
        assert view.execute(select(medium.c.id)).all() == []
        with opened.writing(1) as connection:
            stored(connection)
        assert view.execute(select(medium.c.id)).all() == []
    with opened.reading() as connection:
        assert len(connection.execute(select(medium.c.id)).all()) == 1


def test_text_that_postgresql_cannot_hold_is_no_reason_to_fail(opened: Database) -> None:
    with opened.writing(1) as connection:
        connection.execute(update(account).values(label="a\0b"))
        assert connection.scalars(select(account.c.label).where(account.c.label == "a\0b")).all() != []
