"""The stand-ins for ControlNet's preprocessors: guide pictures that look like what each type gives."""

from collections.abc import Callable, Mapping
from hashlib import sha256

from msgspec import Struct
from PIL.Image import Image, Resampling, new

from runware_mock.images.standins import edges, surfaces
from runware_mock.images.standins.modes import opaque, sized
from runware_mock.images.standins.pose import stick_figure

_TILES = 6
_TILE_DETAIL_PX = 96


class Options(Struct, frozen=True):
    """What a task may set: Canny's thresholds, as OpenCV takes them, and what a pose shows."""

    low_threshold: int = 100
    high_threshold: int = 200
    has_hands_and_face: bool = False


def preprocess(name: str, picture: Image, options: Options | None = None) -> Image:
    """Return the guide picture that the preprocessor called `name`, a key of PREPROCESSORS, makes of the picture."""
    return PREPROCESSORS[name](picture, options or Options())


def _canny(picture: Image, options: Options) -> Image:
    return edges.thin_edges(picture, options.low_threshold, options.high_threshold)


def _depth(picture: Image, _: Options) -> Image:
    return surfaces.depth_map(picture)


def _mlsd(picture: Image, _: Options) -> Image:
    return edges.straight_lines(picture)


def _normalbae(picture: Image, _: Options) -> Image:
    return surfaces.normal_map(picture)


def _openpose(picture: Image, options: Options) -> Image:
    return stick_figure(picture.size, has_hands_and_face=options.has_hands_and_face)


def _tile(picture: Image, _: Options) -> Image:
    """Keep the colours and lose the detail."""
    source = opaque(picture)
    return source.resize(sized(source, _TILE_DETAIL_PX), Resampling.BOX).resize(source.size, Resampling.BICUBIC)


def _seg(picture: Image, _: Options) -> Image:
    return surfaces.kind_map(picture)


def _lineart(picture: Image, _: Options) -> Image:
    return edges.pencil_lines(picture)


def _lineart_anime(picture: Image, _: Options) -> Image:
    return edges.ink_lines(picture)


def _shuffle(picture: Image, _: Options) -> Image:
    """Keep the colours and lose the places: the same tiles in another order, the same for every picture."""
    source = opaque(picture)
    width_px, height_px = source.size
    columns, rows = min(_TILES, width_px), min(_TILES, height_px)
    boxes = [
        (
            column * width_px // columns,
            row * height_px // rows,
            (column + 1) * width_px // columns,
            (row + 1) * height_px // rows,
        )
        for row in range(rows)
        for column in range(columns)
    ]
    order = sorted(range(len(boxes)), key=lambda place: sha256(bytes([place])).digest())
    result = new("RGB", source.size)
    for place, box in zip(order, boxes, strict=True):
        left, top, right, bottom = boxes[place]
        tile = source.crop(box)
        # Tiles may differ by a pixel where the sides do not divide.
        result.paste(tile.resize((right - left, bottom - top), Resampling.NEAREST), (left, top))
    return result


def _scribble(picture: Image, _: Options) -> Image:
    return edges.scribbled_lines(picture)


def _softedge(picture: Image, _: Options) -> Image:
    return edges.soft_edges(picture)


PREPROCESSORS: Mapping[str, Callable[[Image, Options], Image]] = {
    "canny": _canny,
    "depth": _depth,
    "mlsd": _mlsd,
    "normalbae": _normalbae,
    "openpose": _openpose,
    "tile": _tile,
    "seg": _seg,
    "lineart": _lineart,
    "lineart_anime": _lineart_anime,
    "shuffle": _shuffle,
    "scribble": _scribble,
    "softedge": _softedge,
}
