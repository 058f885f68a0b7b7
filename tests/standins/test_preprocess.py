"""Each preprocessor's guide picture looks like what that preprocessor gives."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageStat

from runware_mock.images.standins.preprocess import PREPROCESSORS, Options, preprocess
from tests.standins.scenes import HOUSE, SKY, inner, pictures, scene

NAMES = {
    "canny",
    "depth",
    "mlsd",
    "normalbae",
    "openpose",
    "tile",
    "seg",
    "lineart",
    "lineart_anime",
    "shuffle",
    "scribble",
    "softedge",
}


def share(picture: Image.Image, lowest: int, highest: int) -> float:
    """Return the share of the pixels whose brightness lies in the range."""
    return sum(picture.convert("L").histogram()[lowest : highest + 1]) / (picture.width * picture.height)


def mean(picture: Image.Image) -> float:
    return float(ImageStat.Stat(picture.convert("L")).mean[0])


def test_there_is_a_stand_in_for_every_type() -> None:
    assert set(PREPROCESSORS) == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_the_guide_has_the_picture_s_size_and_is_always_the_same(name: str) -> None:
    guide = preprocess(name, scene())
    assert guide.size == (480, 320)
    assert guide.tobytes() == preprocess(name, scene()).tobytes()


@pytest.mark.parametrize("name", ["canny", "mlsd", "scribble"])
def test_edges_are_white_on_black_and_nothing_between(name: str) -> None:
    guide = preprocess(name, scene())
    assert share(guide, 0, 0) > 0.8
    assert share(guide, 255, 255) > 0.005
    assert share(guide, 1, 254) == 0


def test_canny_s_edges_are_one_pixel_wide() -> None:
    picture = Image.new("L", (80, 80), 40)
    ImageDraw.Draw(picture).rectangle((20, 20, 59, 59), fill=200)
    edges = preprocess("canny", picture)
    row = edges.crop((0, 40, 80, 41)).tobytes()
    assert row.count(255) == 2
    assert abs(row.find(255) - 20) <= 1
    assert abs(row.rfind(255) - 60) <= 1


def test_canny_finds_an_edge_between_colours_of_equal_brightness() -> None:
    picture = Image.new("RGB", (60, 60), (160, 60, 60))
    picture.paste((50, 115, 60), (30, 0, 60, 60))
    assert share(preprocess("canny", picture), 255, 255) > 0.01


def test_higher_thresholds_leave_fewer_edges() -> None:
    few = preprocess("canny", scene(), Options(low_threshold=250, high_threshold=400))
    many = preprocess("canny", scene(), Options(low_threshold=10, high_threshold=40))
    assert 0 < share(few, 255, 255) < share(many, 255, 255)


def test_a_lower_low_threshold_only_lengthens_edges() -> None:
    """Weak edges that do not lead on from a strong one stay out, whatever the low threshold."""
    picture = Image.new("L", (120, 60), 100)
    picture.paste(112, (0, 0, 30, 60))
    picture.paste(200, (90, 0, 120, 60))
    edges = preprocess("canny", picture, Options(low_threshold=5, high_threshold=120))
    assert edges.crop((0, 0, 60, 60)).getbbox() is None
    assert edges.crop((60, 0, 120, 60)).getbbox() is not None


def test_thresholds_may_be_out_of_order_and_out_of_range() -> None:
    swapped = preprocess("canny", scene(), Options(low_threshold=200, high_threshold=100))
    assert swapped.tobytes() == preprocess("canny", scene()).tobytes()
    assert preprocess("canny", scene(), Options(low_threshold=9999, high_threshold=9999)).getbbox() is None
    assert preprocess("canny", scene(), Options(low_threshold=-5, high_threshold=-5)).getbbox() is not None


def test_in_depth_the_house_is_near_and_the_sky_is_far() -> None:
    guide = preprocess("depth", scene())
    assert guide.mode == "L"
    assert mean(inner(guide, HOUSE)) > mean(inner(guide, SKY)) + 100


def test_depth_is_smooth() -> None:
    guide = preprocess("depth", scene())
    steps = [abs(one - other) for one, other in zip(guide.tobytes(), guide.tobytes()[1:], strict=False)]
    assert sum(step > 40 for step in steps[:-480]) < len(steps) / 200


def test_normals_mostly_face_the_eye() -> None:
    red, green, blue = ImageStat.Stat(preprocess("normalbae", scene())).mean
    assert abs(red - 128) < 15
    assert abs(green - 128) < 15
    assert blue > 220


def test_a_pose_stands_in_the_middle_inside_of_the_picture() -> None:
    guide = preprocess("openpose", scene())
    box = guide.getbbox()
    assert box is not None
    assert box[0] < 240 < box[2]
    assert box[3] - box[1] > 200
    assert share(guide, 0, 0) > 0.8
    assert len(guide.getcolors(480 * 320) or ()) > 15


def test_hands_and_a_face_are_added_when_asked_for() -> None:
    bare = preprocess("openpose", scene())
    whole = preprocess("openpose", scene(), Options(has_hands_and_face=True))
    assert share(whole, 255, 255) > share(bare, 255, 255)


@pytest.mark.parametrize("name", ["lineart", "lineart_anime"])
def test_line_art_is_dark_on_white(name: str) -> None:
    guide = preprocess(name, scene())
    assert share(guide, 240, 255) > 0.8
    assert share(guide, 0, 120) > 0.005


def test_soft_edges_are_white_on_black_with_greys_between() -> None:
    guide = preprocess("softedge", scene())
    assert share(guide, 0, 20) > 0.7
    assert share(guide, 21, 200) > 0.02


def test_segments_are_few_flat_colours() -> None:
    guide = preprocess("seg", scene())
    assert 3 < len(guide.getcolors(16) or ()) <= 6
    house, sky = inner(guide, HOUSE), inner(guide, SKY)
    assert house.getpixel((5, 5)) != sky.getpixel((5, 5))


def test_tile_keeps_colours_and_loses_detail() -> None:
    original, guide = scene(), preprocess("tile", scene())
    pairs = zip(ImageStat.Stat(original).mean, ImageStat.Stat(guide).mean, strict=True)
    assert all(abs(one - other) < 2 for one, other in pairs)
    assert guide.tobytes() != original.tobytes()


def test_shuffling_keeps_every_pixel_and_moves_most() -> None:
    original = scene(120, 60)
    guide = preprocess("shuffle", original)
    assert guide.histogram() == original.histogram()
    assert guide.tobytes() != original.tobytes()


@pytest.mark.parametrize("name", sorted(NAMES))
@settings(max_examples=12, deadline=None)
@given(picture=pictures(), low=st.integers(0, 300), high=st.integers(0, 300))
def test_any_picture_can_be_preprocessed(name: str, picture: Image.Image, low: int, high: int) -> None:
    guide = preprocess(name, picture, Options(low, high, has_hands_and_face=True))
    assert guide.size == picture.size
    assert guide.mode in ("L", "RGB")
