"""Edges and lines: thin ones by Canny's method, soft ones, drawn ones and straight ones."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image, Resampling, fromarray, new
from PIL.ImageChops import lighter, subtract
from PIL.ImageDraw import Draw
from PIL.ImageFilter import GaussianBlur, MaxFilter, MedianFilter
from PIL.ImageOps import invert

from runware_mock.images.standins.conversion import binary, opaque, small
from runware_mock.images.standins.regions import label_regions

# A Sobel operator's sum is this many times the difference between two pixels.
_SOBEL_WEIGHT = 4
_MIN_SIDE_PX = 3
_PENCIL_SIDE_PX, _INK_SIDE_PX, _SCRIBBLE_SIDE_PX, _SOFT_SIDE_PX, _STRAIGHT_SIDE_PX = 896, 512, 288, 640, 384
# tan(67.5 degrees): of four directions, an edge has the first two where one slope is this many times the other.
_STEEP = 2.414
# The step across an edge in each direction, down and to the right.
_ACROSS = ((0, 1), (1, 0), (1, 1), (1, -1))
_STRAIGHT_STRENGTH = 14
# How far, in root mean square, the pixels of a straight line may lie beside it.
_MAX_BEND_PX = 1.0


class Slopes(NamedTuple):
    """How strongly colours change at each pixel, in which of four directions, and where that is a maximum."""

    strength: NDArray[np.int16]
    direction: NDArray[np.int8]
    is_crest: NDArray[np.bool_]


def thin_edges(picture: Image, low: int, high: int) -> Image:
    """Return edges one pixel wide, white on black: those above `high` and those above `low` that lead on from them.

    The thresholds are sums of the Sobel operator, as in OpenCV.
    """
    low, high = sorted((max(0, low), max(0, high)))
    slopes = _slopes(opaque(picture).filter(GaussianBlur(1.2)))
    edges = label_regions(slopes.is_crest & (slopes.strength > low // _SOBEL_WEIGHT))
    strong = np.unique(edges[slopes.strength > high // _SOBEL_WEIGHT])
    return fromarray(np.isin(edges, strong[strong > 0])).convert("L")


def soft_edges(picture: Image) -> Image:
    """Return broad edges with soft sides, white on black."""
    strength = _slopes(_view(picture, _SOFT_SIDE_PX).filter(GaussianBlur(1.2))).strength
    soft = fromarray(strength.clip(0, 255).astype(np.uint8)).filter(GaussianBlur(1.4))
    return soft.point([min(255, 5 * max(0, value - 4)) for value in range(256)]).resize(
        picture.size, Resampling.BICUBIC
    )


def pencil_lines(picture: Image) -> Image:
    """Return fine grey lines on white, darker where the contrast is stronger."""
    view = _view(picture, _PENCIL_SIDE_PX)
    # Whatever is darker than its surroundings, in any colour, is where a hand would draw.
    red, green, blue = subtract(view.filter(GaussianBlur(3.5)), view).split()
    shade = lighter(red, lighter(green, blue))
    ink = shade.point([min(255, 7 * max(0, value - 5)) for value in range(256)])
    return invert(ink).resize(picture.size, Resampling.BICUBIC)


def ink_lines(picture: Image) -> Image:
    """Return even black lines on white, as in a cartoon."""
    strokes = _long_edges(_view(picture, _INK_SIDE_PX), 30, 80).filter(GaussianBlur(0.9))
    ink = strokes.point([min(255, 4 * value) for value in range(256)])
    return invert(ink).resize(picture.size, Resampling.BICUBIC)


def scribbled_lines(picture: Image) -> Image:
    """Return the main outlines in thick white strokes on black."""
    strokes = _long_edges(_view(picture, _SCRIBBLE_SIDE_PX), 40, 100).filter(MaxFilter(3)).filter(GaussianBlur(1.1))
    return binary(strokes.resize(picture.size, Resampling.BICUBIC), 110)


def straight_lines(picture: Image) -> Image:
    """Return only the straight edges, white on black."""
    view = _view(picture, _STRAIGHT_SIDE_PX)
    slopes = _slopes(view)
    edges = slopes.is_crest & (slopes.strength > _STRAIGHT_STRENGTH)
    result = new("L", picture.size, 0)
    draw, width_px = Draw(result), max(1, max(picture.size) // 400)
    scale, least_px = np.divide(picture.size, view.size), max(view.size) / 28
    for direction in range(len(_ACROSS)):
        regions = label_regions(edges & (slopes.direction == direction), least_px=round(0.7 * least_px))
        for number in range(1, int(regions.max()) + 1):
            points = np.argwhere(regions == number)[:, ::-1]
            if len(points) < 2:  # noqa: PLR2004 - no line
                continue
            centre = points.mean(axis=0)
            # The principal axes: along the line, and aside from it.
            _, spread, axes = np.linalg.svd(points - centre, full_matrices=False)
            along = (points - centre) @ axes[0]
            if spread[1] <= _MAX_BEND_PX * len(points) ** 0.5 and np.ptp(along) >= least_px:
                ends = [tuple((centre + reach * axes[0]) * scale) for reach in (along.min(), along.max())]
                draw.line(ends, fill=255, width=width_px)
    return result


def _view(picture: Image, max_side_px: int) -> Image:
    return small(opaque(picture), max_side_px).filter(MedianFilter(3)).filter(GaussianBlur(1.0))


def _slopes(view: Image) -> Slopes:
    """Return the slopes of a smooth RGB picture, each pixel's in the colour that changes most; the frame has none."""
    size = view.height, view.width
    strength, down, right = np.zeros(size, np.int16), np.zeros(size, np.int16), np.zeros(size, np.int16)
    inner = np.s_[1:-1, 1:-1]
    for band in view.split() if min(size) >= _MIN_SIDE_PX else ():
        values = np.asarray(band, np.int16)
        band_down = values[2:, 1:-1] - values[:-2, 1:-1]
        band_right = values[1:-1, 2:] - values[1:-1, :-2]
        band_strength = np.abs(band_down) + np.abs(band_right)
        is_more = band_strength > strength[inner]
        for whole, part in ((strength, band_strength), (down, band_down), (right, band_right)):
            np.copyto(whole[inner], part, where=is_more)
    steepest = [np.abs(right) > _STEEP * np.abs(down), np.abs(down) > _STEEP * np.abs(right), (down > 0) == (right > 0)]
    direction = np.select(steepest, [0, 1, 2], 3).astype(np.int8)
    is_crest = np.zeros(size, bool)
    for number, step in enumerate(_ACROSS):
        before, after = np.roll(strength, step, (0, 1)), np.roll(strength, (-step[0], -step[1]), (0, 1))
        # Strictly above one neighbour and no lower than the other, so that of two equals one is kept.
        is_crest |= (direction == number) & (strength > before) & (strength >= after)
    return Slopes(strength, direction, is_crest)


def _long_edges(view: Image, low: int, high: int) -> Image:
    edges = np.asarray(thin_edges(view, low, high)) > 0
    return fromarray(label_regions(edges, least_px=max(view.size) // 20) > 0).convert("L")
