"""A plain PNG is not opened by Pillow; what is told of it is what Pillow would have told."""

import struct
import zlib
from io import BytesIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from runware_mock.images.png import open_png
from runware_mock.images.png_chunks import plain_size
from tests.images.painting import png_chunk

MOST_PX = 64
SIGNATURE = b"\x89PNG\r\n\x1a\n"
PIXELS = zlib.compress(bytes(1000))
# Whatever else may stand in a PNG, some of it where it does not belong.
OTHERS = {
    b"IHDR": struct.pack(">II5B", 9, 9, 8, 2, 0, 0, 0),
    b"PLTE": bytes(6),
    b"IDAT": PIXELS,
    b"tEXt": b"Comment\0hello",
    b"zTXt": b"Comment\0\0" + zlib.compress(b"hello"),
    b"iTXt": b"transparency\0\0\0\0\0hello",
    b"tRNS": bytes(6),
    b"eXIf": b"II*\0" + bytes(8),
    b"iCCP": b"icc\0\0" + zlib.compress(b"profile"),
    b"gAMA": bytes(4),
    b"pHYs": bytes(9),
    b"acTL": struct.pack(">II", 2, 0),
    b"fdAT": struct.pack(">I", 0) + PIXELS,
    b"prVt": b"private",
    b"IEND": b"",
}


def header(width_px: int, height_px: int, depth: int, colour: int, methods: bytes) -> bytes:
    """Return the first chunk of a PNG."""
    return png_chunk(b"IHDR", struct.pack(">II2B", width_px, height_px, depth, colour) + methods)


@given(
    st.integers(0, MOST_PX + 1),
    st.integers(0, MOST_PX + 1),
    st.sampled_from((1, 2, 4, 8, 16, 32)),
    st.integers(0, 7),
    st.sampled_from((bytes(3), b"\0\0\1", b"\1\0\0", b"\0\1\0", b"\0\0")),
    st.lists(st.sampled_from(sorted(OTHERS)), max_size=3),
    st.lists(st.sampled_from(sorted(OTHERS)), max_size=3),
)
@example(16, 12, 8, 2, bytes(3), [], [])
@example(16, 12, 8, 6, bytes(3), [b"tEXt"], [b"IDAT", b"iTXt"])
def test_what_is_told_of_a_plain_png_is_what_pillow_tells(
    width_px: int, height_px: int, depth: int, colour: int, methods: bytes, before: list[bytes], after: list[bytes]
) -> None:
    kinds = [*before, b"IDAT", *after, b"IEND"]
    chunks = [png_chunk(kind, OTHERS[kind]) for kind in kinds]
    data = b"".join((SIGNATURE, header(width_px, height_px, depth, colour, methods), *chunks))
    told = plain_size(data, MOST_PX)
    if told is not None:
        image = open_png(BytesIO(data))
        assert (image.size, image.n_frames, bool(image.tile)) == (told, 1, True)
        assert image.info.keys() <= {"interlace"}


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize(("size", "expected"), [((64, 1), (64, 1)), ((1, 64), (1, 64)), ((65, 1), None)])
def test_a_png_of_a_usual_form_is_plain_up_to_the_longest_side(
    mode: str, size: tuple[int, int], expected: tuple[int, int] | None
) -> None:
    out = BytesIO()
    Image.new(mode, size).save(out, "png")
    assert plain_size(out.getvalue(), MOST_PX) == expected


@pytest.mark.parametrize("kind", sorted(OTHERS.keys() - {b"IDAT", b"IEND", b"tEXt", b"zTXt", b"iTXt"}))
def test_a_png_that_holds_more_is_left_to_pillow(kind: bytes) -> None:
    plain = (SIGNATURE, header(8, 8, 8, 2, bytes(3)))
    rest = (png_chunk(b"IDAT", PIXELS), png_chunk(b"IEND", b""))
    assert plain_size(b"".join((*plain, *rest)), MOST_PX) == (8, 8)
    assert plain_size(b"".join((*plain, png_chunk(kind, OTHERS[kind]), *rest)), MOST_PX) is None


def test_a_png_without_pixels_is_left_to_pillow() -> None:
    assert plain_size(SIGNATURE + header(8, 8, 8, 2, bytes(3)) + png_chunk(b"IEND", b""), MOST_PX) is None


def test_a_plain_png_is_proved_to_its_end() -> None:
    whole = SIGNATURE + header(8, 8, 8, 2, bytes(3)) + png_chunk(b"IDAT", PIXELS) + png_chunk(b"IEND", b"")
    assert plain_size(whole, MOST_PX) == (8, 8)
    damaged = bytearray(whole)
    damaged[50] ^= 1
    for broken in (bytes(damaged), *(whole[:-cut_bytes] for cut_bytes in range(1, len(whole) - 33))):
        assert plain_size(broken, MOST_PX) is None
        with pytest.raises((EOFError, SyntaxError), match=r"truncated|checksum"):
            open_png(BytesIO(broken))


@pytest.mark.parametrize(("chunks", "expected"), [(99_999, (8, 8)), (100_000, (8, 8)), (100_001, None)])
def test_a_png_of_more_than_100000_chunks_is_left_to_who_refuses_it(
    chunks: int, expected: tuple[int, int] | None
) -> None:
    rest = (png_chunk(b"IDAT", PIXELS), png_chunk(b"IEND", b""))
    data = b"".join((SIGNATURE, header(8, 8, 8, 2, bytes(3)), png_chunk(b"tEXt", b"a\0") * (chunks - 3), *rest))
    assert plain_size(data, MOST_PX) == expected
