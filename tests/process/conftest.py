"""Fixtures: a server in a process of its own, and a source of pictures that waits."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.slow_source import SlowSource, slow_source_running
from tests.running import MockProcess, mock_process


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MockProcess]:
    """Run a server with its data in the test's folder."""
    with mock_process(tmp_path) as running:
        yield running


@pytest.fixture
def slow_source() -> Iterator[SlowSource]:
    """Run a web server that answers when it is told to."""
    with slow_source_running() as source:
        yield source
