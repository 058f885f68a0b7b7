"""Paint pictures that compress like photographs (smooth noise, edges, grain) and like screens (flat, with text)."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

# Change it when the painting changes, so that cached files are painted again.
PAINT_VERSION = 2

Plane = NDArray[np.float32]

# (cell in px, amplitude): a falling spectrum, as in photographs.
LUMA_OCTAVES = (
    (900, 36.0),
    (300, 24.0),
    (90, 14.0),
    (30, 9.0),
    (10, 6.0),
    (4, 5.0),
    (2, 6.0),
)
CHROMA_OCTAVES = ((700, 20.0), (160, 9.0), (40, 4.0), (12, 3.0))
SHAPES = 90
GRAIN_SIGMA = 2.6


def smooth_noise(
    rng: np.random.Generator,
    size_px: tuple[int, int],
    octaves: tuple[tuple[int, float], ...],
) -> Plane:
    """Sum noise of several scales, each stretched to the whole picture."""
    width, height = size_px
    total = np.zeros((height, width), np.float32)
    for cell_px, amplitude in octaves:
        cells = (height // cell_px + 2, width // cell_px + 2)
        noise = rng.standard_normal(cells, dtype=np.float32) * np.float32(amplitude)
        stretched = Image.fromarray(noise).resize(size_px, Image.Resampling.BICUBIC)
        total += np.asarray(stretched)
    return total


def edges(rng: np.random.Generator, size_px: tuple[int, int]) -> Plane:
    """Draw flat shapes of all sizes, for hard edges."""
    width, height = size_px
    canvas = Image.new("L", size_px, 118)
    draw = ImageDraw.Draw(canvas)
    for index in range(SHAPES):
        reach = max(4.0, max(size_px) / (4 + index))
        x, y = rng.random() * width, rng.random() * height
        box = (x, y, x + reach * (0.3 + rng.random()), y + reach * (0.3 + rng.random()))
        shade = int(rng.integers(40, 220))
        if index % 2:
            draw.ellipse(box, fill=shade)
        else:
            draw.polygon((box[0], box[1], box[2], y, x, box[3]), fill=shade)
    return np.asarray(canvas, np.float32)


def photo(size_px: tuple[int, int], seed: int) -> Image.Image:
    """Paint one RGB picture; the same size and seed give the same picture."""
    rng = np.random.default_rng(seed)
    width, height = size_px
    luma = edges(rng, size_px) + smooth_noise(rng, size_px, LUMA_OCTAVES)
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


def cutout(size_px: tuple[int, int], seed: int) -> Image.Image:
    """Paint a photograph whose surroundings are clear, with a soft edge."""
    picture = photo(size_px, seed)
    width, height = size_px
    x = (np.arange(width, dtype=np.float32) / width - 0.5)[None, :]
    y = (np.arange(height, dtype=np.float32) / height - 0.5)[:, None]
    away = np.sqrt(x * x + y * y)
    picture.putalpha(Image.fromarray(np.clip((0.45 - away) * 2550, 0, 255).astype(np.uint8)))
    return picture


def screen(size_px: tuple[int, int], seed: int) -> Image.Image:
    """Draw windows of text on flat ground, as on a screen."""
    rng = np.random.default_rng(seed)
    width, height = size_px
    canvas = Image.new("RGB", size_px, (236, 239, 244))
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(26)
    letters = np.array(list("etaoinshrdlucmfwypvbgkjqxz     ().:="))
    for _ in range(14):
        left, top = int(rng.integers(0, width * 3 // 4)), int(rng.integers(0, height * 3 // 4))
        right, bottom = left + int(rng.integers(500, 1400)), top + int(rng.integers(400, 1200))
        draw.rounded_rectangle((left, top, right, bottom), 18, fill="white", outline=(120, 130, 150), width=2)
        bar = tuple(int(value) for value in rng.integers(40, 200, 3))
        draw.rectangle((left, top, right, top + 48), fill=bar)
        for line_top in range(top + 64, bottom - 40, 34):
            text = "".join(rng.choice(letters, int(rng.integers(5, (right - left) // 16))))
            draw.text((left + 20, line_top), text, fill=(35, 40, 55), font=font)
    return canvas


SUBJECTS: dict[str, Callable[[tuple[int, int], int], Image.Image]] = {
    "photo": photo,
    "cutout": cutout,
    "screen": screen,
}
