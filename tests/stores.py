"""A database of a test's own, of either kind: how a mock is told to use it, and what is in it, seen from outside."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import Engine, NullPool, Table, func, select, text, update

from runware_mock.settings import without_secrets
from runware_mock.storage.database import Database
from runware_mock.storage.models import medium
from runware_mock.storage.postgres import PostgresDatabase
from runware_mock.storage.sqlite import FILE_NAME, SqliteDatabase
from tests.postgres import postgres_database

DATABASES = ("sqlite", "postgres")


@dataclass(frozen=True)
class Store:
    """A database: `settings` and `arguments` lead a mock to it, `name` is what the mock calls it."""

    url: str
    name: str
    settings: dict[str, Any]
    arguments: tuple[str, ...]

    @property
    def is_postgres(self) -> bool:
        """Whether it is PostgreSQL."""
        return self.url.startswith("postgresql")

    @cached_property
    def engine(self) -> Engine:
        """Connections of the test's own."""
        options = {} if self.is_postgres else {"connect_args": {"timeout": 30}}
        return sqlalchemy.create_engine(self.url, poolclass=NullPool, **options)

    @contextmanager
    def opened(self) -> Iterator[Database]:
        """Open it as a mock does."""
        database = PostgresDatabase(self.url) if self.is_postgres else SqliteDatabase(Path(self.name))
        yield database
        database.close()

    def rows(self, sql: str, **values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql), values)]

    def execute(self, *statements: str) -> None:
        """Change something behind the mock's back."""
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def count(self, table: Table) -> int:
        """Count the rows of a table."""
        with self.engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(table)) or 0

    def make_old(self, *uuids: str) -> None:
        """Make media look as if nobody had used them since 1970."""
        with self.engine.begin() as connection:
            connection.execute(update(medium).where(medium.c.uuid.in_(uuids)).values(last_used_at=0))


@contextmanager
def store_of(kind: str, folder: Path, *, is_empty: bool = False) -> Iterator[Store]:
    """Make a database: SQLite's as a file in the folder. One that is not to be empty may still have to be prepared."""
    if kind == "sqlite":
        file = folder / FILE_NAME
        yield Store(f"sqlite:///{file}", str(file), {"data_dir": folder}, ("--data-dir", str(folder)))
        return
    with postgres_database(is_empty=is_empty) as url:
        yield Store(url, without_secrets(url), {"database_url": url}, ("--database-url", url))
