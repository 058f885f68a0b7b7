"""Fixtures: one server for all tests, a fresh account for each, and either transport."""

import secrets
from collections.abc import Iterator

import pytest

from tests.fuzz import effort
from tests.running import RunningMock, running_mock
from tests.talking import Talker, talking

effort.register()


@pytest.fixture(scope="session")
def mock() -> Iterator[RunningMock]:
    """Run one server for the session, with default settings and a clock that stands still."""
    with running_mock() as running:
        yield running


@pytest.fixture
def api_key() -> str:
    """Return a key of its own for each test, so that tests share a server and see nothing of one another."""
    return f"test-key-{secrets.token_hex(16)}"


@pytest.fixture(params=["rest", "ws"])
def transport(request: pytest.FixtureRequest) -> str:
    """Run the test once for each transport."""
    return str(request.param)


@pytest.fixture
def talker(mock: RunningMock, transport: str, api_key: str) -> Iterator[Talker]:
    """Open a client of a fresh account on the session's server."""
    with talking(mock, transport, api_key) as opened:
        yield opened
