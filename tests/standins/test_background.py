"""Background removal leaves the foreground and really takes the background away."""

from hypothesis import given, settings
from PIL import Image, ImageDraw

from runware_mock.images.standins.segmentation import remove_background
from tests.standins.scenes import HOUSE, SKY, inner, pictures, scene


def test_the_house_stays_and_the_sky_goes() -> None:
    cut = remove_background(scene())
    assert cut.mode == "RGBA"
    assert inner(cut, HOUSE).getchannel("A").getextrema() == (255, 255)
    assert inner(cut, SKY).getchannel("A").getextrema() == (0, 0)


def test_what_stays_keeps_its_colours() -> None:
    house = inner(scene(), HOUSE)
    assert inner(remove_background(scene()), HOUSE).convert("RGB").tobytes() == house.tobytes()


def test_nothing_of_the_background_hides_below_the_transparency() -> None:
    colours = inner(remove_background(scene()), SKY).getcolors()
    assert colours is not None
    assert [colour for _, colour in colours] == [(255, 255, 255, 0)]


def test_equal_pictures_give_equal_results() -> None:
    assert remove_background(scene()).tobytes() == remove_background(scene()).tobytes()


def test_the_mask_is_what_stays() -> None:
    mask = remove_background(scene(), return_only_mask=True)
    assert mask.mode == "L"
    assert mask.tobytes() == remove_background(scene()).getchannel("A").tobytes()


def test_a_colour_takes_the_background_s_place() -> None:
    cut = remove_background(scene(), rgba=(10, 200, 30, 255))
    assert cut.getchannel("A").getextrema() == (255, 255)
    assert cut.getpixel((200, 85)) == (10, 200, 30, 255)


def test_a_clear_colour_leaves_the_background_transparent() -> None:
    assert remove_background(scene(), rgba=(10, 20, 30, 0)).getpixel((200, 85)) == (10, 20, 30, 0)


def test_a_product_on_white_is_cut_out_along_its_outline() -> None:
    picture = Image.new("RGB", (400, 300), "white")
    ImageDraw.Draw(picture).ellipse((100, 50, 299, 249), fill="teal")
    mask = remove_background(picture, return_only_mask=True)
    box = mask.point([255 if value > 127 else 0 for value in range(256)]).getbbox()
    assert box is not None
    assert all(abs(one - other) <= 4 for one, other in zip(box, (100, 50, 300, 250), strict=True))


def test_transparency_that_is_there_already_is_believed() -> None:
    picture = Image.new("RGBA", (40, 30), (0, 0, 0, 0))
    picture.paste((200, 60, 60, 255), (10, 5, 30, 25))
    assert remove_background(picture).getchannel("A").tobytes() == picture.getchannel("A").tobytes()


def test_a_picture_of_one_colour_keeps_its_middle() -> None:
    cut = remove_background(Image.new("RGB", (90, 60), "grey"))
    assert cut.getpixel((45, 30)) == (128, 128, 128, 255)
    assert cut.getpixel((1, 1)) == (255, 255, 255, 0)


@settings(max_examples=60, deadline=None)
@given(picture=pictures(max_side_px=60))
def test_any_opaque_picture_keeps_something_and_loses_something(picture: Image.Image) -> None:
    cut = remove_background(picture)
    assert (cut.size, cut.mode) == (picture.size, "RGBA")
    if not picture.has_transparency_data and min(picture.size) >= 3:
        assert cut.getchannel("A").getextrema() == (0, 255)
