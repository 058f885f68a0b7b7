"""What every reader of a format offers: the header at once, the pixels when they are asked for."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

from PIL.Image import Image

from runware_mock.images.limits import MOST_FRAMES, MOST_WORK_PX, Deadline
from runware_mock.images.resize import Resizer, Size, upright, upright_size


class Decoder(ABC):
    """One file of one format. Making one reads the header, and checks that the pixels can be decoded in time.

    All methods and the constructor raise one of `codec.DECODE_ERRORS` where the file is broken.
    """

    size: Size
    frames: int = 1
    orientation: int = 1

    @abstractmethod
    def check_bytes(self) -> int:
        """Return about how much memory `check` takes."""

    @abstractmethod
    def check(self, deadline: Deadline) -> None:
        """Decode everything, and keep nothing."""

    @abstractmethod
    def image(self, deadline: Deadline, least: Size | None = None) -> Image:
        """Return the still picture, or the first frame, in mode L, LA, RGB, RGBA, CMYK or I;16, not turned.

        It may be smaller than it is stored, but no smaller than `least`.
        """

    def animation(self, deadline: Deadline) -> Iterator[tuple[Image, float]]:
        """Yield every frame as it looks, and its milliseconds; a frame may share its pixels with the next."""
        yield self.image(deadline), 0

    @abstractmethod
    def downsize_bytes(self, size: Size) -> int:
        """Return about how much memory `downsized` takes: every copy that is there at the same time."""

    @abstractmethod
    def encode(self, image: Image) -> bytes:
        """Return a still picture in this format, with the colour information of this file and no other metadata."""

    def encode_animation(self, frames: Iterator[tuple[Image, float]], size: Size) -> bytes:
        """Return an animation in this format, with the loop count and the colour information of this file."""
        raise NotImplementedError

    def streamable(self) -> bytes | None:
        """Return the file in a form that libvips reads and downsizes, None where it does not."""
        return None

    @property
    def is_in_rows(self) -> bool:
        """Whether libvips can read what is `streamable` row by row, without holding all of it."""
        return True

    def downsized(self, size: Size, resizer: Resizer, deadline: Deadline) -> tuple[bytes, Size]:
        """Return the encoded picture at this size, turned as the orientation says; and the size after that."""
        turned_size = upright_size(size, self.orientation)
        if self.is_animated:
            frames = (
                (upright(resizer.image(frame, size), self.orientation), duration_ms)
                for frame, duration_ms in self.animation(deadline)
            )
            return self.encode_animation(frames, turned_size), turned_size
        small = resizer.image(self.image(deadline, size), size)
        return self.encode(upright(small, self.orientation)), turned_size

    @property
    def is_animated(self) -> bool:
        """Whether the file is written frame by frame."""
        return self.frames > 1

    def _check_work(self, passes: int, what: str) -> None:
        """Refuse what would keep a processor busy for minutes."""
        if passes > MOST_FRAMES or (passes > 1 and passes * self.size[0] * self.size[1] > MOST_WORK_PX):
            raise SyntaxError(
                f"{passes} {what} of {self.size[0]} by {self.size[1]} pixels are more work than is done for a picture: "
                f"at most {MOST_FRAMES} {what} and {MOST_WORK_PX} pixels in all of them"
            )
