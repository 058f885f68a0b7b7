"""`--seed N` makes up the same UUIDs in every run, for each API key apart."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from tests.pictures import png
from tests.running import running_mock
from tests.stores import store_of
from tests.talking import talking, upload

Uuids = Callable[..., list[str]]

pytestmark = pytest.mark.both_databases


@pytest.fixture
def uuids(database: str, transport: str, tmp_path: Path) -> Uuids:
    """Return the imageUUIDs of one upload for each key in turn, on a new server."""
    folders = iter(range(100))

    def uuids_of(seed: int | None, *keys: str) -> list[str]:
        found = []
        with (
            store_of(database, tmp_path / str(next(folders))) as store,
            running_mock(**store.settings, seed=seed) as mock,
        ):
            for key in keys:
                with talking(mock, transport, key) as talker:
                    found.append(talker.ask(upload(png())).item["imageUUID"])
        return found

    return uuids_of


def test_a_seed_repeats_the_uuids_of_each_key_whatever_the_other_keys_do(uuids: Uuids) -> None:
    first = uuids(7, "a", "a", "b")
    second = uuids(7, "b", "a", "a")
    assert [first[0], first[1], first[2]] == [second[1], second[2], second[0]]
    assert len(set(first)) == 3
    assert all(UUID(uuid).version == 4 for uuid in first)


def test_another_seed_gives_other_uuids_and_none_gives_new_ones(uuids: Uuids) -> None:
    assert uuids(7, "a") != uuids(8, "a")
    assert uuids(None, "a") != uuids(None, "a")
