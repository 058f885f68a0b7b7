"""Bring a database to this version's tables."""

from typing import TYPE_CHECKING

from runware_mock.storage.connection import Connection
from runware_mock.storage.database import Database, DatabaseUnusable, problem_of
from runware_mock.storage.owners import ALL_ACCOUNTS
from runware_mock.storage.prepared import SQLITE, Prepared

if TYPE_CHECKING:
    from alembic.config import Config

# The newest file in migrations/versions. A test holds that it is, and that the migrations make exactly our tables.
HEAD = "0004"

_VERSION = Prepared("version.FIND")
_SET_VERSION = Prepared("version.ADD")


def prepare(database: Database) -> None:
    """Create the tables, or migrate them, or refuse a database from a newer version; others may do so at once.

    Alembic is imported only when there is something to migrate: it costs more than the rest of the start.
    """
    try:
        version = _version(database)
        if version is None:
            with database.writing(ALL_ACCOUNTS) as connection:
                tables = _tables(connection)
                if tables and "alembic_version" not in tables:
                    raise DatabaseUnusable(f"the database {database.name} holds tables of another program")
                if not tables:
                    _create_tables(connection)
                    _SET_VERSION(connection, {"version_num": HEAD})
            version = _version(database)
        if version != HEAD:
            migrate(database)
    except database.failure as error:
        raise database.unusable(problem_of(error)) from error


def scripts() -> "Config":
    """Return Alembic's configuration, which leads to the migrations."""
    from importlib.resources import files

    from alembic.config import Config

    config = Config()
    # An editable install keeps this package outside of `runware_mock`'s folder. "%" would start an interpolation.
    config.set_main_option("script_location", str(files("runware_mock.migrations")).replace("%", "%%"))
    return config


def migrate(database: Database, revision: str = "head", config: "Config | None" = None) -> None:
    """Run the Alembic migrations up to a revision, or all."""
    from alembic import command
    from alembic.script import ScriptDirectory
    from alembic.util.exc import CommandError

    config = config or scripts()
    version = _version(database)
    try:
        if version is not None:
            ScriptDirectory.from_config(config).get_revision(version)
    except CommandError:
        raise DatabaseUnusable(
            f"the database {database.name} was written by a newer runware-mock (its version is {version}, this program "
            f"knows up to {HEAD}): update runware-mock, or use another --data-dir or --database-url"
        ) from None
    with database.migrating() as connection:
        config.attributes["connection"] = connection.core
        command.upgrade(config, revision)


def _version(database: Database) -> str | None:
    with database.reading() as connection:
        if "alembic_version" not in _tables(connection):
            return None
        version = _VERSION(connection, {}).scalar()
        return None if version is None else str(version)


def _tables(connection: Connection) -> list[str]:
    if connection.driver is not None:
        named = connection.driver.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return [name for (name,) in named if not name.startswith("sqlite_")]
    from sqlalchemy import inspect

    return inspect(connection.core).get_table_names()


def _create_tables(connection: Connection) -> None:
    if connection.driver is not None:
        for text in SQLITE.tables:
            connection.driver.execute(text)
        return
    from runware_mock.storage.statements.version import create_tables

    create_tables(connection)
