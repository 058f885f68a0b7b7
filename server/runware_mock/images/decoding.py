"""Pictures decoded, checked and downsized: all that needs Pillow, whose import takes a seventh of a start."""

import struct
import zlib
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import TypeVar

from PIL.Image import DecompressionBombError, Image
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from runware_mock.images import animation, jpeg, pixels, proof, resize, vips
from runware_mock.images.bmp import open_bmp
from runware_mock.images.codec import MAX_SIDE_PX, target_size, too_big
from runware_mock.images.gif import open_gif
from runware_mock.images.limits import Budget, OverBudget
from runware_mock.images.picture import Picture, PictureRefused, Sent
from runware_mock.images.png import open_png
from runware_mock.images.webp import open_webp

Resized = TypeVar("Resized")

# The readers are called by name, not through Image.open: that checks Pillow's process-wide pixel limit, which is not
# ours to change in a user's test process. Our limit is the memory budget.
_READERS: dict[str, Callable[[BytesIO], ImageFile]] = {
    "jpeg": jpeg.open_jpeg,
    "png": open_png,
    "webp": open_webp,
    "bmp": open_bmp,
    "gif": open_gif,
}

# What Pillow's readers raise on broken input; they also warn, which some processes make an error of.
_DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    MemoryError,
    DecompressionBombError,
    struct.error,
    zlib.error,
    Warning,
)


def read(picture: Picture) -> ImageFile:
    """Return a stored picture that is not decoded yet, by the one reader of its format; raises KeyError for others."""
    return _READERS[picture.format](BytesIO(picture.data))


def opened(picture: Picture) -> Image:
    """Return a stored picture decoded, and turned as its EXIF orientation says.

    Raises PictureRefused where it is broken: what is stored as it is was proved to be whole, not always decoded.
    """
    with refusing_broken(picture.format):
        return resize.upright(read(picture))


class Decoder:
    """Makes the stored form of what has to be looked into, within `budget`.

    If it `may_use_vips` and that is installed, what libvips does faster or in less memory is left to that.
    """

    def __init__(self, budget: Budget, *, may_use_vips: bool) -> None:
        self._budget = budget
        self._uses_vips = may_use_vips and vips.is_installed()

    def stored_form(self, name: str, data: bytes) -> Picture:
        """Return what is stored for `data` of the format `name`: the same bytes when small enough, else 2048 px.

        Raises PictureRefused for what is no whole picture, or needs too much memory.
        """
        with refusing_broken(name):
            image = _READERS[name](BytesIO(data))
        size = image.size
        try:
            if max(size) > MAX_SIDE_PX:
                return self._downsized(name, image, data)
            with refusing_broken(name), self._budget.reserve(proof.memory_bytes(image)):
                frames = proof.count_whole_frames(image)
            return Picture(name, *size, frames, data, _sent(image, data, size) if "exif" in image.info else None)
        except OverBudget as error:
            picture = self._streamed(name, image, data) if max(size) > MAX_SIDE_PX else None
            if picture is None:
                raise too_big(error) from None
            return picture

    def _streamed(self, name: str, image: ImageFile, data: bytes) -> Picture | None:
        # The whole budget: what streaming takes cannot be told beforehand, and grows with the width alone.
        with refusing_broken(name), self._budget.reserve(self._budget.total_bytes):
            if not self._uses_vips or not vips.can_stream(name, image, data, self._budget.total_bytes):
                return None
            small = vips.stream(name, data, target_size(*image.size))
            return Picture(name, *small[1], 1, small[0], _sent(image, data, image.size))

    def _downsized(self, name: str, image: ImageFile, data: bytes) -> Picture:
        sent_size = image.size
        size = target_size(*sent_size)
        with refusing_broken(name):
            frames = animation.count_frames(image)
        if isinstance(image, JpegImageFile):
            with refusing_broken(name), self._budget.reserve(jpeg.memory_bytes(image, data, size)):
                small, size = jpeg.downsize(image, data, size, self._chosen(vips.resize, pixels.resize))
        elif frames > 1 or name == "gif":
            with refusing_broken(name), self._budget.reserve(animation.memory_bytes(image, size)):
                small = animation.downsize(image, size, self._chosen(vips.resize_frame, animation.resize))
        else:
            room_bytes = resize.memory_bytes(image, size)
            with refusing_broken(name), self._budget.reserve(room_bytes):
                shrunk = vips.shrunk(name, image, data, size, room_bytes, self._threads()) if self._uses_vips else None
                small, size = resize.downsize(name, image, size, shrunk)
        return Picture(name, *size, frames, small, _sent(image, data, sent_size))

    def _chosen(self, by_vips: Callable[..., Resized], by_pillow: Callable[..., Resized]) -> Callable[..., Resized]:
        return partial(by_vips, threads=self._threads()) if self._uses_vips else by_pillow

    def _threads(self) -> int:
        # One for each slot that is free, besides one's own: where all decode, more would only take turns.
        return 1 + self._budget.free_slots()


def _sent(image: ImageFile, data: bytes, size: tuple[int, int]) -> Sent:
    """Tell what was sent; `image.size` itself changes when a JPEG is decoded to a smaller scale."""
    return Sent(len(data), *size, resize.orientation(image.info.get("exif", b"")))


class refusing_broken:  # noqa: N801 - named as what it does, like contextlib.suppress
    """Raise PictureRefused for whatever the readers raise of a broken file of this format."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        """Begin to read."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Refuse what could not be read."""
        if isinstance(error, _DECODE_ERRORS):
            raise PictureRefused(f"The {self._name.upper()} cannot be decoded: {error}.") from error
