"""The pictures: painted by rule so that they compress like photographs, kept in a cache outside the project."""

import hashlib
import io
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from bench.variants import Variants

CACHE_DIR = Path(tempfile.gettempdir()) / "runware-mock-bench"
# Change it when the painting changes, so that cached files are painted again.
PAINT_VERSION = 4

Plane = NDArray[np.float32]

# (cell in px, amplitude): a falling spectrum, as in photographs.
LUMA_OCTAVES = ((900, 36.0), (300, 24.0), (90, 14.0), (30, 9.0), (10, 6.0), (4, 5.0), (2, 6.0))
CHROMA_OCTAVES = ((700, 20.0), (160, 9.0), (40, 4.0), (12, 3.0))
GRAIN_SIGMA = 2.6


def smooth_noise(rng: np.random.Generator, size_px: tuple[int, int], octaves: tuple[tuple[int, float], ...]) -> Plane:
    """Sum noise of several scales, each stretched to the whole picture."""
    width, height = size_px
    total = np.zeros((height, width), np.float32)
    for cell_px, amplitude in octaves:
        cells = (height // cell_px + 2, width // cell_px + 2)
        noise = rng.standard_normal(cells, dtype=np.float32) * np.float32(amplitude)
        stretched = Image.fromarray(noise).resize(size_px, Image.Resampling.BICUBIC)
        total += np.asarray(stretched)
    return total


def photo(size_px: tuple[int, int], seed: int) -> Image.Image:
    """Paint one RGB picture; the same size and seed give the same picture."""
    rng = np.random.default_rng(seed)
    width, height = size_px
    luma = 118 + smooth_noise(rng, size_px, LUMA_OCTAVES)
    grain = rng.standard_normal((height, width), dtype=np.float32)
    luma += grain * np.float32(GRAIN_SIGMA)
    red = smooth_noise(rng, size_px, CHROMA_OCTAVES)
    blue = smooth_noise(rng, size_px, CHROMA_OCTAVES)
    pixels = np.empty((height, width, 3), np.uint8)
    for channel, plane in enumerate((luma + red, luma - (red + blue) / 3, luma + blue)):
        pixels[:, :, channel] = np.clip(plane, 0, 255)
    return Image.fromarray(pixels)


def animation(size_px: tuple[int, int], frames: int, seed: int) -> list[Image.Image]:
    """Paint a slow pan over a larger picture with one thing that moves."""
    width, height = size_px
    step_px = 3
    scene = photo((width + frames * step_px, height + frames), seed)
    painted = []
    for index in range(frames):
        left, top = index * step_px, index
        frame = scene.crop((left, top, left + width, top + height))
        x = width * index // frames
        ImageDraw.Draw(frame).ellipse((x, 40, x + 60, 100), fill=(230, 60, 40))
        painted.append(frame.quantize(256))
    return painted


@dataclass(frozen=True)
class Picture:
    """A recipe for one file."""

    kind: str
    width_px: int
    height_px: int
    frames: int = 1
    quality: int = 90

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        return self.width_px, self.height_px

    def encode(self) -> bytes:
        """Paint and encode. The recipe itself is the seed."""
        seed = int.from_bytes(hashlib.sha256(repr(self).encode()).digest()[:4])
        out = io.BytesIO()
        if self.frames > 1:
            first, *rest = animation(self.size_px, self.frames, seed)
            first.save(out, self.kind, save_all=True, append_images=rest, duration=50, loop=0)
        elif self.kind == "PNG":
            photo(self.size_px, seed).save(out, self.kind)
        else:
            photo(self.size_px, seed).save(out, self.kind, quality=self.quality)
        return out.getvalue()

    @property
    def key(self) -> str:
        """A short name of the recipe."""
        return hashlib.sha256(f"{PAINT_VERSION} {self!r}".encode()).hexdigest()[:16]

    def load(self) -> bytes:
        """Return the file from the cache; make it first if it is not there."""
        path = CACHE_DIR / f"{self.key}.{self.kind.lower()}"
        if not path.exists():
            CACHE_DIR.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(f".part{os.getpid()}")
            part.write_bytes(self.encode())
            # Renamed when whole, so that an interrupted run leaves no half file.
            part.replace(path)
        return path.read_bytes()


class Source:
    """A loaded picture: its variants to send, and what must come back."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.raw = picture.load()
        self.variants = Variants(self.raw, picture.kind, picture.size_px)
