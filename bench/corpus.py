"""The pictures: made by rule, kept in a cache outside the project."""

import hashlib
import io
import os
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from PIL import Image

from bench.paint import PAINT_VERSION, SUBJECTS, animation
from bench.variants import Variants

CACHE_DIR = Path(tempfile.gettempdir()) / "runware-mock-bench"
GLANCE_PX = (64, 64)
GREY = (128, 128, 128, 255)


@dataclass(frozen=True)
class Picture:
    """A recipe for one file of the corpus."""

    kind: str
    width_px: int
    height_px: int
    frames: int = 1
    quality: int = 90
    subsampling: str = "4:2:0"
    subject: str = "photo"

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        return self.width_px, self.height_px

    def encode(self) -> bytes:
        """Paint and encode; the recipe itself is the seed."""
        seed = int.from_bytes(hashlib.sha256(repr(self).encode()).digest()[:4])
        out = io.BytesIO()
        if self.frames > 1:
            first, *rest = animation(self.size_px, self.frames, seed)
            first.save(
                out,
                self.kind,
                save_all=True,
                append_images=rest,
                duration=50,
                loop=0,
            )
        else:
            options: dict[str, dict[str, Any]] = {
                "JPEG": {"quality": self.quality, "subsampling": self.subsampling},
                "WEBP": {"quality": self.quality},
            }
            SUBJECTS[self.subject](self.size_px, seed).save(out, self.kind, **options.get(self.kind, {}))
        return out.getvalue()

    @property
    def key(self) -> str:
        """A short name of the recipe."""
        return hashlib.sha256(f"{PAINT_VERSION} {self!r}".encode()).hexdigest()[:16]

    def load(self) -> bytes:
        """Return the file from the cache, made first if it is not there."""
        path = CACHE_DIR / f"{self.key}.{self.kind.lower()}"
        if not path.exists():
            CACHE_DIR.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(f".part{os.getpid()}")
            part.write_bytes(self.encode())
            # Renamed when whole, so that an interrupted run leaves no half file.
            part.replace(path)
        return path.read_bytes()


def on_grey(image: Image.Image) -> Image.Image:
    """Return a frame as RGB; what colour lies under what is clear must not count."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    ground = Image.new("RGBA", image.size, GREY)
    return Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB")


def glance(image: Image.Image) -> Image.Image:
    """Shrink a frame to what is compared between the sent and the stored."""
    return on_grey(image).resize(GLANCE_PX, Image.Resampling.BOX)


class Source:
    """A loaded picture: its variants to send, and what must come back."""

    def __init__(self, picture: Picture) -> None:
        """Load the file and encode what does not change between uploads."""
        self.picture = picture
        self.key = picture.key
        self.raw = picture.load()
        self.variants = Variants(self.raw, picture.kind, picture.size_px)

    @cached_property
    def glances(self) -> dict[int, Image.Image]:
        """The first and the last frame of the original, small."""
        found = {}
        with Image.open(io.BytesIO(self.raw)) as image:
            for frame in {0, self.picture.frames - 1}:
                image.seek(frame)
                found[frame] = glance(image)
        return found
