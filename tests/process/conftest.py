"""Fixtures: a server in a process of its own, and a source of pictures that waits."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.slow_source import SlowSource, slow_source_running
from tests.running import MockProcess, mock_process
from tests.stores import Store


@pytest.fixture
def server(tmp_path: Path, store: Store) -> Iterator[MockProcess]:
    """Run a server on the test's database, which is a file in its folder unless the test is for both databases."""
    with mock_process(tmp_path, *store.arguments) as running:
        yield running


@pytest.fixture
def slow_source() -> Iterator[SlowSource]:
    """Run a web server that answers when it is told to."""
    with slow_source_running() as source:
        yield source
