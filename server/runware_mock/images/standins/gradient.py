"""How steeply a picture's colours change at each pixel, and which way."""

from msgspec import Struct
from PIL.Image import Image, composite, new
from PIL.ImageChops import add, darker, lighter, offset, subtract
from PIL.ImageDraw import Draw
from PIL.ImageOps import invert

from runware_mock.images.standins.regions import binary

_MIN_SIDE_PX = 3
# tan(67.5 degrees): of four ways, upright is what is steeper than this, and level what is flatter than its inverse.
_STEEP = [min(255, round(2.414 * value)) for value in range(256)]


class Gradient(Struct, frozen=True):
    """The steepness in L, and four masks that tell which way it goes."""

    steepness: Image
    level: Image
    upright: Image
    rising: Image
    falling: Image


def gradient(view: Image) -> Gradient | None:
    """Return the gradient of a smooth RGB picture, each pixel's from the colour that changes most.

    The steepness is the difference between the pixels on either side, across plus down. Pictures narrower than three
    pixels have none.
    """
    if min(view.size) < _MIN_SIDE_PX:
        return None
    steepness, across, along, falls = (new("L", view.size, 0) for _ in range(4))
    for band in view.split():
        right, left = _rise(band, 1, 0)
        down, up = _rise(band, 0, 1)
        band_across, band_along = lighter(right, left), lighter(down, up)
        band_steepness = add(band_across, band_along)
        is_more = binary(subtract(band_steepness, steepness))
        steepness = lighter(steepness, band_steepness)
        across.paste(band_across, mask=is_more)
        along.paste(band_along, mask=is_more)
        falls.paste(lighter(darker(right, down), darker(left, up)), mask=is_more)
    # The outermost pixels would be compared with those at the other side.
    Draw(steepness).rectangle((0, 0, view.width - 1, view.height - 1), outline=0)
    level = binary(subtract(across, along.point(_STEEP)))
    upright = binary(subtract(along, across.point(_STEEP)))
    aslant = invert(lighter(level, upright))
    falling = darker(aslant, binary(falls))
    return Gradient(steepness, level, upright, subtract(aslant, falling), falling)


def crests(slopes: Gradient) -> Image:
    """Keep the steepness where it is highest across an edge, so that edges are one pixel wide."""
    result = new("L", slopes.steepness.size, 0)
    steps = ((slopes.level, 1, 0), (slopes.upright, 0, 1), (slopes.rising, 1, -1), (slopes.falling, 1, 1))
    for way, x_px, y_px in steps:
        before, after = offset(slopes.steepness, x_px, y_px), offset(slopes.steepness, -x_px, -y_px)
        # Strictly above one neighbour and no lower than the other, so that of two equals one is kept.
        is_above = binary(subtract(slopes.steepness, before))
        is_below = binary(subtract(after, slopes.steepness))
        result = composite(slopes.steepness, result, darker(subtract(is_above, is_below), way))
    return result


def _rise(band: Image, x_px: int, y_px: int) -> tuple[Image, Image]:
    """Return how much brighter the next pixel is than the last, and the reverse, neither below 0."""
    following, preceding = offset(band, -x_px, -y_px), offset(band, x_px, y_px)
    return subtract(following, preceding), subtract(preceding, following)
