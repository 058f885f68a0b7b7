"""Vectorising gives a plain SVG that looks like the picture."""

from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given, settings
from PIL import Image, ImageChops, ImageStat

from runware_mock.images.standins.conversion import vectorize
from tests.standins.drawing import drawn_svg
from tests.standins.scenes import noise, pictures, scene

SVG = "{http://www.w3.org/2000/svg}"


def test_the_svg_has_the_picture_s_size_and_few_colours() -> None:
    svg = fromstring(vectorize(scene()))  # noqa: S314 - made by ourselves
    assert svg.tag == SVG + "svg"
    assert svg.attrib["viewBox"] == "0 0 480 320"
    assert 4 <= len({path.attrib["fill"] for path in svg.iter(SVG + "path")}) <= 8


def test_there_is_nothing_in_it_but_groups_and_paths() -> None:
    tags = {element.tag for element in fromstring(vectorize(scene())).iter()}  # noqa: S314 - made by ourselves
    assert tags == {SVG + "svg", SVG + "g", SVG + "path"}


def test_drawn_again_it_looks_like_the_picture_and_has_no_gaps() -> None:
    again = drawn_svg(vectorize(scene()))
    assert again.getchannel("A").crop((2, 2, 478, 318)).getextrema() == (255, 255)
    difference = ImageChops.difference(again.convert("RGB"), scene())
    assert max(ImageStat.Stat(difference).mean) < 16


def test_what_is_transparent_stays_so() -> None:
    picture = Image.new("RGBA", (200, 100), (0, 0, 0, 0))
    picture.paste((200, 40, 40, 255), (50, 20, 150, 80))
    again = drawn_svg(vectorize(picture))
    assert again.getpixel((10, 10)) == (0, 0, 0, 0)
    assert again.getpixel((100, 50)) == (200, 40, 40, 255)


def test_equal_pictures_give_equal_documents() -> None:
    assert vectorize(scene()) == vectorize(scene())


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "CMYK"])
def test_noise_stays_below_200_kilobytes(mode: str) -> None:
    assert len(vectorize(noise(mode, (300, 300), 1))) < 200_000


@settings(max_examples=60, deadline=None)
@given(picture=pictures())
def test_any_picture_gives_a_document_of_its_size(picture: Image.Image) -> None:
    assert drawn_svg(vectorize(picture)).size == picture.size
