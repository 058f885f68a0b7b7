"""Whatever is sent: it is read, or refused with a reason, and never anything else. More of it is in tests/fuzz."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runware_mock.images.codec import MAX_SIDE_PX, Codec
from runware_mock.images.formats import PictureRefused
from runware_mock.images.limits import Budget
from runware_mock.images.resize import scaled_size
from tests.images.samples import LARGE_FILES, SMALL_FILES

CODEC = Codec(("jpeg", "png", "webp", "bmp", "gif"), Budget(256 * 2**20, 2))
HEADS = [b"", *(whole[:length] for whole in SMALL_FILES.values() for length in (4, 12, 40))]
EDGE = settings(max_examples=200, deadline=None)


@EDGE
@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_large_picture_ends_at_2048_px_and_keeps_its_ratio(width_px: int, height_px: int) -> None:
    width, height = scaled_size((width_px, height_px), 2048)
    longest = max(width_px, height_px)
    assert max(width, height) == MAX_SIDE_PX == 2048
    assert min(width, height) >= 1
    for side, original in ((width, width_px), (height, height_px)):
        exact = original * MAX_SIDE_PX / longest
        assert side == 1 > exact or -0.5 < side - exact <= 0.5


@EDGE
@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_turned_picture_has_the_turned_size(width_px: int, height_px: int) -> None:
    assert scaled_size((width_px, height_px), 2048) == scaled_size((height_px, width_px), 2048)[::-1]


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
def test_the_undamaged_samples_are_all_read(files: dict[str, bytes], kind: str) -> None:
    assert CODEC.stored_form(files[kind]).frames == (3 if kind.startswith("animated") else 1)
