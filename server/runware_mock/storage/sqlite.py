"""One SQLite file in WAL mode: many readers, one writer at a time."""

import os
import shutil
import sqlite3
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from time import sleep
from typing import Any

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from runware_mock.clock import monotonic_s
from runware_mock.storage.database import Database, problem_of
from runware_mock.values import write_size

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no such locks
    fcntl = None  # type: ignore[assignment]

FILE_NAME = "runware-mock.sqlite3"
_FOLDER_PREFIX = "runware-mock-server-"

_BUSY_TIMEOUT_S = 30
_TRUNCATE_TIMEOUT_MS = 100
# A checkpoint of another process or thread moves 20 MB in 0.3 s.
_OTHERS_TIMEOUT_S = 2.0
_OTHERS_LOOK_S = 0.02
# A longer write-ahead log, left by a burst of big uploads, is truncated after this many calls of `relieve` without a
# write in between. `journal_size_limit` would truncate earlier: freeing 200 MB takes some disks half a second, and
# every writer waits.
_WAL_LIMIT_BYTES = 32 * 2**20
_IDLE_CALLS = 10
# `relieve` moves the log into the file while others write. Only if it cannot keep up must a writer move the log, while
# all others wait. A purge writes 30 MB between two calls of `relieve`.
_WAL_PAGES = 64_000
# From this length on, the whole log is moved, so that it restarts. Each pass moves what was written during the previous
# one; the last pass, for which all wait, has hardly anything left to do.
_WAL_LONG_PAGES = 16_000
_WAL_PASSES = 10
# Room for a photo from a phone, which is written twice: to the log, and then to the file.
_ROOM_BYTES = 16 * 2**20
# SQLite needs a little room even to read, and a purge to begin with: on a full disk, a start gives up this reserve.
_RESERVE_BYTES = 2 * 2**20


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Create a folder for as long as this process runs; remove the folders of processes that were killed."""
    # Without locks nobody can tell whose process still runs.
    for left in Path(tempfile.gettempdir()).glob(f"{_FOLDER_PREFIX}*") if fcntl else ():
        with suppress(OSError), _locked(left):
            shutil.rmtree(left)
    # It gets its final name once it is locked, so that no process takes it for an abandoned one.
    made = Path(tempfile.mkdtemp(prefix="runware-mock-new-"))
    folder = made.with_name(made.name.replace("-new-", "-server-"))
    try:
        with _locked(made):
            yield made.rename(folder)
    finally:
        for path in (made, folder):
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock a folder; raises OSError if a living process holds the lock."""
    if fcntl is None:  # pragma: no cover
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


class FairLock:
    """A lock granted in the order of the requests; threading.Lock favours the thread that has just released it.

    With that, a purge would keep uploads out as long as it lasts, though it releases the lock after each chunk.
    """

    def __init__(self) -> None:
        self._guard = Lock()
        self._waiting: deque[Lock] = deque()
        self._is_taken = False

    def __enter__(self) -> None:
        """Wait for this thread's turn."""
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return
            turn = Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()

    def __exit__(self, *_: object) -> None:
        """Pass the lock to the next thread."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False

    def has_waiting(self) -> bool:
        """Return whether a thread waits for the lock."""
        return bool(self._waiting)


class SqliteDatabase(Database):
    """Connections to the database file `path`.

    `durability` is SQLite's `synchronous`: NORMAL loses nothing when the process is killed, FULL nothing when the
    power fails, OFF is for databases that live only as long as the process.
    """

    def __init__(self, path: Path, durability: str = "NORMAL", *, is_shared: bool = False) -> None:
        self.path = path
        self.name = str(path)
        self.is_shared = is_shared
        self._durability = durability
        self._relieved_ns = 0
        self._idle_calls = 0
        # Device and inode of the file, once it was opened.
        self._file: tuple[int, int] | None = None
        self._wal = path.with_name(f"{path.name}-wal")
        self._reserve = path.with_name(f"{path.name}-reserve")
        self._write_lock = FairLock()
        # One connection for all writers: SQLite drops a connection's cached pages when another has written, and each
        # keeps a copy of the last picture that it has stored.
        self._writer: Connection | None = None
        self.engine = create_engine(
            URL.create("sqlite", database=str(path)),
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
            # Unlimited: every thread may read. The last connection used is reused first: it has pages in its cache.
            pool_size=0,
            pool_use_lifo=True,
            connect_args={"timeout": _BUSY_TIMEOUT_S},
        )
        event.listen(self.engine, "do_connect", self._on_do_connect)
        event.listen(self.engine, "connect", self._on_connect)

    def _on_do_connect(self, *_: object) -> None:
        if self._file is not None:
            # If the file is gone, SQLite would create a new one, without our tables.
            self._check_file()
        elif self._free_bytes() < _RESERVE_BYTES:
            self._reserve.unlink(missing_ok=True)

    def _on_connect(self, driver: Any, _record: object) -> None:
        for pragma in (
            "auto_vacuum=INCREMENTAL",
            "journal_mode=WAL",
            f"synchronous={self._durability}",
            "foreign_keys=ON",
            # Some systems' SQLite overwrites deleted data with zeros: 2.5 s for 200 pictures of 5 MB, and all wait.
            "secure_delete=OFF",
            # Statements keep here what they need to undo themselves; on disk, it took a tenth of a purge's time.
            "temp_store=MEMORY",
            f"wal_autocheckpoint={_WAL_PAGES}",
        ):
            driver.execute(f"PRAGMA {pragma}").close()

    @contextmanager
    def viewing(self) -> Iterator[Connection]:
        """Open a read-only transaction: every statement sees what was committed when the first one ran."""
        with self.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            yield connection

    @contextmanager
    def writing(self, *_account_ids: int) -> Iterator[Connection]:
        """Open a transaction that commits at the end of the block, or rolls back; nobody else writes meanwhile."""
        # Waiting here is fair and wakes at once; waiting for SQLite's own lock is a poll with growing pauses.
        with self._write_lock:
            connection = self._writer = self._writer or self.engine.connect()
            try:
                # SQLite would silently write to a file that was deleted while it is open.
                self._check_file()
                with self._transaction(connection, "BEGIN IMMEDIATE"):
                    yield connection
            except BaseException:
                # Closing the connection rolls back, and the pool replaces one that cannot.
                self._writer = None
                connection.close()
                raise

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Open a transaction that may recreate tables; raises DatabaseUnusable.

        SQLite can alter most of a table only by replacing it. Rows that point at it would be deleted with it, or keep
        it from being dropped, so foreign keys are checked at the end instead.
        """
        with self._write_lock, self.engine.connect() as connection:
            # Not returned to the pool, as its foreign keys are off. Inside a transaction the pragma would do nothing.
            connection.detach()
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            with self._transaction(connection, "BEGIN IMMEDIATE"):
                yield connection
                if stray := connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                    raise self.unusable(f"after its migration a row of {stray[0]} points at no {stray[2]}")

    def problem(self) -> str | None:
        """Return what keeps the file from being written, or None."""
        try:
            with self.writing() as connection:
                # SQLite writes nothing unless a page changes.
                number = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
                connection.exec_driver_sql(f"PRAGMA user_version = {(number + 1) % 2**31}")
                return None
        except SQLAlchemyError as error:
            return problem_of(error)

    def shortage(self) -> str | None:
        """Return what will soon keep a picture from being stored, or None."""
        free_bytes = self._free_bytes()
        return f"only {write_size(free_bytes)} are free on its disk" if free_bytes < _ROOM_BYTES else None

    def check(self) -> None:
        """Raise DatabaseUnusable unless the file can be written, or at least read; keep a reserve for a full disk."""
        super().check()
        if self._durability != "OFF" and not self._reserve.exists() and self._free_bytes() > _ROOM_BYTES:
            with suppress(OSError):
                self._reserve.touch(0o600)
                self._reserve.write_bytes(bytes(_RESERVE_BYTES))

    def _free_bytes(self) -> int:
        return shutil.disk_usage(self.path.parent).free

    def _check_file(self) -> None:
        """Raise OperationalError unless the file is still the one that was opened first."""
        try:
            found = self.path.stat()
        except OSError as error:
            raise _lost(f"its file cannot be found ({error.strerror})") from error
        if self._file is None:
            self._file = (found.st_dev, found.st_ino)
        elif self._file != (found.st_dev, found.st_ino):
            raise _lost("its file was replaced by another one: start the server again")

    def shrink(self, pages: int) -> bool:
        """Give up to `pages` free pages back to the file system; return whether there may be more."""
        with self._write_lock, self.engine.connect() as connection:
            free: int = connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()
            if free:
                # `execute` would free one page only; `executescript` runs the statement to its end.
                connection.connection.cursor().executescript(f"PRAGMA incremental_vacuum({pages})")
            return free > pages

    def relieve(self) -> None:
        """Move the write-ahead log into the file while others write; the next writer restarts it.

        If it is called repeatedly while nobody writes, it truncates a long log.
        """
        log = self._wal.stat() if self._wal.exists() else None
        changed_ns = log.st_mtime_ns if log else 0
        if changed_ns == self._relieved_ns:
            self._idle_calls += 1
            if log and log.st_size > _WAL_LIMIT_BYTES and self._idle_calls >= _IDLE_CALLS:
                self._finish_log("TRUNCATE")
            return
        self._relieved_ns, self._idle_calls = changed_ns, 0
        with self.reading() as connection:
            moved = _move(connection)
            if moved < _WAL_LONG_PAGES:
                return
            for _ in range(_WAL_PASSES):
                before, moved = moved, _move(connection)
                if moved <= before:
                    break
        self._finish_log("RESTART")

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file and truncate it, unless somebody is reading it."""
        # All writers wait during the truncation, so leave as little as possible to move then.
        self.relieve()
        self._finish_log("TRUNCATE")

    def _finish_log(self, mode: str) -> None:
        """Restart (RESTART) or truncate (TRUNCATE) the write-ahead log, unless somebody reads it for long."""
        give_up_s = monotonic_s() + _OTHERS_TIMEOUT_S
        while True:
            with self._write_lock, self.reading() as connection:
                connection.exec_driver_sql(f"PRAGMA busy_timeout={_TRUNCATE_TIMEOUT_MS}")
                is_busy, log_pages, _ = connection.exec_driver_sql(f"PRAGMA wal_checkpoint({mode})").one()
                connection.exec_driver_sql(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_S * 1000}")
            # -1: another checkpoint is running. SQLite does not wait for its end, whatever the timeout.
            if not (is_busy and log_pages < 0) or monotonic_s() > give_up_s:
                return
            sleep(_OTHERS_LOOK_S)

    def close(self) -> None:
        """Close every idle connection once no transaction is being written."""
        with self._write_lock:
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            super().close()


def _lost(problem: str) -> OperationalError:
    return OperationalError(None, None, sqlite3.OperationalError(problem))


def _move(connection: Connection) -> int:
    """Move the present write-ahead log, up to the state that somebody still reads; return the number of pages.

    SQLite syncs the file, the slowest part, only if nobody wrote meanwhile; as a rule that happens after a short pass,
    so that little is left for the last one.
    """
    # The counts are from the start of the checkpoint; more may have been written since.
    _, _, moved = connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)").one()
    return int(moved)
