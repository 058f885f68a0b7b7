"""What is in a data folder, seen from outside of the mock."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from runware_mock.storage.sqlite import FILE_NAME


@contextmanager
def opened(folder: Path) -> Iterator[sqlite3.Connection]:
    """Open the database file; what is changed is committed at the end of the block."""
    with closing(sqlite3.connect(folder / FILE_NAME, timeout=30)) as connection, connection:
        yield connection


def rows(folder: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with opened(folder) as connection:
        return connection.execute(sql, values).fetchall()


def count(folder: Path, table: str) -> int:
    """Count the rows of a table."""
    ((number,),) = rows(folder, f"SELECT count(*) FROM {table}")  # noqa: S608 - named by a test
    return int(number)


def make_old(folder: Path, *uuids: str) -> None:
    """Make media look as if nobody had used them since 1970."""
    with opened(folder) as connection:
        connection.executemany("UPDATE medium SET last_used_at = 0 WHERE uuid = ?", [(uuid,) for uuid in uuids])


def size_bytes(folder: Path) -> int:
    """Return the bytes of the database on disk, with what is not yet merged into its file."""
    files = [file for file in folder.glob(f"{FILE_NAME}*") if not file.name.endswith("-reserve")]
    return sum(file.stat().st_size for file in files)
