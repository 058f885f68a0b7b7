"""Downsize a still picture with libvips, which reads it row by row. Needs `runware-mock[vips]`.

It is faster for PNG and WebP, and for the last step of a JPEG that was decoded to a smaller scale; and it reads
pictures that exceed any memory budget.
"""

import logging
from functools import cache
from importlib.util import find_spec
from threading import Timer
from typing import Any, Literal

import numpy as np
from PIL.Image import Image

from runware_mock.images.limits import Deadline
from runware_mock.images.resize import Pixels, Resizer, Size, image_of, pixels_of

# A few dozen bytes may declare rows of gigabytes. libvips holds some hundred rows, of up to eight bytes a pixel.
BYTES_PER_COLUMN = 7_000
# What streaming may take even if the budget is smaller: no picture from a camera or a scanner is wider.
ALWAYS_BYTES = 2**29

_LARGEST_SHRINK = 8


class VipsResizer(Resizer):
    """Resizes with libvips on `threads` threads."""

    def __init__(self, threads: int) -> None:
        self._threads = threads

    def image(self, image: Image, size: Size) -> Image:
        """Return an image at another size; Pillow resizes those with alpha, as it weights colours by it."""
        if image.mode not in ("L", "RGB"):
            return super().image(image, size)
        return image_of(self.pixels(pixels_of(image), size, image.mode), image.mode)

    def pixels(self, pixels: Pixels, size: Size, mode: str) -> Pixels:
        """Return the pixels of an image of mode L, RGB or CMYK at another size."""
        del mode
        height_px, width_px, bands = pixels.shape
        image: Any = _library().Image.new_from_memory(pixels, width_px, height_px, bands, "uchar")
        small = image.resize(size[0] / width_px, vscale=size[1] / height_px, kernel="cubic")
        return np.frombuffer(_computed(small, self._threads, None), np.uint8).reshape(size[1], size[0], bands)

    def rows(
        self, name: str, data: bytes, size: Size, deadline: Deadline, fail_on: Literal["warning", "none"]
    ) -> Image | None:
        """Return a PNG, JPEG or WebP at another size, read row by row, not turned; None if libvips cannot."""
        pyvips = _library()
        try:
            if name == "webp":
                # Decode to a smaller scale, as libvips holds the whole picture.
                options = {"height": size[1], "size": "force", "no_rotate": True, "fail_on": fail_on}
                image: Any = pyvips.Image.thumbnail_buffer(data, size[0], **options)
            else:
                image = _opened(name, data, size, fail_on)
            is_deep = image.format == "ushort"
            pixels = np.frombuffer(_computed(image, self._threads, deadline), np.uint16 if is_deep else np.uint8)
        except pyvips.Error:
            deadline.check()
            return None
        pixels = pixels.reshape(size[1], size[0], image.bands)
        return image_of(pixels, "CMYK" if image.interpretation == "cmyk" else None)


def _opened(name: str, data: bytes, size: Size, fail_on: str) -> Any:
    """Return the picture at another size, in 8 bits a sample, or 16 bits of grey; nothing is computed yet."""
    options: dict[str, Any] = {"access": "sequential", "fail_on": fail_on}
    image: Any = _library().Image.new_from_buffer(data, "", **options)
    if name == "jpeg":
        factor = min(image.width // size[0], image.height // size[1], _LARGEST_SHRINK)
        shrink = 1 << max(1, factor).bit_length() - 1
        image = _library().Image.new_from_buffer(data, "", shrink=shrink, **options)
    depth, has_alpha = image.format, image.hasalpha()
    image = image.premultiply() if has_alpha else image
    image = image.resize(size[0] / image.width, vscale=size[1] / image.height, kernel="cubic")
    image = image.unpremultiply().rint().cast(depth) if has_alpha else image
    # Like Pillow's readers, keep 16 bits only of grey, and the high byte of other samples.
    return (image >> 8).cast("uchar") if depth == "ushort" and image.bands > 1 else image


def _computed(image: Any, threads: int, deadline: Deadline | None) -> Any:
    # header.h, VIPS_META_CONCURRENCY: "If set, the suggested concurrency for this image."
    image.set_type(_library().GValue.gint_type, "concurrency", threads)
    if deadline is None:
        return image.write_to_memory()
    timer = Timer(deadline.left_s(), image.set_kill, (True,))
    timer.start()
    try:
        return image.write_to_memory()
    finally:
        timer.cancel()


def is_installed() -> bool:
    """Return whether libvips can be used."""
    return find_spec("pyvips") is not None


@cache
def _library() -> Any:
    """Return pyvips, an optional extra; only the first big picture waits for its import. Raises ImportError."""
    # pyvips logs a dozen lines for each picture, and warns about what clients send.
    logging.getLogger("pyvips").setLevel(logging.ERROR)
    try:
        import pyvips
    except (ImportError, OSError) as error:
        # pyvips tries a second way, whose error hides why the first one failed: for example, no memory was left.
        raise ImportError(f"libvips cannot be loaded: {error.__context__ or error}") from error
    # libvips would cache what it has read.
    pyvips.cache_set_max(0)
    return pyvips
