"""Whatever bytes are sent as a message, they are tasks or refused, and what is said of them can be written as JSON."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.protocol.messages import Reply, head_of, kind_of, parse_tasks, rest_body, ws_frame
from runware_mock.protocol.redaction import without_key
from runware_mock.storage.journal import abbreviated
from runware_mock.tasks.work import load_of_drawing, load_of_upload
from tests.fuzz.effort import effort
from tests.talking import upload

EXAMPLES = 200
KEY = "a-key-of-a-test-0123456789abcdef"

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([KEY, "imageUpload"])
names = st.sampled_from(["taskType", "taskUUID", "image", "inputs", "media", "apiKey"]) | st.text(max_size=20)
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(names, inner), max_leaves=20)
messages = values.map(lambda value: json.dumps(value).encode())
WHOLE = json.dumps([upload(b"no picture"), {"taskType": "ping", "ping": True}]).encode()


def taken_or_refused(raw: bytes | str) -> None:
    """Check that a message is refused by one of two codes, or that whatever stands in it can be told of."""
    try:
        tasks = parse_tasks(raw, 1000)
    except Refusal as refusal:
        reply, is_known = Reply.refused(refusal), refusal.code in ("invalidJson", "invalidRequest")
    else:
        is_known = True
        assert tasks
        reply = Reply(items=tuple({"said": [kind_of(task), head_of(task), abbreviated(task)]} for task in tasks))
        for task in tasks:
            without_key(task, KEY)
            assert rest_body([Reply.refused(refuse("invalidTaskType"), task)])[0] == 400
            if isinstance(task, Mapping):
                assert load_of_upload(task)
                assert load_of_drawing(task)
    assert is_known
    assert json.loads(rest_body([reply])[1])
    assert json.loads(ws_frame(reply))


@effort(EXAMPLES)
@given(st.binary(max_size=200))
def test_any_bytes_are_tasks_or_refused(raw: bytes) -> None:
    taken_or_refused(raw)


@effort(EXAMPLES)
@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_any_text_of_a_frame_is_tasks_or_refused(text: str) -> None:
    taken_or_refused(text)


@effort(EXAMPLES)
@given(messages, st.booleans())
def test_any_json_is_tasks_or_refused(message: bytes, is_in_a_list: bool) -> None:  # noqa: FBT001 - drawn
    taken_or_refused(b"[" + message + b"]" if is_in_a_list else message)


@effort(EXAMPLES)
@given(st.one_of(st.just(WHOLE), messages), st.integers(0, 1000), st.binary(max_size=8), st.integers(0, 50))
def test_a_damaged_message_is_tasks_or_refused(message: bytes, place: int, new: bytes, cut: int) -> None:
    place %= len(message) + 1
    taken_or_refused(message[:place] + new + message[place + cut :])


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"image":', "}]")])
@pytest.mark.parametrize("depth", [10, 100, 400, 500, 900, 1000, 1100, 100_000])
def test_any_depth_is_tasks_or_refused(opening: str, closing: str, depth: int) -> None:
    for whole in (opening * depth + "1" + closing * depth, "[" + opening * depth + "1" + closing * depth + "]"):
        taken_or_refused(whole)
        taken_or_refused(whole[:-depth])
