"""The stand-ins for ControlNet's preprocessors: guide pictures that look like what each type gives."""

from collections.abc import Callable, Mapping, Sequence
from colorsys import hsv_to_rgb
from hashlib import sha256
from itertools import pairwise

import numpy as np
from msgspec import Struct
from PIL.Image import Image, Resampling, fromarray, new
from PIL.ImageDraw import Draw
from PIL.ImageFilter import GaussianBlur, ModeFilter

from runware_mock.images.standins import edges
from runware_mock.images.standins.conversion import opaque, sized, small
from runware_mock.images.standins.foreground import foreground_labels

_TILES = 6
_TILE_DETAIL_PX = 96
_SEGMENT_SIDE_PX = 288
# How maps after ADE20K colour sky, tree, grass, wall, building and water.
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


def preprocess(name: str, picture: Image, options: Options | None = None) -> Image:
    """Return the guide picture that the preprocessor called `name`, a key of PREPROCESSORS, makes of the picture."""
    return PREPROCESSORS[name](picture, options or Options())


def _depth(picture: Image) -> Image:
    """Return a smooth map, white where near: what stands lower is mostly nearer, and a thing as near as its foot."""
    labels = foreground_labels(picture)
    rows = np.linspace(10, 220, labels.shape[0])
    depth = np.repeat(rows[:, None], labels.shape[1], axis=1)
    for number in range(1, int(labels.max()) + 1):
        is_thing = labels == number
        depth[is_thing] = rows[np.flatnonzero(is_thing.any(axis=1))[-1]]
    smooth = fromarray(depth.astype(np.uint8)).filter(GaussianBlur(2.5))
    return smooth.resize(picture.size, Resampling.BICUBIC)


def _normalbae(picture: Image) -> Image:
    """Return which way the surfaces of the depth map face: red to the right, green up, blue towards the eye."""
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
    # At most so wide that the raised arm stays inside.
    height_px = min(0.94 * picture.height, 2.2 * picture.width)
    left, top = picture.width / 2, (picture.height - height_px) / 2

    def dot(joint: tuple[float, float], radius_px: float, colour: tuple[int, int, int]) -> None:
        draw.circle((left + joint[0] * height_px, top + joint[1] * height_px), radius_px, fill=colour)

    bones = [bone for limb in _LIMBS for bone in pairwise(limb)]
    for place, (start, end) in enumerate(bones):
        red, green, blue = (round(255 * share) for share in hsv_to_rgb(place / len(bones), 1, 1))
        points = [(left + x * height_px, top + y * height_px) for x, y in (start, end)]
        draw.line(points, fill=(red * 6 // 10, green * 6 // 10, blue * 6 // 10), width=max(1, round(height_px / 50)))
        dot(end, max(1.0, height_px / 90), (red, green, blue))
    if options.has_hands_and_face:
        for x, y in (_NOSE, *_WRISTS):
            for aside, down in ((-0.03, 0), (0.03, 0), (0, 0.03), (-0.02, 0.02), (0.02, 0.02)):
                dot((x + aside, y + down), max(1.0, height_px / 250), (255, 255, 255))
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
    order = sorted(boxes, key=lambda box: sha256(bytes([boxes.index(box)])).digest())
    result = new("RGB", source.size)
    for (left, top, right, bottom), box in zip(order, boxes, strict=True):
        # Tiles may differ by a pixel where the sides do not divide.
        tile = source.crop(box).resize((right - left, bottom - top), Resampling.NEAREST)
        result.paste(tile, (left, top))
    return result


PREPROCESSORS: Mapping[str, Callable[[Image, Options], Image]] = {
    "canny": lambda picture, options: edges.thin_edges(picture, options.low_threshold, options.high_threshold),
    "depth": lambda picture, _: _depth(picture),
    "mlsd": lambda picture, _: edges.straight_lines(picture),
    "normalbae": lambda picture, _: _normalbae(picture),
    "openpose": _openpose,
    "tile": lambda picture, _: _tile(picture),
    "seg": lambda picture, _: _seg(picture),
    "lineart": lambda picture, _: edges.pencil_lines(picture),
    "lineart_anime": lambda picture, _: edges.ink_lines(picture),
    "shuffle": lambda picture, _: _shuffle(picture),
    "scribble": lambda picture, _: edges.scribbled_lines(picture),
    "softedge": lambda picture, _: edges.soft_edges(picture),
}
