"""Convert pictures between modes and sizes, and encode them, also as vectors."""

from collections import defaultdict
from io import BytesIO
from itertools import pairwise

import numpy as np
from PIL.Image import Dither, Image, Quantize, Resampling, new
from PIL.ImageFilter import MedianFilter, ModeFilter

from runware_mock.images import png_chunks
from runware_mock.images.resize import scaled_size

# Guess: the limit that image services commonly set for an upscaled picture.
MAX_SIDE_PX = 4096
# The formats that `encode` writes.
ENCODED = ("jpeg", "png", "webp", "svg")

_VECTOR_COLOURS = 8
# Cells on the longest side: few enough to keep even noise, of which every cell is a bar, below 200 KB.
_GRID_SIDE = 104
_IS_OPAQUE = 128

Rgb = tuple[int, int, int]


def plain(picture: Image) -> Image:
    """Return a copy in mode L, RGB or RGBA, without metadata except a colour profile that still fits."""
    if picture.mode.startswith("I"):
        # Pillow clips 16 bits to 8, which would leave white.
        result = picture.convert("I").point(lambda value: value / 256).convert("L")
    elif picture.has_transparency_data:
        result = picture.convert("RGBA")
    else:
        result = picture.convert("L" if picture.mode in ("1", "L", "F") else "RGB")
    profile = picture.info.get("icc_profile") if picture.mode in ("RGB", "RGBA", "P") else None
    result = result.copy() if result is picture else result
    result.info = {"icc_profile": profile} if profile else {}
    return result


def opaque(picture: Image) -> Image:
    """Return a copy in RGB, with transparent parts on white."""
    source = plain(picture)
    if source.mode != "RGBA":
        return source.convert("RGB")
    ground = new("RGB", source.size, "white")
    ground.paste(source, mask=source.getchannel("A"))
    return ground


def alpha(picture: Image) -> Image | None:
    """Return the opacity in L, or None for a picture that is fully opaque."""
    source = plain(picture)
    if source.mode != "RGBA":
        return None
    opacity = source.getchannel("A")
    return None if opacity.getextrema() == (255, 255) else opacity


def binary(picture: Image, threshold: int = 0) -> Image:
    """Return white where the grey picture is above `threshold`, and black elsewhere."""
    return picture.point([255 if value > threshold else 0 for value in range(256)])


def sized(picture: Image, max_side_px: int) -> tuple[int, int]:
    """Return the picture's size, scaled down so that its longest side is at most `max_side_px`."""
    return scaled_size(picture.size, min(max_side_px, max(picture.size)))


def small(picture: Image, max_side_px: int) -> Image:
    """Return a smooth copy whose longest side is at most `max_side_px`."""
    return picture.resize(sized(picture, max_side_px), Resampling.BILINEAR, reducing_gap=2.0)


def main_colours(picture: Image, count: int, mask: Image | None = None) -> list[tuple[Rgb, int]]:
    """Return up to `count` colours of an RGB picture and the pixels of each where `mask` is white, the most first."""
    few = picture.quantize(count)
    values = few.getpalette() or []
    palette = zip(values[0::3], values[1::3], values[2::3], strict=True)
    colours = [(rgb, count_px) for rgb, count_px in zip(palette, few.histogram(mask), strict=False) if count_px]
    return sorted(colours, key=lambda colour: -colour[1])


def upscale(picture: Image, factor: int, *, max_side_px: int = MAX_SIDE_PX) -> Image:
    """Return the picture `factor` times as wide and high, or as large as `max_side_px` allows, never smaller."""
    source = plain(picture)
    longest = max(source.size)
    size = scaled_size(source.size, max(longest, min(longest * factor, max_side_px)))
    enlarged = source.resize(size, Resampling.LANCZOS)
    enlarged.info = source.info
    return enlarged


def encode(picture: Image, format_name: str, quality: int) -> bytes:
    """Return the picture in one of the formats ENCODED; JPEG, which has no transparency, gets a white background.

    `quality` goes from 1 to 100 and means nothing to PNG and SVG.
    """
    if format_name == "svg":
        return vectorize(picture).encode()
    source = plain(picture)
    profile = source.info.get("icc_profile")
    if format_name == "png":
        return png_chunks.encode(source, png_chunks.icc_chunk(profile))
    out = BytesIO()
    if format_name == "webp":
        source.save(out, "WEBP", quality=quality, method=0, icc_profile=profile)
    else:
        flat = source if source.mode == "L" else opaque(source)
        flat.save(out, "JPEG", quality=quality, icc_profile=profile)
    return out.getvalue()


def vectorize(picture: Image) -> str:
    """Return an SVG of the picture's size: bars on a coarse grid, one path for each of at most 8 colours."""
    grid = sized(picture, _GRID_SIDE)
    view = opaque(picture).resize(grid, Resampling.BOX).filter(MedianFilter(3))
    few = view.quantize(_VECTOR_COLOURS, Quantize.MEDIANCUT, kmeans=2, dither=Dither.NONE).filter(ModeFilter(3))
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
