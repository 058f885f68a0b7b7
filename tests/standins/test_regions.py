"""Regions are found as a slow and plain search finds them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from runware_mock.images.standins.segmentation import label_regions

Mask = NDArray[np.bool_]


def searched(mask: Mask) -> set[frozenset[tuple[int, int]]]:
    left = {(y, x) for y, x in np.ndindex(mask.shape) if mask[y, x]}
    found = set()
    while left:
        region, edge = set(), [left.pop()]
        while edge:
            y, x = edge.pop()
            region.add((y, x))
            near = {(y + down, x + right) for down in (-1, 0, 1) for right in (-1, 0, 1)} & left
            left -= near
            edge += near
        found.add(frozenset(region))
    return found


@given(mask=arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))), least_px=st.integers(0, 5))
def test_the_regions_are_those_that_a_plain_search_finds_the_largest_first(mask: Mask, least_px: int) -> None:
    labels = label_regions(mask, least_px)
    regions = [
        frozenset((y, x) for y, x in np.ndindex(mask.shape) if labels[y, x] == number)
        for number in range(1, int(labels.max()) + 1)
    ]
    assert set(regions) == {region for region in searched(mask) if len(region) >= least_px}
    sizes_px = [len(region) for region in regions]
    assert sizes_px == sorted(sizes_px, reverse=True)
