"""The stand-in for detection: the parts of the foreground, as a mask and as boxes."""

from typing import TypedDict

from PIL.Image import Image, new
from PIL.ImageChops import invert, lighter
from PIL.ImageFilter import BoxBlur, GaussianBlur

from runware_mock.images.standins.foreground import enlarge_mask, foreground_regions, working_size
from runware_mock.images.standins.regions import binary, draw_regions

# Guesses at the real service's defaults.
MAX_DETECTIONS = 6
MASK_PADDING_PX = 4
MASK_BLUR_PX = 4
# A box blur's window beyond this would dilute a thin region to nothing.
_PADDING_STEP_PX = 8


class Box(TypedDict):
    """Where something was detected, in pixels; the maxima lie just outside, as a size does."""

    x_min: int
    y_min: int
    x_max: int
    y_max: int


def draw_mask(
    picture: Image,
    *,
    max_detections: int = MAX_DETECTIONS,
    mask_padding_px: int = MASK_PADDING_PX,
    mask_blur_px: int = MASK_BLUR_PX,
) -> tuple[Image, list[Box]]:
    """Return an L mask, white where something was detected, and a box for each detection, the largest first.

    The boxes hold the detected regions themselves; the mask is padded and blurred beyond them.
    """
    mask = new("L", picture.size, 0)
    boxes: list[Box] = []
    for region in foreground_regions(picture)[:max_detections]:
        drawn = binary(enlarge_mask(draw_regions(working_size(picture), [region]), picture.size), 127)
        box = drawn.getbbox()
        if box is not None:
            boxes.append(Box(x_min=box[0], y_min=box[1], x_max=box[2], y_max=box[3]))
            mask = lighter(mask, drawn)
    is_shrunk = mask_padding_px < 0
    mask = invert(_widened(invert(mask), -mask_padding_px)) if is_shrunk else _widened(mask, mask_padding_px)
    return mask.filter(GaussianBlur(mask_blur_px)) if mask_blur_px > 0 else mask, boxes


def _widened(mask: Image, padding_px: int) -> Image:
    """Grow what is white; a blur and a threshold take far less time than MaxFilter."""
    while padding_px > 0:
        step_px = min(padding_px, _PADDING_STEP_PX)
        mask = binary(mask.filter(BoxBlur(step_px)))
        padding_px -= step_px
    return mask
