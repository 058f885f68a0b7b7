"""How near a stored picture comes to an ideal downscale, beside what Pillow's LANCZOS would have made."""

import io
import math
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.corpus import Source, on_grey

# "we save them with a maximum of 2048 pixels in width or height"
LONGEST_SIDE_PX = 2048
# Encoded as the mock encodes, so that the resampling alone makes the difference.
OPTIONS = {"JPEG": {"quality": 90}, "WEBP": {"quality": 90, "method": 0}}

Pixels = NDArray[np.float64]


def psnr_db(one: Image.Image | Pixels, other: Image.Image | Pixels) -> float:
    """Return the peak signal-to-noise ratio of two RGB pictures of one size."""
    error = float(np.mean((np.asarray(one, np.float64) - np.asarray(other, np.float64)) ** 2))
    return 10 * math.log10(255**2 / error) if error else math.inf


def opened(raw: bytes) -> Image.Image:
    """Decode, on grey where it is clear."""
    with Image.open(io.BytesIO(raw)) as image:
        return on_grey(image)


def target_size(size_px: tuple[int, int]) -> tuple[int, int]:
    """Return the size within 2048 px."""
    width, height = size_px
    scale = LONGEST_SIDE_PX / max(size_px)
    return round(width * scale), round(height * scale)


def ideal(image: Image.Image) -> Pixels:
    """Downscale by cutting the spectrum: what no filter of a few pixels' width does better, and none is nearest to."""
    width, height = target_size(image.size)
    found = np.empty((height, width, 3))
    for channel, plane in enumerate(np.moveaxis(np.asarray(image, np.float32), 2, 0)):
        # Mirrored, or the opposite edges would ring into each other.
        mirrored = np.pad(plane, ((0, plane.shape[0]), (0, plane.shape[1])), mode="symmetric")
        spectrum = np.fft.rfft2(mirrored)
        kept = np.concatenate([spectrum[:height], spectrum[-height:]])[:, : width + 1]
        small = np.fft.irfft2(kept, s=(2 * height, 2 * width))[:height, :width]
        found[:, :, channel] = small * (width * height / plane.size)
    return np.clip(found, 0, 255)


@cache
def reference(source: Source) -> Pixels:
    """Return the ideal downscale of what was sent."""
    return ideal(opened(source.raw))


@cache
def lanczos_db(source: Source) -> float:
    """Return how near Pillow's LANCZOS comes, encoded."""
    with Image.open(io.BytesIO(source.raw)) as image:
        kind, small = source.picture.kind, image.resize(target_size(image.size), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, kind, **OPTIONS.get(kind, {}))
    return stored_db(source, out.getvalue())


def stored_db(source: Source, stored: bytes) -> float:
    """Return how near a stored picture comes."""
    return psnr_db(opened(stored), reference(source))
