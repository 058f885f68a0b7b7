"""What the results look like of tasks that were given the red ball on white."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from xml.etree import ElementTree as ET

from PIL import Image, ImageChops

# The smallest sides that an inference by a model of Runware's takes, and not square.
BALL_SIZE_PX = (192, 128)
UPSCALED_SIZE_PX = (384, 256)
# Its radius is a quarter of the height: pi * 32 * 32 of 192 * 128 pixels.
BALL_SHARE = 0.13
NEARLY = 0.02
# The label of an inference hides up to half of it, and the references are shown small.
SOME_SHARE = 0.004
REDDER_BY = 100

Check = Callable[[Image.Image], None]


@dataclass(frozen=True)
class Look:
    """The picture that a task answers with; its fields are named by `prefix`.

    `names_input` where the answer has the inputImageUUID of a stored picture.
    """

    format: str
    size_px: tuple[int, int]
    check: Check
    prefix: str = "image"
    names_input: bool = True

    def assert_seen(self, data: bytes) -> None:
        """Open the bytes that were downloaded."""
        if self.format == "SVG":
            assert_vector(data)
            return
        with Image.open(BytesIO(data)) as image:
            image.load()
            assert (image.format, image.size) == (self.format, self.size_px)
            self.check(image)


def red_share(image: Image.Image) -> float:
    """Return how much of the picture is red."""
    red, green, blue = image.convert("RGB").split()
    redder = ImageChops.subtract(red, ImageChops.lighter(green, blue))
    return sum(redder.histogram()[REDDER_BY:]) / (image.width * image.height)


def has_whole_ball(image: Image.Image) -> None:
    """Expect the ball as it was, on white."""
    assert abs(red_share(image) - BALL_SHARE) < NEARLY
    corner = image.convert("L").crop((0, 0, 8, 8))
    assert sum(corner.histogram()[240:]) == 64, "the corner is not white"


def has_some_ball(image: Image.Image) -> None:
    """Expect some of it, in whatever place."""
    assert red_share(image) > SOME_SHARE


def has_cut_out_ball(image: Image.Image) -> None:
    """Expect nothing but the ball."""
    opacity = image.getchannel("A")
    assert opacity.getpixel((2, 2)) == 0
    assert opacity.getpixel((image.width // 2, image.height // 2)) == 255
    assert abs(opacity.histogram()[255] / (image.width * image.height) - BALL_SHARE) < NEARLY


def has_edges(image: Image.Image) -> None:
    """Expect thin white lines on black."""
    grey = image.convert("L")
    size_px = grey.width * grey.height
    assert 0.002 < sum(grey.histogram()[215:]) / size_px < 0.1
    assert sum(grey.histogram()[:40]) / size_px > 0.8


def has_mask(image: Image.Image) -> None:
    """Expect white where the ball was."""
    grey = image.convert("L")
    assert grey.getpixel((2, 2)) == 0
    assert grey.getpixel((grey.width // 2, grey.height // 2)) == 255


def assert_vector(data: bytes) -> None:
    """Expect an SVG of the picture's size with white and red shapes in it."""
    root = ET.fromstring(data)  # noqa: S314 - the mock's own
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert (root.get("width"), root.get("height")) == tuple(map(str, BALL_SIZE_PX))
    assert {shape.get("fill") for shape in root.iter()} >= {"#ff0000", "#ffffff"}


def anything(_image: Image.Image) -> None:
    """Expect nothing beyond format and size: the task was given no picture."""


SEED_PICTURE = Look("WEBP", BALL_SIZE_PX, has_some_ball, names_input=False)
REFERENCE = Look("PNG", (256, 256), has_some_ball, names_input=False)
UPSCALED = Look("JPEG", UPSCALED_SIZE_PX, has_whole_ball)
CUT_OUT = Look("PNG", BALL_SIZE_PX, has_cut_out_ball)
GUIDE = Look("JPEG", BALL_SIZE_PX, has_edges, "guideImage")
MASK = Look("PNG", BALL_SIZE_PX, has_mask, "maskImage")
VECTOR = Look("SVG", BALL_SIZE_PX, anything, names_input=False)
