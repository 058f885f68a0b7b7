"""Pictures of mode L or RGB as arrays, which libraries other than Pillow take: rows of columns of samples."""

from typing import TYPE_CHECKING

from PIL.Image import Image, frombuffer

from runware_mock.images.resize import RESAMPLING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]


def pixels_of(image: Image) -> "Pixels":
    """Return the pixels of a picture."""
    import numpy as np

    return np.asarray(image).reshape(image.height, image.width, -1)


def mode_of(pixels: "Pixels") -> str:
    """Return the mode of a picture of these pixels."""
    return "L" if pixels.shape[2] == 1 else "RGB"


def image_of(pixels: "Pixels") -> Image:
    """Return the picture of these pixels."""
    height_px, width_px = pixels.shape[:2]
    mode = mode_of(pixels)
    return frombuffer(mode, (width_px, height_px), pixels, "raw", mode, 0, 1)


def resize(pixels: "Pixels", size: tuple[int, int]) -> "Pixels":
    """Return the pixels at another size, by Pillow."""
    return pixels_of(image_of(pixels).resize(size, RESAMPLING))
