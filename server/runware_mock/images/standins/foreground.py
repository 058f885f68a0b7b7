"""What stands out of a picture's background, told by colour distance from its borders."""

from PIL.Image import Image, Resampling, Transpose, new
from PIL.ImageChops import add, darker, difference
from PIL.ImageDraw import Draw
from PIL.ImageFilter import GaussianBlur, MaxFilter, MinFilter

from runware_mock.images.standins.modes import alpha, opaque, sized, small
from runware_mock.images.standins.palette import colours_of
from runware_mock.images.standins.regions import Region, binary, draw_regions, find_regions

# Large enough for a smooth outline, small enough to be walked in Python.
_WORKING_SIDE_PX = 288
_BORDER_COLOURS = 8
# A border colour that covers less of the border than this belongs to something that sticks out of the picture.
_BORDER_SHARE = 0.04
_BORDER_PERCENT = 90
_MIN_DISTANCE, _MAX_DISTANCE = 16, 72
# Shares of the picture: specks below the first are dropped, and outside the others the guess is no use.
_SPECK_SHARE, _MIN_SHARE, _MAX_SHARE = 0.002, 0.005, 0.9
# The soft outline: grey below the first is background, above the second foreground.
_SOFT_FROM, _SOFT_TO = 160, 240
_SOFTEN = [max(0, min(255, (value - _SOFT_FROM) * 255 // (_SOFT_TO - _SOFT_FROM))) for value in range(256)]


def find_foreground(picture: Image) -> Image:
    """Return an L mask of the picture's size, white on the foreground, with a soft outline.

    It has black and white pixels both, but for pictures too small for that.
    """
    given = alpha(picture)
    if given is not None and given.getextrema() == (0, 255):
        return given
    return enlarge_mask(draw_regions(sized(picture, _WORKING_SIDE_PX), foreground_regions(picture)), picture.size)


def foreground_regions(picture: Image) -> list[Region]:
    """Return the parts of the foreground, the largest first, as seen in a copy of `working_size`."""
    given = alpha(picture)
    if given is not None and given.getextrema() == (0, 255):
        return find_regions(binary(small(given, _WORKING_SIDE_PX), 127)) or _ellipse_regions(picture)
    view = small(opaque(picture), _WORKING_SIDE_PX)
    size, area_px = view.size, view.width * view.height
    distances = _border_distances(view)
    near = binary(distances, _split(distances)).point([255] + [0] * 255)
    background = [region for region in find_regions(near) if region.touches_edge(size)]
    # Opened and closed, so that neither threads nor pinholes are left.
    front = draw_regions(size, background).point([255] + [0] * 255)
    front = front.filter(MinFilter(3)).filter(MaxFilter(5)).filter(MinFilter(3)) if min(size) > 8 else front  # noqa: PLR2004
    regions = [region for region in find_regions(front) if region.area_px >= _SPECK_SHARE * area_px]
    share = sum(region.area_px for region in regions) / area_px
    return regions if _MIN_SHARE <= share <= _MAX_SHARE else _ellipse_regions(picture)


def working_size(picture: Image) -> tuple[int, int]:
    """Return the size of the copy in which regions are looked for."""
    return sized(picture, _WORKING_SIDE_PX)


def enlarge_mask(mask: Image, size: tuple[int, int]) -> Image:
    """Scale a mask of the working size up to `size`, with a smooth outline, keeping some black and some white."""
    smooth = mask.filter(GaussianBlur(0.9)).resize(size, Resampling.BICUBIC).point(_SOFTEN)
    return smooth if smooth.getextrema() == (0, 255) else mask.resize(size, Resampling.NEAREST)


def _border_distances(view: Image) -> Image:
    """Return for each pixel how far its colour is from the nearest colour of the border, 0 to 255."""
    nearest = new("L", view.size, 255)
    for colour in _border_colours(view):
        red, green, blue = difference(view, new("RGB", view.size, colour)).split()
        nearest = darker(nearest, add(add(red, green), blue, scale=2))
    return nearest.filter(GaussianBlur(1.0))


def _border_colours(view: Image) -> list[tuple[int, int, int]]:
    width_px, height_px = view.size
    depth_px = max(1, min(view.size) // 40)
    # The lower border is left out: people and things stand on it and reach beyond it.
    strips = [
        view.crop((0, 0, width_px, depth_px)),
        view.crop((0, 0, depth_px, height_px)).transpose(Transpose.ROTATE_90),
        view.crop((width_px - depth_px, 0, width_px, height_px)).transpose(Transpose.ROTATE_90),
    ]
    border = new("RGB", (sum(strip.width for strip in strips), depth_px))
    left = 0
    for strip in strips:
        border.paste(strip, (left, 0))
        left += strip.width
    colours = colours_of(border.quantize(_BORDER_COLOURS))
    least_px = min(colours[0].count_px, _BORDER_SHARE * border.width * border.height)
    return [colour.rgb for colour in colours if colour.count_px >= least_px]


def _split(distances: Image) -> int:
    """Return the threshold between near and far: what all but a few of the border's own pixels stay within."""
    width_px, height_px = distances.size
    edges = [(0, 0, width_px, 1), (0, 0, 1, height_px), (width_px - 1, 0, width_px, height_px)]
    values = sorted(b"".join(distances.crop(edge).tobytes() for edge in edges))
    usual = values[len(values) * _BORDER_PERCENT // 100]
    return max(_MIN_DISTANCE, min(_MAX_DISTANCE, 2 * usual))


def _ellipse_regions(picture: Image) -> list[Region]:
    """Take the middle for the foreground where colours tell nothing."""
    size = sized(picture, _WORKING_SIDE_PX)
    mask = new("L", size, 0)
    inset = [side_px // 6 if side_px > 8 else (side_px - 1) // 2 for side_px in size]  # noqa: PLR2004
    Draw(mask).ellipse((*inset, size[0] - 1 - inset[0], size[1] - 1 - inset[1]), fill=255)
    # Pillow draws nothing of an ellipse that is one pixel wide.
    mask.putpixel((size[0] // 2, size[1] // 2), 255)
    return find_regions(mask)
