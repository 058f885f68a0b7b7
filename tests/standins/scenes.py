"""Pictures to try the stand-ins on: a painted scene like a photo, and arbitrary small ones of every mode."""

import random

from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter

# How many bytes a pixel has in each mode that decoding gives.
PIXEL_BYTES = {"1": 1, "L": 1, "LA": 2, "P": 1, "RGB": 3, "RGBA": 4, "CMYK": 4, "I;16": 2, "I": 4, "F": 4}

HOUSE = (0.375, 0.5625, 0.604, 0.84)
SKY = (0.05, 0.25, 0.95, 0.33)


def scene(width_px: int = 480, height_px: int = 320) -> Image.Image:
    """Paint a house and a tree on hills below a sky with a sun."""
    sky = Image.linear_gradient("L").resize((width_px, height_px))
    picture = Image.merge("RGB", [sky.point([base + value // 4 for value in range(256)]) for base in (50, 110, 190)])
    draw = ImageDraw.Draw(picture)

    def box(left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
        return left * width_px, top * height_px, right * width_px, bottom * height_px

    draw.ellipse(box(0.73, 0.1, 0.83, 0.26), fill=(255, 225, 90))
    draw.ellipse(box(-0.4, 0.62, 0.7, 2), fill=(90, 135, 110))
    draw.ellipse(box(-0.3, 0.74, 1.5, 2.5), fill=(70, 140, 70))
    draw.rectangle(box(*HOUSE), fill=(205, 95, 65))
    draw.polygon(
        [(0.35 * width_px, 0.57 * height_px), (0.49 * width_px, 0.4 * height_px), (0.63 * width_px, 0.57 * height_px)],
        fill=(110, 45, 40),
    )
    draw.rectangle(box(0.46, 0.69, 0.52, 0.84), fill=(80, 50, 35))
    draw.rectangle(box(0.16, 0.65, 0.18, 0.8), fill=(90, 60, 40))
    draw.ellipse(box(0.1, 0.45, 0.24, 0.68), fill=(35, 95, 45))
    return picture.filter(ImageFilter.GaussianBlur(0.7))


def inner(picture: Image.Image, share: tuple[float, float, float, float], margin: float = 0.02) -> Image.Image:
    """Cut out a part of the scene, a little inside of its outline."""
    left, top, right, bottom = share
    return picture.crop(
        (
            round((left + margin) * picture.width),
            round((top + margin) * picture.height),
            round((right - margin) * picture.width),
            round((bottom - margin) * picture.height),
        )
    )


def noise(mode: str, size: tuple[int, int], seed: int) -> Image.Image:
    """Return a picture of random pixels."""
    source = random.Random(seed)
    count = size[0] * size[1]
    if mode == "F":
        picture = Image.new("F", size)
        picture.putdata([source.random() * 300 for _ in range(count)])
        return picture
    if mode == "1":
        return noise("L", size, seed).convert("1")
    picture = Image.frombytes(mode, size, source.randbytes(PIXEL_BYTES[mode] * count))
    if mode == "P":
        picture.putpalette(source.randbytes(768))
        if seed % 2:
            picture.info["transparency"] = 7
    return picture


@st.composite
def pictures(draw: st.DrawFn, max_side_px: int = 40) -> Image.Image:
    """Draw pictures of random or of equal pixels, of all modes, from 1 x 1 upwards."""
    mode = draw(st.sampled_from(sorted(PIXEL_BYTES)))
    size = draw(st.tuples(st.integers(1, max_side_px), st.integers(1, max_side_px)))
    if draw(st.booleans()):
        return noise(mode, size, draw(st.integers(0, 99)))
    return noise(mode, (1, 1), draw(st.integers(0, 99))).resize(size)
