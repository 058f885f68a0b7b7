"""Resize pixels, turn them upright, and convert them between Pillow images and numpy arrays."""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image, Resampling, Transpose, frombuffer

Size = tuple[int, int]
# Rows of columns of samples: (height, width, bands), or (height, width) for one band.
Pixels = NDArray[Any]

# 0.1 to 0.2 dB below LANCZOS in half the time.
RESAMPLING = Resampling.HAMMING
# Guess: the quality at which the real service saves is unknown; image services commonly use this one.
QUALITY = 90

_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_ORIENTATION_TAG = 0x0112
_SHORT = 3
# EXIF 2.32, table 6: how to turn the stored rows and columns into the picture as it is meant to be seen.
_TURNS = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}


class Resizer:
    """Resizes with Pillow."""

    def image(self, image: Image, size: Size) -> Image:
        """Return an image of mode L, LA, RGB, RGBA, CMYK or I;16 at another size."""
        return image.resize(size, RESAMPLING)

    def pixels(self, pixels: Pixels, size: Size, mode: str) -> Pixels:
        """Return the pixels of an image of mode L, RGB or CMYK at another size."""
        return pixels_of(image_of(pixels, mode).resize(size, RESAMPLING))


def pixels_of(image: Image) -> Pixels:
    """Return the pixels of an image."""
    return np.asarray(image).reshape(image.height, image.width, -1)


def image_of(pixels: Pixels, mode: str | None = None) -> Image:
    """Return the image of these pixels, possibly sharing their memory; by default the bands decide the mode."""
    height_px, width_px = pixels.shape[:2]
    if mode is None:
        bands = 1 if pixels.ndim == 2 else pixels.shape[2]  # noqa: PLR2004 - dimensions
        mode = "I;16" if pixels.dtype == np.uint16 else _MODES[bands]
    return frombuffer(mode, (width_px, height_px), np.ascontiguousarray(pixels), "raw", mode, 0, 1)


def in_8_bits(image: Image) -> Image:
    """Return 16-bit grey in 8 bits, any other image as it is."""
    return image_of((np.asarray(image) >> 8).astype(np.uint8)) if image.mode == "I;16" else image


def scaled_size(size: Size, longest_px: int) -> Size:
    """Return the size scaled to a longest side of `longest_px`; the other is rounded half up, and at least 1 px."""
    longest = max(size)
    width_px, height_px = (max(1, (2 * side_px * longest_px + longest) // (2 * longest)) for side_px in size)
    return width_px, height_px


def upright(image: Image, orientation: int) -> Image:
    """Return the image turned as an EXIF orientation of 1 to 8 says; other numbers mean nothing."""
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def upright_size(size: Size, orientation: int) -> Size:
    """Return the size of an image that is turned as an EXIF orientation says."""
    return (size[1], size[0]) if orientation in (5, 6, 7, 8) else size


def orientation(exif: bytes) -> int:
    """Return the orientation in EXIF metadata, or 1 if it cannot be read: the picture may be intact nevertheless.

    Pillow's reader would raise or warn in that case, and read everything else, too.
    """
    tiff = exif.removeprefix(b"Exif\0\0")
    order = "<" if tiff.startswith(b"II") else ">"
    try:
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, start)
        for entry in range(start + 2, start + 2 + 12 * entries, 12):
            if struct.unpack_from(order + "HHI", tiff, entry) == (_ORIENTATION_TAG, _SHORT, 1):
                (value,) = struct.unpack_from(order + "H", tiff, entry + 8)
                return int(value)
    except struct.error:
        pass
    return 1
