"""The version of a database's tables, and how they are made."""

from typing import Any

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, String, Table, create_mock_engine, insert, select
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect

from runware_mock.storage.connection import Connection
from runware_mock.storage.statements.written import Statement
from runware_mock.storage.tables import metadata

# As Alembic makes it.
_version_table = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)

FIND = Statement(select(_version_table.c.version_num))
ADD = Statement(insert(_version_table), ("version_num",))
_MADE = (metadata, _version_table.metadata)


def create_tables(connection: Connection) -> None:
    """Make all tables."""
    for made in _MADE:
        made.create_all(connection.core)


def tables_for_sqlite() -> list[str]:
    """Return the statements that make all tables, and then their indexes, by name: SQLAlchemy has those in no order."""
    texts: list[str] = []

    def note(statement: Any, *_: object) -> None:
        texts.append(str(statement.compile(dialect=sqlite_dialect())))

    engine = create_mock_engine("sqlite://", note)
    for made in _MADE:
        made.create_all(engine, checkfirst=False)
    return sorted(texts, key=lambda text: text if "INDEX" in text.split("(")[0] else "")
