"""A server for each of the two ways in which a picture is downsized; a module whose tests hold for both imports it."""

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from tests.running import RunningMock, running_mock


@pytest.fixture(scope="session", params=["auto", "off"], ids=["libvips", "Pillow"])
def mock(request: pytest.FixtureRequest) -> Iterator[RunningMock]:
    """Run one with default settings, and one without libvips."""
    if request.param == "auto" and find_spec("pyvips") is None:
        pytest.skip("needs runware-mock[vips]")
    with running_mock(vips=request.param) as running:
        yield running
