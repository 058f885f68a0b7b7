"""The stand-in for upscaling: the picture itself, enlarged."""

from PIL.Image import Image, Resampling

from runware_mock.images.standins.modes import plain

# Guess: the limit that image services commonly set for an upscaled picture.
MAX_SIDE_PX = 4096


def upscale(picture: Image, factor: int, *, max_side_px: int = MAX_SIDE_PX) -> Image:
    """Return the picture `factor` times as wide and high, or as large as `max_side_px` allows, never smaller."""
    source = plain(picture)
    longest = max(source.size)
    target = max(longest, min(longest * factor, max_side_px))
    size = (_scaled(source.width, target, longest), _scaled(source.height, target, longest))
    enlarged = source.resize(size, Resampling.LANCZOS)
    enlarged.info = source.info
    return enlarged


def _scaled(side_px: int, target_px: int, longest_px: int) -> int:
    return max(1, (2 * side_px * target_px + longest_px) // (2 * longest_px))
