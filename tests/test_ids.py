"""UUIDs of media are random, of version 4."""

from collections.abc import Iterator
from uuid import RFC_4122, UUID

import pytest
from sqlalchemy import Connection, create_engine

from runware_mock.storage.accounts import new_uuid


@pytest.fixture
def connection() -> Iterator[Connection]:
    """Connect to a database without tables, as a random UUID needs none."""
    with create_engine("sqlite://").connect() as connection:
        yield connection


def test_a_random_uuid_is_one_of_version_4_all_of_whose_other_bits_differ(connection: Connection) -> None:
    made = [UUID(new_uuid(connection, 1, seed=None)) for _ in range(200)]
    assert {(one.version, one.variant) for one in made} == {(4, RFC_4122)}
    assert len({one.int for one in made}) == len(made)
    changed = 0
    for one in made:
        changed |= one.int ^ made[0].int
    assert changed.bit_count() == 122
