"""The digest of what was sent before is found again, and is always the right one."""

import hashlib
from base64 import b64encode

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from runware_mock.protocol.embedded import Embedded
from runware_mock.protocol.messages import parse_tasks
from runware_mock.protocol.texts import Texts
from runware_mock.storage.digests import Digests

LONG = bytes(range(256)) * 256


def embedded(data: bytes, texts: Texts, header: str = "") -> Embedded:
    """Return what a message of that file holds."""
    raw = msgspec.json.encode([{"image": header + b64encode(data).decode()}])
    (task,) = parse_tasks(raw, texts).tasks
    assert isinstance(task, dict)
    assert isinstance(task["image"], Embedded)
    return task["image"]


@given(st.lists(st.tuples(st.integers(1, 2), st.binary(max_size=4), st.sampled_from([65_535, 65_536, 65_537]))))
def test_whoever_sends_what_again_the_digest_is_that_of_the_bytes(sent: list[tuple[int, bytes, int]]) -> None:
    texts = Texts()
    digests = Digests(texts)
    for account_id, end, length in sent:
        data = (LONG * 2)[: length - len(end)] + end
        digest = hashlib.sha256(data).digest()
        assert digests.sha256(account_id, data) == digest
        for header in ("", "data:image/png;base64,"):
            assert digests.sha256(account_id, embedded(data, texts, header)) == digest
        # What is the text of one file may be the bytes of another.
        text = b64encode(data)
        assert digests.sha256(account_id, text) == hashlib.sha256(text).digest()


def test_a_file_that_has_come_before_is_not_decoded_to_be_known() -> None:
    texts = Texts()
    digests = Digests(texts)
    first, again = embedded(LONG, texts), embedded(LONG, texts)
    assert digests.sha256(1, first) == digests.sha256(1, again) == hashlib.sha256(LONG).digest()
    assert again._text is not None
    # Another account has not sent it, whatever this one did.
    assert digests.sha256(2, again) == hashlib.sha256(LONG).digest()
    assert again._text is None
    assert again.data == LONG


def test_the_newest_ten_thousand_are_remembered() -> None:
    texts = Texts()
    digests = Digests(texts)
    for number in range(10_001):
        data = LONG + number.to_bytes(4)
        assert digests.sha256(1, data) == hashlib.sha256(data).digest()
    assert len(digests._known) == 10_000


def test_of_short_files_some_thousands_are_remembered_to_have_come_before() -> None:
    digests = Digests(Texts())
    came = [number.to_bytes(32) for number in range(10_000)]
    assert not any(map(digests.came_before, came))
    assert all(map(digests.came_before, came))
    # One more, and all are forgotten but that.
    assert not digests.came_before(b"one more")
    assert digests.came_before(b"one more")
    assert not digests.came_before(came[0])


def test_the_newest_ten_thousand_texts_are_known() -> None:
    texts = Texts()
    for number in range(10_001):
        fingerprint = number.to_bytes(16)
        for _ in range(2):
            texts.add(100_000 + min(number, 1), fingerprint)
    assert not texts.may_know(100_000)
    assert not texts.is_proven(100_000, (0).to_bytes(16))
    assert texts.may_know(100_001)
    assert texts.is_proven(100_001, (1).to_bytes(16))
    assert not texts.is_proven(100_001, (0).to_bytes(16))
    assert texts._lengths.total() == len(texts._proven) == 10_000
