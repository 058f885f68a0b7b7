"""What a project has in its conftest.py: the application, pointed at the mock, and a picture."""

from collections.abc import Iterator

import pytest

from runware_mock import RunwareMock
from tests.examples.application import Application
from tests.pictures import png


@pytest.fixture
def application(runware_mock: RunwareMock) -> Iterator[Application]:
    """The application, pointed at the mock."""
    application = Application(runware_mock.env())
    yield application
    application.close()


@pytest.fixture
def picture() -> bytes:
    """Any picture."""
    return png()
