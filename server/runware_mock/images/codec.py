"""From the bytes that were sent to the picture that is stored.

"There is no limit on image size but we save them with a maximum of 2048 pixels in width or height, maintaining the
original aspect ratio."
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from runware_mock.images.formats import detect_format, unaccepted
from runware_mock.images.limits import Budget, OverBudget
from runware_mock.images.picture import Picture, PictureRefused
from runware_mock.images.png_chunks import plain_size

if TYPE_CHECKING:
    from runware_mock.images.decoding import Decoder

MAX_SIDE_PX = 2048

# The picture, a copy or two, and its encoded form.
_DRAWING_BYTES_PER_PX = 16


class Codec:
    """Decodes, checks and downsizes pictures of the accepted `formats` within `budget`.

    If it `may_use_vips` and that is installed, what libvips does faster or in less memory is left to that.
    """

    def __init__(self, formats: Collection[str], budget: Budget, *, may_use_vips: bool = True) -> None:
        self._formats = formats
        self._budget = budget
        self._may_use_vips = may_use_vips
        self.memory_reserved_bytes = budget.reserved_bytes

    @cached_property
    def _decoder(self) -> "Decoder":
        from runware_mock.images.decoding import Decoder

        return Decoder(self._budget, may_use_vips=self._may_use_vips)

    def stored_form(self, data: bytes) -> Picture:
        """Return what is stored for `data`: the same bytes when small enough, else a picture of 2048 px.

        Raises PictureRefused for what is no whole picture of an accepted format, or needs too much memory.
        """
        name = detect_format(data)
        if name is None or name not in self._formats:
            raise PictureRefused(unaccepted(name, self._formats))
        if name == "png" and (plain := plain_size(data, MAX_SIDE_PX)):
            # To have Pillow open it would take a sixth of a tiny upload.
            return Picture(name, *plain, 1, data)
        return self._decoder.stored_form(name, data)

    @contextmanager
    def drawing(self, width_px: int, height_px: int) -> Iterator[None]:
        """Wait for a slot and the memory to draw a picture of this size; raises PictureRefused."""
        try:
            with self._budget.reserve(_DRAWING_BYTES_PER_PX * width_px * height_px):
                yield
        except OverBudget as error:
            raise too_big(error) from None


def too_big(error: OverBudget) -> PictureRefused:
    """Return the refusal of a picture that no memory budget holds."""
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
