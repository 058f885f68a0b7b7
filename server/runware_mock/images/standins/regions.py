"""Number the connected regions of a mask."""

import numpy as np
from numpy.typing import NDArray

# All pairs of pixels that touch, at a side or a corner.
_NEIGHBOURS = (
    (np.s_[:, :-1], np.s_[:, 1:]),
    (np.s_[:-1], np.s_[1:]),
    (np.s_[:-1, :-1], np.s_[1:, 1:]),
    (np.s_[:-1, 1:], np.s_[1:, :-1]),
)


def label_regions(mask: NDArray[np.bool_], least_px: int = 1) -> NDArray[np.int32]:
    """Return an array that numbers the regions of `mask` from 1, the largest first, and is 0 elsewhere.

    Regions of fewer than `least_px` pixels are left out.
    """
    count_px = np.count_nonzero(mask)
    # Only the pixels of the mask are counted, since masks of edges are large and nearly empty.
    places = np.zeros(mask.shape, np.int32)
    places[mask] = np.arange(count_px)
    touching = [(here, there, mask[here] & mask[there]) for here, there in _NEIGHBOURS]
    one = np.concatenate([places[here][both] for here, _, both in touching])
    other = np.concatenate([places[there][both] for _, there, both in touching])
    # Each pixel's label is the place of one in the same region; the lowest spreads until neighbours agree.
    labels = np.arange(count_px)
    while (is_apart := labels[one] != labels[other]).any():
        one, other = one[is_apart], other[is_apart]
        ends = labels[one], labels[other]
        np.minimum.at(labels, np.maximum(*ends), np.minimum(*ends))
        while (labels[labels] != labels).any():
            labels = labels[labels]
    sizes_px = np.bincount(labels, minlength=count_px)
    order = np.argsort(-sizes_px, kind="stable")
    order = order[sizes_px[order] >= max(1, least_px)]
    numbers = np.zeros(count_px, np.int32)
    numbers[order] = np.arange(1, order.size + 1)
    regions = np.zeros(mask.shape, np.int32)
    regions[mask] = numbers[labels]
    return regions
