"""Any order of uploads, uses, deletions, clock moves, purges, resets and snapshots leaves what a simple model says."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.fuzz.effort import effort
from tests.fuzz.rules import Rules
from tests.objects.places import folder_place
from tests.running import RunningMock, running_mock
from tests.stores import Store

# Each example is many calls to a real server.
pytestmark = pytest.mark.timeout(300)
EXAMPLES = 8
STEPS = 25
# What is stored is purged only when a rule says so.
QUIET = {"purge_every": "365d", "fetch": "off"}


def do_anything(mock: RunningMock) -> None:
    """Do to a server whatever the rules draw."""
    machine: Any = partial(Rules, mock)
    run_state_machine_as_test(machine, settings=settings(effort(EXAMPLES), stateful_step_count=STEPS))


@pytest.mark.both_databases
def test_whatever_is_done_leaves_what_the_model_says(store: Store) -> None:
    with running_mock(**QUIET, **store.settings) as mock:
        do_anything(mock)


def test_whatever_is_done_leaves_the_objects_that_the_model_says(store: Store, tmp_path: Path) -> None:
    place = folder_place(tmp_path)
    with running_mock(**QUIET, **store.settings, **place.settings) as mock:
        do_anything(mock)
    assert place.names() == set()
