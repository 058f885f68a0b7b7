"""Upscaling gives the same picture, larger."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from runware_mock.images.standins.conversion import upscale
from tests.standins.scenes import noise, pictures, scene


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_each_side_grows_by_the_factor(factor: int) -> None:
    assert upscale(scene(48, 33), factor).size == (48 * factor, 33 * factor)


@pytest.mark.parametrize("factor", [2, 4])
def test_scaled_back_it_looks_like_the_original(factor: int) -> None:
    original = scene(120, 80)
    back = upscale(original, factor).resize(original.size)
    assert max(ImageStat.Stat(ImageChops.difference(original, back)).mean) < 1.5


def test_the_longest_side_is_capped_and_the_shape_kept() -> None:
    assert upscale(scene(300, 200), 4, max_side_px=600).size == (600, 400)


def test_a_picture_beyond_the_cap_is_not_made_smaller() -> None:
    assert upscale(scene(300, 200), 2, max_side_px=100).size == (300, 200)


def test_transparency_is_kept() -> None:
    picture = Image.new("RGBA", (20, 20), (200, 0, 0, 0))
    picture.paste((200, 0, 0, 255), (10, 0, 20, 20))
    large = upscale(picture, 2)
    assert large.getpixel((2, 20)) == (0, 0, 0, 0)
    assert large.getpixel((37, 20)) == (200, 0, 0, 255)


def test_sixteen_bits_of_grey_become_eight_not_white() -> None:
    assert upscale(Image.new("I;16", (4, 4), 0x8000), 2).getpixel((3, 3)) == 0x80


def test_a_colour_profile_is_kept_where_it_fits() -> None:
    picture = scene(10, 10)
    picture.info["icc_profile"] = b"profile"
    assert upscale(picture, 2).info == {"icc_profile": b"profile"}
    assert upscale(noise("CMYK", (10, 10), 1), 2).info == {}


@settings(max_examples=40, deadline=None)
@given(picture=pictures(), factor=st.integers(2, 4))
def test_any_picture_can_be_upscaled(picture: Image.Image, factor: int) -> None:
    large = upscale(picture, factor)
    assert large.size == (picture.width * factor, picture.height * factor)
    assert large.mode in ("L", "RGB", "RGBA")
