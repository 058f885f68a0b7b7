"""Downsize a still picture with libvips, which reads it row by row. Needs `runware-mock[vips]`.

PNG and WebP, because libvips is faster there; what is left to do of a JPEG that was decoded to a smaller scale; and
whatever no memory budget holds.
"""

import logging
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from typing import TYPE_CHECKING, Any

from PIL.Image import Image, frombuffer
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from runware_mock.images import animation
from runware_mock.images.jpeg import is_in_one_scan
from runware_mock.images.pixels import image_of, pixels_of
from runware_mock.images.resize import QUALITY
from runware_mock.images.webp import is_lossy_without_alpha

if TYPE_CHECKING:
    from runware_mock.images.pixels import Pixels

_END_OF_IMAGE = b"\xff\xd9"
# Phones append a few bytes behind the end.
_TAIL_BYTES = 4096
_BIT_DEPTH_AT = 24
_EIGHT_BITS = 8

# A few dozen bytes may promise rows of gigabytes. libvips holds some hundred rows, of up to eight bytes a pixel.
_BYTES_PER_COLUMN = 7_000
# What streaming may take even where the budget is smaller: no picture from a camera or a scanner is wider.
_ALWAYS_BYTES = 2**29

# Formats that libvips streams, with what its writers take; "icc" keeps the profile and drops other metadata.
_SAVE_OPTIONS = {
    "jpeg": f".jpg[Q={QUALITY},keep=icc]",
    "png": ".png[compression=1,keep=icc]",
    "webp": f".webp[Q={QUALITY},effort=0,keep=icc]",
}
_BANDS = {1: "L", 3: "RGB", 4: "RGBA"}


def can_stream(name: str, image: ImageFile, data: bytes, budget_bytes: int) -> bool:
    """Tell whether the rows of a picture can be read one after the other, by what is installed, within the budget."""
    if _BYTES_PER_COLUMN * image.width > max(budget_bytes, _ALWAYS_BYTES):
        return False
    if name not in _SAVE_OPTIONS or animation.count_frames(image) > 1 or image.info.get("interlace"):
        return False
    if isinstance(image, JpegImageFile) and not is_in_one_scan(image, data):
        return False
    return name != "webp" or is_lossy_without_alpha(data)


def stream(name: str, data: bytes, size: tuple[int, int]) -> tuple[bytes, tuple[int, int]]:
    """Return the encoded picture and its size, turned where the orientation says so.

    Raises ValueError where the picture is broken.
    """
    if name == "jpeg" and _END_OF_IMAGE not in data[-_TAIL_BYTES:]:
        # libvips fills the missing rows of a JPEG with grey.
        raise ValueError("the file is truncated")
    pyvips = _library()
    try:
        # The longest side bounds both, before and after the picture is turned.
        image: Any = pyvips.Image.thumbnail_buffer(data, max(size), height=max(size), fail_on="truncated")
        return bytes(image.write_to_buffer(_SAVE_OPTIONS[name])), (int(image.width), int(image.height))
    except pyvips.Error as error:
        raise ValueError(str(error).strip()) from None


def shrunk(
    name: str, image: ImageFile, data: bytes, size: tuple[int, int], room_bytes: int, threads: int
) -> Image | None:
    """Return the pixels of a picture at another size, as they are stored; None where Pillow has to do it.

    It takes no more than `room_bytes` of memory, and so many threads.
    """
    if _BYTES_PER_COLUMN * image.width > room_bytes:
        return None
    if name == "png":
        # Without the texts, which could inflate a thousandfold.
        data = image.fp.getvalue() if isinstance(image.fp, BytesIO) else data
    if not _is_faster(name, image, data):
        return None
    pyvips = _library()
    try:
        # Whatever libvips so much as warns of is Pillow's to judge.
        pixels: Any = pyvips.Image.thumbnail_buffer(
            data, size[0], height=size[1], size="force", no_rotate=True, fail_on="warning"
        )
        if _BANDS.get(pixels.bands) != image.mode or pixels.format != "uchar":
            return None
        return frombuffer(image.mode, size, _computed(pixels, threads), "raw", image.mode, 0, 1)
    except pyvips.Error:
        return None


def _is_faster(name: str, image: ImageFile, data: bytes) -> bool:
    if name == "png":
        is_plain = data[_BIT_DEPTH_AT] == _EIGHT_BITS and image.mode in _BANDS.values()
        return is_plain and not image.info.get("interlace") and "transparency" not in image.info
    return name == "webp" and is_lossy_without_alpha(data)


def resize(pixels: "Pixels", size: tuple[int, int], threads: int) -> "Pixels":
    """Return the pixels of a picture at another size."""
    import numpy as np

    height_px, width_px, bands = pixels.shape
    pyvips = _library()
    image: Any = pyvips.Image.new_from_memory(pixels, width_px, height_px, bands, "uchar")
    small = image.resize(size[0] / width_px, vscale=size[1] / height_px, kernel="cubic")
    return np.frombuffer(_computed(small, threads), np.uint8).reshape(size[1], size[0], bands)


def resize_frame(frame: Image, size: tuple[int, int], threads: int) -> Image:
    """Return a frame at another size; Pillow does it where there is alpha, as it weighs the colours by it."""
    if frame.mode not in ("L", "RGB"):
        return animation.resize(frame, size)
    return image_of(resize(pixels_of(frame), size, threads))


def _computed(image: Any, threads: int) -> Any:
    # header.h, VIPS_META_CONCURRENCY: "If set, the suggested concurrency for this image."
    image.set_type(_library().GValue.gint_type, "concurrency", threads)
    return image.write_to_memory()


def is_installed() -> bool:
    """Tell whether libvips can be used."""
    return find_spec("pyvips") is not None


@cache
def _library() -> Any:
    """Import it; only the first big picture waits for that."""
    # It tells a dozen lines of each picture, and warns of what clients send.
    logging.getLogger("pyvips").setLevel(logging.ERROR)
    import pyvips

    # It would keep what it has read for the next time.
    pyvips.cache_set_max(0)
    return pyvips
