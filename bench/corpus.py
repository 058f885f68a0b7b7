"""The workloads: pictures made by rule, kept in a cache outside the project."""

import hashlib
import io
import os
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from PIL import Image

from bench.paint import PAINT_VERSION, animation, photo
from bench.variants import Variants

CACHE_DIR = Path(tempfile.gettempdir()) / "runware-mock-bench"
GLANCE_PX = (64, 64)


@dataclass(frozen=True)
class Picture:
    """A recipe for one file of the corpus."""

    kind: str
    width_px: int
    height_px: int
    frames: int = 1
    quality: int = 90
    subsampling: str = "4:2:0"

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
        elif self.kind == "PNG":
            photo(self.size_px, seed).save(out, self.kind)
        else:
            photo(self.size_px, seed).save(
                out,
                self.kind,
                quality=self.quality,
                subsampling=self.subsampling,
            )
        return out.getvalue()

    def load(self) -> bytes:
        """Return the file from the cache, made first if it is not there."""
        recipe = f"{PAINT_VERSION} {self!r}"
        name = hashlib.sha256(recipe.encode()).hexdigest()[:16]
        path = CACHE_DIR / f"{name}.{self.kind.lower()}"
        if not path.exists():
            CACHE_DIR.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(f".part{os.getpid()}")
            part.write_bytes(self.encode())
            # Renamed when whole, so that an interrupted run leaves no half file.
            part.replace(path)
        return path.read_bytes()


def glance(image: Image.Image) -> Image.Image:
    """Shrink a frame to what is compared between the sent and the stored."""
    return image.convert("RGB").resize(GLANCE_PX, Image.Resampling.BOX)


class Source:
    """A loaded picture: its variants to send, and what must come back."""

    def __init__(self, picture: Picture) -> None:
        """Load the file and encode what does not change between uploads."""
        self.picture = picture
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


SMALL_SIZES_PX = ((512, 512), (768, 512), (640, 960), (1024, 768))


@dataclass(frozen=True)
class Workload:
    """Pictures uploaded in turn over some connections at once."""

    name: str
    pictures: tuple[Picture, ...]
    connections: int = 4
    # A slot of slow uploads must be longer to hold enough of them.
    weight: float = 1.0

    @cached_property
    def sources(self) -> list[Source]:
        """The loaded pictures."""
        return [Source(picture) for picture in self.pictures]


WORKLOADS = (
    Workload("tiny", (Picture("PNG", 16, 16),), connections=8),
    Workload(
        "small",
        tuple(Picture(kind, *size_px) for size_px in SMALL_SIZES_PX for kind in ("PNG", "JPEG", "WEBP")),
        connections=8,
    ),
    Workload(
        "photo",
        (Picture("JPEG", 4000, 3000), Picture("JPEG", 6000, 4000)),
        weight=2.0,
    ),
    Workload("png", (Picture("PNG", 4000, 3000),)),
    Workload("webp", (Picture("WEBP", 4000, 3000),), weight=2.0),
    Workload("gif", (Picture("GIF", 600, 400, frames=40),)),
)
BY_NAME = {workload.name: workload for workload in WORKLOADS}

# "RSS after ten 21 MB bodies": about 15.7 MB of picture, a third more as base64.
HEAVY = Workload(
    "heavy",
    (Picture("JPEG", 6000, 4000, quality=99, subsampling="4:2:0"),),
    connections=1,
)
