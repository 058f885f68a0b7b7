"""A picture that is saved at 2048 px is turned the way its EXIF orientation says, which is then dropped."""

import struct

import pytest
from PIL import Image, ImageOps
from PIL.Image import Transpose

from tests.images.looking import opened, stored_bytes, uploaded
from tests.images.painting import CORNERS, LARGE, LARGE_SAVED, Size, corners, encoded, exif, photo
from tests.images.ways import mock
from tests.talking import Talker, upload

__all__ = ["mock"]

# How a camera held that way stores the upright picture; EXIF 2.32, table 6, read backwards.
STORED_BY = {
    1: None,
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_90,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_270,
}
HEAD = b"Exif\0\0"
BROKEN = {
    "nonsense": HEAD + b"no TIFF at all",
    "empty": HEAD,
    "header only": HEAD + b"MM\0*\0\0\0\x08",
    "offset beyond the end": HEAD + b"II*\0\xff\xff\xff\xff",
    "cut in the first entry": HEAD + b"MM\0*\0\0\0\x08\0\5\1\x12",
    "orientation as text": HEAD + b"MM\0*\0\0\0\x08\0\1\1\x12\0\2\0\0\0\2\0\6\0\0\0\0\0\0",
    "orientation 0": HEAD + b"MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\0\0\0\0\0\0\0",
    "orientation 9": HEAD + b"MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\x09\0\0\0\0\0\0",
}


def stored_by_camera(orientation: int, name: str, mode: str = "RGB") -> bytes:
    """Return the photo as a camera would store it."""
    turn = STORED_BY[orientation]
    upright = photo().convert(mode)
    return encoded(upright if turn is None else upright.transpose(turn), name, exif=exif(orientation))


@pytest.mark.parametrize("orientation", STORED_BY)
def test_the_painted_camera_is_right(orientation: int) -> None:
    picture = ImageOps.exif_transpose(opened(stored_by_camera(orientation, "PNG")))
    assert corners(picture) == CORNERS


@pytest.mark.parametrize(("name", "mode"), [("JPEG", "RGB"), ("JPEG", "CMYK"), ("PNG", "RGB"), ("WEBP", "RGB")])
@pytest.mark.parametrize("orientation", STORED_BY)
def test_every_orientation_is_applied(talker: Talker, orientation: int, name: str, mode: str) -> None:
    picture = uploaded(talker, stored_by_camera(orientation, name, mode))
    assert picture.size == LARGE_SAVED
    assert corners(picture) == CORNERS
    assert 0x0112 not in picture.getexif()


@pytest.mark.parametrize("order", ["<", ">"])
def test_either_byte_order_is_read(talker: Talker, order: str) -> None:
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entries = struct.pack(order + "HHHIHHHHII", 2, 0x0112, 3, 1, 3, 0, 0x0100, 4, 1, 9)
    tags = HEAD + mark + struct.pack(order + "I", 8) + entries + bytes(4)
    picture = uploaded(talker, encoded(photo().transpose(Transpose.ROTATE_180), "JPEG", exif=tags))
    assert corners(picture) == CORNERS


@pytest.mark.parametrize("orientation", [3, 6])
def test_a_picture_within_2048_px_keeps_its_tag_instead(talker: Talker, orientation: int) -> None:
    data = encoded(photo((600, 300)), "JPEG", exif=exif(orientation))
    assert stored_bytes(talker.ask(upload(data)).item) == data


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize(("size", "saved"), [((600, 300), (600, 300)), (LARGE, LARGE_SAVED)])
def test_broken_exif_does_not_make_a_broken_picture(talker: Talker, case: str, size: Size, saved: Size) -> None:
    plain = encoded(photo(size), "JPEG", dpi=(72, 72))
    segment = b"\xff\xe1" + struct.pack(">H", len(BROKEN[case]) + 2) + BROKEN[case]
    behind_jfif, in_its_place = plain[:20] + segment + plain[20:], plain[:2] + segment + plain[20:]
    for data in (behind_jfif, in_its_place):
        stored = stored_bytes(talker.ask(upload(data)).item)
        assert (stored == data) == (size == saved)
        assert stored.endswith(b"\xff\xd9")
        if size != saved:
            assert opened(stored).size == saved
            assert corners(opened(stored)) == CORNERS


def test_a_panorama_that_is_turned_ends_at_2048_px_too(talker: Talker) -> None:
    lying: Image.Image = photo((5000, 100))
    picture = uploaded(talker, encoded(lying, "JPEG", exif=exif(6)))
    assert picture.size == (41, 2048)
