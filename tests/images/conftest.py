"""Fixtures of the picture tests."""

from collections.abc import Iterator

import pytest

from tests.images.picture_host import PictureHost, picture_host


@pytest.fixture(scope="session")
def host() -> Iterator[PictureHost]:
    """Run a web server that pictures are fetched from."""
    with picture_host() as running:
        yield running
