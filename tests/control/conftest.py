"""Fixtures: control calls for the test's own account."""

from collections.abc import Iterator

import pytest

from tests.control.calling import Calls, calling
from tests.running import RunningMock


@pytest.fixture
def control(mock: RunningMock, api_key: str) -> Iterator[Calls]:
    """Open the control API for the account of the test."""
    with calling(mock, api_key) as calls:
        yield calls
