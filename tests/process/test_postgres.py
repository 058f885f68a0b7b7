"""What only PostgreSQL has: a server that is elsewhere, a password, a restart, and several who write at once."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runware_mock.storage.migrations import HEAD
from tests import plain, postgres
from tests.pictures import png
from tests.postgres import PostgresServer, postgres_database
from tests.process.clients import API_KEY, fetched, rest, ws
from tests.running import (
    STARTED_WITHIN_S,
    MockProcess,
    clean_environment,
    mock_process,
    mock_process_logging,
    run_command,
)
from tests.talking import upload

pytestmark = pytest.mark.skipif(postgres.missing() is not None, reason=str(postgres.missing()))

PASSWORD = "a-secret"  # noqa: S105 - of a server that asks for none


@pytest.fixture
def url() -> Iterator[str]:
    """Make a database that nobody has used."""
    with postgres_database(is_empty=True) as made:
        yield made


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """Run a server that the test may stop."""
    with postgres.temporary_folder() as folder:
        server = PostgresServer(folder / "server")
        server.create()
        server.start()
        yield server
        server.stop()


def unreachable(_url: str) -> tuple[str, str]:
    return "postgresql+psycopg://me:a-secret@127.0.0.1:1/name", "Connection refused"


def no_such_database(url: str) -> tuple[str, str]:
    return url.replace("/test_", "/no_"), "does not exist"


def another_program(url: str) -> tuple[str, str]:
    postgres.shared_server().execute("CREATE TABLE account (name TEXT)", url)
    return url, "holds tables of another program"


def newer_version(url: str) -> tuple[str, str]:
    assert run_command("migrate", "--database-url", url).returncode == 0
    postgres.shared_server().execute("UPDATE alembic_version SET version_num = '9999'", url)
    return url, f"was written by a newer runware-mock (its version is 9999, this program knows up to {HEAD})"


def read_only(url: str) -> tuple[str, str]:
    assert run_command("migrate", "--database-url", url).returncode == 0
    return f"{url}&options=-cdefault_transaction_read_only%3Don", "it can only be read"


def other_encoding(url: str) -> tuple[str, str]:
    server, name = postgres.shared_server(), url.partition("/test_")[2].partition("?")[0]
    server.execute(f"DROP DATABASE test_{name}")
    server.execute(f"CREATE DATABASE test_{name} ENCODING 'LATIN1' TEMPLATE template0")
    return url, "its encoding is LATIN1, not UTF8"


def bad_port(_url: str) -> tuple[str, str]:
    return "postgresql://me:a-secret@127.0.0.1:many/name", "is not the address of a database"


def bad_option(url: str) -> tuple[str, str]:
    return f"{url}&colour=blue", 'invalid connection option "colour"'


UNUSABLE = [
    unreachable,
    no_such_database,
    another_program,
    newer_version,
    read_only,
    other_encoding,
    bad_port,
    bad_option,
]


@pytest.mark.parametrize(("command", "spoil"), [("serve", unreachable), *(("migrate", spoil) for spoil in UNUSABLE)])
def test_a_database_of_no_use_is_told_in_one_line_without_its_password(
    url: str, spoil: Callable[[str], tuple[str, str]], command: str
) -> None:
    address, problem = spoil(url)
    ended = run_command(command, RUNWARE_MOCK_DATABASE_URL=address, RUNWARE_MOCK_PORT="0")
    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith("runware-mock: ")
    assert problem in line
    assert PASSWORD not in line


@pytest.mark.parametrize("address", ["mysql://me:a-secret@host/name", "a-secret", "sqlite://", "sqlite:///:memory:"])
def test_what_is_no_address_of_a_database_refuses_to_start_in_one_line(address: str) -> None:
    ended = run_command("serve", f"--database-url={address}")
    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith("runware-mock: bad value for --database-url (or RUNWARE_MOCK_DATABASE_URL): ")
    assert PASSWORD not in line


def test_a_database_that_is_kept_is_not_in_memory(url: str) -> None:
    ended = run_command("serve", "--in-memory", "--database-url", url)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("runware-mock: bad value for --in-memory ")


def test_a_missing_driver_is_told_with_what_brings_it(url: str) -> None:
    program = "import sys; sys.modules['psycopg'] = None; from runware_mock.cli import main; main()"
    command = [sys.executable, "-c", program, "migrate", "--database-url", url]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, env=clean_environment())
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert "pip install '.[postgres]'" in line
    assert PASSWORD not in line


@pytest.mark.parametrize("scheme", ["postgresql+psycopg", "postgresql", "postgres"])
def test_the_password_is_shown_nowhere(tmp_path: Path, url: str, scheme: str) -> None:
    log = tmp_path / "log"
    address = url.replace("postgresql+psycopg", scheme) + "&sslpassword=another-secret"
    shown = address.replace(PASSWORD, "***", 1).replace("another-secret", "***")
    with (
        log.open("w") as file,
        mock_process_logging(file, tmp_path, "--log-level=debug", "--database-url", address) as server,
    ):
        assert f"--database-url {shown}\n" in server.started
        with rest(server.url) as talker:
            assert talker.ask(upload(png())).item
        status = plain.get(f"{server.url}/_mock/status").text
        assert json.loads(status)["settings"]["database_url"] == shown
        printed = "".join(server.started) + server.stop()
    assert PASSWORD not in printed + status + log.read_text()


def test_a_server_of_sqlite_imports_nothing_of_postgresql(tmp_path: Path) -> None:
    with mock_process(tmp_path, PYTHONPROFILEIMPORTTIME="1") as server:
        imported = {line.rpartition("|")[2].strip() for line in server.started if line.startswith("import time:")}
    assert "runware_mock.storage.sqlite" in imported
    assert not [name for name in imported if "psycopg" in name or "postgres" in name]


@pytest.mark.timeout(300)
def test_replicas_that_start_at_once_on_an_empty_database_agree(tmp_path: Path, url: str) -> None:
    """Each on its own would make the tables, the key of its hashes, the account, and the pictures of `--fixtures`."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "cat.png").write_bytes(png())
    arguments = ("--database-url", url, "--fixtures", str(pictures), "--api-key", API_KEY)
    folders = [tmp_path / str(number) for number in range(4)]
    for folder in folders:
        folder.mkdir()
    together = threading.Barrier(len(folders), timeout=3 * STARTED_WITHIN_S)

    def start(folder: Path) -> str:
        together.wait()
        with mock_process(folder, *arguments) as server, rest(server.url) as talker:
            together.wait()
            assert talker.ask(upload(png())).item
            headers = {"Authorization": f"Bearer {API_KEY}"}
            together.wait()
            return plain.get(f"{server.url}/_mock/media", headers=headers).text

    with ThreadPoolExecutor(len(folders)) as pool:
        seen = [json.loads(one) for one in pool.map(start, folders)]
    assert [one["total"] for one in seen] == [len(folders) + 1] * len(folders)
    assert len({medium["uuid"] for one in seen for medium in one["media"]}) == len(folders) + 1


def test_a_restart_of_the_database_fails_what_runs_and_nothing_after_it(
    tmp_path: Path, own_server: PostgresServer
) -> None:
    own_server.execute("CREATE DATABASE mock")
    with (
        mock_process(tmp_path, "--database-url", own_server.url("mock")) as server,
        rest(server.url) as rest_talker,
        ws(server.url) as ws_talker,
    ):
        before = rest_talker.ask(upload(png())).item
        own_server.stop("fast")
        for talker in (rest_talker, ws_talker):
            answer = talker.ask(upload(png()))
            assert answer.codes == ["mockInternalError"]
            assert answer.status in (500, None)
        with ws(server.url, api_key="") as stranger:
            refused = stranger.ask({"taskType": "authentication", "apiKey": "new"}).error
            # One SDK waits for ever for an answer to its authentication; and no key is missing.
            assert (refused["code"], refused["taskType"]) == ("mockInternalError", "authentication")
            assert stranger.ask(upload(png())).codes == ["mockInternalError"]
        assert plain.get(f"{server.url}/health").status_code == 200
        ready = plain.get(f"{server.url}/ready")
        assert ready.status_code == 503
        # Before it, deliveries may be named, too: they may have failed again and again by now.
        assert any(one.startswith("database: ") for one in ready.json()["missing"])
        own_server.start()
        # The connections of before are dead; nobody gets one of them.
        for talker in (rest_talker, ws_talker):
            assert talker.ask(upload(png())).item
        # A job that failed meanwhile is well once it has run again.
        assert run_command("ready", "--url", server.url, "--wait=20s").returncode == 0
        assert fetched(server.url, before["imageURL"]).status_code == 200


def test_connections_that_died_while_nobody_asked_are_not_noticed_by_clients(
    tmp_path: Path, own_server: PostgresServer
) -> None:
    own_server.execute("CREATE DATABASE mock")
    with mock_process(tmp_path, "--database-url", own_server.url("mock")) as server, rest(server.url) as talker:
        for _ in range(3):
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda _: ask_once(server), range(16)))
            own_server.stop("immediate")
            own_server.start()
            assert talker.ask(upload(png())).item


def ask_once(server: MockProcess) -> None:
    with rest(server.url) as talker:
        assert talker.ask(upload(png(64, 64))).item
