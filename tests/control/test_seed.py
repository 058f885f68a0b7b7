"""`--seed N` makes up the same UUIDs in every run, for each API key apart."""

from uuid import UUID

from tests.pictures import png
from tests.running import running_mock
from tests.talking import talking, upload


def uuids(transport: str, seed: int | None, *keys: str) -> list[str]:
    """Return the imageUUIDs of one upload for each key in turn, on a new server."""
    found = []
    with running_mock(seed=seed) as mock:
        for key in keys:
            with talking(mock, transport, key) as talker:
                found.append(talker.ask(upload(png())).item["imageUUID"])
    return found


def test_a_seed_repeats_the_uuids_of_each_key_whatever_the_other_keys_do(transport: str) -> None:
    first = uuids(transport, 7, "a", "a", "b")
    second = uuids(transport, 7, "b", "a", "a")
    assert [first[0], first[1], first[2]] == [second[1], second[2], second[0]]
    assert len(set(first)) == 3
    assert all(UUID(uuid).version == 4 for uuid in first)


def test_another_seed_gives_other_uuids_and_none_gives_new_ones(transport: str) -> None:
    assert uuids(transport, 7, "a") != uuids(transport, 8, "a")
    assert uuids(transport, None, "a") != uuids(transport, None, "a")
