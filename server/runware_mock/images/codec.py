"""Turn the bytes that were sent into the picture that is stored.

"There is no limit on image size but we save them with a maximum of 2048 pixels in width or height, maintaining the
original aspect ratio."
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO

from PIL.Image import Image, Resampling

from runware_mock.images import vips
from runware_mock.images.bmp import BmpDecoder
from runware_mock.images.decoder import Decoder
from runware_mock.images.formats import Picture, PictureRefused, Sent, detect_format, unaccepted
from runware_mock.images.gif import GifDecoder
from runware_mock.images.jpeg import JpegDecoder
from runware_mock.images.limits import Budget, Deadline, OverBudget, TookTooLong
from runware_mock.images.png import PngDecoder
from runware_mock.images.resize import Resizer, Size, in_8_bits, scaled_size, upright
from runware_mock.images.webp import WebpDecoder

MAX_SIDE_PX = 2048
TIMEOUT = timedelta(seconds=30)
_THUMBNAIL_SIZE, _THUMBNAIL_QUALITY = (240, 240), 70

# The picture, a copy or two, and its encoded form.
_DRAWING_BYTES_PER_PX = 16

# Never Image.open: it tries every reader in Pillow, and checks a process-wide pixel limit, which is not ours to change
# in a user's test process. Our limit is the memory budget.
DECODERS: Mapping[str, Callable[[bytes], Decoder]] = {
    "jpeg": JpegDecoder,
    "png": PngDecoder,
    "webp": WebpDecoder,
    "bmp": BmpDecoder,
    "gif": GifDecoder,
}


class Codec:
    """Decodes, checks and downsizes pictures of the accepted `formats` within `budget`, each within `timeout`.

    If `may_use_vips`, and it is installed, libvips does what it can do faster or in less memory.
    """

    def __init__(
        self, formats: Collection[str], budget: Budget, *, may_use_vips: bool = True, timeout: timedelta = TIMEOUT
    ) -> None:
        self._formats = formats
        self._budget = budget
        self._uses_vips = may_use_vips and vips.is_installed()
        self._timeout_s = timeout.total_seconds()
        self.memory_reserved_bytes = budget.reserved_bytes

    def stored_form(self, data: bytes, *, unchanged: bool = False) -> Picture:
        """Return what is stored for `data`: the same bytes if small enough or `unchanged`, else a picture of 2048 px.

        Every picture is decoded in full. Raises PictureRefused if it is not an intact picture of an accepted format, or
        needs too much memory or time.
        """
        name = detect_format(data)
        if name is None or name not in self._formats:
            raise PictureRefused(unaccepted(name, self._formats))
        with refusing_broken(name):
            decoder = DECODERS[name](data)
            sent = Sent(len(data), *decoder.size, decoder.orientation)
            if max(decoder.size) > MAX_SIDE_PX and not unchanged:
                stored, size = self._downsized(name, decoder)
                return Picture(name, *size, decoder.frames, stored, sent)
            with self._reserved(decoder.needed_bytes()) as deadline:
                decoder.check(deadline)
        return Picture(name, *decoder.size, decoder.frames, data, sent if decoder.orientation != 1 else None)

    @contextmanager
    def drawing(self, width_px: int, height_px: int) -> Iterator[None]:
        """Wait for a slot and the memory to draw a picture of this size; raises PictureRefused."""
        with self._reserved(_DRAWING_BYTES_PER_PX * width_px * height_px):
            yield

    @contextmanager
    def _reserved(self, needed_bytes: int) -> Iterator[Deadline]:
        try:
            with self._budget.reserve(needed_bytes):
                yield Deadline(self._timeout_s)
        except OverBudget as error:
            advice = "" if self._uses_vips else ", or install runware-mock[vips]"
            raise PictureRefused(
                f"Decoding it takes about {error.needed_bytes >> 20} MiB, more than the memory budget of "
                f"{error.budget_bytes >> 20} MiB: raise it with --memory-budget-bytes{advice}."
            ) from None

    def _downsized(self, name: str, decoder: Decoder) -> tuple[bytes, Size]:
        size = scaled_size(decoder.size, MAX_SIDE_PX)
        needed_bytes = decoder.needed_bytes(size)
        fits = needed_bytes <= self._budget.total_bytes
        if not fits and self._uses_vips and (streamed := self._streamed(name, decoder, size)):
            return streamed
        with self._reserved(needed_bytes) as deadline:
            # One thread for each free slot besides our own: when all slots decode, more threads would only take turns.
            resizer = vips.VipsResizer(1 + self._budget.free_slots()) if self._uses_vips else Resizer()
            is_narrow = vips.BYTES_PER_COLUMN * decoder.size[0] <= needed_bytes
            if isinstance(resizer, vips.VipsResizer) and is_narrow:
                rows = decoder.streamable(fits=True)
                # If libvips even warns, our own readers decide.
                if rows and (small := resizer.rows(name, rows, size, deadline, "warning")):
                    return decoder.encode_upright(small)
            return decoder.downsized(size, resizer, deadline)

    def _streamed(self, name: str, decoder: Decoder, size: Size) -> tuple[bytes, Size] | None:
        """Return a picture downsized row by row, or None if it cannot be, or its rows are too long."""
        total_bytes = self._budget.total_bytes
        if vips.BYTES_PER_COLUMN * decoder.size[0] > max(total_bytes, vips.ALWAYS_BYTES):
            return None
        # The whole budget: how much streaming takes is not known beforehand; it grows with the width alone.
        with self._reserved(total_bytes) as deadline:
            rows, resizer = decoder.streamable(fits=False), vips.VipsResizer(1)
            if rows is None:
                return None
            small = resizer.rows(name, rows, size, deadline, "warning")
            if small is None:
                decoder.check(deadline)
                small = resizer.rows(name, rows, size, deadline, "none")
            return None if small is None else decoder.encode_upright(small)


def opened(picture: Picture, least: Size | None = None) -> Image:
    """Return a stored picture, or its first frame, decoded, and turned as its EXIF orientation says.

    It may be smaller than stored, but no smaller than `least`. Raises PictureRefused if it is broken.
    """
    with refusing_broken(picture.format):
        decoder = DECODERS[picture.format](picture.data)
        image = upright(decoder.image(Deadline(TIMEOUT.total_seconds()), least or decoder.size), decoder.orientation)
        image.info = {"icc_profile": decoder.icc_profile} if decoder.icc_profile else {}
        return image


def thumbnail(picture: Picture) -> bytes | None:
    """Return a WebP of at most 240 px a side, of an animation's first frame; None if it is not a picture."""
    if picture.format not in DECODERS:
        return None
    try:
        image = opened(picture, _THUMBNAIL_SIZE)
    except PictureRefused:
        return None
    image = in_8_bits(image)
    image = image.convert("RGBA" if "A" in image.getbands() else "RGB")
    image.thumbnail(_THUMBNAIL_SIZE, Resampling.BOX, reducing_gap=None)
    image.info = {}
    out = BytesIO()
    image.save(out, "WEBP", quality=_THUMBNAIL_QUALITY, method=0)
    return out.getvalue()


@contextmanager
def refusing_broken(name: str) -> Iterator[None]:
    """Turn whatever the readers raise for a broken file of this format into PictureRefused."""
    try:
        yield
    except TookTooLong as error:
        raise PictureRefused(
            f"Decoding the {name.upper()} took longer than {error.limit_s:g} s: --decode-timeout allows more."
        ) from None
    except (PictureRefused, MemoryError, ImportError):
        # The last two say nothing about the picture.
        raise
    except Exception as error:
        # Readers raise anything for broken bytes; Pillow's also raise warnings, if a process turns these into errors.
        raise PictureRefused(f"The {name.upper()} cannot be decoded: {error}.") from error
