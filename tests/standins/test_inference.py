"""Inference gives a picture that shows what was asked for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageOps, ImageStat

from runware_mock.images.standins.inference import draw_inference
from tests.standins.scenes import pictures, scene


def drawn(**changed: object) -> Image.Image:
    parameters: dict[str, object] = {"width_px": 256, "height_px": 192, "prompt": "a red boat", "seed": 7, **changed}
    return draw_inference(**parameters)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(64, 64), (512, 768), (1024, 128), (1, 1), (2048, 2048)])
def test_the_picture_has_the_size_that_was_asked_for(size: tuple[int, int]) -> None:
    picture = drawn(width_px=size[0], height_px=size[1])
    assert (picture.size, picture.mode) == (size, "RGB")


def test_equal_parameters_give_equal_pictures() -> None:
    parameters = {"seed_picture": scene(), "mask": scene().convert("L"), "references": [scene()], "model": "a:1@2"}
    assert drawn(**parameters).tobytes() == drawn(**parameters).tobytes()


@pytest.mark.parametrize(
    "changed", [{"seed": 8}, {"prompt": "a blue boat"}, {"model": "runware:101@1"}, {"number": 2}, {"width_px": 257}]
)
def test_another_parameter_gives_another_picture(changed: dict[str, object]) -> None:
    assert drawn(**changed).tobytes() != drawn().tobytes()


def test_another_seed_gives_other_colours_not_just_another_label() -> None:
    tops = [drawn(seed=seed).crop((0, 0, 256, 60)) for seed in range(6)]
    means = {tuple(round(value / 16) for value in ImageStat.Stat(top).mean) for top in tops}
    assert len(means) == len(tops)


def test_the_label_lies_at_the_foot_and_is_legible() -> None:
    plain, labelled = (
        drawn(height_px=512, width_px=512, prompt="a"),
        drawn(height_px=512, width_px=512, prompt="a boat"),
    )
    foot = labelled.convert("L").crop((0, 400, 512, 512))
    darkest, lightest = foot.getextrema()
    assert isinstance(darkest, int)
    assert isinstance(lightest, int)
    assert lightest - darkest > 150
    assert plain.tobytes() != labelled.tobytes()


def test_the_negative_prompt_is_shown() -> None:
    assert drawn(negative_prompt="blur").tobytes() != drawn().tobytes()


def test_a_seed_picture_shows_through_and_fills_the_size() -> None:
    expected = ImageOps.fit(scene(), (256, 192))
    result = drawn(seed_picture=scene(), strength=0.2)
    assert mean_difference(result.crop((0, 0, 256, 100)), expected.crop((0, 0, 256, 100))) < 30


def test_the_stronger_the_change_the_less_is_left_of_the_seed_picture() -> None:
    expected = ImageOps.fit(scene(), (256, 192))
    differences = [
        mean_difference(drawn(seed_picture=scene(), strength=strength), expected) for strength in (0, 0.5, 1)
    ]
    assert differences == sorted(differences)
    assert differences[0] < differences[2] / 2


def test_a_mask_keeps_the_seed_picture_wherever_it_is_black() -> None:
    seed_picture = scene(256, 192)
    mask = Image.new("L", (256, 192), 0)
    ImageDraw.Draw(mask).rectangle((100, 50, 199, 149), fill=255)
    result = drawn(seed_picture=seed_picture, mask=mask, strength=1.0)
    changed = ImageChops.difference(result, seed_picture).getbbox()
    assert changed is not None
    left, top, right, bottom = changed
    assert left >= 100
    assert top >= 50
    assert right <= 200
    assert bottom <= 150
    assert mean_difference(result.crop((100, 50, 200, 150)), seed_picture.crop((100, 50, 200, 150))) > 10


def test_a_mask_that_is_black_all_over_changes_nothing() -> None:
    seed_picture = scene(256, 192)
    result = drawn(seed_picture=seed_picture, mask=Image.new("L", (9, 9), 0))
    assert result.tobytes() == seed_picture.tobytes()


def test_reference_pictures_are_shown_in_a_row_at_the_top() -> None:
    red, blue = Image.new("RGB", (30, 10), "red"), Image.new("RGBA", (10, 30), "blue")
    top = drawn(references=[red, blue]).crop((0, 0, 256, 40))
    counts = {colour: count for count, colour in top.getcolors(256 * 40) or ()}
    assert counts[255, 0, 0] > 500
    assert counts[0, 0, 255] > 500


def test_more_references_than_have_room_are_left_out() -> None:
    assert drawn(references=[scene(30, 20)] * 50).size == (256, 192)


@settings(max_examples=60, deadline=None)
@given(
    prompt=st.text(st.characters(codec=None), max_size=300),
    model=st.text(st.characters(codec=None), max_size=30),
    seed=st.integers(-(2**70), 2**70),
    size=st.tuples(st.integers(1, 400), st.integers(1, 400)),
)
def test_any_text_can_be_drawn_at_any_size(prompt: str, model: str, seed: int, size: tuple[int, int]) -> None:
    picture = drawn(
        prompt=prompt, negative_prompt=prompt[::-1], model=model, seed=seed, width_px=size[0], height_px=size[1]
    )
    assert picture.size == size


@pytest.mark.parametrize(
    "prompt",
    [
        "x" * 10_000,
        "word " * 2_000,
        "\n\t\0\x1b\u202e" * 99,
        "猫の写真 🙂",
        "\ud800",
        "",
        "क्षि" * 500,
        "\ufdfa" * 9_999,
    ],
)
def test_unusual_prompts_can_be_drawn(prompt: str) -> None:
    assert drawn(prompt=prompt).size == (256, 192)


@settings(max_examples=25, deadline=None)
@given(picture=pictures(), mask=pictures(), strength=st.floats(-1, 2))
def test_pictures_of_any_mode_serve_as_seed_mask_and_reference(
    picture: Image.Image, mask: Image.Image, strength: float
) -> None:
    result = drawn(seed_picture=picture, mask=mask, references=[picture, mask], strength=strength)
    assert result.size == (256, 192)


def mean_difference(one: Image.Image, other: Image.Image) -> float:
    means = ImageStat.Stat(ImageChops.difference(one, other)).mean
    return sum(means) / len(means)
