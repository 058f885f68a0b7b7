"""Small files that ask for much memory: the budget decides before anything is taken.

"There is no limit on image size": what counts is the memory that decoding takes.
"""

import resource
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from time import process_time

import pytest

from runware_mock.storage.models import content
from tests.images.looking import is_stored, opened, stored_bytes, taken_apart
from tests.images.painting import clip, encoded, moving, one_color_png, one_pixel_gif, photo, png_chunk
from tests.running import RunningMock, running_mock
from tests.talking import Talker, talking, upload

BUDGET_BYTES = 256 * 2**20


@pytest.fixture(scope="module")
def frugal_mock() -> Iterator[RunningMock]:
    """Run a server that may take 256 MiB for decoding."""
    with running_mock(memory_budget_bytes=BUDGET_BYTES, vips="off") as running:
        yield running


@pytest.fixture
def frugal(frugal_mock: RunningMock, transport: str, api_key: str) -> Iterator[Talker]:
    """Open a client of that server."""
    with talking(frugal_mock, transport, api_key) as opened_talker:
        yield opened_talker


def peak_memory_bytes() -> int:
    """Return the most memory this process, and the server within it, has ever taken."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def assert_over_budget(frugal_mock: RunningMock, frugal: Talker, data: bytes) -> None:
    """Check that a picture is refused for the memory it needs, that none was taken, and that its neighbour is not."""
    neighbour = encoded(photo((100, 100)), "PNG")
    tasks = upload(data), upload(neighbour)
    before_bytes = peak_memory_bytes()
    answer = frugal.ask(*tasks)
    assert peak_memory_bytes() - before_bytes < 2 * BUDGET_BYTES
    (error,) = answer.errors
    assert error["code"] == "invalidImage"
    assert "more than the memory budget of 256 MiB" in error["message"]
    assert "--memory-budget-bytes" in error["message"]
    assert not is_stored(frugal_mock, data)
    assert stored_bytes(answer.data[0]) == neighbour


def test_a_png_of_50000_by_50000_pixels_is_refused(frugal_mock: RunningMock, frugal: Talker) -> None:
    data = one_color_png(50_000)
    assert 7_000_000 < len(data) < 9_000_000
    assert_over_budget(frugal_mock, frugal, data)


def test_the_painted_bomb_is_a_real_picture() -> None:
    picture = opened(one_color_png(300))
    assert picture.size == (300, 300)
    assert picture.getextrema() == ((0, 0), (0, 0), (0, 0))


def bmp_of_nothing() -> bytes:
    """Return a BMP whose header promises 40000 by 40000 pixels."""
    header = struct.pack("<IiiHHIIiiII", 40, 40_000, 40_000, 1, 24, 0, 0, 0, 0, 0, 0)
    return struct.pack("<2sIII", b"BM", 54, 0, 54) + header


def jpeg_of_nothing() -> bytes:
    """Return a progressive JPEG whose header promises 14000 by 14000 pixels."""
    data = bytearray(encoded(photo((64, 64)), "JPEG", progressive=True))
    position = data.index(b"\xff\xc2")
    data[position + 5 : position + 9] = struct.pack(">HH", 14_000, 14_000)
    return bytes(data)


def jpeg_of_several_scans() -> bytes:
    """Return a JPEG that is not progressive and yet has each component in a scan of its own, 12000 by 12000 pixels."""
    data = bytearray(encoded(photo((64, 64)), "JPEG"))
    size_at = data.index(b"\xff\xc0") + 5
    data[size_at : size_at + 4] = struct.pack(">HH", 12_000, 12_000)
    scan_at = data.index(b"\xff\xda")
    first_component = b"\xff\xda\0\x08\1\1\0\0\x3f\0"
    return bytes(data[:scan_at]) + first_component + bytes(data[scan_at + 14 :])


def webp_of_nothing() -> bytes:
    """Return an animated WebP of small frames on a canvas of 10000 by 10000 pixels."""
    data = bytearray(moving(clip((60, 40), 3), "WEBP", duration=100))
    data[24:30] = (9_999).to_bytes(3, "little") * 2
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        bmp_of_nothing(),
        jpeg_of_nothing(),
        jpeg_of_several_scans(),
        webp_of_nothing(),
        one_pixel_gif(2, (16_000, 16_000)),
        one_pixel_gif(1, (16_000, 16_000)),
    ],
    ids=["BMP", "progressive JPEG", "JPEG of several scans", "animated WebP", "animated GIF", "GIF"],
)
def test_a_header_that_promises_too_much_is_refused(frugal_mock: RunningMock, frugal: Talker, data: bytes) -> None:
    assert_over_budget(frugal_mock, frugal, data)


def test_an_animation_over_the_budget_is_refused(frugal_mock: RunningMock, frugal: Talker) -> None:
    still = one_color_png(5_000)
    first, second = (
        struct.pack(">IIIIIHHBB", number, side, side, 0, 0, 1, 10, 0, 0) for number, side in ((0, 5_000), (1, 1))
    )
    control = png_chunk(b"acTL", struct.pack(">II", 2, 0)) + png_chunk(b"fcTL", first)
    pixel = png_chunk(b"fdAT", struct.pack(">I", 2) + zlib.compress(bytes(4)))
    header, pixels, end = still[:33], still[33:-12], still[-12:]
    data = header + control + pixels + png_chunk(b"fcTL", second) + pixel + end
    assert_over_budget(frugal_mock, frugal, data)


def test_a_gif_of_10000_frames_is_accepted_byte_for_byte(transport: str, api_key: str) -> None:
    data = one_pixel_gif(10_000)
    assert len(taken_apart(one_pixel_gif(3)).frames) == 3
    with running_mock(memory_budget_bytes=BUDGET_BYTES) as mock, talking(mock, transport, api_key) as talker:
        assert stored_bytes(talker.ask(upload(data)).item) == data
        with mock.services.database.reading() as connection:
            assert connection.execute(content.select()).one().frames == 10_000


@cache
def gibibyte_of_zeros() -> bytes:
    """Return a mebibyte that inflates to a gibibyte."""
    squeeze = zlib.compressobj(1)
    return b"".join(squeeze.compress(bytes(2**20)) for _ in range(1024)) + squeeze.flush()


@pytest.mark.parametrize("size", [(100, 50), (2100, 50)])
@pytest.mark.parametrize("place", ["before", "behind"])
def test_a_text_that_inflates_hugely_never_is_inflated(frugal: Talker, size: tuple[int, int], place: str) -> None:
    plain = encoded(photo(size), "PNG")
    chunk = png_chunk(b"zTXt", b"Comment\0\0" + gibibyte_of_zeros())
    position = 33 if place == "before" else len(plain) - 12
    data = plain[:position] + chunk + plain[position:]
    tasks = [upload(data)]
    before_bytes = peak_memory_bytes()
    item = frugal.ask(*tasks).item
    assert peak_memory_bytes() - before_bytes < BUDGET_BYTES
    if size[0] > 2048:
        assert opened(stored_bytes(item)).size == (2048, 49)
    else:
        assert stored_bytes(item) == data


def inflating_profile() -> bytes:
    """Return a PNG whose colour profile inflates to a gibibyte."""
    plain = encoded(photo((100, 50)), "PNG")
    return plain[:33] + png_chunk(b"iCCP", b"profile\0\0" + gibibyte_of_zeros()) + plain[33:]


def png_of_many_chunks() -> bytes:
    """Return a PNG of more than 100,000 chunks without content."""
    plain = encoded(photo((100, 50)), "PNG")
    return plain[:33] + png_chunk(b"teSt", b"") * 100_000 + plain[33:]


def jpeg_of_scans(count: int, size: tuple[int, int] = (64, 64)) -> bytes:
    """Return a progressive JPEG whose last scan comes `count` times more."""
    data = encoded(photo(size).convert("L"), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * count + data[-2:]


def jpeg_of_segments(count: int) -> bytes:
    """Return a JPEG with as many comments without content."""
    plain = encoded(photo((64, 64)), "JPEG")
    return plain[:2] + b"\xff\xfe\0\2" * count + plain[2:]


def jpeg_of_hidden_segments() -> bytes:
    """Return a JPEG of more than 100,000 comments, behind marks that have a length for others than Pillow."""
    plain = encoded(photo((64, 64)), "JPEG")
    return plain[:2] + (b"\xff\xf0\xff\xff" + b"\xff\xfe\0\2" * 16_383) * 7 + plain[2:]


def filled_up_jpeg(count: int) -> bytes:
    """Return a JPEG with so many bytes before a segment's mark, as many as a segment may have before it."""
    plain = encoded(photo((64, 64)), "JPEG")
    return plain[:2] + b"\xff" * count + plain[2:]


def webp_of_many_chunks() -> bytes:
    """Return an animated WebP with more than 200,000 chunks without content behind it."""
    data = moving(clip((60, 40), 3), "WEBP", duration=100) + b"TEST\0\0\0\0" * 200_000
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


def gif_of_many_blocks() -> bytes:
    """Return a GIF with a comment of more than 2,000,000 blocks of one byte."""
    plain = one_pixel_gif(2)
    return plain[:-1] + b"!\xfe" + b"\1a" * 2_000_001 + b"\0;"


def rle_bmp(size: tuple[int, int]) -> bytes:
    """Return a BMP of one coloured pixel a row; four bytes stand for each."""
    rows = b"\1\1\0\0" * size[1] + b"\0\1"
    header = struct.pack("<IiiHHIIiiII", 40, *size, 1, 8, 1, len(rows), 0, 0, 2, 0)
    palette = b"\0\0\0\0\xff\xff\xff\0"
    start = 54 + len(palette)
    return struct.pack("<2sIII", b"BM", start + len(rows), 0, start) + header + palette + rows


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (png_of_many_chunks, "more than 100000 chunks"),
        (lambda: jpeg_of_scans(600), "more than 100000 segments, or 500 scans"),
        (lambda: jpeg_of_scans(20_000), "more than 100000 segments, or 500 scans"),
        (lambda: jpeg_of_segments(100_001), "more than 100000 segments"),
        (jpeg_of_hidden_segments, "cannot be decoded"),
        (webp_of_many_chunks, "more than 200000 chunks"),
        (gif_of_many_blocks, "more than 100000 frames, or 2000000 blocks"),
        (lambda: one_pixel_gif(100_001), "more than 100000 frames"),
        (lambda: one_pixel_gif(537, (2_000, 2_000)), "2147483648 pixels in all of them"),
        (lambda: rle_bmp((8_193, 8_192)), "run-length coded, and more than 67108864 pixels"),
    ],
    ids=[
        "chunks",
        "scans",
        "many scans",
        "segments",
        "hidden",
        "WebP",
        "blocks",
        "frames",
        "pixels",
        "RLE",
    ],
)
def test_a_small_file_that_takes_long_is_refused(frugal: Talker, make: Callable[[], bytes], word: str) -> None:
    tasks = upload(make()), upload(encoded(photo((100, 100)), "PNG"))
    before_bytes, began_s = peak_memory_bytes(), process_time()
    answer = frugal.ask(*tasks)
    assert process_time() - began_s < 10
    assert peak_memory_bytes() - before_bytes < BUDGET_BYTES
    assert (answer.codes, len(answer.data)) == (["invalidImage"], 1)
    assert word in answer.errors[0]["message"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: jpeg_of_scans(400),
        lambda: jpeg_of_segments(90_000),
        lambda: filled_up_jpeg(20_000_000),
        inflating_profile,
        lambda: encoded(photo((200, 100)).quantize(2), "BMP"),
        lambda: rle_bmp((200, 100)),
    ],
    ids=["scans", "segments", "filled", "profile", "BMP", "RLE"],
)
def test_one_within_the_limits_is_accepted(frugal: Talker, make: Callable[[], bytes]) -> None:
    assert stored_bytes(frugal.ask(upload(make())).item) == make()


def test_marks_of_scans_in_thumbnails_and_extras_are_no_scans(frugal: Talker) -> None:
    plain = encoded(photo((64, 64)), "JPEG")
    extra = b"\xff\xe5\x10\x02" + b"\xff\xda" * 2048
    data = plain[:2] + extra + plain[2:] + b"\xff\xda" * 600
    assert stored_bytes(frugal.ask(upload(data)).item) == data


def test_pictures_that_only_fit_one_by_one_are_all_accepted(transport: str, api_key: str) -> None:
    # Each takes about 32 MiB.
    pictures = [encoded(photo((2_100 + extra, 1_000)), "BMP") for extra in range(4)]
    with running_mock(memory_budget_bytes=40 * 2**20) as mock, talking(mock, transport, api_key) as talker:
        answer = talker.ask(*map(upload, pictures))
        assert not answer.errors
        assert [opened(stored_bytes(item)).width for item in answer.data] == [2048] * 4
