"""A PostgreSQL server of the tests' own: started for the first test that needs it, shared by a whole test run."""

import fcntl
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import psycopg

from runware_mock.storage.migrations import prepare
from runware_mock.storage.postgres import PostgresDatabase

# Where the processes of a test run keep what they share.
SHARED = "RUNWARE_MOCK_TESTS_POSTGRES"
_OWNER = "postgres"
_TEMPLATE = "runware_template"
# Nothing of it outlives the tests.
_OPTIONS = {
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "max_connections": "300",
    "shared_buffers": "32MB",
    "deadlock_timeout": "100ms",
}


@cache
def binaries() -> Path | None:
    """Return the folder of PostgreSQL's programs: of those on the PATH, or of Debian's newest."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name), default=None)


def missing() -> str | None:
    """Return why there can be no server, or None."""
    if binaries() is None:
        return "PostgreSQL is not on this machine"
    return "root needs a user postgres to run PostgreSQL" if os.geteuid() == 0 and _user() is None else None


def _user() -> str | None:
    """Return as whom the server runs, which must not be root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    with suppress(KeyError):
        return pwd.getpwnam(_OWNER).pw_name
    return None


class PostgresServer:
    """A server with its data in `folder`, reached by a socket there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self) -> None:
        """Make an empty cluster."""
        self.folder.mkdir()
        if os.geteuid() == 0:
            shutil.chown(self.folder, str(_user()), str(_user()))
        quietly = ("--no-sync", "--no-instructions", "--auth=trust", "--encoding=UTF8", "--locale=C")
        self._run("initdb", "--username=mock", *quietly)

    def start(self) -> None:
        """Start, and wait until it takes connections."""
        options = {**_OPTIONS, "unix_socket_directories": str(self.folder)}
        given = " ".join(f"-c {name}={value or chr(39) * 2}" for name, value in options.items())
        self._run("pg_ctl", "start", "--wait", "--silent", "--log", str(self.folder / "log"), "-o", given)

    def stop(self, mode: str = "immediate") -> None:
        """Stop, in one of PostgreSQL's modes, and wait for the end."""
        self._run("pg_ctl", "stop", "--silent", "--mode", mode)

    def url(self, name: str) -> str:
        """Return the address of a database."""
        return f"postgresql+psycopg://mock:a-secret@/{name}?host={self.folder}"

    def execute(self, statement: str, url: str | None = None) -> None:
        """Run a statement in a database, or about databases."""
        address = (url or self.url("postgres")).replace("+psycopg", "")
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement.encode())

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _run(self, name: str, *arguments: str) -> None:
        folder = binaries()
        assert folder is not None
        user = _user() if os.geteuid() == 0 else None
        command = [str(folder / name), "--pgdata", str(self._data), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, user=user, cwd=self.folder)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder that the user of the server can reach."""
    with tempfile.TemporaryDirectory(prefix="runware-mock-tests-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def sharing() -> Iterator[None]:
    """Let this process and those that it starts share a server, if they need one."""
    with temporary_folder() as folder:
        os.environ[SHARED] = str(folder)
        yield
        if (folder / "is_ready").exists():
            shared_server().stop()


@cache
def shared_server() -> PostgresServer:
    """Return the server of this test run, with a template of which each database is a copy."""
    folder = Path(os.environ[SHARED])
    server = PostgresServer(folder / "server")
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "is_ready").exists():
            server.create()
            server.start()
            server.execute(f"CREATE DATABASE {_TEMPLATE}")
            template = PostgresDatabase(server.url(_TEMPLATE))
            prepare(template)
            template.close()
            (folder / "is_ready").touch()
    return server


@contextmanager
def postgres_database(*, is_empty: bool = False) -> Iterator[str]:
    """Make a database, with our tables unless it is to be empty; return its address."""
    server, name = shared_server(), f"test_{secrets.token_hex(8)}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE {'template0' if is_empty else _TEMPLATE}")
    try:
        yield server.url(name)
    finally:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")
