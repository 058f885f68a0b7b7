"""Encoding gives the format and the quality that were asked for."""

from io import BytesIO
from typing import Literal

import pytest
from hypothesis import given, settings
from PIL import Image

from runware_mock.images.formats import detect_format
from runware_mock.images.standins.conversion import encode
from tests.standins.scenes import pictures, scene

FORMATS: tuple[Literal["jpeg", "png", "webp"], ...] = ("jpeg", "png", "webp")


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=20, deadline=None)
@given(picture=pictures())
def test_any_picture_can_be_encoded(name: Literal["jpeg", "png", "webp"], picture: Image.Image) -> None:
    data = encode(picture, name, 80)
    assert detect_format(data) == name
    assert Image.open(BytesIO(data)).size == picture.size
    assert data == encode(picture, name, 80)


@pytest.mark.parametrize("name", ["jpeg", "webp"])
def test_a_higher_quality_takes_more_bytes(name: Literal["jpeg", "webp"]) -> None:
    assert len(encode(scene(), name, 30)) < len(encode(scene(), name, 95))


def test_png_is_exact() -> None:
    assert Image.open(BytesIO(encode(scene(), "png", 20))).tobytes() == scene().tobytes()


@pytest.mark.parametrize("name", ["png", "webp"])
def test_transparency_is_kept(name: Literal["png", "webp"]) -> None:
    picture = Image.new("RGBA", (20, 20), (200, 0, 0, 0))
    assert Image.open(BytesIO(encode(picture, name, 90))).convert("RGBA").getchannel("A").getextrema() == (0, 0)


def test_jpeg_puts_what_is_transparent_on_white() -> None:
    picture = Image.new("RGBA", (20, 20), (200, 0, 0, 0))
    assert Image.open(BytesIO(encode(picture, "jpeg", 90))).getpixel((10, 10)) == (255, 255, 255)


@pytest.mark.parametrize("name", FORMATS)
def test_a_colour_profile_goes_along(name: Literal["jpeg", "png", "webp"]) -> None:
    picture = scene(20, 20)
    picture.info.update(icc_profile=b"profile", exif=b"Exif\0\0secret", comment=b"secret")
    data = encode(picture, name, 90)
    assert Image.open(BytesIO(data)).info["icc_profile"] == b"profile"
    assert b"secret" not in data
