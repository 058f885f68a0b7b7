"""Edges and lines: thin ones after Canny's method, soft ones, drawn ones and straight ones."""

from math import hypot, sqrt

from PIL.Image import Image, Resampling, new
from PIL.ImageChops import darker, lighter, subtract
from PIL.ImageDraw import Draw
from PIL.ImageFilter import GaussianBlur, MaxFilter, MedianFilter
from PIL.ImageOps import invert

from runware_mock.images.standins.gradient import crests, gradient
from runware_mock.images.standins.modes import opaque, small
from runware_mock.images.standins.regions import Region, binary, draw_regions, find_regions, meeting

# A Sobel operator's sum is this many times the difference between two pixels.
_SOBEL_WEIGHT = 4
# Where weak edges are followed, in blocks: as many as can be walked in Python.
_BLOCKS = 512
_PENCIL_SIDE_PX = 896
_INK_SIDE_PX = 512
_SCRIBBLE_SIDE_PX = 288
_SOFT_SIDE_PX = 640
_STRAIGHT_SIDE_PX = 384
# How far, in root mean square, the pixels of a straight line may lie beside it.
_MAX_BEND_PX = 1.0


def thin_edges(picture: Image, low: int, high: int) -> Image:
    """Return edges one pixel wide, white on black: those above `high` and those above `low` that lead on from them.

    The thresholds are in sums of the Sobel operator, as OpenCV takes them.
    """
    slopes = gradient(opaque(picture).filter(GaussianBlur(1.2)))
    if slopes is None:
        return new("L", picture.size, 0)
    low, high = sorted((max(0, low), max(0, high)))
    edges = crests(slopes)
    weak, strong = binary(edges, min(254, low // _SOBEL_WEIGHT)), binary(edges, min(254, high // _SOBEL_WEIGHT))
    block_px = -(-max(picture.size) // _BLOCKS)
    weak_blocks, strong_blocks = binary(weak.reduce(block_px)), binary(strong.reduce(block_px))
    kept = meeting(find_regions(weak_blocks, with_diagonals=True), strong_blocks)
    blocks = draw_regions(weak_blocks.size, kept)
    size = (blocks.width * block_px, blocks.height * block_px)
    return darker(weak, blocks.resize(size, Resampling.NEAREST).crop((0, 0, *picture.size)))


def soft_edges(picture: Image) -> Image:
    """Return broad edges with soft sides, white on black."""
    view = small(opaque(picture), _SOFT_SIDE_PX).filter(MedianFilter(3)).filter(GaussianBlur(1.6))
    slopes = gradient(view)
    if slopes is None:
        return new("L", picture.size, 0)
    soft = slopes.steepness.filter(GaussianBlur(1.4)).point([min(255, 5 * max(0, value - 4)) for value in range(256)])
    return soft.resize(picture.size, Resampling.BICUBIC)


def pencil_lines(picture: Image) -> Image:
    """Return fine grey lines on white, with darker ones where the contrast is stronger."""
    view = small(opaque(picture), _PENCIL_SIDE_PX).filter(MedianFilter(3)).filter(GaussianBlur(1.0))
    # What is darker than its surroundings, in any colour, is where a hand would draw.
    red, green, blue = subtract(view.filter(GaussianBlur(3.5)), view).split()
    shade = lighter(red, lighter(green, blue))
    ink = shade.point([min(255, 7 * max(0, value - 5)) for value in range(256)])
    return invert(ink).resize(picture.size, Resampling.BICUBIC)


def ink_lines(picture: Image) -> Image:
    """Return even black lines on white, as a cartoon has them."""
    view = small(opaque(picture), _INK_SIDE_PX).filter(MedianFilter(3)).filter(GaussianBlur(1.0))
    strokes = _long(thin_edges(view, 30, 80), least_px=max(view.size) // 32).filter(GaussianBlur(0.9))
    ink = strokes.point([min(255, 4 * value) for value in range(256)])
    return invert(ink).resize(picture.size, Resampling.BICUBIC)


def scribbled_lines(picture: Image) -> Image:
    """Return the main outlines in thick white strokes on black."""
    view = small(opaque(picture), _SCRIBBLE_SIDE_PX).filter(MedianFilter(5)).filter(GaussianBlur(1.0))
    strokes = _long(thin_edges(view, 40, 100), least_px=max(view.size) // 14).filter(MaxFilter(3))
    return binary(strokes.filter(GaussianBlur(1.1)).resize(picture.size, Resampling.BICUBIC), 110)


def straight_lines(picture: Image) -> Image:
    """Return the straight edges alone, white on black."""
    view = small(opaque(picture), _STRAIGHT_SIDE_PX).filter(MedianFilter(3)).filter(GaussianBlur(1.0))
    result = new("L", picture.size, 0)
    slopes = gradient(view)
    if slopes is None:
        return result
    edges = binary(crests(slopes), 14)
    draw, width_px = Draw(result), max(1, max(picture.size) // 400)
    scales = picture.width / view.width, picture.height / view.height
    for way in (slopes.level, slopes.upright, slopes.rising, slopes.falling):
        for region in find_regions(darker(edges, way), with_diagonals=True):
            line = _line(region, least_px=max(view.size) / 28)
            if line is not None:
                draw.line([(x * scales[0], y * scales[1]) for x, y in line], fill=255, width=width_px)
    return result


def _long(edges: Image, least_px: int) -> Image:
    """Drop the short ones."""
    regions = find_regions(edges, with_diagonals=True)
    return draw_regions(edges.size, [region for region in regions if region.area_px >= least_px])


def _line(region: Region, least_px: float) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Return the ends of the line through a region's pixels, or None if it is short or not straight."""
    if region.area_px < least_px * 0.7:
        return None
    points = [(x, run.top_px) for run in region.runs for x in range(run.left_px, run.right_px)]
    count = len(points)
    mid_x, mid_y = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    xx = sum((x - mid_x) ** 2 for x, _ in points) / count
    yy = sum((y - mid_y) ** 2 for _, y in points) / count
    xy = sum((x - mid_x) * (y - mid_y) for x, y in points) / count
    # The covariance's eigenvalues: the spread along the line, and aside from it.
    middle, reach = (xx + yy) / 2, sqrt(((xx - yy) / 2) ** 2 + xy * xy)
    if sqrt(max(0.0, middle - reach)) > _MAX_BEND_PX:
        return None
    way_x, way_y = (xy, middle + reach - xx) if abs(xy) > 1e-9 else ((1.0, 0.0) if xx >= yy else (0.0, 1.0))  # noqa: PLR2004
    norm = hypot(way_x, way_y)
    way_x, way_y = way_x / norm, way_y / norm
    places = [(x - mid_x) * way_x + (y - mid_y) * way_y for x, y in points]
    first, last = min(places), max(places)
    if last - first < least_px:
        return None
    return (mid_x + first * way_x, mid_y + first * way_y), (mid_x + last * way_x, mid_y + last * way_y)
