"""Fixtures: one server for all tests, a fresh account for each, either transport, and either database."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from tests import postgres, tiers
from tests.fuzz import effort
from tests.running import RunningMock, running_mock
from tests.stores import DATABASES, Store, store_of
from tests.talking import Talker, talking

TRANSPORTS = ("rest", "ws")

effort.register()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option by which tests that are not marked run on the other database, too."""
    parser.addoption("--database", choices=DATABASES, default=DATABASES[0], help="of tests that do not choose one")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and prepare for a PostgreSQL server that all processes of this run share."""
    config.addinivalue_line("markers", "both_databases: run it on SQLite and on PostgreSQL")
    config.addinivalue_line("markers", "both_transports: run it over REST and over a WebSocket")
    config.addinivalue_line("markers", f"{tiers.FULL}: only `make test-all` runs it; see tests/tiers.py")
    if postgres.SHARED not in os.environ:
        cleanup = ExitStack()
        cleanup.enter_context(postgres.sharing())
        config.add_cleanup(cleanup.close)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each database or transport, if it is marked so."""
    if metafunc.definition.get_closest_marker("both_databases") and "database" in metafunc.fixturenames:
        metafunc.parametrize("database", DATABASES, indirect=True, scope="session")
    if metafunc.definition.get_closest_marker("both_transports") and "transport" in metafunc.fixturenames:
        metafunc.parametrize("transport", TRANSPORTS, indirect=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what only `make test-all` runs."""
    for item in items:
        tiers.mark(item)


@pytest.fixture(scope="session")
def database(request: pytest.FixtureRequest) -> str:
    """Tell which kind of database the test runs on."""
    kind: str = getattr(request, "param", request.config.getoption("--database"))
    if kind == "postgres" and (reason := postgres.missing()):
        pytest.skip(reason)
    return kind


@pytest.fixture
def store(database: str, tmp_path: Path) -> Iterator[Store]:
    """Make a database of the test's own."""
    with store_of(database, tmp_path) as made:
        yield made


@pytest.fixture(scope="session")
def mocks() -> Iterator[Callable[[str], RunningMock]]:
    """Run one server for each kind of database, with default settings and a clock that stands still."""
    with ExitStack() as cleanup:

        @cache
        def mock_on(kind: str) -> RunningMock:
            if kind == "sqlite":
                return cleanup.enter_context(running_mock())
            url = cleanup.enter_context(postgres.postgres_database())
            return cleanup.enter_context(running_mock(database_url=url))

        yield mock_on


@pytest.fixture(scope="session")
def mock(mocks: Callable[[str], RunningMock], database: str) -> RunningMock:
    """Return the session's server on the database of the test."""
    return mocks(database)


@pytest.fixture
def api_key() -> str:
    """Return a key of its own for each test, so that tests share a server and see nothing of one another."""
    return f"test-key-{secrets.token_hex(16)}"


@pytest.fixture
def transport(request: pytest.FixtureRequest) -> str:
    """Tell over which transport the test speaks: REST, unless it is marked `both_transports`."""
    return str(getattr(request, "param", TRANSPORTS[0]))


@pytest.fixture
def talker(mock: RunningMock, transport: str, api_key: str) -> Iterator[Talker]:
    """Open a client of a fresh account on the session's server."""
    with talking(mock, transport, api_key) as opened:
        yield opened
