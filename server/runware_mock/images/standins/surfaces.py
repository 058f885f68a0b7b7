"""Maps of surfaces: how near each is, which way it faces, and of what kind it is."""

from collections.abc import Sequence

from PIL.Image import Dither, Image, Resampling, blend, linear_gradient, merge, new
from PIL.ImageChops import add
from PIL.ImageDraw import Draw
from PIL.ImageFilter import GaussianBlur, Kernel, MaxFilter, MedianFilter, ModeFilter
from PIL.ImageOps import autocontrast, invert
from PIL.ImageStat import Stat

from runware_mock.images.standins.foreground import foreground_regions, working_size
from runware_mock.images.standins.gradient import gradient
from runware_mock.images.standins.modes import opaque, small
from runware_mock.images.standins.palette import colours_of
from runware_mock.images.standins.regions import Region, binary, draw_regions, find_regions

_MIN_SIDE_PX = 3
# A surface is where colours change by less than this from pixel to pixel, and covers one part in so many at least.
_EDGE_STEEPNESS = 9
_LEAST_PART = 400
_MAX_SURFACES = 40
_PALETTE_COLOURS = 16
# What reaches the upper edge alone, and covers one part in so many, is sky.
_SKY_PART = 20
# The colours that maps after ADE20K have for sky, wall, building, tree, road, grass, person, earth, water, mountain,
# house, lamp, car, door and cloud (ceiling, for want of one), after the colours that such things mostly have.
_KINDS = (
    ((120, 175, 232), (6, 230, 230)),
    ((205, 200, 190), (120, 120, 120)),
    ((110, 50, 45), (180, 120, 120)),
    ((40, 90, 45), (4, 200, 3)),
    ((120, 120, 120), (140, 140, 140)),
    ((95, 160, 75), (4, 250, 7)),
    ((220, 170, 140), (150, 5, 61)),
    ((150, 120, 70), (120, 120, 70)),
    ((40, 75, 130), (61, 230, 250)),
    ((110, 150, 140), (143, 255, 140)),
    ((200, 90, 65), (255, 9, 224)),
    ((250, 225, 110), (255, 173, 0)),
    ((190, 30, 40), (0, 102, 200)),
    ((70, 45, 35), (8, 255, 51)),
    ((245, 247, 250), (120, 120, 80)),
)


def depth_map(picture: Image) -> Image:
    """Return a smooth map, near things white and far ones black: what stands lower in a picture is mostly nearer."""
    return _depth(picture).resize(picture.size, Resampling.BICUBIC)


def normal_map(picture: Image) -> Image:
    """Return which way surfaces face: red to the right, green up, blue towards the eye."""
    size = working_size(picture)
    if min(size) < _MIN_SIDE_PX:
        return new("RGB", picture.size, (128, 128, 255))
    # Things that stand out bulge; what is painted on them shows a little.
    bulges = draw_regions(size, foreground_regions(picture)).filter(GaussianBlur(max(size) / 48))
    relief = _view(picture).convert("L").filter(GaussianBlur(1.5))
    height = blend(blend(bulges, _depth(picture), 0.4), relief, 0.18).filter(GaussianBlur(1.2))
    right = height.filter(Kernel((3, 3), (1, 0, -1, 2, 0, -2, 1, 0, -1), 0.55, 128))
    up = height.filter(Kernel((3, 3), (-1, -2, -1, 0, 0, 0, 1, 2, 1), 0.55, 128))
    away = [abs(value - 128) for value in range(256)]
    facing = add(right.point(away), up.point(away)).point(
        [255 - min(110, value * value // 160) for value in range(256)]
    )
    # The outermost pixels have no gradient: Pillow leaves them as they were.
    inner = merge("RGB", (right, up, facing)).crop((1, 1, size[0] - 1, size[1] - 1))
    return inner.resize(picture.size, Resampling.BICUBIC)


def kind_map(picture: Image) -> Image:
    """Return flat patches in the colours of segmentation maps, chosen by the colours of the picture's surfaces."""
    view = _view(picture)
    # What belongs to no surface, thin and busy things, goes by its own colour.
    few = view.quantize(_PALETTE_COLOURS, dither=Dither.NONE)
    table = [0] * 256
    for colour in colours_of(few):
        table[colour.place] = _kind(colour.rgb)
    kinds = few.point(table, "L").filter(ModeFilter(5))
    for surface, mask in _surfaces(view):
        is_sky = (
            _is_at_top(surface) and not _is_at_foot(surface, view) and _SKY_PART * surface.area_px >= _area_px(view)
        )
        kinds.paste(0 if is_sky else _kind(Stat(view, mask).mean), mask=mask.filter(MaxFilter(5)))
    return _painted(kinds, picture.size)


def _kind(colour: Sequence[float]) -> int:
    """Return the place in _KINDS of what looks most like the colour."""
    distances = [sum((one - other) ** 2 for one, other in zip(usual, colour, strict=True)) for usual, _ in _KINDS]
    return distances.index(min(distances))


def _painted(kinds: Image, size: tuple[int, int]) -> Image:
    """Enlarge the map of places in _KINDS, with smooth outlines, and colour it."""
    counts = kinds.histogram()
    present = sorted((kind for kind in range(len(_KINDS)) if counts[kind]), key=lambda kind: -counts[kind])
    # The kind that covers most lies below all others, so that no gap between two outlines stays open.
    result = new("RGB", size, _KINDS[present[0]][1])
    for kind in present:
        mask = kinds.point([255 if value == kind else 0 for value in range(256)]).filter(GaussianBlur(0.8))
        result.paste(_KINDS[kind][1], mask=binary(mask.resize(size, Resampling.BICUBIC), 112))
    return result


def _is_at_top(region: Region) -> bool:
    # Surfaces leave out the frame.
    return region.box[1] <= 1


def _is_at_foot(region: Region, view: Image) -> bool:
    return region.box[3] >= view.height - 1


def _area_px(view: Image) -> int:
    return view.width * view.height


def _view(picture: Image) -> Image:
    return small(opaque(picture), max(working_size(picture))).filter(MedianFilter(5))


def _surfaces(view: Image) -> list[tuple[Region, Image]]:
    """Return the parts between the edges, the largest first, each with its mask."""
    slopes = gradient(view.filter(GaussianBlur(1.2)))
    if slopes is None:
        return []
    flat = invert(binary(slopes.steepness, _EDGE_STEEPNESS))
    # Along the frame there is no gradient, so that all that reaches it would hang together.
    Draw(flat).rectangle((0, 0, view.width - 1, view.height - 1), outline=0)
    least_px = _area_px(view) / _LEAST_PART
    surfaces = [region for region in find_regions(flat) if region.area_px >= least_px][:_MAX_SURFACES]
    return [(surface, draw_regions(view.size, [surface])) for surface in surfaces]


def _depth(picture: Image) -> Image:
    view = _view(picture)
    size = view.size
    result = (
        linear_gradient("L").resize(size, Resampling.BILINEAR).point([10 + value * 7 // 10 for value in range(256)])
    )
    standing = [(region, draw_regions(size, [region])) for region in foreground_regions(picture)]
    for region, mask in (*_surfaces(view), *standing):
        is_behind, foot = _is_at_top(region), region.box[3]
        if _is_at_foot(region, view) and not is_behind:
            # The ground, which comes nearer from row to row.
            continue
        # A thing is as near as the ground on which it stands; the sky is behind all.
        nearness, share = (8, 0.8) if is_behind else (30 + 200 * foot // size[1], 0.75)
        result.paste(blend(result, new("L", size, nearness), share), mask=mask.filter(MaxFilter(5)))
    detail = autocontrast(view.convert("L").filter(GaussianBlur(2.0)))
    return autocontrast(blend(result.filter(GaussianBlur(1.6)), detail, 0.06))
