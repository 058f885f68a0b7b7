"""Downsize a still picture that no memory budget holds: libvips reads it row by row. Needs `runware-mock[vips]`."""

from importlib.util import find_spec
from typing import Any

from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from runware_mock.images.animation import count_frames
from runware_mock.images.jpeg import is_in_one_scan
from runware_mock.images.still import QUALITY
from runware_mock.images.webp import is_lossy_without_alpha

_END_OF_IMAGE = b"\xff\xd9"
# Phones append a few bytes behind the end.
_TAIL_BYTES = 4096

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


def is_possible(name: str, image: ImageFile, data: bytes, budget_bytes: int) -> bool:
    """Tell whether the rows of a picture can be read one after the other, by what is installed, within the budget."""
    if _BYTES_PER_COLUMN * image.width > max(budget_bytes, _ALWAYS_BYTES):
        return False
    if name not in _SAVE_OPTIONS or count_frames(image) > 1 or image.info.get("interlace"):
        return False
    if isinstance(image, JpegImageFile) and not is_in_one_scan(image, data):
        return False
    if name == "webp" and not is_lossy_without_alpha(data):
        return False
    # Only the headers of what is beyond any budget bring us here, so that its import is nobody's delay.
    return find_spec("pyvips") is not None


def downsize(name: str, data: bytes, size: tuple[int, int]) -> tuple[bytes, tuple[int, int]]:
    """Return the encoded picture and its size, turned where the orientation says so.

    Raises ValueError where the picture is broken.
    """
    import pyvips

    # It would keep what it has read for the next time.
    pyvips.cache_set_max(0)
    if name == "jpeg" and _END_OF_IMAGE not in data[-_TAIL_BYTES:]:
        # libvips fills the missing rows of a JPEG with grey.
        raise ValueError("the file is truncated")
    try:
        # The longest side bounds both, before and after the picture is turned.
        image: Any = pyvips.Image.thumbnail_buffer(data, max(size), height=max(size), fail_on="truncated")
        return bytes(image.write_to_buffer(_SAVE_OPTIONS[name])), (int(image.width), int(image.height))
    except pyvips.Error as error:
        raise ValueError(str(error).strip()) from None
