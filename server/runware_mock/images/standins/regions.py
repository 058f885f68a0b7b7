"""Connected regions of a black and white picture, found row by row in runs, which is quick without numpy."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct
from PIL.Image import Image, frombytes


class Run(NamedTuple):
    """White pixels side by side: from `left_px` up to, but not including, `right_px` in row `top_px`."""

    top_px: int
    left_px: int
    right_px: int


class Region(Struct, frozen=True):
    """White pixels that hang together."""

    runs: tuple[Run, ...]
    area_px: int
    box: tuple[int, int, int, int]

    def touches_edge(self, size: tuple[int, int]) -> bool:
        """Tell whether the region reaches the edge of a picture of `size`."""
        left, top, right, bottom = self.box
        return left == 0 or top == 0 or right == size[0] or bottom == size[1]


def binary(picture: Image, threshold: int = 0) -> Image:
    """Return white where the grey picture is above `threshold`, else black."""
    return picture.point([255 if value > threshold else 0 for value in range(256)])


def find_regions(mask: Image, *, with_diagonals: bool = False) -> list[Region]:
    """Return the regions of what is not black, the largest first, then from top left."""
    reach = 1 if with_diagonals else 0
    runs: list[Run] = []
    parents: list[int] = []
    above: range = range(0)
    for row in _rows(binary(mask)):
        start = len(runs)
        runs += row
        parents += range(start, len(runs))
        _join(runs, parents, above, range(start, len(runs)), reach)
        above = range(start, len(runs))
    groups: dict[int, list[Run]] = {}
    for index, run in enumerate(runs):
        groups.setdefault(_root(parents, index), []).append(run)
    return sorted(map(_region, groups.values()), key=lambda region: (-region.area_px, region.runs[0]))


def draw_regions(size: tuple[int, int], regions: Iterable[Region]) -> Image:
    """Return a picture in L, white in the regions and black elsewhere."""
    width_px, height_px = size
    pixels = bytearray(width_px * height_px)
    for region in regions:
        for top, left, right in region.runs:
            pixels[top * width_px + left : top * width_px + right] = b"\xff" * (right - left)
    return frombytes("L", size, bytes(pixels))


def meeting(regions: Iterable[Region], marks: Image) -> list[Region]:
    """Return those regions in which `marks`, a picture of the same size, has a white pixel."""
    width_px, data = marks.width, binary(marks).tobytes()
    return [
        region
        for region in regions
        if any(
            data.find(b"\xff", top * width_px + left, top * width_px + right) >= 0 for top, left, right in region.runs
        )
    ]


def _rows(mask: Image) -> Iterable[list[Run]]:
    width_px, data = mask.width, mask.tobytes()
    for top in range(mask.height):
        row = data[top * width_px : (top + 1) * width_px]
        runs = []
        left = row.find(b"\xff")
        while left >= 0:
            right = row.find(b"\0", left)
            right = width_px if right < 0 else right
            runs.append(Run(top, left, right))
            left = row.find(b"\xff", right)
        yield runs


def _join(runs: Sequence[Run], parents: list[int], above: range, current: range, reach: int) -> None:
    """Put runs that meet those of the row above into one tree; both rows are walked once, from left to right."""
    upper = iter(above)
    over = next(upper, None)
    for index in current:
        _, left, right = runs[index]
        while over is not None and runs[over].right_px + reach <= left:
            over = next(upper, None)
        while over is not None and runs[over].left_px < right + reach:
            one, other = _root(parents, over), _root(parents, index)
            parents[max(one, other)] = min(one, other)
            if runs[over].right_px > right:
                # It may reach the next run of this row, too.
                break
            over = next(upper, None)


def _root(parents: list[int], index: int) -> int:
    while parents[index] != index:
        parents[index] = parents[parents[index]]
        index = parents[index]
    return index


def _region(runs: list[Run]) -> Region:
    box = (
        min(run.left_px for run in runs),
        runs[0].top_px,
        max(run.right_px for run in runs),
        runs[-1].top_px + 1,
    )
    return Region(tuple(runs), sum(run.right_px - run.left_px for run in runs), box)
