"""The digest of what was sent before is found again, and is always the right one."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from runware_mock.storage.digests import Digests

LONG = bytes(range(256)) * 256


@given(st.lists(st.tuples(st.integers(1, 2), st.binary(max_size=4), st.sampled_from([65_535, 65_536, 65_537]))))
def test_whoever_sends_what_again_the_digest_is_that_of_the_bytes(sent: list[tuple[int, bytes, int]]) -> None:
    digests = Digests()
    for account_id, end, length in sent:
        data = (LONG * 2)[: length - len(end)] + end
        assert digests.sha256(account_id, data) == hashlib.sha256(data).digest()


def test_the_newest_ten_thousand_are_remembered() -> None:
    digests = Digests()
    for number in range(10_001):
        data = LONG + number.to_bytes(4)
        assert digests.sha256(1, data) == hashlib.sha256(data).digest()
    assert len(digests._known) == 10_000
