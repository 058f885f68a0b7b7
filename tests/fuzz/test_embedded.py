"""Files are taken out of a message exactly where the parser would have found their text, and nothing else changes."""

import base64
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runware_mock.protocol.embedded import Embedded, taken_out
from runware_mock.protocol.messages import head_of, kind_of, parse_tasks
from runware_mock.protocol.texts import Texts
from tests.fuzz.effort import effort

EXAMPLES = 500
LONG_CHARS = 8

files = st.binary(min_size=6, max_size=600).map(lambda data: base64.b64encode(data).decode())
headers = st.sampled_from(
    ("", "data:image/png;base64,", "DATA:;base64,", "data:a,b;base64,", "data:image/\u00e9;base64,", "data:,", " ", "x")
)
odd = st.sampled_from(("", "=", "A", "\n", '"', "\\", "\\\\", '\\"', "\u2028", "-_", "\x00"))
texts = st.one_of(st.text(max_size=40), st.builds(lambda *parts: "".join(parts), headers, odd, files, odd))
values = st.recursive(
    texts | st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
messages = st.builds(lambda value, ascii_only: json.dumps(value, ensure_ascii=ascii_only), values, st.booleans())


def with_texts(value: object) -> object:
    """Return a value with each file as the text that it was."""
    if isinstance(value, dict):
        return {name: with_texts(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [with_texts(inner) for inner in value]
    return str(value) if isinstance(value, Embedded) else value


def check(raw: bytes, known: Texts) -> None:
    """Compare what a message is without its files put back with what the parser makes of it."""
    for _ in range(2):
        # The second time each file of it has come before.
        found = taken_out(raw, msgspec.json.decode, known, LONG_CHARS)
        if found is not None:
            assert with_texts(found[0]) == msgspec.json.decode(raw)
            assert len(found[1]) < len(raw) + 300 * raw.count(b'"')


@effort(EXAMPLES)
@given(messages)
def test_every_text_is_the_one_that_was_sent(message: str) -> None:
    check(message.encode(), Texts())


@effort(EXAMPLES)
@given(messages, st.integers(0, 1000), st.binary(max_size=4), st.integers(0, 20))
def test_a_damaged_message_is_none_or_what_the_parser_says(message: str, place: int, new: bytes, cut: int) -> None:
    raw, known = message.encode(), Texts()
    taken_out(raw, msgspec.json.decode, known, LONG_CHARS)
    place %= len(raw) + 1
    damaged = raw[:place] + new + raw[place + cut :]
    try:
        msgspec.json.decode(damaged)
    except (msgspec.DecodeError, UnicodeError):
        assert taken_out(damaged, msgspec.json.decode, known, LONG_CHARS) is None
    else:
        check(damaged, known)


@pytest.mark.parametrize("chars", [0, 1, 64, 256, 300, 100_000])
@pytest.mark.parametrize("header", ["", "data:image/png;base64,"])
@pytest.mark.parametrize("data_bytes", [49_152, 49_153, 49_154])
def test_a_file_tells_of_its_text_without_making_it(header: str, data_bytes: int, chars: int) -> None:
    text = header + base64.b64encode(bytes(range(256)) * 200)[: 4 * (data_bytes // 3)].decode()
    known = Texts()
    for more in ({}, {"taskUUID": "a" * 900}, {"prompt": "a" * 1100}):
        (task,) = parse_tasks(json.dumps([{"image": text, **more}]), known).tasks
        assert isinstance(task, dict)
        file = task["image"]
        assert isinstance(file, Embedded)
        assert (len(file), file.head(chars), str(file)) == (len(text), text[:chars], text)
        assert (kind_of(file), head_of(file), head_of([file])) == ("a string", head_of(text), head_of([text]))
        assert file.data == base64.b64decode(text.rpartition(",")[2])
        assert (file.head(chars), str(file)) == (text[:chars], text)


@pytest.mark.parametrize(("chars", "is_file"), [(65_532, False), (65_536, True), (65_540, True)])
def test_only_long_texts_are_taken_out(chars: int, *, is_file: bool) -> None:
    (task,) = parse_tasks(json.dumps([{"image": "A" * chars, "more": "é" * 40_000}]), Texts()).tasks
    assert isinstance(task, dict)
    assert isinstance(task["image"], Embedded) == is_file
    assert task["more"] == "é" * 40_000


@pytest.mark.parametrize(
    "message",
    [
        {"twice": ["A" * 100_000] * 1001},
        {"A" * 100_000: 1},
        [{"image": "A" * 99_999}],
        [{"image": "A" * 99_998 + "B="}],
        [{"image": "AA==" * 25_000}],
        [{"image": "AA-_" * 25_000}],
        [{"image": "data:image/png;base64," + "AAA\n" * 25_000}],
    ],
)
def test_what_is_no_plain_base64_is_left_to_the_parser(message: object) -> None:
    assert taken_out(json.dumps(message).encode(), msgspec.json.decode, Texts()) is None


def test_a_message_of_backslashes_alone_is_left_to_the_parser_at_once() -> None:
    raw = b'["' + b"\\" * 10_000_000 + b'"]'
    assert taken_out(raw, msgspec.json.decode, Texts()) is None


def test_two_texts_under_one_name_are_what_the_parser_makes_of_them() -> None:
    raw = b'[{"image":"%b","image":"%b"}]' % (b"A" * 100_000, b"B" * 100_000)
    assert taken_out(raw, msgspec.json.decode, Texts()) is None
