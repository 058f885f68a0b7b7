"""Small files that ask for much work: counted before it is done, and given up in time where it cannot be counted."""

import struct
import time
from datetime import timedelta
from importlib.util import find_spec

import pytest
from PIL import Image

from runware_mock.images.codec import Codec
from runware_mock.images.formats import PictureRefused
from runware_mock.images.limits import MOST_WORK_PX, Budget, Deadline, TookTooLong
from runware_mock.settings import PICTURES
from tests.images.moving_files import Patch, apng, gif
from tests.images.painting import Size, encoded, moving, one_color_png, one_pixel_gif, photo

CODEC = Codec(PICTURES, Budget(2**33, 1), may_use_vips=False)


def apng_of_frames(count: int, size: Size) -> bytes:
    """Return an APNG of one-pixel frames."""
    return apng(size, (8, 0), [Patch(size, colour=(9,)), *[Patch((1, 1), colour=(7,))] * (count - 1)])


def webp_of_frames(count: int, side_px: int) -> bytes:
    """Return a WebP animation of one-pixel frames on a canvas whose size was changed afterwards."""
    data = bytearray(moving([Image.new("RGB", (2, 2), name) for name in ("red", "blue")], "WEBP", duration=1))
    data[24:30] = (side_px - 1).to_bytes(3, "little") * 2
    frame_at = data.rindex(b"ANMF")
    frame = bytes(data[frame_at:])
    data = data[:frame_at] + frame * (count - 1)
    return bytes(data[:4] + struct.pack("<I", len(data) - 8) + data[8:])


def jpeg_of_scans(count: int, size: Size) -> bytes:
    """Return a progressive JPEG of a promised size, whose last scan comes so often."""
    data = bytearray(encoded(photo((64, 64)).convert("L"), "JPEG", progressive=True))
    frame_at = data.index(b"\xff\xc2")
    data[frame_at + 5 : frame_at + 9] = struct.pack(">HH", *size)
    last = data.rindex(b"\xff\xda")
    return bytes(data[:-2] + data[last:-2] * count + data[-2:])


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: one_pixel_gif(1_300, (1_300, 1_300)), "1300 frames of 1300 by 1300"),
        (lambda: apng_of_frames(1_300, (1_300, 1_300)), "1300 frames of 1300 by 1300"),
        (lambda: webp_of_frames(1_300, 1_300), "1300 frames of 1300 by 1300"),
        (lambda: jpeg_of_scans(400, (3_000, 3_000)), "scans of 3000 by 3000"),
    ],
    ids=["GIF", "APNG", "WebP", "JPEG"],
)
def test_more_pixels_in_all_passes_than_the_budget_of_work_are_refused_at_once(make: object, word: str) -> None:
    assert callable(make)
    data = make()
    assert len(data) < 2**18
    began_s = time.process_time()
    with pytest.raises(PictureRefused, match=f"{word} pixels are more work.*at most .* {MOST_WORK_PX} pixels"):
        CODEC.stored_form(data)
    assert time.process_time() - began_s < 2


@pytest.mark.parametrize(("frames", "is_taken"), [(511, True), (512, True), (513, False)])
def test_the_budget_of_work_is_one_of_pixels_times_frames(frames: int, *, is_taken: bool) -> None:
    # 2048 times 2048 times 512 is 2^31.
    data = one_pixel_gif(frames, (2048, 2048))
    if is_taken:
        assert CODEC.stored_form(data).frames == frames
    else:
        with pytest.raises(PictureRefused, match="more work"):
            CODEC.stored_form(data)


def test_a_frame_far_larger_than_its_canvas_counts_as_large_as_it_is() -> None:
    # The first frame enlarges the canvas, a later one does not.
    data = gif((8, 8), [(1, 2, 3)], [Patch((8, 8)), Patch((8, 8))])
    descriptor = b"," + struct.pack("<4HB", 0, 0, 8, 8, 0)
    at = data.rindex(descriptor)
    greedy = data[:at] + b"," + struct.pack("<4HB", 0, 0, 65_535, 65_535, 0) + data[at + len(descriptor) :]
    with pytest.raises(PictureRefused, match="more than the memory budget of 256 MiB"):
        Codec(PICTURES, Budget(2**28, 1)).stored_form(greedy)


def test_a_webp_that_would_hold_up_the_whole_process_is_left_to_libvips() -> None:
    # 8192 times 4096 is 2^25.
    taken = CODEC.stored_form(encoded(Image.new("RGB", (8192, 4096)), "WEBP", lossless=True, method=0))
    assert (taken.width_px, taken.height_px) == (2048, 1024)
    beyond = encoded(Image.new("RGB", (8192, 4097)), "WEBP", lossless=True, method=0)
    with pytest.raises(PictureRefused, match=r"more than 33554432 pixels: install runware-mock\[vips\]"):
        CODEC.stored_form(beyond)
    if find_spec("pyvips"):
        assert Codec(PICTURES, Budget(2**33, 1)).stored_form(beyond).width_px == 2048


@pytest.mark.parametrize(
    "data",
    [
        one_pixel_gif(50, (2100, 100)),
        apng_of_frames(50, (2100, 100)),
        one_color_png(3000),
        encoded(photo((2100, 100)), "BMP"),
        moving([photo((2100, 100)), photo((2100, 100)).rotate(180)], "WEBP"),
        encoded(photo((2100, 100)), "JPEG"),
    ],
    ids=["GIF", "APNG", "PNG", "BMP", "WebP", "JPEG"],
)
def test_a_picture_that_takes_too_long_is_refused_by_name(data: bytes) -> None:
    hurried = Codec(PICTURES, Budget(2**31, 1), may_use_vips=False, timeout=timedelta(0))
    with pytest.raises(PictureRefused, match=r"took longer than 0 s: --decode-timeout allows more"):
        hurried.stored_form(data)


def test_a_deadline_passes_when_its_time_is_up() -> None:
    Deadline(60).check()
    with pytest.raises(TookTooLong):
        Deadline(0).check()
