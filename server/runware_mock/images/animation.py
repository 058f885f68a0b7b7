"""Animations: frames drawn on one canvas by the rules of GIF and APNG.

GIF89a, section 23; PNG (third edition), 12.9. Both draw each frame on what the previous frames left, and then keep,
clear or restore the area that it covered. A canvas is transparent at first and where it is cleared, as browsers do it
for GIF as well.
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


class Frame(Struct):
    """Where a frame belongs on the canvas, though it may lie partly or wholly outside, and how it is drawn there.

    If it `blends`, it is drawn over the canvas, else it replaces it.
    """

    size: Size
    left_px: int = 0
    top_px: int = 0
    duration_ms: float = 0
    disposal: Disposal = Disposal.KEEP
    blends: bool = False


def composited(size: Size, frames: Iterable[tuple[Frame, Pixels]]) -> Iterator[tuple[Pixels, float]]:
    """Yield the canvas as it looks in each frame, and for how many milliseconds.

    Pixels of four bands are RGBA, of uint8; those of one or three bands are opaque. The canvas is the same array each
    time: copy what you keep.
    """
    canvas: Pixels | None = None
    for frame, whole in frames:
        if canvas is None:
            canvas = np.zeros((size[1], size[0], *whole.shape[2:]), whole.dtype)
        # Cut off what lies outside the canvas.
        area = canvas[frame.top_px :, frame.left_px :][: whole.shape[0], : whole.shape[1]]
        pixels = whole[: area.shape[0], : area.shape[1]]
        before = area.copy() if frame.disposal is Disposal.RESTORE else None
        if frame.blends and pixels.shape[2:] == (_RGBA,):
            _draw_over(area, pixels)
        else:
            area[...] = pixels
        yield canvas, frame.duration_ms
        if before is not None:
            area[...] = before
        elif frame.disposal is Disposal.CLEAR:
            area[...] = 0


def _draw_over(area: Pixels, pixels: Pixels) -> None:
    """Draw RGBA pixels over others in place: PNG (third edition), 12.9 and 13.16, "Alpha channel processing"."""
    alpha, below = pixels[..., 3], area[..., 3]
    replaces = (alpha == _OPAQUE) | ((below == 0) & (alpha > 0))
    if replaces.all():
        area[...] = pixels
        return
    np.copyto(area, pixels, where=replaces[..., None])
    mixes = (alpha > 0) & ~replaces
    if mixes.any():
        front, back = pixels[mixes].astype(np.float32), area[mixes].astype(np.float32)
        front_share = front[:, 3:] / _OPAQUE
        back_share = back[:, 3:] / _OPAQUE * (1 - front_share)
        share = front_share + back_share
        colours = (front[:, :3] * front_share + back[:, :3] * back_share) / share
        area[mixes] = np.rint(np.hstack((colours, share * _OPAQUE))).astype(np.uint8)
