"""A long frame is unmasked where it lies: it says what it would have said to the parser."""

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from importlib import import_module
from itertools import accumulate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.utils import apply_mask

from runware_mock.api.gathering import READ_AT_ONCE_BYTES
from runware_mock.api.unmasking import Unmasking, can_unmask
from runware_mock.api.ws_connections import GATHERED_FROM_BYTES
from tests import plain
from tests.images.painting import encoded, photo
from tests.protocol.wires import Wire
from tests.running import RunningMock, running_mock
from tests.talking import upload

KEY = "a-key-for-tests-0123456789abcdef"
MASK = b"\x9c\x01\xff\x7e"
CONTINUATION, BINARY = 0x0, 0x2
NO_TASK = {"taskType": "Prüfung", "taskUUID": "5f0b7b6a-5d8c-4c53-8d6e-0c2f9a3b7d11"}


@pytest.fixture(scope="module")
def mock() -> Iterator[RunningMock]:
    """Run a server in a process that has numpy already, as any has after its first photo."""
    import_module("numpy")
    assert can_unmask()
    with running_mock() as running:
        yield running


def picture() -> bytes:
    """Return a picture of 3 MB."""
    return encoded(photo((1000, 1000)), "BMP")


def message(*more: object) -> bytes:
    """Return a message that uploads the picture, in UTF-8."""
    text = json.dumps([upload(b64encode(picture()).decode()), *more], ensure_ascii=False)
    assert len(text) > 3 * READ_AT_ONCE_BYTES
    return text.encode()


def check_stored(text: str, mock: RunningMock) -> None:
    """Compare what is stored with what was sent."""
    (item,) = json.loads(text)["data"]
    assert plain.get(mock.url + item["imageURL"].removeprefix("http://x")).content == picture()


@given(st.binary(max_size=40), st.binary(min_size=4, max_size=4), st.lists(st.integers(0, 20), max_size=10))
@example(b"abcdefgh\xc3", bytes(4), [8])
@example(b"\xc3abcdefgh", bytes(4), [9])
def test_whatever_was_masked_is_what_was_sent_however_it_is_cut(sent: bytes, mask: bytes, pieces: list[int]) -> None:
    place = bytearray(apply_mask(sent, mask))
    unmasking = Unmasking(memoryview(place), mask)
    for received in accumulate(pieces):
        unmasking.go_on(min(received, len(sent)))
    unmasking.go_on(len(sent))
    unmasking.end()
    assert place == sent
    assert unmasking.is_ascii == sent.isascii()


@pytest.mark.parametrize("opcode", [0x1, BINARY])
def test_a_long_masked_message_is_what_was_sent(mock: RunningMock, opcode: int) -> None:
    with closing(Wire(mock)) as client:
        client.upgrade(KEY)
        client.send(Wire.frame(message(), opcode=opcode, mask=MASK))
        check_stored(client.text(), mock)


def test_so_is_one_that_is_no_ascii(mock: RunningMock) -> None:
    with closing(Wire(mock)) as client:
        client.upgrade(KEY)
        client.send(Wire.frame(message(NO_TASK), mask=MASK))
        answers = sorted((client.text(), client.text()), key=lambda text: '"data"' in text)
    assert json.loads(answers[0])["errors"][0]["taskType"] == NO_TASK["taskType"]
    check_stored(answers[1], mock)


def test_so_is_one_in_long_fragments(mock: RunningMock) -> None:
    sent = message()
    cut = 2 * READ_AT_ONCE_BYTES + 3
    with closing(Wire(mock)) as client:
        client.upgrade(KEY)
        client.send(Wire.frame(sent[:cut], is_last=False, mask=MASK))
        client.send(Wire.frame(sent[cut:], opcode=CONTINUATION, mask=MASK))
        check_stored(client.text(), mock)


def test_so_are_short_and_long_ones_with_masks_of_their_own_that_follow_one_another(mock: RunningMock) -> None:
    with closing(Wire(mock)) as client:
        client.upgrade(KEY)
        for mask in (MASK, b"\x00\x00\x00\x01", bytes(4)):
            client.send(Wire.frame(b'[{"taskType":"ping","ping":true}]', mask=MASK[::-1]))
            assert "pong" in client.text()
            client.send(Wire.frame(message(), mask=mask))
            check_stored(client.text(), mock)


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_a_message_is_what_was_sent_just_as_one_becomes_a_long_one(mock: RunningMock, more: int) -> None:
    sent = b'[{"taskType":"ping","ping":true}]'.ljust(GATHERED_FROM_BYTES + more)
    framed = Wire.frame(sent, mask=MASK)
    head_bytes = len(framed) - len(sent)
    with closing(Wire(mock)) as client:
        client.upgrade(KEY)
        client.send(framed[:head_bytes])
        client.send(framed[head_bytes:])
        assert "pong" in client.text()


def test_a_long_text_that_is_no_utf_8_closes_with_1007(mock: RunningMock) -> None:
    with closing(Wire(mock)) as client:
        client.upgrade(KEY)
        client.send(Wire.frame(message()[:-2] + b"\xff]", mask=MASK))
        assert client.close_code() == 1007


def test_a_long_message_inside_another_closes_with_1002(mock: RunningMock) -> None:
    with closing(Wire(mock)) as client:
        client.upgrade(KEY)
        client.send(Wire.frame(b"[", is_last=False, mask=MASK))
        client.send(Wire.frame(message(), mask=MASK))
        assert client.close_code() == 1002
