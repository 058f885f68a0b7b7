"""SQLite's write-ahead log, which a burst of big uploads makes long, is begun anew in time and cut in the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from runware_mock.storage.migrations import prepare
from runware_mock.storage.sqlite import SqliteDatabase

LIMIT_BYTES = 32 * 2**20
RESTED_CALLS = 10
# 64 MiB of pages and a little more.
LONG_BYTES = 65 * 2**20
PAUSE_S = 0.001
ASKED = "SELECT length(value) FROM secret WHERE name = 'long'"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SqliteDatabase]:
    database = SqliteDatabase(tmp_path / "mock.sqlite3")
    prepare(database)
    yield database
    database.close()


def write(database: SqliteDatabase, size_bytes: int) -> None:
    """Store something under one name, so that the file does not grow with it."""
    with database.writing() as connection:
        connection.exec_driver_sql("INSERT OR REPLACE INTO secret VALUES ('long', zeroblob(?))", (size_bytes,))


def log_bytes(database: SqliteDatabase) -> int:
    return database.path.with_name("mock.sqlite3-wal").stat().st_size


@contextmanager
def others_writing(database: SqliteDatabase) -> Iterator[None]:
    """Write a little again and again beside what is done here."""
    begun, enough = Event(), Event()

    def write_on() -> None:
        # Without a pause it would take the lock of those who write again before anybody else could.
        while not enough.wait(PAUSE_S):
            with database.writing() as connection:
                connection.exec_driver_sql("INSERT OR REPLACE INTO secret VALUES ('short', randomblob(9))")
            begun.set()

    writer = Thread(target=write_on)
    writer.start()
    begun.wait()
    try:
        yield
    finally:
        enough.set()
        writer.join()


def rest(database: SqliteDatabase, calls: int) -> None:
    for _ in range(calls):
        database.relieve()


def test_a_long_one_is_cut_when_nobody_has_written_for_a_while(database: SqliteDatabase) -> None:
    write(database, LIMIT_BYTES)
    # The first one sees what was written.
    rest(database, 1)
    rest(database, RESTED_CALLS - 1)
    assert log_bytes(database) > LIMIT_BYTES
    rest(database, 1)
    assert log_bytes(database) == 0
    with database.reading() as connection:
        assert connection.exec_driver_sql(ASKED).scalar() == LIMIT_BYTES


def test_it_is_not_cut_while_somebody_writes(database: SqliteDatabase) -> None:
    write(database, LIMIT_BYTES)
    for _ in range(3):
        rest(database, RESTED_CALLS)
        write(database, 1)
    assert log_bytes(database) > LIMIT_BYTES


def test_a_short_one_is_left_to_be_written_over(database: SqliteDatabase) -> None:
    write(database, LIMIT_BYTES // 2)
    rest(database, 2 * RESTED_CALLS)
    assert LIMIT_BYTES // 2 < log_bytes(database) <= LIMIT_BYTES


def test_a_long_one_is_begun_anew_though_others_write_all_the_while(database: SqliteDatabase) -> None:
    with others_writing(database):
        for _ in range(2):
            write(database, LONG_BYTES)
            database.relieve()
    assert LONG_BYTES < log_bytes(database) < 1.5 * LONG_BYTES


def test_whoever_reads_it_meanwhile_sees_what_was_there(database: SqliteDatabase) -> None:
    write(database, 1)
    with database.viewing() as connection:
        assert connection.exec_driver_sql(ASKED).scalar() == 1
        write(database, LONG_BYTES)
        database.relieve()
        write(database, 2)
        assert connection.exec_driver_sql(ASKED).scalar() == 1
    with database.reading() as connection:
        assert connection.exec_driver_sql(ASKED).scalar() == 2
