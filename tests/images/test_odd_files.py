"""Odd files that browsers show are stored with the right colours; those that break a rule about pixels are refused."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
import simplejpeg
from PIL import Image, ImageCms

from runware_mock.images.codec import Codec, opened
from runware_mock.images.formats import PictureRefused
from tests.images.moving_files import lzw
from tests.images.painting import Size, png_chunk, raw_png
from tests.images.test_kinds import PLAIN, SMALL, WIDE, bmp, both_sizes, every_codec, info, png

COLOUR = (200, 100, 50)
PALETTE = png_chunk(b"PLTE", bytes(COLOUR))


def rows(size: Size, pixel: bytes = bytes(COLOUR)) -> bytes:
    """Return the rows of a PNG before they are compressed."""
    return (b"\0" + pixel * size[0]) * size[1]


@every_codec
@both_sizes
@pytest.mark.parametrize("kind", ["two headers", "two palettes", "257 colours", "interrupted"])
def test_a_png_that_repeats_or_interrupts_what_makes_up_its_pixels_is_refused(
    codec: Codec, size: Size, kind: str
) -> None:
    indexed = zlib.compress(rows(size, b"\0"))
    broken = {
        "two headers": lambda: png(size, zlib.compress(rows(size)), raw_png(size, 8, 2, b"")[8:33]),
        "two palettes": lambda: png(size, indexed, PALETTE, PALETTE, form=(8, 3)),
        "257 colours": lambda: png(size, indexed, png_chunk(b"PLTE", bytes(3 * 257)), form=(8, 3)),
        "interrupted": lambda: png(size, indexed[4:], PALETTE, png_chunk(b"IDAT", indexed[:4]), TEXT, form=(8, 3)),
    }
    with pytest.raises(PictureRefused, match=r"cannot be decoded|memory budget"):
        codec.stored_form(broken[kind]())


TEXT = png_chunk(b"tEXt", b"a\0b")


@every_codec
@both_sizes
def test_image_data_behind_other_chunks_is_none_of_the_picture(codec: Codec, size: Size) -> None:
    compressed = zlib.compress(rows(size))
    data = png(size, b"rubbish", png_chunk(b"IDAT", compressed), TEXT)
    assert opened(codec.stored_form(data)).getpixel((3, 3)) == COLOUR


@every_codec
def test_a_png_that_uses_a_larger_window_than_it_states_keeps_its_colours(codec: Codec) -> None:
    """A row of 6,301 bytes is repeated; the header states a window of 512."""
    compressed = b"\x18\x19" + zlib.compress(rows(WIDE))[2:]
    assert int.from_bytes(compressed[:2]) % 31 == 0
    assert opened(codec.stored_form(png(WIDE, compressed))).getpixel((900, 50)) == COLOUR


def jpeg(size: Size, *, colours: str = "RGB", pixel: tuple[int, ...] = COLOUR) -> tuple[bytes, bytes]:
    """Return a JPEG of one colour in two parts: its first segment, and the rest."""
    pixels = np.full((size[1], size[0], len(pixel)), pixel, np.uint8)
    data: bytes = simplejpeg.encode_jpeg(pixels, 95, colours, "444")
    end = 4 + int.from_bytes(data[4:6])
    return data[:end], data[end:]


def segment(kind: int, content: bytes) -> bytes:
    """Return a segment of a JPEG."""
    return bytes((0xFF, kind)) + struct.pack(">H", 2 + len(content)) + content


def icc(*chunks: tuple[int, int]) -> bytes:
    """Return chunks of a profile by their numbers and counts."""
    return b"".join(segment(0xE2, b"ICC_PROFILE\0" + bytes(chunk) + bytes(128)) for chunk in chunks)


ODD_SEGMENTS = {
    "a profile with a missing chunk": icc((1, 3), (3, 3)),
    "a profile numbered from 0": icc((0, 2), (1, 2)),
    "a profile of no chunks": icc((1, 0)),
    "a profile twice": icc((1, 2), (2, 2), (1, 2), (2, 2)),
    "a profile without a number": segment(0xE2, b"ICC_PROFILE\0"),
    "JFIF of no content": segment(0xE0, b"JFIF\0"),
    "an unknown transform": segment(0xEE, b"Adobe\0d\0\0\0\0\x09"),
    "a transform of four components": segment(0xEE, b"Adobe\0d\0\0\0\0\x02"),
    "Adobe's name alone": segment(0xEE, b"Adobe\0"),
}


@every_codec
@both_sizes
@pytest.mark.parametrize("kind", ODD_SEGMENTS)
def test_a_jpeg_with_an_odd_segment_is_stored_and_refused_only_if_it_is_cut(
    codec: Codec, size: Size, kind: str
) -> None:
    first, rest = jpeg(size)
    data = first + ODD_SEGMENTS[kind] + rest
    assert opened(codec.stored_form(data)).getpixel((9, 9)) == pytest.approx(COLOUR, abs=3)
    with pytest.raises(PictureRefused, match="cannot be decoded"):
        codec.stored_form(data[: -len(rest) // 9] + b"\xff\xd9")


# The standard codes of a difference of the category of its bits, for lightness and colours: ITU T.81, annex K.3.
CATEGORIES = (("00", "010", "011", "100", "101", "110", "1110"), ("00", "01", "10", "110", "1110", "11110", "111110"))
END_OF_BLOCK = ("1010", "00")


def at_rare_resolution(size: Size, across: int, down: int) -> tuple[bytes, tuple[float, float, float]]:
    """Return a JPEG of one colour that stores `across` times `down` blocks of lightness for one of each other."""
    first, rest = jpeg(size)
    steps = [value[1] for value in rest.split(b"\xff\xdb\0\x43")[1:]]
    head, _, scan = rest.partition(b"\xff\xda")
    found = head.index(b"\xff\xc0")
    head = head[: found + 11] + bytes((across << 4 | down,)) + head[found + 12 :]
    units = -(-size[0] // (8 * across)) * -(-size[1] // (8 * down))
    differences = (40, -20, 30)
    start, others = "", ""
    for value, table, blocks in zip(differences, (0, 1, 1), (across * down, 1, 1), strict=True):
        category = abs(value).bit_length()
        amplitude = value if value > 0 else value + (1 << category) - 1
        same = CATEGORIES[table][0] + END_OF_BLOCK[table]
        start += f"{CATEGORIES[table][category]}{amplitude:0{category}b}{END_OF_BLOCK[table]}" + same * (blocks - 1)
        others += same * blocks
    bits = start + others * (units - 1)
    bits += "1" * (-len(bits) % 8)
    coded = int(bits, 2).to_bytes(len(bits) // 8).replace(b"\xff", b"\xff\0")
    lightness, blue, red = (
        value * step / 8 for value, step in zip(differences, (steps[0], *steps[-1:] * 2), strict=True)
    )
    colour = (1.402 * red, -0.344 * blue - 0.714 * red, 1.772 * blue)
    sent = first + head + b"\xff\xda" + scan[:12] + coded + b"\xff\xd9"
    return sent, tuple(128 + lightness + part for part in colour)  # type: ignore[return-value] # three of them


@every_codec
@both_sizes
@pytest.mark.parametrize("factors", [(4, 2), (3, 1), (3, 2), (1, 4), (4, 1), (1, 2)])
def test_colours_of_a_jpeg_may_be_at_any_resolution(codec: Codec, size: Size, factors: tuple[int, int]) -> None:
    data, colour = at_rare_resolution(size, *factors)
    assert opened(codec.stored_form(data)).getpixel((9, 9)) == pytest.approx(colour, abs=3)
    codec.stored_form(data[:-2])
    with pytest.raises(PictureRefused, match="cannot be decoded"):
        codec.stored_form(data[: -len(data) // 9])


@every_codec
@pytest.mark.parametrize("transform", [None, 0, 1], ids=["no mark of Adobe", "Adobe's", "an unknown transform"])
def test_a_cmyk_jpeg_keeps_its_inks_whoever_wrote_it(codec: Codec, transform: int | None) -> None:
    inks = (250, 40, 90, 200)
    first, rest = jpeg(WIDE, colours="CMYK", pixel=inks)
    assert first[2:4] == b"\xff\xee"
    mark = b"" if transform is None else segment(0xEE, b"Adobe\0d\0\0\0\0" + bytes((transform,)))
    sent = first[:2] + mark + rest
    expected = simplejpeg.decode_jpeg(sent if transform != 1 else sent.replace(mark, mark[:-1] + b"\2"), "CMYK")
    stored = simplejpeg.decode_jpeg(codec.stored_form(sent).data, "CMYK")
    assert stored[50, 900].tolist() == pytest.approx(expected[50, 900].tolist(), abs=3)


@both_sizes
@pytest.mark.parametrize("count", [1, 2])
def test_an_orientation_is_one_number(size: Size, count: int) -> None:
    entry = struct.pack(">IHHHIHH", 8, 1, 0x0112, 3, count, 6, 0)
    first, rest = jpeg(size)
    picture = opened(PLAIN.stored_form(first + segment(0xE1, b"Exif\0\xffMM\0*" + entry + bytes(4)) + rest))
    assert (picture.height > picture.width) == (count == 1)


@both_sizes
@pytest.mark.parametrize("header_bytes", [16, 20, 24, 32, 36, 44, 48, 64])
def test_an_os2_header_may_end_after_any_field(size: Size, header_bytes: int) -> None:
    pixels = (bytes(reversed(COLOUR)) * size[0]).ljust((size[0] * 3 + 3) // 4 * 4, b"\0") * size[1]
    data = bmp(size, info(size, 24).ljust(60, b"\0")[: header_bytes - 4], pixels)
    assert opened(PLAIN.stored_form(data)).getpixel((5, 5)) == COLOUR


@both_sizes
@pytest.mark.parametrize(("header_bytes", "alpha"), [(56, 255), (108, 127), (124, 127)])
def test_the_alpha_mask_of_a_bmp_counts_without_the_other_masks(size: Size, header_bytes: int, alpha: int) -> None:
    """Microsoft's fourth and fifth headers make only the masks of the colours depend on the compression."""
    masks = struct.pack("<4I", 0xF00, 0xF0, 0xF, 0xFF000000)
    pixels = (bytes(reversed(COLOUR)) + b"\x7f") * (size[0] * size[1])
    data = bmp(size, info(size, 32, 0, masks).ljust(header_bytes - 4, b"\0"), pixels)
    assert opened(PLAIN.stored_form(data)).convert("RGBA").getpixel((5, 5)) == pytest.approx((*COLOUR, alpha), abs=2)


@pytest.mark.parametrize("is_top_down", [False, True])
def test_run_lengths_go_from_the_side_that_the_height_names(is_top_down: bool) -> None:  # noqa: FBT001 - a case
    size = (4, -2 if is_top_down else 2)
    data = bmp(size, info(size, 8, 1), b"\4\0\0\0\4\1\0\1", bytes(4) + bytes(reversed(COLOUR)) + bytes(1017))
    picture = opened(PLAIN.stored_form(data)).convert("RGB")
    assert picture.getpixel((1, 1 if is_top_down else 0)) == COLOUR
    assert picture.getpixel((1, 0 if is_top_down else 1)) == (0, 0, 0)


def two_colour_gif(size: Size, coded: bytes, layout: int = 0) -> bytes:
    """Return a GIF of black and a colour."""
    head = b"GIF89a" + struct.pack("<HHBBB", *size, 0x80, 0, 0) + bytes(3) + bytes(COLOUR)
    return head + b"," + struct.pack("<4HB", 0, 0, *size, layout) + coded + b";"


def from_two_bits(indices: bytes) -> bytes:
    """Code indices of 0 and 1 from two bits on, with a clear code of 3 or 2 bits before each."""
    codes = [(2, 2)] + [pair for index in indices for pair in ((index, 2), (2, 3))] + [(3, 2)]
    value = place = 0
    for code, bits in codes:
        value, place = value | code << place, place + bits
    coded = value.to_bytes(place // 8 + 1, "little")
    blocks = [coded[start : start + 255] for start in range(0, len(coded), 255)]
    return b"\1" + b"".join(bytes((len(block),)) + block for block in blocks) + b"\0"


STRIPES = bytes(row % 2 for row in range(12) for _ in range(16))
# Two black rows of three pixels: 0, then the two words "00" and "000" that the decoder learns, which take 3 bits.
LEARNED = b"\1\2" + (2 | 0 << 2 | 4 << 4 | 5 << 7 | 3 << 10).to_bytes(2, "little") + b"\0"


def test_codes_of_a_gif_may_start_at_two_bits() -> None:
    picture = opened(PLAIN.stored_form(two_colour_gif(SMALL, from_two_bits(STRIPES)))).convert("RGB")
    assert [picture.getpixel((7, y)) for y in range(4)] == [(0, 0, 0), COLOUR] * 2
    # Interlaced, the rows 0 and 8 come first, then 4, and then 2, 6 and 10.
    picture = opened(PLAIN.stored_form(two_colour_gif(SMALL, from_two_bits(STRIPES), 0x40))).convert("RGB")
    assert [picture.getpixel((7, y)) == COLOUR for y in (0, 8, 4, 2, 6, 10)] == [False, True] * 3
    assert opened(PLAIN.stored_form(two_colour_gif((3, 2), LEARNED))).getpixel((2, 1)) == (0, 0, 0)
    for broken in (from_two_bits(STRIPES[:-1]), b"\1\1\2\0", b"\1\1\x0e\0", b"\1\0"):
        with pytest.raises(PictureRefused, match="not enough image data"):
            PLAIN.stored_form(two_colour_gif(SMALL, broken))


@pytest.mark.parametrize("size", [SMALL, (2100, 4)])
def test_terminators_that_end_nothing_are_skipped(size: Size) -> None:
    whole = two_colour_gif(size, lzw(b"\1" * (size[0] * size[1])))
    for odd in (whole[:-1] + b"\0\0;", whole[:19] + b"\0" + whole[19:], whole[:-1] + b"\0!\xfe\1x\0\0;"):
        assert opened(PLAIN.stored_form(odd)).convert("RGB").getpixel((9, 2)) == COLOUR


@every_codec
@pytest.mark.parametrize("is_announced", [True, False])
def test_a_profile_of_a_webp_counts_only_if_its_flags_announce_it(codec: Codec, *, is_announced: bool) -> None:
    out = BytesIO()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("RGB", WIDE, COLOUR).save(out, "webp", icc_profile=profile)
    data = bytearray(out.getvalue())
    # RFC 9649, section 2.7: the flags are the first byte of the chunk VP8X.
    assert data[12:16] == b"VP8X"
    assert data[20] & 0x20
    if not is_announced:
        data[20] -= 0x20
    assert (b"ICCP" in codec.stored_form(bytes(data)).data) is is_announced
