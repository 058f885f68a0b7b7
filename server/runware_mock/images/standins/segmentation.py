"""Background removal and detection: parts that differ in colour from the picture's border are the foreground."""

from typing import TypedDict, TypeGuard

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image, Resampling, alpha_composite, composite, fromarray, new
from PIL.ImageChops import invert, lighter, multiply
from PIL.ImageFilter import BoxBlur, GaussianBlur, MaxFilter, MinFilter

from runware_mock.images.standins.conversion import alpha, binary, main_colours, opaque, sized, small

Mask = NDArray[np.bool_]

# Large enough for a smooth outline, small enough to be quick.
_WORKING_SIDE_PX = 288
# A colour that covers less of the border than this belongs to something that extends beyond the picture.
_BORDER_COLOURS, _BORDER_SHARE = 8, 0.04
# A colour is far from the border's if it is twice as far as all but a tenth of the border itself, within these limits.
_BORDER_PERCENT, _MIN_DISTANCE, _MAX_DISTANCE = 90, 16, 72
# Shares of the picture: smaller specks are dropped, and a foreground outside the other two limits is not used.
_SPECK_SHARE, _MIN_SHARE, _MAX_SHARE = 0.002, 0.005, 0.9
_MIN_SIDE_PX = 8
# The square of the radius of the foreground in a picture that has none; the half diagonal's is 2.
_MIDDLE = 0.5
_HALF = 127
_SOFTEN = [max(0, min(255, (value - 160) * 255 // 80)) for value in range(256)]
# A wider blur would dilute a thin region to nothing.
_PADDING_STEP_PX = 8
# All pairs of pixels that touch, at a side or a corner.
_NEIGHBOURS = (
    (np.s_[:, :-1], np.s_[:, 1:]),
    (np.s_[:-1], np.s_[1:]),
    (np.s_[:-1, :-1], np.s_[1:, 1:]),
    (np.s_[:-1, 1:], np.s_[1:, :-1]),
)


class Box(TypedDict):
    """Where something was detected, in pixels; `x_max` and `y_max` lie just outside."""

    x_min: int
    y_min: int
    x_max: int
    y_max: int


def remove_background(
    picture: Image, *, return_only_mask: bool = False, rgba: tuple[int, int, int, int] | None = None
) -> Image:
    """Return the foreground in RGBA on `rgba`, by default on nothing; or the foreground's mask in L."""
    given = alpha(picture)
    mask = given if _is_cut_out(given) else _enlarged(foreground_labels(picture) > 0, picture.size)
    if return_only_mask:
        return mask
    front = opaque(picture)
    front.putalpha(mask if given is None else multiply(mask, given))
    ground = new("RGBA", picture.size, (255, 255, 255, 0) if rgba is None else rgba)
    if rgba is not None and rgba[3] > 0:
        return alpha_composite(ground, front)
    # Readers that ignore alpha must not see the background's colours either.
    return composite(front, ground, binary(front.getchannel("A")))


# Guess: the real service's own defaults.
def draw_mask(
    picture: Image, *, max_detections: int = 6, mask_padding_px: int = 4, mask_blur_px: int = 4
) -> tuple[Image, list[Box]]:
    """Return an L mask, white where something was detected, and a box for each detection, the largest first.

    The boxes hold the detected regions themselves; the mask is padded and blurred beyond them.
    """
    mask = new("L", picture.size, 0)
    boxes: list[Box] = []
    labels = foreground_labels(picture)
    for number in range(1, min(max_detections, int(labels.max())) + 1):
        drawn = binary(_enlarged(labels == number, picture.size), _HALF)
        if box := drawn.getbbox():
            boxes.append(Box(x_min=box[0], y_min=box[1], x_max=box[2], y_max=box[3]))
            mask = lighter(mask, drawn)
    mask = _grown(mask, mask_padding_px) if mask_padding_px >= 0 else invert(_grown(invert(mask), -mask_padding_px))
    return mask.filter(GaussianBlur(mask_blur_px)) if mask_blur_px > 0 else mask, boxes


def foreground_labels(picture: Image) -> NDArray[np.int32]:
    """Return the parts of the foreground in a small copy, numbered as by `label_regions`; there is at least one."""
    given = alpha(picture)
    if _is_cut_out(given):
        labels = label_regions(np.asarray(small(given, _WORKING_SIDE_PX)) > _HALF)
    else:
        view = small(opaque(picture), _WORKING_SIDE_PX)
        front = _stands_out(view)
        if min(view.size) > _MIN_SIDE_PX:
            # Remove threads and pinholes.
            cleaned = fromarray(front).convert("L").filter(MinFilter(3)).filter(MaxFilter(5)).filter(MinFilter(3))
            front = np.asarray(cleaned) > 0
        labels = label_regions(front, least_px=int(_SPECK_SHARE * front.size))
        if not _MIN_SHARE <= np.count_nonzero(labels) / labels.size <= _MAX_SHARE:
            labels[...] = 0
    return labels if labels.any() else label_regions(_middle(picture))


def label_regions(mask: Mask, least_px: int = 1) -> NDArray[np.int32]:
    """Number the connected regions of `mask` of at least `least_px` pixels from 1, the largest first; the rest is 0."""
    count_px = np.count_nonzero(mask)
    # Only the pixels of the mask are counted, since masks of edges are large and nearly empty.
    places = np.zeros(mask.shape, np.int32)
    places[mask] = np.arange(count_px)
    touching = [(here, there, mask[here] & mask[there]) for here, there in _NEIGHBOURS]
    one = np.concatenate([places[here][both] for here, _, both in touching])
    other = np.concatenate([places[there][both] for _, there, both in touching])
    # A pixel's label is the index of a pixel in its region; the lowest spreads until neighbours agree.
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
    places[mask] = numbers[labels]
    return places


def _is_cut_out(opacity: Image | None) -> TypeGuard[Image]:
    """Return whether a picture has transparent and opaque parts, which define the foreground."""
    return opacity is not None and opacity.getextrema() == (0, 255)


def _stands_out(view: Image) -> Mask:
    """Return the mask of colours far from those of the border, with the areas that they enclose."""
    pixels = np.asarray(view, np.int16)
    depth_px = max(1, min(view.size) // 40)
    # The lower border is left out: people and things stand on it and extend beyond it.
    strips = (pixels[:depth_px], pixels[:, :depth_px], pixels[:, -depth_px:])
    border = np.concatenate([strip.reshape(1, -1, 3) for strip in strips], axis=1)
    colours = main_colours(fromarray(border.astype(np.uint8)), _BORDER_COLOURS)
    least_px = min(colours[0][1], _BORDER_SHARE * border.shape[1])
    away = [np.abs(pixels - np.array(rgb)).sum(axis=2) // 2 for rgb, count_px in colours if count_px >= least_px]
    nearest = np.minimum.reduce(away).clip(0, 255).astype(np.uint8)
    distances = np.asarray(fromarray(nearest).filter(GaussianBlur(1.0)))
    edge = np.concatenate([distances[0], distances[:, 0], distances[:, -1]])
    threshold = np.clip(2 * np.percentile(edge, _BORDER_PERCENT), _MIN_DISTANCE, _MAX_DISTANCE)
    near = label_regions(distances <= threshold)
    outermost = np.concatenate([near[0], near[-1], near[:, 0], near[:, -1]])
    return ~np.isin(near, outermost[outermost > 0])


def _middle(picture: Image) -> Mask:
    """Return an ellipse, the foreground if colours do not show one."""
    # From -1 at one side to 1 at the other.
    across, down = ((2 * np.arange(side) + 1) / side - 1 for side in sized(picture, _WORKING_SIDE_PX))
    is_inside: Mask = across**2 + down[:, None] ** 2 <= _MIDDLE
    return is_inside


def _enlarged(mask: Mask, size: tuple[int, int]) -> Image:
    """Return a mask in L, scaled up with a smooth outline; it keeps some black and some white if it has both."""
    picture = fromarray(mask).convert("L")
    smooth = picture.filter(GaussianBlur(0.9)).resize(size, Resampling.BICUBIC).point(_SOFTEN)
    return smooth if smooth.getextrema() == (0, 255) else picture.resize(size, Resampling.NEAREST)


def _grown(mask: Image, padding_px: int) -> Image:
    """Return the mask with its white parts enlarged; a blur and a threshold are much faster than MaxFilter."""
    while padding_px > 0:
        mask = binary(mask.filter(BoxBlur(min(padding_px, _PADDING_STEP_PX))))
        padding_px -= _PADDING_STEP_PX
    return mask
