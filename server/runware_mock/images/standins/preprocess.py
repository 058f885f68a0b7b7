"""The stand-ins for ControlNet's preprocessors: guide pictures that look like those of each type."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from PIL.Image import Image, Resampling, fromarray, new
from PIL.ImageChops import lighter, subtract
from PIL.ImageDraw import Draw
from PIL.ImageFilter import GaussianBlur, MaxFilter, MedianFilter, ModeFilter
from PIL.ImageOps import invert

from runware_mock.images.standins.conversion import binary, opaque, sized, small
from runware_mock.images.standins.segmentation import foreground_labels, label_regions

# A Sobel operator's sum is this many times the difference between two pixels.
_SOBEL_WEIGHT = 4
_PENCIL_SIDE_PX, _INK_SIDE_PX, _SCRIBBLE_SIDE_PX, _SOFT_SIDE_PX, _STRAIGHT_SIDE_PX = 896, 512, 288, 640, 384
# tan(67.5 degrees): an edge has one of the first two of four directions if one slope is this many times the other.
_STEEP = 2.414
# The step across an edge in each direction, down and to the right.
_ACROSS = ((0, 1), (1, 0), (1, 1), (1, -1))
_STRAIGHT_STRENGTH = 14
# The largest distance, in root mean square, of a straight edge's pixels from the line.
_MAX_BEND_PX = 1.0


_TILES = 6
_TILE_DETAIL_PX = 96
_SEGMENT_SIDE_PX = 288
# The ADE20K colours of sky, tree, grass, wall, building and water in segmentation maps.
_SEGMENT_COLOURS = (6, 230, 230, 4, 200, 3, 4, 250, 7, 120, 120, 120, 180, 120, 120, 61, 230, 250)

# The joints of a waving figure, as shares of its height, from the middle of its top.
_NOSE, _NECK, _WRISTS = (0.0, 0.09), (0.0, 0.20), ((-0.13, 0.47), (0.21, 0.13))
_LIMBS: Sequence[Sequence[tuple[float, float]]] = (
    (_NECK, (-0.09, 0.20), (-0.14, 0.34), _WRISTS[0]),
    (_NECK, (0.09, 0.20), (0.19, 0.27), _WRISTS[1]),
    (_NECK, (-0.06, 0.49), (-0.07, 0.71), (-0.08, 0.92)),
    (_NECK, (0.06, 0.49), (0.08, 0.71), (0.10, 0.92)),
    (_NECK, _NOSE, (-0.025, 0.07), (-0.055, 0.085)),
    (_NOSE, (0.025, 0.07), (0.055, 0.085)),
)


class Options(Struct, frozen=True):
    """What a task may set: Canny's thresholds, as in OpenCV, and what a pose shows."""

    low_threshold: int = 100
    high_threshold: int = 200
    has_hands_and_face: bool = False


class _Slopes(NamedTuple):
    """The strength of the colour change at each pixel, its direction out of four, and whether it is a local maximum."""

    strength: NDArray[np.int16]
    direction: NDArray[np.int8]
    is_crest: NDArray[np.bool_]


def preprocess(name: str, picture: Image, options: Options | None = None) -> Image:
    """Return the guide picture that the preprocessor `name`, a key of PREPROCESSORS, makes from the picture."""
    return PREPROCESSORS[name](picture, options or Options())


def _depth(picture: Image) -> Image:
    """Return a smooth map, white where near: lower parts are mostly nearer, and a thing is as near as its foot."""
    labels = foreground_labels(picture)
    rows = np.linspace(10, 220, labels.shape[0])
    depth = np.repeat(rows[:, None], labels.shape[1], axis=1)
    for number in range(1, int(labels.max()) + 1):
        is_thing = labels == number
        depth[is_thing] = rows[np.flatnonzero(is_thing.any(axis=1))[-1]]
    smooth = fromarray(depth.astype(np.uint8)).filter(GaussianBlur(2.5))
    return smooth.resize(picture.size, Resampling.BICUBIC)


def _normalbae(picture: Image) -> Image:
    """Return the directions that the depth map's surfaces face: red to the right, green up, blue towards the eye."""
    depth = np.asarray(_depth(picture).filter(GaussianBlur(2.0)), np.float32)
    padded = np.pad(depth, 1, "edge")
    right, down = padded[1:-1, 2:] - padded[1:-1, :-2], padded[2:, 1:-1] - padded[:-2, 1:-1]
    normals = np.stack([-right, down, np.full_like(depth, 40)], axis=2)
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    return fromarray((127.5 + 127.5 * normals).astype(np.uint8))


def _openpose(picture: Image, options: Options) -> Image:
    """Return a figure in the middle of a black picture, wherever people are in the original."""
    result = new("RGB", picture.size, "black")
    draw = Draw(result)
    # Small enough for the raised arm to stay inside the picture.
    height_px = min(0.94 * picture.height, 2.2 * picture.width)
    left, top = picture.width / 2, (picture.height - height_px) / 2
    bones = [bone for limb in _LIMBS for bone in pairwise(limb)]
    for place, bone in enumerate(bones):
        hue = 360 * place // len(bones)
        start, end = ((left + x * height_px, top + y * height_px) for x, y in bone)
        draw.line((start, end), f"hsv({hue}, 100%, 60%)", width=max(1, round(height_px / 50)))
        draw.circle(end, max(1.0, height_px / 90), f"hsv({hue}, 100%, 100%)")
    for x, y in (_NOSE, *_WRISTS) if options.has_hands_and_face else ():
        for aside, down in ((-0.03, 0), (0.03, 0), (0, 0.03), (-0.02, 0.02), (0.02, 0.02)):
            place_px = left + (x + aside) * height_px, top + (y + down) * height_px
            draw.circle(place_px, max(1.0, height_px / 250), (255, 255, 255))
    return result


def _seg(picture: Image) -> Image:
    """Return flat patches, in colours of segmentation maps, where the picture has its main colours."""
    patches = small(opaque(picture), _SEGMENT_SIDE_PX).quantize(len(_SEGMENT_COLOURS) // 3).filter(ModeFilter(5))
    patches.putpalette(_SEGMENT_COLOURS)
    return patches.convert("RGB").resize(picture.size, Resampling.NEAREST)


def _tile(picture: Image) -> Image:
    """Keep the colours and lose the detail."""
    source = opaque(picture)
    return source.resize(sized(source, _TILE_DETAIL_PX), Resampling.BOX).resize(source.size, Resampling.BICUBIC)


def _shuffle(picture: Image) -> Image:
    """Move tiles to other places, the same for every picture."""
    source = opaque(picture)
    columns, rows = (np.linspace(0, side, min(_TILES, side) + 1, dtype=int).tolist() for side in source.size)
    boxes = [(left, top, right, bottom) for top, bottom in pairwise(rows) for left, right in pairwise(columns)]
    result = new("RGB", source.size)
    for place, (left, top, right, bottom) in enumerate(boxes):
        # No number of tiles is divisible by 7, so each tile is used once; tiles may differ by a pixel.
        tile = source.crop(boxes[(7 * place + 3) % len(boxes)]).resize((right - left, bottom - top), Resampling.NEAREST)
        result.paste(tile, (left, top))
    return result


def _thin_edges(picture: Image, low: int, high: int) -> Image:
    """Return edges one pixel wide, white on black: those above `high`, and those above `low` that continue them.

    The thresholds are sums of the Sobel operator, as in OpenCV.
    """
    low, high = sorted((max(0, low), max(0, high)))
    slopes = _slopes(opaque(picture).filter(GaussianBlur(1.2)))
    edges = label_regions(slopes.is_crest & (slopes.strength > low // _SOBEL_WEIGHT))
    strong = np.unique(edges[slopes.strength > high // _SOBEL_WEIGHT])
    return fromarray(np.isin(edges, strong[strong > 0])).convert("L")


def _soft_edges(picture: Image) -> Image:
    """Return broad edges with soft sides, white on black."""
    strength = _slopes(_view(picture, _SOFT_SIDE_PX).filter(GaussianBlur(1.2))).strength
    soft = fromarray(strength.clip(0, 255).astype(np.uint8)).filter(GaussianBlur(1.4))
    return _amplified(soft, 5, 4).resize(picture.size, Resampling.BICUBIC)


def _pencil_lines(picture: Image) -> Image:
    """Return fine grey lines on white, darker where the contrast is stronger."""
    view = _view(picture, _PENCIL_SIDE_PX)
    # A hand would draw the parts that are darker than their surroundings, in any colour.
    red, green, blue = subtract(view.filter(GaussianBlur(3.5)), view).split()
    return invert(_amplified(lighter(red, lighter(green, blue)), 7, 5)).resize(picture.size, Resampling.BICUBIC)


def _ink_lines(picture: Image) -> Image:
    """Return even black lines on white, as in a cartoon."""
    strokes = _thin_edges(_view(picture, _INK_SIDE_PX), 30, 80).filter(GaussianBlur(0.9))
    return invert(_amplified(strokes, 4)).resize(picture.size, Resampling.BICUBIC)


def _scribbled_lines(picture: Image) -> Image:
    """Return the main outlines in thick white strokes on black."""
    strokes = _thin_edges(_view(picture, _SCRIBBLE_SIDE_PX), 40, 100).filter(MaxFilter(3)).filter(GaussianBlur(1.1))
    return binary(strokes.resize(picture.size, Resampling.BICUBIC), 110)


def _straight_lines(picture: Image) -> Image:
    """Return only the straight edges, white on black."""
    view = _view(picture, _STRAIGHT_SIDE_PX)
    slopes = _slopes(view)
    edges = slopes.is_crest & (slopes.strength > _STRAIGHT_STRENGTH)
    result = new("L", picture.size, 0)
    draw, width_px = Draw(result), max(1, max(picture.size) // 400)
    scale, least_px = np.divide(picture.size, view.size), max(2, max(view.size) / 28)
    for direction in range(len(_ACROSS)):
        regions = label_regions(edges & (slopes.direction == direction), least_px=round(least_px))
        for number in range(1, int(regions.max()) + 1):
            points = np.argwhere(regions == number)[:, ::-1]
            centre = points.mean(axis=0)
            # The principal axes: along the line, and across it.
            _, spread, axes = np.linalg.svd(points - centre, full_matrices=False)
            if spread[1] <= _MAX_BEND_PX * len(points) ** 0.5:
                along = (points - centre) @ axes[0]
                ends = [tuple((centre + reach * axes[0]) * scale) for reach in (along.min(), along.max())]
                draw.line(ends, fill=255, width=width_px)
    return result


def _view(picture: Image, max_side_px: int) -> Image:
    return small(opaque(picture), max_side_px).filter(MedianFilter(3)).filter(GaussianBlur(1.0))


def _amplified(picture: Image, factor: int, threshold: int = 0) -> Image:
    return picture.point([min(255, factor * max(0, value - threshold)) for value in range(256)])


def _slopes(view: Image) -> _Slopes:
    """Return the slopes of a smooth RGB picture, at each pixel of the colour that changes most; none at the border."""
    strength, down, right = np.zeros((3, view.height, view.width), np.int16)
    inner = np.s_[1:-1, 1:-1]
    for band in view.split() if min(view.size) > 2 else ():  # noqa: PLR2004 - else all is frame
        values = np.asarray(band, np.int16)
        band_down = values[2:, 1:-1] - values[:-2, 1:-1]
        band_right = values[1:-1, 2:] - values[1:-1, :-2]
        band_strength = np.abs(band_down) + np.abs(band_right)
        is_more = band_strength > strength[inner]
        for whole, part in ((strength, band_strength), (down, band_down), (right, band_right)):
            np.copyto(whole[inner], part, where=is_more)
    steepest = [np.abs(right) > _STEEP * np.abs(down), np.abs(down) > _STEEP * np.abs(right), (down > 0) == (right > 0)]
    direction = np.select(steepest, [0, 1, 2], 3).astype(np.int8)
    is_crest = np.zeros_like(strength, bool)
    for number, step in enumerate(_ACROSS):
        before, after = np.roll(strength, step, (0, 1)), np.roll(strength, (-step[0], -step[1]), (0, 1))
        # Strictly above one neighbour and no lower than the other, so that of two equals one is kept.
        is_crest |= (direction == number) & (strength > before) & (strength >= after)
    return _Slopes(strength, direction, is_crest)


PREPROCESSORS: Mapping[str, Callable[[Image, Options], Image]] = {
    "canny": lambda picture, options: _thin_edges(picture, options.low_threshold, options.high_threshold),
    "depth": lambda picture, _: _depth(picture),
    "mlsd": lambda picture, _: _straight_lines(picture),
    "normalbae": lambda picture, _: _normalbae(picture),
    "openpose": _openpose,
    "tile": lambda picture, _: _tile(picture),
    "seg": lambda picture, _: _seg(picture),
    "lineart": lambda picture, _: _pencil_lines(picture),
    "lineart_anime": lambda picture, _: _ink_lines(picture),
    "shuffle": lambda picture, _: _shuffle(picture),
    "scribble": lambda picture, _: _scribbled_lines(picture),
    "softedge": lambda picture, _: _soft_edges(picture),
}
