"""Whatever the bytes are, they become a picture that can be used, or are refused: in time, and within the budget."""

import resource
import struct
import sys
import warnings
from contextlib import suppress
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from runware_mock.images import resize
from runware_mock.images.codec import MAX_SIDE_PX, Codec, opened, thumbnail
from runware_mock.images.formats import FORMATS, Picture, PictureRefused, detect_format
from runware_mock.images.limits import Budget
from runware_mock.settings import PICTURES
from tests.fuzz.damage import damaged
from tests.fuzz.effort import effort
from tests.images.samples import LARGE_FILES, SMALL_FILES

EXAMPLES = 40
BUDGET_BYTES = 64 * 2**20
# The second holds no picture at all: what is large is streamed, or refused.
CODECS = {"decoded": Codec(PICTURES, Budget(BUDGET_BYTES, 1)), "streamed": Codec(PICTURES, Budget(2**10, 1))}
ALL_FILES = [*SMALL_FILES.values(), *LARGE_FILES.values()]
WITHIN_S = 10.0
# What is streamed may take half of it whatever the budget is.
WITHIN_BYTES = 2**30


def peak_memory_bytes() -> int:
    """Return the most memory this process has ever taken."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def use_or_refuse(codec: Codec, data: bytes) -> None:
    """Check that bytes become a picture which can be read again, opened and shown, or are refused and nothing else."""
    with suppress(PictureRefused):
        picture = codec.stored_form(data)
        assert 1 <= min(picture.width_px, picture.height_px) <= max(picture.width_px, picture.height_px) <= MAX_SIDE_PX
        assert picture.frames >= 1
        thumbnail(picture)
        reread(picture)
        assert sorted(opened(picture).size) == sorted((picture.width_px, picture.height_px))


def reread(picture: Picture) -> None:
    """Check that what is stored would be stored as it is."""
    try:
        again = CODECS["decoded"].stored_form(picture.data)
    except PictureRefused as refused:
        pytest.fail(f"what is stored is refused: {refused}")
    # But for what was sent: the stored form itself, this time.
    assert replace(again, sent=None) == replace(picture, sent=None)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("kind", SMALL_FILES)
def test_a_damaged_file_is_used_or_refused_in_time(kind: str, codec: str) -> None:
    wholes = st.sampled_from([SMALL_FILES[kind], LARGE_FILES[kind]])
    before_bytes = peak_memory_bytes()

    @effort(EXAMPLES)
    @given(wholes.flatmap(lambda whole: damaged(whole, ALL_FILES)), st.sampled_from(["error", "ignore"]))
    def used_or_refused(data: bytes, of_warnings: str) -> None:
        began_s = process_time()
        with warnings.catch_warnings():
            # Some users make errors of them; most never see one.
            warnings.simplefilter(of_warnings)  # type: ignore[arg-type] # one of the two
            use_or_refuse(CODECS[codec], data)
        assert process_time() - began_s < WITHIN_S
        assert peak_memory_bytes() - before_bytes < WITHIN_BYTES

    used_or_refused()


@effort(10 * EXAMPLES)
@given(st.binary(max_size=200) | st.sampled_from(ALL_FILES).flatmap(lambda whole: damaged(whole, ALL_FILES)))
def test_whatever_is_read_of_headers_is_read_or_left(data: bytes) -> None:
    name = detect_format(data)
    assert name is None or name in FORMATS or name.strip()
    for start in (0, 4, len(data) // 2):
        assert 0 <= resize.orientation(data[start:]) <= 0xFFFF


@effort(10 * EXAMPLES)
@given(
    st.sampled_from([(b"II*\0", "<"), (b"MM\0*", ">")]),
    st.lists(st.binary(min_size=12, max_size=12), max_size=5),
    st.sampled_from([8, 0, 0xFFFFFFFF]) | st.integers(0, 2**32 - 1),
    st.integers(0, 0xFFFF),
)
def test_any_metadata_is_read_or_left(kind: tuple[bytes, str], entries: list[bytes], start: int, count: int) -> None:
    mark, order = kind
    assert 0 <= resize.orientation(mark + struct.pack(order + "IH", start, count) + b"".join(entries)) <= 0xFFFF
