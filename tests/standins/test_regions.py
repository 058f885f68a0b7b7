"""Regions are found as a slow and plain search finds them."""

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from runware_mock.images.standins.regions import draw_regions, find_regions, meeting


@st.composite
def masks(draw: st.DrawFn) -> Image.Image:
    width_px, height_px = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    pixels = draw(st.lists(st.sampled_from([0, 255]), min_size=width_px * height_px, max_size=width_px * height_px))
    return Image.frombytes("L", (width_px, height_px), bytes(pixels))


def searched(mask: Image.Image, *, with_diagonals: bool) -> set[frozenset[tuple[int, int]]]:
    left = {(x, y) for y in range(mask.height) for x in range(mask.width) if mask.getpixel((x, y))}
    reach = [(1, 0), (-1, 0), (0, 1), (0, -1), *([(1, 1), (-1, -1), (1, -1), (-1, 1)] if with_diagonals else [])]
    found = set()
    while left:
        region, edge = set(), [left.pop()]
        while edge:
            x, y = edge.pop()
            region.add((x, y))
            near = {(x + way_x, y + way_y) for way_x, way_y in reach} & left
            left -= near
            edge += near
        found.add(frozenset(region))
    return found


@given(mask=masks(), with_diagonals=st.booleans())
def test_the_regions_are_those_that_a_plain_search_finds(mask: Image.Image, *, with_diagonals: bool) -> None:
    regions = find_regions(mask, with_diagonals=with_diagonals)
    pixels = {
        frozenset((x, run.top_px) for run in region.runs for x in range(run.left_px, run.right_px))
        for region in regions
    }
    assert pixels == searched(mask, with_diagonals=with_diagonals)
    assert [region.area_px for region in regions] == sorted(map(len, pixels), reverse=True)
    assert draw_regions(mask.size, regions).tobytes() == mask.tobytes()


@given(mask=masks())
def test_a_region_s_box_holds_it_closely(mask: Image.Image) -> None:
    for region in find_regions(mask):
        assert draw_regions(mask.size, [region]).getbbox() == region.box
        left, top, right, bottom = region.box
        is_at_edge = left == 0 or top == 0 or right == mask.width or bottom == mask.height
        assert region.touches_edge(mask.size) == is_at_edge


def test_regions_meet_marks_that_lie_in_them() -> None:
    mask = Image.frombytes("L", (5, 1), bytes([255, 255, 0, 255, 255]))
    marks = Image.frombytes("L", (5, 1), bytes([0, 0, 0, 0, 255]))
    assert [region.box for region in meeting(find_regions(mask), marks)] == [(3, 0, 5, 1)]
