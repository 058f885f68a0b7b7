"""What a picture keeps when it is saved at 2048 px: colours, mode, depth, alpha and ICC profile, but no metadata."""

import struct

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.images.looking import difference, mean_color, opened, stored_bytes, uploaded
from tests.images.painting import (
    CORNERS,
    LARGE_SAVED,
    corners,
    encoded,
    exif,
    icc_profile,
    photo,
    png_chunk,
    raw_png,
    see_through,
)
from tests.images.ways import mock
from tests.talking import Talker, upload

__all__ = ["mock"]

WIDE = (2100, 20)
GREY, TRUECOLOR, PALETTE = 0, 2, 3
CLEAR, OPAQUE = (0, 0), (255, 255)


def grey_16_bit() -> Image.Image:
    """Paint the photo in 16-bit grey, most values of which no 8 bits can hold."""
    grey = photo().convert("L").convert("I")
    return grey.point(lambda value: value * 250 + 77).convert("I;16")


def key(*samples: int) -> bytes:
    """Return the chunk that names the colour that stands for transparent."""
    return png_chunk(b"tRNS", struct.pack(f">{len(samples)}H", *samples))


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "BMP", "GIF"])
def test_the_colours_of_a_photo_are_kept(talker: Talker, name: str) -> None:
    picture = uploaded(talker, encoded(photo(), name, **({"quality": 95} if name in ("JPEG", "WEBP") else {})))
    assert mean_color(picture.convert("RGB")) == pytest.approx(mean_color(photo()), abs=3)
    assert difference(picture, photo().resize(picture.size)) < 7


@pytest.mark.parametrize(
    ("name", "mode"), [("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "RGB"), ("PNG", "L"), ("BMP", "L")]
)
def test_the_mode_is_kept(talker: Talker, name: str, mode: str) -> None:
    original = photo().convert(mode)
    picture = uploaded(talker, encoded(original, name))
    assert picture.mode == mode
    assert mean_color(picture) == pytest.approx(mean_color(original), abs=2)
    assert difference(picture, original.resize(picture.size)) < 5


def test_a_cmyk_jpeg_looks_the_same(talker: Talker) -> None:
    picture = uploaded(talker, encoded(photo().convert("CMYK"), "JPEG"))
    assert picture.mode == "CMYK"
    assert corners(picture) == CORNERS


def test_a_16_bit_png_keeps_its_depth(talker: Talker) -> None:
    original = grey_16_bit()
    picture = uploaded(talker, encoded(original, "PNG"))
    assert picture.mode == "I;16"
    assert np.asarray(picture).mean() == pytest.approx(np.asarray(original).mean(), rel=0.001)
    assert len(picture.convert("I").getcolors(2**16) or []) > 10_000


def test_a_16_bit_colour_png_becomes_the_nearest_that_can_be_written(talker: Talker) -> None:
    picture = uploaded(talker, raw_png(WIDE, 16, TRUECOLOR, struct.pack(">3H", 0x8101, 0x4002, 0x10FE)))
    assert picture.mode == "RGB"
    assert picture.getpixel((0, 0)) == (0x81, 0x40, 0x10)


def test_a_1_bit_png_becomes_grey(talker: Talker) -> None:
    original = photo().convert("1")
    picture = uploaded(talker, encoded(original, "PNG"))
    assert picture.mode == "L"
    assert mean_color(picture) == pytest.approx(mean_color(original.convert("L")), abs=2)
    assert len(picture.getcolors() or []) > 2


@pytest.mark.parametrize("name", ["PNG", "GIF", "BMP"])
def test_a_palette_gives_way_to_true_colours(talker: Talker, name: str) -> None:
    original = photo().quantize(64)
    picture = uploaded(talker, encoded(original, name))
    assert difference(picture, original.convert("RGB").resize(picture.size)) < 7
    assert corners(picture) == CORNERS


@pytest.mark.parametrize("name", ["PNG", "WEBP"])
def test_alpha_is_kept(talker: Talker, name: str) -> None:
    picture = uploaded(talker, encoded(see_through(), name))
    assert picture.mode == "RGBA"
    middle = picture.height // 2
    assert [picture.getchannel("A").getpixel((x, middle)) for x in (300, 1024, 1800)] == [0, 128, 255]
    assert difference(picture, see_through().resize(picture.size)) < 4


def test_grey_with_alpha_stays_grey_with_alpha(talker: Talker) -> None:
    original = see_through().convert("LA")
    picture = uploaded(talker, encoded(original, "PNG"))
    assert picture.mode == "LA"
    assert difference(picture, original.resize(picture.size)) < 2


def test_a_palette_png_with_transparency_keeps_every_degree_of_it(talker: Talker) -> None:
    original = see_through().quantize(200)
    degrees = {alpha for _, alpha in original.convert("RGBA").getchannel("A").getcolors() or []}
    assert original.mode == "P"
    assert degrees >= {0, 128, 255}
    picture = uploaded(talker, encoded(original, "PNG"))
    assert picture.mode == "RGBA"
    assert difference(picture, original.convert("RGBA").resize(picture.size)) < 4


def test_a_gif_with_transparency_stays_clear_where_it_was(talker: Talker) -> None:
    original = see_through()
    picture = uploaded(talker, encoded(original, "GIF"))
    alpha = picture.convert("RGBA").getchannel("A")
    assert [alpha.getpixel((x, picture.height // 2)) for x in (300, 1800)] == [0, 255]


@pytest.mark.parametrize(("opaque_of_four", "alpha"), [(1, 0), (3, 255)])
def test_a_gif_is_clear_where_most_of_it_was(talker: Talker, opaque_of_four: int, alpha: int) -> None:
    original = Image.new("RGBA", (8192, 16))
    for left in range(0, original.width, 4):
        original.paste("green", (left, 0, left + opaque_of_four, original.height))
    picture = uploaded(talker, encoded(original, "GIF")).convert("RGBA")
    assert picture.size == (2048, 4)
    assert picture.getchannel("A").crop((10, 0, 2038, 4)).getextrema() == (alpha, alpha)


def test_a_bmp_with_alpha_keeps_it(talker: Talker) -> None:
    # BITMAPV4HEADER with a mask for alpha; Pillow reads it but does not write it.
    pixels = see_through().transpose(Image.Transpose.FLIP_TOP_BOTTOM).tobytes("raw", "BGRA")
    masks = struct.pack("<4I52x", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack("<IiiHHIIiiII", 108, *see_through().size, 1, 32, 3, len(pixels), 0, 0, 0, 0) + masks
    data = struct.pack("<2sIII", b"BM", 122 + len(pixels), 0, 122) + header + pixels
    assert opened(data).mode == "RGBA"
    picture = uploaded(talker, data)
    assert (picture.format, picture.mode) == ("BMP", "RGBA")
    assert difference(picture, see_through().resize(picture.size)) < 4


@pytest.mark.parametrize(
    ("bit_depth", "color_type", "pixel", "clear_key", "other_key"),
    [
        (1, GREY, b"\xff", key(1), key(0)),
        (2, GREY, b"\xaa", key(2), key(1)),
        (4, GREY, b"\x55", key(5), key(4)),
        (8, GREY, b"\x55", key(0x55), key(5)),
        (16, GREY, b"\x9c\x40", key(0x9C40), key(0x9C41)),
        (8, TRUECOLOR, b"\1\2\3", key(1, 2, 3), key(3, 2, 1)),
        (16, TRUECOLOR, b"\1\2\1\2\1\2", key(0x102, 0x102, 0x102), key(0x202, 0x102, 0x102)),
    ],
)
def test_a_colour_that_stands_for_transparent_becomes_alpha(
    talker: Talker, bit_depth: int, color_type: int, pixel: bytes, clear_key: bytes, other_key: bytes
) -> None:
    clear = uploaded(talker, raw_png(WIDE, bit_depth, color_type, pixel, clear_key))
    opaque = uploaded(talker, raw_png(WIDE, bit_depth, color_type, pixel, other_key))
    assert clear.convert("RGBA").getchannel("A").getextrema() == CLEAR
    assert opaque.convert("RGBA").getchannel("A").getextrema() == OPAQUE


def test_16_bit_grey_with_a_transparent_colour_keeps_its_brightness(talker: Talker) -> None:
    picture = uploaded(talker, raw_png(WIDE, 16, GREY, b"\x9c\x40", key(7)))
    assert picture.mode == "LA"
    assert picture.getpixel((0, 0)) == (0x9C, 255)


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_the_icc_profile_is_kept(talker: Talker, name: str, mode: str) -> None:
    if mode == "CMYK" and name != "JPEG":
        mode = "RGBA" if name == "WEBP" else "LA"
    picture = uploaded(talker, encoded(photo().convert(mode), name, icc_profile=icc_profile()))
    assert picture.size == LARGE_SAVED
    assert picture.info["icc_profile"] == icc_profile()


def test_an_icc_profile_of_several_segments_is_kept_whole(talker: Talker) -> None:
    profile = icc_profile() + bytes(range(256)) * 800
    picture = uploaded(talker, encoded(photo(), "JPEG", icc_profile=profile))
    assert picture.size == LARGE_SAVED
    assert picture.info["icc_profile"] == profile


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "GIF"])
def test_other_metadata_is_dropped(talker: Talker, name: str, mode: str) -> None:
    texts = PngInfo()
    texts.add_text("Comment", "secret place")
    texts.add_itxt("XML:com.adobe.xmp", "<secret/>", zip=True)
    options: dict[str, dict[str, object]] = {
        "JPEG": {"comment": b"secret place", "exif": exif(1), "xmp": b"<secret/>"},
        "PNG": {"pnginfo": texts, "exif": exif(1)},
        "WEBP": {"exif": exif(1), "xmp": b"<secret/>"},
        "GIF": {"comment": b"secret place"},
    }
    original = photo().convert("L" if mode == "CMYK" and name != "JPEG" else mode)
    data = encoded(original, name, dpi=(301, 301), **options[name])
    assert b"secret" in data or b"Camera" in data
    stored = stored_bytes(talker.ask(upload(data)).item)
    assert opened(stored).size == LARGE_SAVED
    assert b"secret" not in stored
    assert b"Camera" not in stored
    assert b"Exif" not in stored
    assert not {"comment", "exif", "xmp", "dpi", "Comment"} & set(opened(stored).info)


@pytest.mark.parametrize("keyword", ["transparency", "icc_profile", "exif", "loop", "duration"])
def test_a_text_is_never_taken_for_what_its_keyword_says(talker: Talker, keyword: str) -> None:
    texts = PngInfo()
    texts.add_text(keyword, "yes")
    picture = uploaded(talker, encoded(photo(), "PNG", pnginfo=texts))
    assert (picture.mode, picture.size) == ("RGB", LARGE_SAVED)
    assert corners(picture) == CORNERS
