"""Fixtures: each place where the bytes of pictures may be, and a server that keeps them there."""

from collections.abc import Iterator

import pytest

from tests.control.conftest import control
from tests.objects.places import OBJECT_PLACES, Place, folder_place, s3_place
from tests.objects.s3_server import MISSING, credentials, s3_server
from tests.running import RunningMock, running_mock

__all__ = ["control"]


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """Run what stands in for S3; return its address."""
    if MISSING:
        pytest.skip(f"what stands in for S3 is not installed: {', '.join(MISSING)}")
    with credentials(), s3_server() as url:
        yield url


def place_of(kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Place:
    if kind == "folder":
        return folder_place(tmp_path_factory.mktemp("place"))
    return s3_place(request.getfixturevalue("s3_url"))


@pytest.fixture(params=OBJECT_PLACES)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Return a place for objects of the test's own."""
    return place_of(request.param, request, tmp_path_factory)


@pytest.fixture(scope="session", params=OBJECT_PLACES)
def mock(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMock]:
    """Run one server for each place, with default settings and a clock that stands still."""
    with running_mock(**place_of(request.param, request, tmp_path_factory).settings) as running:
        yield running
