"""Whole files of every kind are stored and broken ones refused, on every path: plain, with libvips, streamed."""

import io
import struct
import zlib
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image, ImageCms

from runware_mock.images.codec import Codec, opened
from runware_mock.images.formats import Picture, PictureRefused
from runware_mock.images.limits import Budget
from runware_mock.settings import PICTURES
from tests.images.painting import Size, encoded, icc_profile, moving, photo, png_chunk, raw_png

PLAIN = Codec(PICTURES, Budget(2**31, 1), may_use_vips=False)
CODECS = {"plain": PLAIN}
if find_spec("pyvips"):
    CODECS["vips"] = Codec(PICTURES, Budget(2**31, 1))
    CODECS["streamed"] = Codec(PICTURES, Budget(2**19, 1))
SMALL, WIDE = (16, 12), (2100, 120)
every_codec = pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
both_sizes = pytest.mark.parametrize("size", [SMALL, WIDE])


def image(picture: Picture) -> Image.Image:
    """Return a stored picture as Pillow sees it."""
    return Image.open(io.BytesIO(picture.data))


def png(size: Size, rows: bytes, *before: bytes, form: tuple[int, int] = (8, 2)) -> bytes:
    """Return a PNG whose IDAT holds whatever is given."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", *size, *form, 0, 0, 0))
    body = b"".join((*before, png_chunk(b"IDAT", rows), png_chunk(b"IEND", b"")))
    return b"\x89PNG\r\n\x1a\n" + header + body


@every_codec
@both_sizes
@pytest.mark.parametrize("kind", ["rubbish", "missing row", "half a row", "unknown filter", "cut"])
def test_a_png_of_good_checksums_without_all_rows_is_refused(codec: Codec, size: Size, kind: str) -> None:
    row = b"\0" + b"\1\2\3" * size[0]
    rows = zlib.compress(row * size[1])
    broken = {
        "rubbish": b"\x78\x9c" + b"rubbish" * 9,
        "missing row": zlib.compress(row * (size[1] - 1)),
        "half a row": zlib.compress(row * size[1])[:0] + zlib.compress((row * size[1])[: -3 * size[0] // 2]),
        "unknown filter": zlib.compress(b"\5" + row[1:] + row * (size[1] - 1)),
        "cut": rows[: len(rows) // 2],
    }
    with pytest.raises(PictureRefused, match="cannot be decoded"):
        codec.stored_form(png(size, broken[kind]))
    assert codec.stored_form(png(size, rows)).width_px == min(2048, size[0])


@every_codec
@both_sizes
def test_apples_own_png_and_other_critical_chunks_are_refused(codec: Codec, size: Size) -> None:
    data = raw_png(size, 8, 2, b"\1\2\3")
    apples = data[:8] + png_chunk(b"CgBI", bytes(4)) + data[8:]
    with pytest.raises(PictureRefused, match="CgBI"):
        codec.stored_form(apples)
    with pytest.raises(PictureRefused, match="NeWx"):
        codec.stored_form(data[:33] + png_chunk(b"NeWx", b"") + data[33:])


@every_codec
@both_sizes
@pytest.mark.parametrize("kind", [b"tEXt", b"gAMA", b"iCCP", b"tIME", b"tRNS"])
def test_a_wrong_checksum_of_an_ancillary_chunk_is_overlooked(codec: Codec, size: Size, kind: bytes) -> None:
    data = raw_png(size, 8, 2, b"\1\2\3")
    wrong = png_chunk(kind, b"\0\1\0\2\0\3")[:-1] + b"?"
    picture = codec.stored_form(data[:33] + wrong + data[33:])
    assert opened(picture).convert("RGBA").getpixel((3, 3)) == (1, 2, 3, 255)


COLOUR_CHUNKS = {
    b"gAMA": struct.pack(">I", 100_000),
    b"cHRM": struct.pack(">8I", 31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000),
    b"sRGB": b"\0",
    b"cICP": bytes((12, 13, 0, 1)),
    b"iCCP": b"a profile\0\0" + zlib.compress(icc_profile() + bytes(2**21)),
}


@every_codec
@pytest.mark.parametrize("kind", COLOUR_CHUNKS)
@pytest.mark.parametrize("form", [(8, 2), (8, 0), (16, 0)], ids=["RGB", "grey", "16-bit grey"])
def test_a_scaled_png_keeps_what_says_how_its_colours_are_meant(
    codec: Codec, kind: bytes, form: tuple[int, int]
) -> None:
    chunk = png_chunk(kind, COLOUR_CHUNKS[kind])
    rows = zlib.compress((b"\0" + bytes(WIDE[0] * (3 if form[1] else form[0] // 8))) * WIDE[1])
    stored = codec.stored_form(png(WIDE, rows, chunk, form=form)).data
    assert chunk in stored[: stored.index(b"IDAT")]


@every_codec
def test_grey_of_16_bits_keeps_its_depth(codec: Codec) -> None:
    picture = image(codec.stored_form(raw_png(WIDE, 16, 0, b"\x12\x34")))
    assert picture.mode == "I;16"
    assert picture.getpixel((9, 9)) == pytest.approx(0x1234, abs=1)


@every_codec
@pytest.mark.parametrize(("last", "alpha"), [(6, 0), (7, 255)])
def test_a_colour_key_of_16_bits_matches_all_of_them(codec: Codec, last: int, alpha: int) -> None:
    key = png_chunk(b"tRNS", bytes((1, 2, 3, 4, 5, 6)))
    picture = image(codec.stored_form(raw_png(WIDE, 16, 2, bytes((1, 2, 3, 4, 5, last)), key)))
    assert picture.convert("RGBA").getpixel((9, 9))[3] == alpha  # type: ignore[index] # RGBA


@every_codec
def test_a_cmyk_jpeg_stays_cmyk_with_its_profile(codec: Codec) -> None:
    original = photo(WIDE).convert("CMYK")
    profile = icc_profile()
    stored = image(codec.stored_form(encoded(original, "JPEG", quality=95, icc_profile=profile)))
    assert (stored.mode, stored.size, stored.info["icc_profile"]) == ("CMYK", (2048, 117), profile)
    assert np.abs(np.asarray(stored).astype(int).mean((0, 1)) - np.asarray(original).mean((0, 1))).max() < 3


@every_codec
@both_sizes
@pytest.mark.parametrize("version", [1, 9], ids=["JFIF 1", "a JFIF version that libjpeg warns of"])
def test_a_jpeg_cut_short_and_closed_with_an_end_marker_is_refused(codec: Codec, size: Size, version: int) -> None:
    whole = bytearray(encoded(photo(size), "JPEG"))
    whole[whole.index(b"JFIF") + 5] = version
    assert codec.stored_form(bytes(whole)).width_px == min(2048, size[0])
    for share in (0.3, 0.6, 0.95):
        with pytest.raises(PictureRefused, match="cannot be decoded"):
            codec.stored_form(bytes(whole[: int(len(whole) * share)]) + b"\xff\xd9")


@every_codec
@both_sizes
@pytest.mark.parametrize("options", [{}, {"progressive": True}], ids=["baseline", "progressive"])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_is_whole_without_its_end_marker_and_with_anything_behind_it(
    codec: Codec, size: Size, options: dict[str, bool], mode: str
) -> None:
    if codec is CODECS.get("streamed") and options and size == WIDE:
        pytest.skip("progressive JPEGs are not streamed")
    data = encoded(photo(size).convert(mode), "JPEG", **options)
    motion_photo = data + bytes(range(256)) * 40 + b"\xff\xd8\xff\xdaftypmp42"
    for whole in (data, data[:-2], data[:-1], motion_photo):
        picture = codec.stored_form(whole)
        assert picture.data == whole or size == WIDE
    for broken in (data[:-8], data[:-8] + b"\xff\xd9", data[: len(data) * 2 // 3] + b"\xff\xd9"):
        with pytest.raises(PictureRefused, match="cannot be decoded"):
            codec.stored_form(broken)


def bmp(size: Size, header: bytes, pixels: bytes, palette: bytes = b"") -> bytes:
    """Return a BMP of a header that lacks its own length."""
    start = 18 + len(header) + len(palette)
    file_header = struct.pack("<2sIIII", b"BM", start + len(pixels), 0, start, 4 + len(header))
    del size
    return file_header + header + palette + pixels


def info(size: Size, bits: int, compression: int = 0, rest: bytes = b"") -> bytes:
    """Return a BITMAPINFOHEADER without its length."""
    return struct.pack("<iiHHIIiiII", *size, 1, bits, compression, 0, 0, 0, 0, 0) + rest


def masked(size: Size, bits: int, masks: tuple[int, ...], value: int, header_bytes: int = 40) -> bytes:
    """Return a BMP of one colour cut out by masks."""
    compression = 6 if header_bytes == 40 and len(masks) == 4 else 3
    header = info(size, bits, compression, struct.pack(f"<{len(masks)}I", *masks)).ljust(header_bytes - 4, b"\0")
    stride = (size[0] * bits // 8 + 3) // 4 * 4
    rows = (value.to_bytes(bits // 8, "little") * size[0]).ljust(stride, b"\0") * size[1]
    if header_bytes == 40:
        start = 18 + len(header)
        return struct.pack("<2sIIII", b"BM", start + len(rows), 0, start, 40) + header + rows
    return bmp(size, header, rows)


def two_bits(size: Size) -> bytes:
    """Return a BMP of four colours, all of it the third."""
    rows = b"\xaa" * ((size[0] + 15) // 16 * 4 * size[1])
    return bmp(size, info(size, 2), rows, bytes(8) + b"\3\2\1\0\0\0\0\0")


def os2(size: Size) -> bytes:
    """Return a BMP with OS/2's first header and a palette of three bytes a colour."""
    rows = b"\1" * ((size[0] + 3) // 4 * 4 * size[1])
    return bmp(size, struct.pack("<4H", *size, 1, 8), rows, bytes(3) + b"\3\2\1" + bytes(762))


def short_os2(size: Size) -> bytes:
    """Return a BMP with the shortest form of OS/2's second header."""
    rows = (b"\3\2\1" * size[0]).ljust((size[0] * 3 + 3) // 4 * 4, b"\0") * size[1]
    return bmp(size, struct.pack("<iiHH", *size, 1, 24), rows)


BMPS: dict[str, tuple[Callable[[Size], bytes], tuple[int, ...]]] = {
    "A4R4G4B4": (lambda size: masked(size, 16, (0xF00, 0xF0, 0xF, 0xF000), 0xF840, 56), (136, 68, 0, 255)),
    "R5G6B5": (lambda size: masked(size, 16, (0xF800, 0x7E0, 0x1F), 0xF81F), (255, 0, 255, 255)),
    "masks in RGB order": (lambda size: masked(size, 32, (0xFF, 0xFF00, 0xFF0000), 0x030201), (1, 2, 3, 255)),
    "10 bits each": (
        lambda size: masked(size, 32, (0x3FF00000, 0xFFC00, 0x3FF), 0x3FF00000 | 512 << 10),
        (255, 128, 0, 255),
    ),
    "BI_ALPHABITFIELDS": (
        lambda size: masked(size, 32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000), 0x80010203),
        (1, 2, 3, 128),
    ),
    "no opacity at all": (
        lambda size: masked(size, 32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000), 0),
        (0, 0, 0, 0),
    ),
    "2 bits": (two_bits, (1, 2, 3, 255)),
    "OS/2": (os2, (1, 2, 3, 255)),
    "OS/2 of 16 bytes": (short_os2, (1, 2, 3, 255)),
}


@both_sizes
@pytest.mark.parametrize("kind", BMPS)
def test_every_kind_of_bmp_is_stored_and_its_colours_are_right(size: Size, kind: str) -> None:
    make, colour = BMPS[kind]
    data = make(size)
    picture = PLAIN.stored_form(data)
    assert picture.data == data or size == WIDE
    assert opened(picture).convert("RGBA").getpixel((5, 5)) == pytest.approx(colour, abs=1)
    with pytest.raises(PictureRefused, match="rows are missing"):
        PLAIN.stored_form(data[: -2 * size[0] // 8 - 4])


@pytest.mark.parametrize(
    ("bits", "compression", "row"),
    [(8, 1, b"\2\1\0\0"), (4, 2, b"\2\x11\0\0"), (24, 4, b"\2\3\2\1\0\0")],
    ids=["RLE8", "RLE4", "RLE24"],
)
def test_rows_of_run_lengths_may_end_early_and_what_they_leave_out_is_transparent(
    bits: int, compression: int, row: bytes
) -> None:
    header = info((8, 3), bits, compression).ljust(60 if bits == 24 else 36, b"\0")
    palette = b"" if bits == 24 else bytes(4) + b"\3\2\1\0" + bytes(4 * ((1 << bits) - 2))
    data = bmp((8, 3), header, row * 3 + b"\0\1", palette)
    picture = PLAIN.stored_form(data)
    assert picture.data == data
    assert [opened(picture).getpixel((x, 1)) for x in (1, 2)] == [(1, 2, 3, 255), (0, 0, 0, 0)]
    with pytest.raises(PictureRefused, match="rows are missing"):
        PLAIN.stored_form(data[:-5])


def test_the_profile_of_a_bmp_is_kept_when_it_is_scaled() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    rows = (b"\3\2\1" * WIDE[0]).ljust((WIDE[0] * 3 + 3) // 4 * 4, b"\0") * WIDE[1]
    header = info(WIDE, 24, 0, bytes(16) + struct.pack("<I", 0x4D424544) + bytes(48))
    header += struct.pack("<4I", 4, 124 + len(rows), len(profile), 0)
    stored = PLAIN.stored_form(bmp(WIDE, header, rows) + profile).data
    kind, at, length = struct.unpack_from("<I", stored, 70)[0], *struct.unpack_from("<2I", stored, 126)
    assert (kind, stored[14 + at : 14 + at + length]) == (0x4D424544, profile)
    assert image(Picture("bmp", 1, 1, 1, stored)).getpixel((9, 9)) == (1, 2, 3)


def test_where_libvips_is_installed_nobody_is_told_to_install_it() -> None:
    data = encoded(photo((2100, 2000)), "BMP")
    advice = {"streamed": r"--memory-budget-bytes\.$", "frugal": r"or install runware-mock\[vips\]\.$"}
    codecs = {**CODECS, "frugal": Codec(PICTURES, Budget(2**19, 1), may_use_vips=False)}
    for name in advice.keys() & codecs.keys():
        with pytest.raises(PictureRefused, match=advice[name]):
            codecs[name].stored_form(data)


def test_several_pictures_in_one_file_are_whole_if_the_first_is() -> None:
    data = moving([photo(WIDE), photo((30, 20))], "MPO")
    assert PLAIN.stored_form(data).width_px == 2048
    first_end = data.index(b"\xff\xd9\xff\xd8")
    with pytest.raises(PictureRefused, match="cannot be decoded"):
        PLAIN.stored_form(data[: first_end - 400] + data[first_end + 2 :])
