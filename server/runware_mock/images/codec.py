"""From the bytes that were sent to the picture that is stored.

"There is no limit on image size but we save them with a maximum of 2048 pixels in width or height, maintaining the
original aspect ratio."
"""

import struct
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from typing import TypeVar

from PIL.Image import DecompressionBombError, Image
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from runware_mock.images import animation, jpeg, pixels, proof, still, vips
from runware_mock.images.bmp import open_bmp
from runware_mock.images.budget import Budget, OverBudget
from runware_mock.images.formats import FORMATS, detect_format
from runware_mock.images.gif import open_gif
from runware_mock.images.picture import Picture, PictureRefused, Sent
from runware_mock.images.png import open_png, plain_size
from runware_mock.images.webp import open_webp

Resized = TypeVar("Resized")

MAX_SIDE_PX = 2048

# The picture, a copy or two, and its encoded form.
_DRAWING_BYTES_PER_PX = 16

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
        return still.upright(read(picture))


class Codec:
    """Decodes, checks and downsizes pictures of the accepted `formats` within `budget`.

    If it `may_use_vips` and that is installed, what libvips does faster or in less memory is left to that.
    """

    def __init__(self, formats: Collection[str], budget: Budget, *, may_use_vips: bool = True) -> None:
        self._formats = formats
        self._budget = budget
        self._uses_vips = may_use_vips and vips.is_installed()
        self.memory_reserved_bytes = budget.reserved_bytes

    def stored_form(self, data: bytes) -> Picture:
        """Return what is stored for `data`: the same bytes when small enough, else a picture of 2048 px.

        Raises PictureRefused for what is no whole picture of an accepted format, or needs too much memory.
        """
        name = detect_format(data)
        if name is None or name not in self._formats:
            raise PictureRefused(unaccepted(name, self._formats))
        with refusing_broken(name):
            if name == "png" and (plain := plain_size(data, MAX_SIDE_PX)):
                # To have Pillow open it would take a sixth of a tiny upload.
                return Picture(name, *plain, 1, data)
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
                raise _too_big(error) from None
            return picture

    def _streamed(self, name: str, image: ImageFile, data: bytes) -> Picture | None:
        # The whole budget: what streaming takes cannot be told beforehand, and grows with the width alone.
        with refusing_broken(name), self._budget.reserve(self._budget.total_bytes):
            if not self._uses_vips or not vips.can_stream(name, image, data, self._budget.total_bytes):
                return None
            small = vips.stream(name, data, target_size(*image.size))
            return Picture(name, *small[1], 1, small[0], _sent(image, data, image.size))

    @contextmanager
    def drawing(self, width_px: int, height_px: int) -> Iterator[None]:
        """Wait for a slot and the memory to draw a picture of this size; raises PictureRefused."""
        try:
            with self._budget.reserve(_DRAWING_BYTES_PER_PX * width_px * height_px):
                yield
        except OverBudget as error:
            raise _too_big(error) from None

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
            room_bytes = still.memory_bytes(image, size)
            with refusing_broken(name), self._budget.reserve(room_bytes):
                shrunk = vips.shrunk(name, image, data, size, room_bytes, self._threads()) if self._uses_vips else None
                small, size = still.downsize(name, image, size, shrunk)
        return Picture(name, *size, frames, small, _sent(image, data, sent_size))

    def _chosen(self, by_vips: Callable[..., Resized], by_pillow: Callable[..., Resized]) -> Callable[..., Resized]:
        return partial(by_vips, threads=self._threads()) if self._uses_vips else by_pillow

    def _threads(self) -> int:
        # One for each slot that is free, besides one's own: where all decode, more would only take turns.
        return 1 + self._budget.free_slots()


def _sent(image: ImageFile, data: bytes, size: tuple[int, int]) -> Sent:
    """Tell what was sent; `image.size` itself changes when a JPEG is decoded to a smaller scale."""
    return Sent(len(data), *size, still.orientation(image.info.get("exif", b"")))


def _too_big(error: OverBudget) -> PictureRefused:
    return PictureRefused(
        f"Decoding it takes about {error.needed_bytes >> 20} MiB, more than the memory budget of "
        f"{error.budget_bytes >> 20} MiB: raise it with --memory-budget-bytes, or install runware-mock[vips]."
    )


def target_size(width_px: int, height_px: int) -> tuple[int, int]:
    """Scale to a longest side of exactly 2048 px; the other side is rounded half up and at least 1 px."""
    longest = max(width_px, height_px)

    def scale(side_px: int) -> int:
        return max(1, (2 * side_px * MAX_SIDE_PX + longest) // (2 * longest))

    return scale(width_px), scale(height_px)


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


def unaccepted(name: str | None, accepted: Collection[str]) -> str:
    """Tell that a format, or bytes of none, are not accepted, and which are."""
    supported = f"Supported formats are: {', '.join(key.upper() for key in accepted)}."
    if name is None:
        return f"The bytes are no picture of a known format. {supported}"
    return f"The format is {name.upper() if name in FORMATS else name}. {supported}"
