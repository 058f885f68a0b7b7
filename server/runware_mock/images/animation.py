"""Downsize an animation: every frame, its duration and the loop count are kept."""

from collections.abc import Callable, Iterator

from PIL.Image import Image
from PIL.ImageFile import ImageFile
from PIL.PngImagePlugin import PngImageFile

from runware_mock.images import gif, png, webp
from runware_mock.images.resize import MOST_FRAMES, RESAMPLING, resizable

Resize = Callable[[Image, tuple[int, int]], Image]

# Frames of a few bytes may each cost as much as the whole canvas: these are 2,000 of 1920 by 1080.
_MOST_PIXELS = 2**32


def count_frames(image: ImageFile) -> int:
    """Return the number of frames, 1 for a still picture; raises SyntaxError where they would take minutes."""
    frames = int(getattr(image, "n_frames", 1))
    if frames > 1 and (frames > MOST_FRAMES or frames * image.width * image.height > _MOST_PIXELS):
        raise SyntaxError(f"more than {MOST_FRAMES} frames, or {_MOST_PIXELS} pixels in all of them")
    return frames


def memory_bytes(image: ImageFile, size: tuple[int, int]) -> int:
    """Return about what `downsize` needs: it reads and writes frame by frame."""
    pixel_bytes = 24 if image.format == "WEBP" else 14
    return pixel_bytes * image.width * image.height + 16 * size[0] * size[1]


def downsize(image: ImageFile, size: tuple[int, int], resize: Resize) -> bytes:
    """Return the encoded animation."""
    frames = _frames(image, size, resize)
    loop, icc_profile = image.info.get("loop"), image.info.get("icc_profile")
    if isinstance(image, PngImageFile):
        count, is_first_hidden = count_frames(image), bool(image.default_image)
        return png.write_animation(frames, count, loop or 0, icc_profile, is_first_hidden=is_first_hidden)
    if image.format == "WEBP":
        return webp.write_animation(frames, size, loop or 0, icc_profile)
    return gif.write_animation(frames, size, loop)


def resize(frame: Image, size: tuple[int, int]) -> Image:
    """Return a frame at another size, by Pillow."""
    return frame.resize(size, RESAMPLING)


def _frames(image: ImageFile, size: tuple[int, int], resize: Resize) -> Iterator[tuple[Image, float]]:
    for index in range(count_frames(image)):
        image.seek(index)
        image.load()
        yield resize(resizable(image), size), image.info.get("duration", 0)
