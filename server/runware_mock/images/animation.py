"""Animations: frames drawn on one canvas by the rules of GIF and APNG.

GIF89a, section 23; PNG (third edition), 12.9. Both draw each frame on what the frames before it left, and then keep,
clear or restore the area that it covered. A canvas begins transparent, and clearing makes it transparent, as all
browsers do for GIF as well.
"""

from collections.abc import Iterable, Iterator
from enum import Enum

import numpy as np
from msgspec import Struct

from runware_mock.images.resize import Pixels, Size

_OPAQUE = 255
_RGBA = 4


class Disposal(Enum):
    """What happens to the area of a frame once its time is up."""

    KEEP = 0
    CLEAR = 1
    RESTORE = 2


class Part(Struct, frozen=True):
    """One frame as its file has it: pixels for an area of the canvas, which may lie partly or wholly outside.

    Pixels of four bands are RGBA, of uint8; those of one or three bands are opaque. `blends` draws them over the
    canvas, else they replace it.
    """

    pixels: Pixels
    left_px: int
    top_px: int
    disposal: Disposal
    blends: bool
    duration_ms: float


def composited(size: Size, parts: Iterable[Part]) -> Iterator[tuple[Pixels, float]]:
    """Yield the canvas as it looks in each frame, and for how many milliseconds.

    It is the same array each time: copy what you keep.
    """
    canvas: Pixels | None = None
    for part in parts:
        if canvas is None:
            canvas = np.zeros((size[1], size[0], *part.pixels.shape[2:]), part.pixels.dtype)
        area, pixels = _visible(canvas, part)
        before = area.copy() if part.disposal is Disposal.RESTORE else None
        if part.blends and pixels.shape[2:] == (_RGBA,):
            _draw_over(area, pixels)
        else:
            area[...] = pixels
        yield canvas, part.duration_ms
        if before is not None:
            area[...] = before
        elif part.disposal is Disposal.CLEAR:
            area[...] = 0


def _visible(canvas: Pixels, part: Part) -> tuple[Pixels, Pixels]:
    """Return the area of the canvas that a part covers, and the pixels for it."""
    height_px, width_px = canvas.shape[:2]
    shown = part.pixels[: max(0, height_px - part.top_px), : max(0, width_px - part.left_px)]
    area = canvas[part.top_px : part.top_px + shown.shape[0], part.left_px : part.left_px + shown.shape[1]]
    return area, shown


def _draw_over(area: Pixels, pixels: Pixels) -> None:
    """Draw RGBA pixels over others in place: PNG (third edition), 12.9 and 13.16, "Alpha channel processing"."""
    alpha, below = pixels[..., 3], area[..., 3]
    replaces = (alpha == _OPAQUE) | ((below == 0) & (alpha > 0))
    if replaces.all():
        area[...] = pixels
        return
    np.copyto(area, pixels, where=replaces[..., None])
    mixes = (alpha > 0) & ~replaces
    if not mixes.any():
        return
    front, back = pixels[mixes].astype(np.float32), area[mixes].astype(np.float32)
    front_share = front[:, 3:] / _OPAQUE
    back_share = back[:, 3:] / _OPAQUE * (1 - front_share)
    share = front_share + back_share
    mixed = np.empty_like(front)
    mixed[:, :3] = (front[:, :3] * front_share + back[:, :3] * back_share) / share
    mixed[:, 3:] = share * _OPAQUE
    area[mixes] = np.rint(mixed).astype(np.uint8)
