"""Whatever the text of an image field is, it has one of the documented forms, or is refused."""

import base64
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from runware_mock.images.formats import PictureRefused
from runware_mock.images.source import read_source
from tests.fuzz.effort import effort

EXAMPLES = 200
GAPS = " \t\r\n\f\v\u00a0\u2003\u2028"

# Half a surrogate may stand in a text that a plugin or a fixture hands in.
any_text = st.text(st.characters(exclude_categories=()))
media_types = st.text(st.characters(codec="ascii", exclude_characters=","), max_size=40)


@st.composite
def written(draw: st.DrawFn, data: bytes) -> str:
    """Draw a way to write base64: either alphabet or both, with or without padding, with gaps."""
    text = base64.b64encode(data).decode()
    if not draw(st.booleans()):
        text = text.rstrip("=")
    for standard, other in (("+", "-"), ("/", "_")):
        text = text.replace(standard, other, draw(st.sampled_from([0, 1, -1])))
    for place, gap in draw(st.lists(st.tuples(st.integers(0, len(text)), st.sampled_from(GAPS)), max_size=5)):
        text = text[:place] + gap + text[place:]
    return text


@effort(EXAMPLES)
@given(st.binary(min_size=1, max_size=300), st.data())
def test_bytes_come_back_from_base64_however_it_is_written(data: bytes, drawn: st.DataObject) -> None:
    assert read_source(drawn.draw(written(data))) == data


@effort(EXAMPLES)
@given(
    st.binary(min_size=1, max_size=300),
    st.sampled_from(["data:", "DATA:", " \nData:"]),
    media_types,
    st.sampled_from([";base64,", ";BASE64,", ";base64 ,"]),
    st.data(),
)
def test_bytes_come_back_from_a_data_uri_of_any_type(
    data: bytes, scheme: str, media_type: str, mark: str, drawn: st.DataObject
) -> None:
    assert read_source(scheme + media_type + mark + drawn.draw(written(data))) == data


@effort(EXAMPLES)
@given(any_text, st.sampled_from(["http://", "https://", "HTTPS://", " http://"]))
def test_whatever_begins_like_a_url_is_one(text: str, scheme: str) -> None:
    assert read_source(scheme + text) == (scheme + text).strip()


@effort(5 * EXAMPLES)
@given(st.sampled_from(["", "data:", "data:image/png;base64,", "ftp://", "/9j/"]), any_text, st.binary(max_size=100))
def test_any_text_is_bytes_or_a_url_or_refused(head: str, text: str, data: bytes) -> None:
    with suppress(PictureRefused):
        assert read_source(head + base64.b64encode(data).decode() + text)
