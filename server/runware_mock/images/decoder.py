"""The base of the readers of all formats: the header at once, the pixels on request."""

from collections.abc import Iterator
from functools import cached_property

from PIL.Image import Image

from runware_mock.images.limits import MOST_FRAMES, MOST_WORK_PX, Deadline
from runware_mock.images.resize import Resizer, Size, upright, upright_size


class Decoder:
    """The reader of one file. The constructor reads the header, and checks that the pixels can be decoded in time.

    The constructor and all methods may raise any exception if the file is broken.
    """

    size: Size
    frames: int = 1
    orientation: int = 1
    # The memory of one pixel in all the copies of it that exist at the same time.
    pixel_bytes: int = 0

    @cached_property
    def icc_profile(self) -> bytes | None:
        """The colour profile, if there is one."""
        return None

    def needed_bytes(self, size: Size | None = None) -> int:
        """Return about how much memory `check` takes, or `downsized` at a size: pixels, narrower rows, the result."""
        whole_bytes = self.pixel_bytes * self.size[0] * self.size[1]
        return whole_bytes if size is None else whole_bytes + 4 * size[0] * self.size[1] + 12 * size[0] * size[1]

    def check(self, deadline: Deadline) -> None:
        """Decode everything, and keep nothing; raises if anything is broken."""
        for _ in self.animation(deadline):
            pass

    def image(self, deadline: Deadline, least: Size) -> Image:
        """Return the still picture, or the first frame, in mode L, LA, RGB, RGBA, CMYK or I;16, not turned.

        It may be smaller than stored, but no smaller than `least`.
        """
        del least
        return next(self.animation(deadline))[0].copy()

    def animation(self, deadline: Deadline) -> Iterator[tuple[Image, float]]:
        """Yield every frame as it looks, and its milliseconds; a frame may share its pixels with the next."""
        yield self.image(deadline, self.size), 0

    def encode(self, image: Image) -> bytes:
        """Return a still picture in this format, with the colour information of this file and no other metadata."""
        raise NotImplementedError

    def encode_animation(self, frames: Iterator[tuple[Image, float]], size: Size) -> bytes:
        """Return an animation in this format, with the loop count and the colour information of this file."""
        raise NotImplementedError

    def streamable(self, *, fits: bool) -> bytes | None:
        """Return the file as libvips can downsize it, by rows unless it `fits` the budget; None if it cannot."""
        del fits
        return None

    def downsized(self, size: Size, resizer: Resizer, deadline: Deadline) -> tuple[bytes, Size]:
        """Return the encoded picture at this size, turned as the orientation says, and its size after turning."""
        if self.is_animated:
            frames = (
                (upright(resizer.image(frame, size), self.orientation), duration_ms)
                for frame, duration_ms in self.animation(deadline)
            )
            turned_size = upright_size(size, self.orientation)
            return self.encode_animation(frames, turned_size), turned_size
        return self.encode_upright(resizer.image(self.image(deadline, size), size))

    def encode_upright(self, image: Image) -> tuple[bytes, Size]:
        """Return the encoded picture, turned as the orientation says, and its size."""
        image = upright(image, self.orientation)
        return self.encode(image), image.size

    @property
    def is_animated(self) -> bool:
        """Whether the file is written frame by frame."""
        return self.frames > 1

    def _check_work(self, passes: int, what: str) -> None:
        """Raise SyntaxError for a file that would keep a processor busy for minutes."""
        if passes > MOST_FRAMES or (passes > 1 and passes * self.size[0] * self.size[1] > MOST_WORK_PX):
            raise SyntaxError(
                f"{passes} {what} of {self.size[0]} by {self.size[1]} pixels are more work than is done for a picture: "
                f"at most {MOST_FRAMES} {what} and {MOST_WORK_PX} pixels in all of them"
            )
