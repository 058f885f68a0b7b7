"""Captions and enhanced prompts are plain sentences that can be relied on."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from runware_mock.images.standins.caption import describe, enhance
from tests.standins.scenes import pictures, scene


def test_a_caption_tells_shape_size_and_colours() -> None:
    assert describe(scene()) == "A landscape picture of 480 by 320 pixels, mostly blue and green."


@pytest.mark.parametrize(
    ("colour", "name"),
    [("black", "black"), ("white", "white"), ("red", "red"), ("navy", "dark blue"), ("yellow", "yellow")],
)
def test_colours_are_called_by_their_names(colour: str, name: str) -> None:
    assert describe(Image.new("RGB", (10, 20), colour)).endswith(f"portrait picture of 10 by 20 pixels, mostly {name}.")


def test_brightness_is_told_where_it_is_striking() -> None:
    assert describe(Image.new("L", (8, 8), 20)).startswith("A dark square picture")
    assert describe(Image.new("L", (8, 8), 240)).startswith("A bright square picture")


def test_transparency_is_told_and_hides_no_colours() -> None:
    picture = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    assert describe(picture).endswith("without any visible colour, fully transparent.")
    picture.paste((255, 0, 0, 255), (0, 0, 10, 40))
    assert describe(picture).endswith("mostly red, with transparent parts.")
    picture.paste((255, 0, 0, 100), (0, 0, 40, 40))
    assert describe(picture).endswith("translucent.")


def test_the_question_is_repeated() -> None:
    answer = describe(scene(), "What is\n this? " * 99)
    assert answer.startswith("Asked “What is this? What is this?")
    assert "the stand-in sees a landscape picture" in answer


@settings(max_examples=40, deadline=None)
@given(picture=pictures(), prompt=st.text())
def test_any_picture_has_a_caption_in_one_line(picture: Image.Image, prompt: str) -> None:
    caption = describe(picture, prompt)
    assert f"{picture.width} by {picture.height} pixels" in caption
    assert caption.endswith(".")
    assert len(caption.splitlines()) == 1
    assert caption == describe(picture, prompt)


@given(prompt=st.text(st.characters(codec=None)))
def test_an_enhanced_prompt_goes_on_from_the_prompt_and_differs_by_version(prompt: str) -> None:
    versions = [enhance(prompt, version) for version in range(10)]
    assert len(set(versions)) == 10
    assert all(version.startswith(prompt.strip().rstrip(".,;")) for version in versions)
    assert versions == [enhance(prompt, version) for version in range(10)]
