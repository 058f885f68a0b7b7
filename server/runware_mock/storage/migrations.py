"""Migrate a database to this version's tables."""

from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, insert, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from runware_mock.storage.database import ALL_ACCOUNTS, Database, DatabaseUnusable, problem_of
from runware_mock.storage.models import control_version, metadata

if TYPE_CHECKING:
    from alembic.config import Config

# The newest file in migrations/versions. A test checks this, and that the migrations create exactly our tables.
HEAD = "0009"

# As Alembic creates it.
_alembic_version = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def prepare(database: Database) -> None:
    """Create the tables or migrate them, even if other processes do so at once; raises DatabaseUnusable.

    Alembic is imported only if there is something to migrate: that takes longer than the rest of the start.
    """
    try:
        version = _version(database)
        if version is None:
            with database.writing(ALL_ACCOUNTS) as connection:
                tables = inspect(connection).get_table_names()
                if tables and "alembic_version" not in tables:
                    raise DatabaseUnusable(f"the database {database.name} holds tables of another program")
                if not tables:
                    _create_tables(connection)
            version = _version(database)
        if version != HEAD:
            migrate(database)
    except SQLAlchemyError as error:
        raise database.unusable(problem_of(error)) from error


def scripts() -> "Config":
    """Return Alembic's configuration, which points at the migrations."""
    from alembic.config import Config

    config = Config()
    # An editable install has this package outside the folder `runware_mock`. "%" would start an interpolation.
    config.set_main_option("script_location", str(files("runware_mock.migrations")).replace("%", "%%"))
    return config


def migrate(database: Database, revision: str = "head", config: "Config | None" = None) -> None:
    """Run the Alembic migrations up to a revision, by default all; raises DatabaseUnusable for a newer database."""
    from alembic import command, script, util

    config = config or scripts()
    version = _version(database)
    try:
        if version is not None:
            script.ScriptDirectory.from_config(config).get_revision(version)
    except util.CommandError:
        raise DatabaseUnusable(
            f"the database {database.name} was written by a newer runware-mock (its version is {version}, this program "
            f"knows up to {HEAD}): update runware-mock, or use another --data-dir or --database-url"
        ) from None
    with database.migrating() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _version(database: Database) -> str | None:
    with database.reading() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.scalar(select(_alembic_version.c.version_num))


def _create_tables(connection: Connection) -> None:
    metadata.create_all(connection)
    _alembic_version.create(connection)
    connection.execute(insert(_alembic_version), {"version_num": HEAD})
    connection.execute(insert(control_version), {"id": 1, "version": 0})
