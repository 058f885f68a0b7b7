"""A database that an earlier release has written opens, is migrated and keeps everything, on either kind of database.

`releases` holds one of each revision, as the release wrote it on SQLite; PostgreSQL gets the same rows.
"""

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData, Table, delete, func, insert, select, text
from sqlalchemy.exc import IntegrityError

from runware_mock.control.state import KEPT_TABLES, SHAPE
from runware_mock.storage.database import Database, DatabaseUnusable
from runware_mock.storage.migrations import HEAD, migrate, scripts
from runware_mock.storage.models import content, dropped_object, medium, metadata
from tests import plain
from tests.objects.places import FolderPlace, folder_place
from tests.process.release import FOLDER, OBJECT, ONE, OTHER, PLAN, QUIET, clients
from tests.process.test_schema import all_described
from tests.running import RunningMock, running_mock
from tests.stores import Store, store_of
from tests.talking import new_uuid, talking, upload

RELEASES = sorted(FOLDER.glob("*.sql"))
Rows = dict[str, list[dict[str, Any]]]

pytestmark = pytest.mark.both_databases


@pytest.fixture(params=RELEASES, ids=lambda file: file.stem)
def release(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Load the database of a release into a file."""
    dump: Path = request.param
    file = tmp_path / f"{dump.stem}.sqlite3"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(dump.read_text(encoding="utf-8"))
    return file


@pytest.fixture
def rows(release: Path) -> Rows:
    """Return what is in it."""
    with closing(sqlite3.connect(release)) as connection:
        connection.row_factory = sqlite3.Row
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")] for name in names}  # noqa: S608 - its own names


@pytest.fixture
def old(release: Path, rows: Rows, database: str, tmp_path: Path) -> Iterator[Store]:
    """Make a database of a release."""
    with store_of(database, tmp_path / "old", is_empty=True) as store:
        if store.is_postgres:
            with store.opened() as opened:
                migrate(opened, release.stem)
            fill(store.engine, rows)
        else:
            Path(store.name).parent.mkdir()
            release.rename(store.name)
        yield store


def fill(engine: Engine, rows: Rows) -> None:
    """Put rows into the tables of a PostgreSQL database, which numbers the next ones after them."""
    tables = MetaData()
    tables.reflect(engine)
    with engine.begin() as connection:
        for table in reversed(tables.sorted_tables):
            # A migration may have put in the row that counts the control calls.
            if table.name != "alembic_version":
                connection.execute(delete(table))
        for table in tables.sorted_tables:
            if table.name != "alembic_version" and rows[table.name]:
                connection.execute(insert(table), [as_stored(table, row) for row in rows[table.name]])
                if "id" in table.c:
                    sequence = func.pg_get_serial_sequence(table.name, "id")
                    connection.execute(select(func.setval(sequence, select(func.max(table.c.id)).scalar_subquery())))


def as_stored(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with what SQLite keeps as numbers made what it is."""
    return {
        name: bool(value) if isinstance(table.c[name].type, sqlalchemy.Boolean) else value
        for name, value in row.items()
    }


@pytest.fixture
def place(rows: Rows, tmp_path: Path) -> FolderPlace:
    """Make the storage in which the objects of the release are."""
    made = folder_place(tmp_path)
    (folder,) = [row["value"].decode() for row in rows["secret"] if row["name"] == "object_folder"]
    for row in rows["content"]:
        if row["object_key"] is not None:
            (made.folder / folder).mkdir(parents=True, exist_ok=True)
            (made.folder / folder / row["object_key"]).write_bytes(OBJECT)
    assert made.names()
    return made


@pytest.fixture
def mock(old: Store, place: FolderPlace) -> Iterator[RunningMock]:
    """Run the server of today on it, as early as its clock was then."""
    with running_mock(**QUIET, **old.settings, **place.settings) as running:
        yield running


@pytest.fixture
def empty(database: str, tmp_path: Path) -> Iterator[Store]:
    """Make a database without tables."""
    with store_of(database, tmp_path, is_empty=True) as store:
        yield store


def test_each_revision_before_this_one_has_left_a_database() -> None:
    revisions = {revision.revision for revision in ScriptDirectory.from_config(scripts()).walk_revisions()}
    assert revisions - {HEAD} <= {file.stem for file in RELEASES} <= revisions


def test_a_release_has_written_into_every_table_and_both_kinds_of_content(rows: Rows) -> None:
    # The first is written by a quota, the second by --answers, the others until the next purge.
    unused = {"quota_bucket", "rule_of_file", "dropped_object", "dropped_digests"}
    assert {name for name in rows if not rows[name]} <= unused
    assert {row["object_key"] is None for row in rows["content"]} == {True, False}


# SQLAlchemy cannot describe the index on an expression that 0003 and 0004 have; its definition is compared below.
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index ix_medium_uuid")
def test_the_tables_of_a_release_are_those_of_its_migration(release: Path, tmp_path: Path) -> None:
    indexes = sqlalchemy.text("SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name")
    with store_of("sqlite", tmp_path / "made") as made, made.opened() as opened:
        Path(made.name).parent.mkdir()
        migrate(opened, release.stem)
        with opened.reading() as connection:
            expected = all_described(connection), connection.execute(indexes).all()
    with sqlalchemy.create_engine(f"sqlite:///{release}").connect() as connection:
        assert (all_described(connection), connection.execute(indexes).all()) == expected


def test_every_medium_of_a_release_is_kept_served_used_and_purged(
    mock: RunningMock, rows: Rows, place: FolderPlace
) -> None:
    files = {row["id"]: OBJECT if row["bytes"] is None else row["bytes"] for row in rows["content"]}
    media = {row["uuid"]: files[row["content_id"]] for row in rows["medium"]}
    with ExitStack() as opened:
        accounts = [opened.enter_context(clients(mock, key)) for key in (ONE, OTHER)]
        told = {one["uuid"]: one for _, control in accounts for one in control.get("/media", state="all")["media"]}
        assert told.keys() == media.keys()
        for uuid, one in told.items():
            assert plain.get(one["url"]).content == media[uuid]
        for talker, control in accounts:
            control.delete("/faults")
            for one in control.get("/media")["media"]:
                if one["kind"] == "image":
                    task = {"taskType": "caption", "taskUUID": new_uuid(), "inputImage": one["uuid"]}
                    assert talker.ask(task).item["inputImageUUID"] == one["uuid"]
        mock.clock.advance(timedelta(days=31))
        for _, control in accounts:
            control.post("/clock/reset")
            control.post("/purge")
            for kept in control.get("/snapshots")["snapshots"]:
                control.delete(f"/snapshots/{kept['name']}")
            control.post("/purge")
    assert [mock.count(table) for table in (medium, content, dropped_object)] == [0, 0, 0]
    assert place.names() == set()


def is_as_it_was_sent(row: dict[str, Any]) -> bool:
    is_image = row["bytes"] is not None and row["format"] in ("png", "gif")
    return is_image and row["sent_sha256"] == hashlib.sha256(row["bytes"]).digest()


def test_what_a_release_has_stored_is_found_when_it_is_sent_again(mock: RunningMock, rows: Rows) -> None:
    sent = [OBJECT, *(row["bytes"] for row in rows["content"] if is_as_it_was_sent(row))]
    assert len(sent) > 1
    with clients(mock, ONE) as (talker, _):
        assert len(talker.ask(*map(upload, sent)).data) == len(sent)
    assert mock.count(content) == len(rows["content"])


def test_the_journal_of_a_release_answers_for_its_tasks(mock: RunningMock, rows: Rows) -> None:
    with clients(mock, ONE) as (talker, control):
        entries = control.get("/journal")["entries"]
        assert len(entries) == sum(row["account_id"] == entries[0]["account"] for row in rows["journal"])
        for entry in entries:
            answer = talker.ask({"taskType": "getResponse", "taskUUID": entry["task_uuid"]})
            assert answer.errors or answer.item["status"] in ("success", "processing")
            assert bool(answer.errors) == (entry["outcome"] == "error")
        done = next(entry for entry in entries if entry["outcome"] == "success")
        assert talker.ask(done["task"]).codes == ["conflictTaskUUID"]


def test_the_plans_clocks_and_answers_of_a_release_still_rule(mock: RunningMock) -> None:
    with clients(mock, ONE) as (talker, control):
        uuid = control.get("/media", format="png")["media"][0]["uuid"]
        caption = {"taskType": "caption", "inputImage": uuid}
        # The later ones have a rule as well.
        assert control.get("/faults")["plans"][0]["name"] == PLAN["name"]
        assert talker.ask({**caption, "taskUUID": new_uuid()}).codes == ["failedToTransferImage"]
        assert talker.ask({**caption, "taskUUID": new_uuid()}).item
        # The webhook of an asynchronous task was to be called an hour later.
        assert control.post("/clock/advance", by="1h")["delivered"]
    with clients(mock, OTHER) as (_, control):
        clock = control.get("/clock")
        assert (clock["frozen"], clock["offset"]) == (True, "12h")


def test_a_snapshot_of_a_release_can_be_restored(mock: RunningMock) -> None:
    with clients(mock, ONE) as (_, control):
        ((kept),) = control.get("/snapshots")["snapshots"]
        assert control.post(f"/snapshots/{kept['name']}/restore")["media"] == kept["media"]
        for one in control.get("/media", state="all")["media"]:
            assert plain.get(one["url"]).status_code == 200


def test_a_repeated_task_gets_the_answer_that_a_release_could_not_deliver(mock: RunningMock, rows: Rows) -> None:
    (row,) = rows["undelivered"]
    (item,) = json.loads(row["frame"])["data"]
    (task,) = [json.loads(one["task"]) for one in rows["journal"] if one["task_uuid"] == item["taskUUID"]]
    with talking(mock, "ws", OTHER) as talker:
        assert talker.ask(task).item == item


def test_the_rows_of_the_oldest_snapshot_fit_into_the_tables_of_today(empty: Store) -> None:
    columns: list[dict[str, dict[str, Any]]] = []
    with empty.opened() as opened:
        for revision in (SHAPE, HEAD):
            migrate(opened, revision)
            with opened.reading() as connection:
                tables = all_described(connection)
            columns.append(
                {f"{name}.{one['name']}": one for name in (*KEPT_TABLES, "fault") for one in tables[name]["columns"]}
            )
    then, now = columns
    for name, column in then.items():
        may_be_null = column["nullable"] or now[name]["nullable"]
        assert {**column, "nullable": may_be_null} == now[name]
    assert all(now[name]["nullable"] or now[name]["default"] for name in now.keys() - then.keys())


NEXT = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "9999", {head!r}


def upgrade():
    for table in ("account", "content", "fault_plan", "snapshot"):
        with op.batch_alter_table(table) as batch:
            batch.alter_column("created_at", existing_type=sa.BigInteger, nullable=True)
            batch.add_column(sa.Column("more", sa.Integer, nullable=False, server_default="7"))
    op.execute({statement!r})
"""


def next_release(folder: Path, statement: str) -> Config:
    """Return the migrations with one more, which makes tables anew that others point at."""
    with as_file(files("runware_mock.migrations")) as migrations:
        shutil.copytree(migrations, folder)
    (folder / "versions" / "9999_next.py").write_text(NEXT.format(head=HEAD, statement=statement))
    config = Config()
    config.set_main_option("script_location", str(folder))
    return config


def test_a_migration_may_make_tables_anew_that_others_point_at(old: Store, rows: Rows, tmp_path: Path) -> None:
    with old.opened() as opened:
        migrate(opened, config=next_release(tmp_path / "next", "SELECT 1"))
        assert_guarded(opened)
    for table in rows.keys() & metadata.tables.keys():
        assert len(old.rows(f"SELECT * FROM {table}")) == len(rows[table])  # noqa: S608 - its own names
    assert set(old.rows("SELECT more FROM content")) == {(7,)}


def test_a_migration_that_leaves_a_row_pointing_at_nothing_is_undone(old: Store, tmp_path: Path) -> None:
    migrations = next_release(tmp_path / "next", "DELETE FROM content")
    before = old.rows("SELECT id FROM content")
    with old.opened() as opened:
        with pytest.raises((DatabaseUnusable, IntegrityError), match="content"):
            migrate(opened, config=migrations)
        assert_guarded(opened)
    assert old.rows("SELECT id FROM content") == before


def assert_guarded(opened: Database) -> None:
    """Check that what a row points at cannot be deleted."""
    with pytest.raises(IntegrityError), opened.writing() as connection:
        connection.execute(text("DELETE FROM account"))
