"""Whatever is sent: it is read, or refused with a reason, and never anything else."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runware_mock.images.budget import Budget
from runware_mock.images.codec import MAX_SIDE_PX, Codec, target_size
from runware_mock.images.picture import PictureRefused
from runware_mock.images.source import UrlSource, decode_base64, read_source
from tests.images.samples import LARGE_FILES, SMALL_FILES

CODEC = Codec(("jpeg", "png", "webp", "bmp", "gif"), Budget(256 * 2**20, 2))
HEADS = [b"", *(whole[:length] for whole in SMALL_FILES.values() for length in (4, 12, 40))]
EDGE = settings(max_examples=200, deadline=None)
BRIEF = settings(max_examples=60, deadline=None)


@EDGE
@given(
    data=st.binary(min_size=1, max_size=200),
    gaps=st.lists(st.tuples(st.integers(0, 300), st.sampled_from(" \n\r\t\f\v"))),
    kept_padding=st.integers(0, 2),
    is_url_safe=st.booleans(),
)
def test_base64_is_read_back_however_sloppily_it_is_written(
    *, data: bytes, gaps: list[tuple[int, str]], kept_padding: int, is_url_safe: bool
) -> None:
    text = (base64.urlsafe_b64encode if is_url_safe else base64.b64encode)(data).decode()
    bare = text.rstrip("=")
    text = bare + text[len(bare) :][:kept_padding]
    for place, gap in gaps:
        text = text[:place] + gap + text[place:]
    assert decode_base64(text) == data


@EDGE
@given(st.one_of(st.text(), st.text().map("data:image/png;base64,".__add__), st.text().map("data:".__add__)))
def test_any_text_has_one_of_the_forms_or_is_refused(text: str) -> None:
    reason = ""
    try:
        source = read_source(text)
    except PictureRefused as refused:
        reason = str(refused)
    assert reason or isinstance(source, bytes | UrlSource)


@EDGE
@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_large_picture_ends_at_2048_px_and_keeps_its_ratio(width_px: int, height_px: int) -> None:
    width, height = target_size(width_px, height_px)
    longest = max(width_px, height_px)
    assert max(width, height) == MAX_SIDE_PX == 2048
    assert min(width, height) >= 1
    for side, original in ((width, width_px), (height, height_px)):
        exact = original * MAX_SIDE_PX / longest
        assert side == 1 > exact or -0.5 < side - exact <= 0.5


@EDGE
@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_turned_picture_has_the_turned_size(width_px: int, height_px: int) -> None:
    assert target_size(width_px, height_px) == target_size(height_px, width_px)[::-1]


def read_or_refuse(data: bytes) -> None:
    """Check that bytes become a picture that can be read again, or are refused with a reason."""
    picture, reason = None, ""
    try:
        picture = CODEC.stored_form(data)
    except PictureRefused as refused:
        reason = str(refused)
    if picture is None:
        assert reason
        return
    assert 1 <= max(picture.width_px, picture.height_px) <= MAX_SIDE_PX
    again = CODEC.stored_form(picture.data)
    assert again == picture


@EDGE
@given(st.sampled_from(HEADS), st.binary(max_size=300))
def test_any_bytes_are_a_picture_or_are_refused(head: bytes, rest: bytes) -> None:
    read_or_refuse(head + rest)


@pytest.mark.parametrize("files", [SMALL_FILES, LARGE_FILES], ids=["small", "large"])
@pytest.mark.parametrize("kind", SMALL_FILES)
@BRIEF
@given(data=st.data())
def test_a_damaged_picture_is_read_or_refused(files: dict[str, bytes], kind: str, data: st.DataObject) -> None:
    damaged = bytearray(files[kind])
    # Headers are where damage tells.
    places = st.one_of(st.integers(0, min(120, len(damaged) - 1)), st.integers(0, len(damaged) - 1))
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=4)):
        damaged[place] = value
    if data.draw(st.booleans()):
        start = data.draw(places)
        del damaged[start : start + data.draw(st.integers(1, 200))]
    read_or_refuse(bytes(damaged))


@pytest.mark.parametrize("files", [SMALL_FILES, LARGE_FILES], ids=["small", "large"])
@pytest.mark.parametrize("kind", SMALL_FILES)
def test_the_undamaged_samples_are_all_read(files: dict[str, bytes], kind: str) -> None:
    assert CODEC.stored_form(files[kind]).frames == (3 if kind.startswith("animated") else 1)
