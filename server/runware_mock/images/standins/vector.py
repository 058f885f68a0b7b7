"""The stand-in for vectorization: an SVG that shows the picture in a few colours, in bars on a coarse grid."""

from collections import defaultdict
from itertools import pairwise

import numpy as np
from PIL.Image import Dither, Image, Quantize, Resampling
from PIL.ImageFilter import MedianFilter, ModeFilter

from runware_mock.images.standins.conversion import alpha, opaque, sized

_COLOURS = 8
# Cells on the longest side: few enough to keep even noise, of which every cell is a bar, below 200 KB.
_GRID_SIDE = 104
_IS_OPAQUE = 128


def vectorize(picture: Image) -> str:
    """Return an SVG document of the picture's size, with one path for each of at most 8 colours."""
    grid = sized(picture, _GRID_SIDE)
    view = opaque(picture).resize(grid, Resampling.BOX).filter(MedianFilter(3))
    few = view.quantize(_COLOURS, Quantize.MEDIANCUT, kmeans=2, dither=Dither.NONE).filter(ModeFilter(3))
    palette = few.getpalette() or []
    cells = np.asarray(few).astype(int)
    opacity = alpha(picture)
    if opacity is not None:
        cells[np.asarray(opacity.resize(grid, Resampling.BOX)) < _IS_OPAQUE] = -1
    bars: dict[int, list[str]] = defaultdict(list)
    for top, row in enumerate(cells):
        starts = [0, *(np.flatnonzero(np.diff(row)) + 1).tolist(), grid[0]]
        for left, right in pairwise(starts):
            bars[int(row[left])].append(f"M{left} {top}H{right}V{top + 1}H{left}Z")
    bars.pop(-1, None)
    paths = [
        f'<path fill="#{bytes(palette[3 * colour : 3 * colour + 3]).hex()}" d="' + "".join(bars[colour]) + '"/>'
        for colour in sorted(bars)
    ]
    width_px, height_px = picture.size
    # Without crisp edges, a renderer would show seams between the bars.
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width_px}" height="{height_px}" '
        f'viewBox="0 0 {width_px} {height_px}" shape-rendering="crispEdges">\n'
        f'<g transform="scale({width_px / grid[0]:.6g} {height_px / grid[1]:.6g})">\n'
        + "\n".join(paths)
        + "\n</g>\n</svg>\n"
    )
