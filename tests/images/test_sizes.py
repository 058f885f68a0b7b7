"""Which size is stored.

"There is no limit on image size but we save them with a maximum of 2048 pixels in width or height, maintaining the
original aspect ratio."
"""

import pytest
from PIL import Image

from runware_mock.images.resize import scaled_size
from runware_mock.storage.models import content, medium
from tests.images.looking import opened, stored_bytes, uploaded
from tests.images.painting import CORNERS, Size, clip, corners, encoded, exif, moving, photo, see_through
from tests.running import running_mock
from tests.talking import Talker, talking, upload

FORMATS = ["JPEG", "PNG", "WEBP", "BMP", "GIF"]
# WebP ends at 16383 px.
EXTREME_FORMATS = ["JPEG", "PNG", "BMP", "GIF"]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (2047, 40), (40, 2047), (2048, 30), (30, 2048), (2048, 2048)])
def test_a_picture_within_2048_px_is_stored_byte_for_byte(talker: Talker, name: str, size: Size) -> None:
    data = encoded(photo(size), name)
    assert stored_bytes(talker.ask(upload(data)).item) == data


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((2049, 40), (2048, 40)),
        ((40, 2049), (40, 2048)),
        ((2049, 2049), (2048, 2048)),
        ((2400, 1200), (2048, 1024)),
        ((4096, 3), (2048, 2)),
        ((4096, 1), (2048, 1)),
    ],
)
@pytest.mark.parametrize("name", FORMATS)
def test_a_larger_one_is_saved_at_2048_px_in_the_same_format(
    talker: Talker, name: str, size: Size, expected: Size
) -> None:
    picture = uploaded(talker, encoded(photo(size), name))
    assert picture.size == expected
    assert picture.format == name


@pytest.mark.parametrize("name", EXTREME_FORMATS)
@pytest.mark.parametrize(("size", "expected"), [((30_000, 1), (2048, 1)), ((1, 30_000), (1, 2048))])
def test_the_other_side_never_vanishes(talker: Talker, name: str, size: Size, expected: Size) -> None:
    picture = uploaded(talker, encoded(photo(size), name))
    assert picture.size == expected
    assert picture.format == name


@pytest.mark.parametrize("name", FORMATS)
def test_a_larger_one_keeps_what_is_seen(talker: Talker, name: str) -> None:
    assert corners(uploaded(talker, encoded(photo(), name))) == CORNERS


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        # 1.5 px is rounded up, a little less is not.
        ((4096, 3), (2048, 2)),
        ((4098, 3), (2048, 1)),
        ((8192, 6), (2048, 2)),
        ((3, 4096), (2, 2048)),
        ((2049, 2048), (2048, 2047)),
        ((100_000, 1), (2048, 1)),
    ],
)
def test_the_other_side_is_rounded_half_up(size: Size, expected: Size) -> None:
    assert scaled_size(size, 2048) == expected


@pytest.mark.parametrize(
    ("data", "size", "frames"),
    [
        (encoded(photo((90, 60)), "JPEG"), (90, 60), 1),
        (encoded(photo((90, 60)), "WEBP"), (90, 60), 1),
        (encoded(photo((2500, 50)), "JPEG"), (2048, 41), 1),
        (encoded(photo((2500, 50)), "JPEG", exif=exif(6)), (41, 2048), 1),
        (moving(clip((90, 60), 3), "GIF", disposal=2), (90, 60), 3),
        (moving(clip((2500, 50), 3), "PNG"), (2048, 41), 3),
    ],
)
def test_the_database_knows_size_format_and_frames(
    transport: str, api_key: str, data: bytes, size: Size, frames: int
) -> None:
    with running_mock() as mock, talking(mock, transport, api_key) as talker:
        item = talker.ask(upload(data)).item
        with mock.services.database.reading() as connection:
            row = connection.execute(content.select()).one()
        assert (row.width_px, row.height_px) == size
        assert row.frames == frames
        assert row.size_bytes == len(row.bytes) == len(stored_bytes(item))


def test_the_same_bytes_are_decoded_and_stored_once_under_a_uuid_each(transport: str, api_key: str) -> None:
    data = encoded(photo((2300, 20)), "PNG", compress_level=0)
    with running_mock() as mock, talking(mock, transport, api_key) as talker:
        first, second = talker.ask(upload(data), upload(data)).data
        assert first["imageUUID"] != second["imageUUID"]
        assert stored_bytes(first) == stored_bytes(second) != data
        assert (mock.count(content), mock.count(medium)) == (1, 2)


@pytest.mark.parametrize("picture", [photo((1500, 900)), see_through((1500, 900))])
def test_metadata_of_a_small_picture_stays_as_it_was_sent(talker: Talker, picture: Image.Image) -> None:
    data = encoded(picture, "PNG", exif=exif(6), dpi=(300, 300))
    assert stored_bytes(talker.ask(upload(data)).item) == data
    assert opened(data).getexif()[0x0112] == 6
