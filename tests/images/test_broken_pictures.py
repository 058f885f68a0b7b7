"""What is no whole picture is refused and never stored; what merely looks odd is not."""

import struct

import pytest

from tests.images.looking import difference, is_stored, opened, stored_bytes, taken_apart, uploaded
from tests.images.painting import (
    clip,
    encoded,
    interlaced_png,
    moving,
    one_pixel_gif,
    photo,
    png_chunk,
    raw_png,
)
from tests.images.samples import LARGE_FILES, SMALL_FILES, WIDE
from tests.images.ways import mock
from tests.running import RunningMock
from tests.talking import Talker, upload

__all__ = ["mock"]

NEIGHBOUR = encoded(photo((50, 50)), "PNG")
SIZES = {"small": SMALL_FILES, "large": LARGE_FILES}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", SMALL_FILES)
def test_a_truncated_picture_is_refused_and_never_stored(
    mock: RunningMock, talker: Talker, kind: str, size: str
) -> None:
    whole = SIZES[size][kind]
    lengths = [16, 40, len(whole) // 3, len(whole) // 2, len(whole) * 9 // 10, len(whole) - 5]
    if "JPEG" not in kind and "GIF" not in kind:
        # Of these two the last bytes only say that all is over.
        lengths.append(len(whole) - 1)
    answer = talker.ask(*(upload(whole[:length]) for length in lengths), upload(NEIGHBOUR), upload(whole))
    assert answer.codes == ["invalidImage"] * len(lengths)
    assert all("cannot be decoded" in error["message"] for error in answer.errors)
    assert len(answer.data) == 2
    assert not any(is_stored(mock, whole[:length]) for length in lengths)
    assert is_stored(mock, whole)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP", "BMP", "animated GIF"])
def test_a_picture_with_a_few_bytes_behind_its_end_is_accepted(talker: Talker, kind: str, size: str) -> None:
    whole = SIZES[size][kind]
    junk, plain = talker.ask(upload(whole + b"\0junk")).item, talker.ask(upload(whole)).item
    if size == "small":
        assert stored_bytes(junk) == whole + b"\0junk"
    else:
        assert stored_bytes(junk) == stored_bytes(plain) != whole


@pytest.mark.parametrize("size", [(600, 300), (2400, 600)])
def test_a_jpeg_of_which_libjpeg_warns_is_accepted(talker: Talker, size: tuple[int, int]) -> None:
    plain = encoded(photo(size), "JPEG")
    first_scan = plain.index(b"\xff\xda")
    odd = plain[:first_scan] + b"\0\x12\x34\x56" + plain[first_scan:]
    picture = uploaded(talker, odd)
    assert picture.format == "JPEG"
    assert difference(picture, photo(size).resize(picture.size)) < 5


@pytest.mark.parametrize("size", [(600, 300), (2400, 600)])
def test_a_picture_of_several_as_phones_write_it_is_accepted_as_jpeg(talker: Talker, size: tuple[int, int]) -> None:
    data = moving([photo(size), photo((300, 100))], "MPO")
    assert opened(data).format == "MPO"
    item = talker.ask(upload(data)).item
    assert item["imageURL"].endswith(".jpg")
    picture = opened(stored_bytes(item))
    assert (picture.size == size) == (stored_bytes(item) == data)
    assert difference(picture, photo(size).resize(picture.size)) < 5


@pytest.mark.parametrize(
    ("options", "mode"), [({"progressive": True}, "RGB"), ({"progressive": True}, "L"), ({"subsampling": 0}, "RGB")]
)
def test_every_way_to_code_a_jpeg_is_read(talker: Talker, options: dict[str, object], mode: str) -> None:
    original = photo().convert(mode)
    picture = uploaded(talker, encoded(original, "JPEG", **options))
    assert (picture.format, picture.mode, picture.size) == ("JPEG", mode, (2048, 512))
    assert difference(picture, original.resize(picture.size)) < 5


@pytest.mark.parametrize("size", [(601, 299), (2401, 37)])
def test_an_interlaced_png_is_read(talker: Talker, size: tuple[int, int]) -> None:
    original = photo(size).convert("L")
    data = interlaced_png(original)
    assert difference(opened(data), original) == 0
    picture = uploaded(talker, data)
    assert difference(picture, original.resize(picture.size)) < 2


def test_a_png_of_which_one_byte_was_changed_is_refused(mock: RunningMock, talker: Talker) -> None:
    whole = SMALL_FILES["PNG"]
    changed = [
        whole[:position] + bytes((whole[position] ^ 1,)) + whole[position + 1 :]
        for position in (17, 30, len(whole) // 2, len(whole) - 20, len(whole) - 1)
    ]
    answer = talker.ask(*map(upload, changed))
    assert answer.codes == ["invalidImage"] * len(changed)
    assert not any(is_stored(mock, data) for data in changed)


@pytest.mark.parametrize("width", [40, 4000])
def test_a_png_without_pixels_is_refused(talker: Talker, width: int) -> None:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, 40, 8, 2, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IEND", b"")
    assert talker.ask(upload(data)).error["code"] == "invalidImage"


@pytest.mark.parametrize("size", [(40, 40), (4000, 40)])
def test_a_palette_png_without_a_palette_is_refused(talker: Talker, size: tuple[int, int]) -> None:
    error = talker.ask(upload(raw_png(size, 8, 3, b"\1"))).error
    assert "the palette is missing" in error["message"]


@pytest.mark.parametrize("size", [(0, 40), (40, 0)])
def test_a_picture_without_extent_is_refused(talker: Talker, size: tuple[int, int]) -> None:
    header = struct.pack("<IiiHHIIiiII", 40, *size, 1, 24, 0, 0, 0, 0, 0, 0)
    bmp = struct.pack("<2sIII", b"BM", 54, 0, 54) + header
    png = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0))
    answer = talker.ask(upload(bmp), upload(png + png_chunk(b"IDAT", b"") + png_chunk(b"IEND", b"")))
    assert answer.codes == ["invalidImage", "invalidImage"]


@pytest.mark.parametrize("kind", ["animated GIF", "animated WebP", "animated PNG"])
def test_an_animation_with_a_broken_frame_is_refused(talker: Talker, kind: str) -> None:
    whole = SMALL_FILES[kind]
    first, last = taken_apart(whole).frames[0], len(taken_apart(whole).frames) - 1
    assert last == 2
    assert first.size == (80, 60)
    # Cut out of the middle of the last frame.
    marker = {"animated GIF": b"\x21\xf9", "animated WebP": b"ANMF", "animated PNG": b"fcTL"}[kind]
    frame_at = whole.rindex(marker)
    hole = frame_at + (len(whole) - frame_at) // 2
    assert talker.ask(upload(whole[:hole] + whole[hole + 8 :])).error["code"] == "invalidImage"


def test_an_animated_png_that_promises_more_frames_than_it_has_is_refused(talker: Talker) -> None:
    whole = moving(clip((60, 40), 3), "PNG", duration=100)
    promise = png_chunk(b"acTL", struct.pack(">II", 3, 0))
    assert promise in whole
    greedy = whole.replace(promise, png_chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)))
    assert talker.ask(upload(greedy)).error["code"] == "invalidImage"


def test_a_gif_whose_first_frame_is_larger_than_its_canvas_is_as_large_as_that_frame(talker: Talker) -> None:
    plain = encoded(photo(WIDE), "GIF")
    small_canvas = plain[:6] + struct.pack("<HH", 10, 10) + plain[10:]
    picture = uploaded(talker, small_canvas)
    assert picture.size == (2048, 39)
    assert difference(picture, photo(WIDE).resize(picture.size)) < 7


def test_a_gif_with_something_between_two_frames_is_refused(talker: Talker) -> None:
    whole = one_pixel_gif(3)
    position = whole.rindex(b"!\xf9")
    assert talker.ask(upload(whole[:position] + b"?" + whole[position:])).error["code"] == "invalidImage"
