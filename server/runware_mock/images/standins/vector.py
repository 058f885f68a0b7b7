"""The stand-in for vectorisation: a small SVG of the picture's main colours."""

from collections.abc import Iterator

from PIL.Image import Dither, Image, Quantize, Resampling, new
from PIL.ImageFilter import MedianFilter, ModeFilter

from runware_mock.images.standins.modes import alpha, plain, sized
from runware_mock.images.standins.palette import colours_of

_COLOURS = 8
# The grid on whose lines outlines run; a busy picture is drawn on a coarser one, until the file is small enough.
_GRID_SIDES = (192, 128, 96, 64, 40)
_MAX_LETTERS = 180_000

_Corner = tuple[int, int]


def vectorize(picture: Image) -> str:
    """Return an SVG document of the picture's size, made of a few plain paths."""
    drawn = ""
    for side in _GRID_SIDES:
        drawn = _draw(picture, sized(picture, side))
        if len(drawn) <= _MAX_LETTERS:
            break
    return drawn


def _draw(picture: Image, grid: tuple[int, int]) -> str:
    """Draw layers on top of one another, each without the darkest colour of the one below, so that no gaps open."""
    levels, colours = _levels(picture, grid)
    width_px, height_px = picture.size
    paths = []
    for level, colour in enumerate(colours, start=1):
        is_ground = level == 1 and not levels.histogram()[0]
        outline = _rectangle(grid) if is_ground else "".join(map(_path, _outlines(levels, level)))
        if outline:
            paths.append(f'<path fill="#{colour[0]:02x}{colour[1]:02x}{colour[2]:02x}" d="{outline}"/>')
    scale = f"scale({width_px / grid[0] / 2:.6g} {height_px / grid[1] / 2:.6g})"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width_px}" height="{height_px}" '
        f'viewBox="0 0 {width_px} {height_px}">\n<g transform="{scale}" fill-rule="evenodd">\n'
        + "\n".join(paths)
        + "\n</g>\n</svg>\n"
    )


def _rectangle(grid: tuple[int, int]) -> str:
    return f"M0 0H{2 * grid[0]}V{2 * grid[1]}H0Z"


def _levels(picture: Image, grid: tuple[int, int]) -> tuple[Image, list[tuple[int, int, int]]]:
    """Return for each cell of the grid which colour it has, counted from 1, darkest first; 0 is for transparent."""
    opacity = alpha(picture)
    view = plain(picture).resize(grid, Resampling.BOX).convert("RGB")
    if opacity is None:
        # Next to transparent cells the filters would spread colours that nobody sees.
        view = view.filter(MedianFilter(3))
    few = view.quantize(_COLOURS, Quantize.MEDIANCUT, kmeans=2, dither=Dither.NONE)
    few = few.filter(ModeFilter(3)) if opacity is None else few
    colours = sorted(colours_of(few), key=lambda colour: (sum(colour.rgb), colour.place))
    ranks = [0] * 256
    for rank, colour in enumerate(colours, start=1):
        ranks[colour.place] = rank
    levels = few.point(ranks, "L")
    if opacity is not None:
        clear = opacity.resize(grid, Resampling.BOX).point([255 if value < 128 else 0 for value in range(256)])  # noqa: PLR2004
        levels.paste(0, mask=clear)
    return levels, [colour.rgb for colour in colours]


def _outlines(levels: Image, level: int) -> Iterator[list[_Corner]]:
    """Return the closed outlines of the cells at or above `level`: the corners at which each turns."""
    onward = _sides(levels, level)
    while onward:
        start = next(iter(onward))
        corners: list[_Corner] = []
        place, way = start, (0, 0)
        while place in onward:
            # Where two outlines touch at a corner, either way on closes both in the end.
            ways = onward[place]
            following = ways.pop()
            if not ways:
                del onward[place]
            if following != way:
                corners.append(place)
            way = following
            place = (place[0] + way[0], place[1] + way[1])
        yield corners


def _sides(levels: Image, level: int) -> dict[_Corner, list[_Corner]]:
    """Return the sides between cells at or above `level` and others: from which corner they go which way.

    The cells lie to the right of the way.
    """
    width, height = levels.size
    # A frame of cells below any level, so that no neighbour need be looked for outside.
    framed = new("L", (width + 2, height + 2), 0)
    framed.paste(levels.point([255 if value >= level else 0 for value in range(256)]), (1, 1))
    data, stride = framed.tobytes(), width + 2
    onward: dict[_Corner, list[_Corner]] = {}
    for row in range(height + 1):
        for column in range(width + 1):
            # The four cells around a corner: above left, above right, below left, below right.
            at = row * stride + column
            above, right = data[at], data[at + 1]
            below, across = data[at + stride], data[at + stride + 1]
            if above == right == below == across:
                continue
            ways = []
            if across and not right:
                ways.append((1, 0))
            if below and not across:
                ways.append((0, 1))
            if above and not below:
                ways.append((-1, 0))
            if right and not above:
                ways.append((0, -1))
            if ways:
                onward[column, row] = ways
    return onward


def _path(corners: list[_Corner]) -> str:
    """Cut half a cell off each corner, which makes stairs into slopes; the numbers are halves of cells."""
    places = []
    for (x, y), (other_x, other_y) in zip(corners, [*corners[1:], corners[0]], strict=True):
        way_x, way_y = (other_x > x) - (other_x < x), (other_y > y) - (other_y < y)
        first, last = (2 * x + way_x, 2 * y + way_y), (2 * other_x - way_x, 2 * other_y - way_y)
        places += [first] if first == last else [first, last]
    return "M" + "L".join(f"{x} {y}" for x, y in places) + "Z"
