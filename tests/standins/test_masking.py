"""Masking finds regions, and tells the same of them in the mask and in the boxes."""

from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw

from runware_mock.images.standins.segmentation import Box, draw_mask
from tests.standins.scenes import HOUSE, inner, pictures, scene


def bare_mask(picture: Image.Image, max_detections: int = 6) -> tuple[Image.Image, list[Box]]:
    return draw_mask(picture, max_detections=max_detections, mask_padding_px=0, mask_blur_px=0)


def filled(size: tuple[int, int], boxes: list[Box]) -> Image.Image:
    mask = Image.new("L", size, 0)
    for box in boxes:
        mask.paste(255, (box["x_min"], box["y_min"], box["x_max"], box["y_max"]))
    return mask


def test_the_house_the_tree_and_the_sun_are_detected() -> None:
    mask, boxes = draw_mask(scene())
    assert (mask.mode, mask.size) == ("L", (480, 320))
    assert len(boxes) == 3
    house = boxes[0]
    assert abs(house["x_min"] - 0.35 * 480) < 8
    assert abs(house["y_min"] - 0.4 * 320) < 8
    assert inner(mask, HOUSE).getextrema() == (255, 255)


def test_the_largest_regions_are_kept_when_there_are_too_many() -> None:
    _, three = draw_mask(scene())
    _, one = draw_mask(scene(), max_detections=1)
    assert one == three[:1]


def test_the_boxes_hold_the_mask_and_touch_it_on_each_side() -> None:
    mask, boxes = bare_mask(scene())
    outside = ImageChops.subtract(mask, filled(mask.size, boxes))
    assert outside.getbbox() is None
    for box in boxes:
        corners = (box["x_min"], box["y_min"], box["x_max"], box["y_max"])
        assert mask.crop(corners).getbbox() == (0, 0, corners[2] - corners[0], corners[3] - corners[1])


def test_a_mask_without_blur_is_black_and_white() -> None:
    mask, _ = bare_mask(scene())
    assert sum(mask.histogram()[1:255]) == 0


def test_padding_grows_the_mask_by_so_many_pixels_and_shrinks_it_below_zero() -> None:
    picture = Image.new("RGB", (200, 200), "white")
    ImageDraw.Draw(picture).rectangle((60, 60, 139, 139), fill="navy")
    bare = bare_mask(picture)[0].getbbox()
    wide = draw_mask(picture, mask_padding_px=20, mask_blur_px=0)[0].getbbox()
    narrow = draw_mask(picture, mask_padding_px=-12, mask_blur_px=0)[0].getbbox()
    assert bare is not None
    left, top, right, bottom = bare
    assert wide == (left - 20, top - 20, right + 20, bottom + 20)
    assert narrow == (left + 12, top + 12, right - 12, bottom - 12)


def test_equal_pictures_give_equal_masks_and_boxes() -> None:
    (mask, boxes), (other_mask, other_boxes) = draw_mask(scene()), draw_mask(scene())
    assert mask.tobytes() == other_mask.tobytes()
    assert boxes == other_boxes


@settings(max_examples=60, deadline=None)
@given(picture=pictures(), padding=st.integers(-9, 9), blur=st.integers(0, 5), most=st.integers(1, 4))
def test_any_picture_has_detections_inside_of_it(picture: Image.Image, padding: int, blur: int, most: int) -> None:
    mask, boxes = draw_mask(picture, max_detections=most, mask_padding_px=padding, mask_blur_px=blur)
    assert mask.size == picture.size
    assert 1 <= len(boxes) <= most
    for box in boxes:
        assert 0 <= box["x_min"] < box["x_max"] <= picture.width
        assert 0 <= box["y_min"] < box["y_max"] <= picture.height
