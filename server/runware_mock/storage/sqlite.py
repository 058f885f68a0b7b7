"""One SQLite file in WAL mode: many readers, one writer at a time."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path

from runware_mock.storage.connection import Connection
from runware_mock.storage.core import Core
from runware_mock.storage.database import Database, begun, problem_of
from runware_mock.storage.turns import Turns
from runware_mock.units import write_size

FILE_NAME = "runware-mock.sqlite3"

_BUSY_TIMEOUT_MS = 30_000
_END_TIMEOUT_MS = 100
# A longer write-ahead log, of a burst of big uploads, is cut when nobody has written for so many calls of `relieve`.
# Not before, as by `journal_size_limit`: to free 200 MB takes some disks half a second, for which all who write wait.
_WAL_LIMIT_BYTES = 32 * 2**20
_RESTED_CALLS = 10
# `relieve` moves it into the file beside those who write. Where that cannot keep up one of them has to, and all wait.
# A purge writes 30 MB between two calls of it.
_WAL_PAGES = 64_000
# From here on it is moved to its very end, so that it begins anew. Each pass takes what was written during the one
# before it; the last one, for which all wait, has hardly anything left to do.
_WAL_LONG_PAGES = 16_000
_WAL_PASSES = 10
# A picture as a telephone takes it, which is written twice: to the log, and then to the file.
_ROOM_BYTES = 16 * 2**20


class SqliteDatabase(Database):
    """Connections to the database file `path`.

    `durability` is SQLite's `synchronous`: NORMAL loses nothing when the process is killed, FULL nothing when the
    power fails, OFF is for databases that live only as long as the process.
    """

    failure = sqlite3.Error

    def __init__(self, path: Path, durability: str = "NORMAL", *, is_shared: bool = False) -> None:
        self.path = path
        self.name = str(path)
        self.is_shared = is_shared
        self._durability = durability
        self._relieved_ns = 0
        self._rested_calls = 0
        # Which file it is, once it was opened.
        self._file: tuple[int, int] | None = None
        self._wal = path.with_name(f"{path.name}-wal")
        self._write_lock = Turns()
        # One for all who write: SQLite forgets what it has read of the file when another connection has written.
        self._writer: Connection | None = None
        # Those that nobody uses now: of readers, and of those who move the write-ahead log and are in nobody's way.
        self._readers: list[Connection] = []
        self._movers: list[Connection] = []
        self._core = Core()

    def _open(self) -> Connection:
        if self._file is not None:
            # SQLite would make a new file, without our tables.
            self._check_file()
        # The driver must not open transactions by itself: we begin them, knowing whether they will write.
        driver = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        try:
            for pragma in (
                f"busy_timeout={_BUSY_TIMEOUT_MS}",
                "auto_vacuum=INCREMENTAL",
                "journal_mode=WAL",
                f"synchronous={self._durability}",
                "foreign_keys=ON",
                # Some systems' SQLite writes zeros over what is deleted: 2.5 s for 200 pictures of 5 MB, and all wait.
                "secure_delete=OFF",
                # What a statement would need to undo itself, which for a purge took a tenth of its time to write down.
                "temp_store=MEMORY",
                f"wal_autocheckpoint={_WAL_PAGES}",
            ):
                driver.execute(f"PRAGMA {pragma}").close()
        except BaseException:
            driver.close()
            raise
        return Connection(driver, self._core.over)

    def reading(self) -> AbstractContextManager[Connection]:
        """Open a connection on which each statement sees what is committed."""
        # Rather one of the others than a new one, which cannot be opened where the disk can only be read.
        return self._lent(self._readers, self._movers)

    @contextmanager
    def _lent(self, own: list[Connection], *others: list[Connection]) -> Iterator[Connection]:
        """Take a connection that nobody uses now, or a new one; whatever goes wrong it is kept for the next one."""
        for idle in (own, *others):
            # Not looked for before: another thread could take the last one in between.
            with suppress(IndexError):
                connection = idle.pop()
                break
        else:
            connection = self._open()
        try:
            yield connection
        finally:
            own.append(connection)

    @contextmanager
    def viewing(self) -> Iterator[Connection]:
        """Open a connection on which every statement sees what was committed when the first one ran."""
        with self.reading() as connection:
            connection.driver.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.driver.rollback()

    @contextmanager
    def writing(self, *_account_ids: int) -> Iterator[Connection]:
        """Open a transaction that commits at the end of the block, or leaves nothing: nobody else writes meanwhile."""
        # Waiting here is fair and wakes at once; waiting on SQLite's own lock is a poll with growing pauses.
        with self._write_lock:
            connection = self._writer = self._writer or self._open()
            # What is written to a file that was deleted while it is open is lost, and SQLite says nothing.
            self._check_file()
            with self._transaction(connection):
                then = begun(connection)
                yield connection
        for act in then:
            act()

    @contextmanager
    def _transaction(self, connection: Connection) -> Iterator[None]:
        """Begin a transaction, and commit or undo it."""
        driver = connection.driver
        driver.execute("BEGIN IMMEDIATE")
        try:
            yield
            driver.commit()
        except BaseException:
            try:
                driver.rollback()
            except sqlite3.Error:
                # What cannot be undone is, where its connection is closed.
                self._leave_writer()
            raise

    def _leave_writer(self) -> None:
        """Let the next one who writes open a connection anew."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Open a transaction in which tables may be made anew; raises DatabaseUnusable.

        SQLite alters most of a table by making another in its place. Rows that point at it would be deleted with it, or
        keep it from being dropped; here they are left alone, and have to point at something again in the end.
        """
        with self._write_lock, closing(self._open()) as connection:
            # Within a transaction that would do nothing.
            connection.driver.execute("PRAGMA foreign_keys=OFF")
            with self._transaction(connection):
                yield connection
                if stray := connection.driver.execute("PRAGMA foreign_key_check").fetchone():
                    raise self.unusable(f"after its migration a row of {stray[0]} points at no {stray[2]}")

    def problem(self) -> str | None:
        """Return what keeps the file from being written, or None."""
        try:
            with self.writing() as connection:
                # Only what changes a page is written at all.
                (number,) = connection.driver.execute("PRAGMA user_version").fetchone()
                connection.driver.execute(f"PRAGMA user_version = {(number + 1) % 2**31}")
                return None
        except sqlite3.Error as error:
            return problem_of(error)

    def shortage(self) -> str | None:
        """Return what will soon keep a picture from being stored, or None."""
        room = os.statvfs(self.path)
        free_bytes = room.f_bavail * room.f_frsize
        return f"only {write_size(free_bytes)} are free on its disk" if free_bytes < _ROOM_BYTES else None

    def _check_file(self) -> None:
        """Prove that the file is still the one that was opened first."""
        try:
            found = self.path.stat()
        except OSError as error:
            raise self._lost(f"its file cannot be found ({error.strerror})") from error
        if self._file is None:
            self._file = (found.st_dev, found.st_ino)
        elif self._file != (found.st_dev, found.st_ino):
            raise self._lost("its file was replaced by another one: start the server again")

    @staticmethod
    def _lost(problem: str) -> sqlite3.OperationalError:
        return sqlite3.OperationalError(problem)

    def shrink(self, pages: int) -> bool:
        """Give up to `pages` free pages back to the file system; tell whether there may be more."""
        with self._write_lock:
            self._writer = self._writer or self._open()
            driver = self._writer.driver
            (free,) = driver.execute("PRAGMA freelist_count").fetchone()
            if free:
                # `execute` steps this statement once, which frees one page; `executescript` runs it to its end.
                driver.executescript(f"PRAGMA incremental_vacuum({pages})")
            return bool(free > pages)

    def relieve(self) -> None:
        """Move the write-ahead log into the file while others write; the one after them begins it anew.

        Called again and again while nobody writes, it cuts a long one.
        """
        log = self._wal.stat() if self._wal.exists() else None
        changed_ns = log.st_mtime_ns if log else 0
        if changed_ns == self._relieved_ns:
            self._rested_calls += 1
            if log and log.st_size > _WAL_LIMIT_BYTES and self._rested_calls >= _RESTED_CALLS:
                self._end("TRUNCATE")
            return
        self._relieved_ns, self._rested_calls = changed_ns, 0
        with self._lent(self._movers) as connection:
            moved = _move(connection)
            if moved < _WAL_LONG_PAGES:
                return
            for _ in range(_WAL_PASSES):
                before, moved = moved, _move(connection)
                if moved <= before:
                    break
        self._end("RESTART")

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file and cut it, if nobody is in the way."""
        # All wait while it is cut: as little as possible is to be moved then.
        self.relieve()
        self._end("TRUNCATE")

    def _end(self, how: str) -> None:
        """Have the write-ahead log begun anew (RESTART) or cut (TRUNCATE), unless somebody reads it for long."""
        with self._write_lock, self._lent(self._movers) as connection:
            driver = connection.driver
            driver.execute(f"PRAGMA busy_timeout={_END_TIMEOUT_MS}")
            driver.execute(f"PRAGMA wal_checkpoint({how})").fetchall()
            driver.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")

    def close(self) -> None:
        """Close every connection; the next one is opened anew."""
        with self._write_lock:
            self._leave_writer()
        for idle in (self._readers, self._movers):
            while idle:
                idle.pop().close()


def _move(connection: Connection) -> int:
    """Move what the write-ahead log holds now, up to the state that somebody still reads; return how many pages.

    SQLite syncs the file only where nobody has written meanwhile, which takes longest, and as a rule that comes of a
    short pass: then all that is moved in the last one is little, too.
    """
    # It tells of the pages that it saw when it began. More may have come since.
    _, _, moved = connection.driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return int(moved)
