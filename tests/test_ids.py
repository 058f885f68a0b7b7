"""UUIDs that nobody can foresee, and that lie in the order of their making."""

from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from runware_mock.ids import random_uuid
from runware_mock.storage.uuids import key_of

# Until the year 2109.
INSTANTS = st.integers(0, 2**42 - 1)


@given(INSTANTS)
def test_a_random_uuid_is_one_of_version_4(made_at: int) -> None:
    made = UUID(random_uuid(made_at))
    assert (made.version, made.variant) == (4, RFC_4122)


@given(INSTANTS, INSTANTS)
def test_what_was_made_later_lies_behind(one_at: int, other_at: int) -> None:
    one, other = sorted((one_at, other_at))
    assert one == other or key_of(random_uuid(one)) < key_of(random_uuid(other))


@given(INSTANTS)
def test_of_the_same_instant_both_ends_are_random(made_at: int) -> None:
    made = [random_uuid(made_at) for _ in range(50)]
    assert len({uuid[:8] for uuid in made}) == len({uuid[-12:] for uuid in made}) == len(made)
    assert {uuid[9:23] for uuid in made} == {made[0][9:23]}
