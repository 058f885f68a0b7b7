"""Frames on their canvas by the rules of GIF and APNG: each pixel by the rule, then compared with second decoders."""

import random
import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from runware_mock.images.codec import DECODERS, Codec, opened, thumbnail
from runware_mock.images.decoder import Decoder
from runware_mock.images.limits import Budget, Deadline
from runware_mock.settings import PICTURES
from tests.images.looking import opened as decoded
from tests.images.moving_files import Patch, Rgba, apng, gif
from tests.images.painting import Size, exif, png_chunk

CODEC = Codec(PICTURES, Budget(2**31, 1), may_use_vips=False)
RED, GREEN, BLUE, WHITE = (255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 255), (255, 255, 255, 255)
CLEAR = (0, 0, 0, 0)
TABLE = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)]
R, G, B, W = range(4)
SMALL: Size = (8, 8)
WIDE: Size = (2100, 8)
KEEP, BACKGROUND, PREVIOUS = 0, 1, 2
SOURCE, OVER = 0, 1


def frames_of(data: bytes) -> list[Image.Image]:
    """Return every frame as it looks, in RGBA."""
    decoder: Decoder = DECODERS["gif" if data.startswith(b"GIF") else "png"](data)
    return [image.convert("RGBA") for image, _ in decoder.animation(Deadline(60))]


def pixels(data: bytes, *places: tuple[int, int, int]) -> list[Rgba]:
    """Return what is seen in a frame, counted from 1, at x and y."""
    frames = frames_of(data)
    return [tuple(frames[frame - 1].getpixel((x, y))) for frame, x, y in places]  # type: ignore[arg-type,misc] # RGBA


def test_disposal_2_of_a_gif_clears_to_transparent_without_any_transparent_index() -> None:
    data = gif(SMALL, TABLE, [Patch(SMALL, colour=R), Patch((4, 4), (2, 2), G, 2), Patch((1, 1), colour=B)])
    places = (1, 3, 3), (2, 3, 3), (3, 3, 3), (3, 7, 7), (3, 0, 0)
    assert pixels(data, *places) == [RED, GREEN, CLEAR, RED, BLUE]


@pytest.mark.parametrize("disposal", [3, 4])
def test_disposal_3_of_a_gif_restores_what_was_there(disposal: int) -> None:
    data = gif(SMALL, TABLE, [Patch(SMALL, colour=R), Patch((4, 4), (2, 2), G, disposal), Patch((1, 1), colour=B)])
    assert pixels(data, (2, 3, 3), (3, 3, 3)) == [GREEN, RED]


def test_a_first_frame_that_is_restored_leaves_nothing() -> None:
    data = gif(SMALL, TABLE, [Patch(SMALL, colour=R, disposal=3), Patch((1, 1), colour=B)])
    assert pixels(data, (1, 5, 5), (2, 5, 5)) == [RED, CLEAR]


def test_what_no_frame_of_a_gif_has_covered_is_transparent() -> None:
    data = gif(SMALL, TABLE, [Patch((3, 3), (2, 2), G), Patch((1, 1), colour=B)])
    assert pixels(data, (1, 0, 0), (1, 3, 3), (2, 7, 7)) == [CLEAR, GREEN, CLEAR]


def test_frames_with_a_transparent_index_and_without_one_may_follow_each_other() -> None:
    data = gif(SMALL, TABLE, [Patch(SMALL, colour=R), Patch(SMALL, colour=G, transparent_index=G), Patch((4, 4))])
    assert pixels(data, (2, 3, 3), (3, 1, 1), (3, 7, 7)) == [RED, RED, RED]
    hole = gif(SMALL, TABLE, [Patch(SMALL, colour=R, transparent_index=R), Patch((4, 4), colour=R)])
    assert pixels(hole, (1, 1, 1), (2, 1, 1), (2, 7, 7)) == [CLEAR, RED, CLEAR]


def test_a_frame_that_leaves_the_canvas_shows_the_part_inside_and_one_of_no_size_shows_nothing() -> None:
    patches = [Patch(SMALL, colour=R), Patch((6, 6), (6, 6), G), Patch((4, 4), (100, 2), B), Patch((0, 5), colour=W)]
    assert pixels(gif(SMALL, TABLE, patches), (2, 7, 7), (2, 5, 5), (3, 7, 7), (4, 0, 0)) == [GREEN, RED, GREEN, RED]


@pytest.mark.parametrize("name", [b"NETSCAPE2.0", b"ANIMEXTS1.0"])
def test_the_loop_count_of_a_gif_may_stand_behind_the_first_frame(name: bytes) -> None:
    extra = b"!\xff\x0b" + name + b"\3\1\5\0\0"
    data = gif(WIDE, TABLE, [Patch(WIDE, colour=R), Patch(WIDE, colour=G)], extra)
    assert b"NETSCAPE2.0\3\1\5\0\0" in CODEC.stored_form(data).data


def test_a_gif_without_a_trailer_is_whole_and_one_without_its_last_block_is_not() -> None:
    data = gif(SMALL, TABLE, [Patch(SMALL, colour=R), Patch(SMALL, colour=G)])
    assert CODEC.stored_form(data[:-1]).data == data[:-1]
    with pytest.raises(Exception, match="truncated"):
        CODEC.stored_form(data[:-2])


@pytest.mark.parametrize("form", [(8, 2), (8, 6)], ids=["RGB", "RGBA"])
def test_dispose_background_of_an_apng_is_transparent_black(form: tuple[int, int]) -> None:
    bands = 3 if form[1] == 2 else 4
    patches = [
        Patch(SMALL, colour=RED[:bands]),
        Patch((4, 4), (2, 2), GREEN[:bands], BACKGROUND),
        Patch((1, 1), colour=BLUE[:bands]),
    ]
    assert pixels(apng(SMALL, form, patches), (2, 3, 3), (3, 3, 3), (3, 7, 7)) == [GREEN, CLEAR, RED]


def test_dispose_previous_of_an_apng_restores() -> None:
    patches = [
        Patch(SMALL, colour=RED),
        Patch((4, 4), (2, 2), (0, 255, 0, 128), PREVIOUS, OVER),
        Patch((1, 1), colour=BLUE),
    ]
    assert pixels(apng(SMALL, (8, 6), patches), (2, 3, 3), (3, 3, 3)) == [(127, 128, 0, 255), RED]


def test_dispose_previous_of_the_first_frame_is_background() -> None:
    data = apng(SMALL, (8, 6), [Patch(SMALL, colour=RED, disposal=PREVIOUS), Patch((1, 1), colour=BLUE)])
    assert pixels(data, (1, 5, 5), (2, 5, 5)) == [RED, CLEAR]


def test_blend_over_keeps_the_arithmetic_of_alpha() -> None:
    # 12.9, "OVER": of two halves, alpha is 128 + 64 * 127 / 255, and the colours count by their shares in that.
    patches = [Patch(SMALL, colour=(0, 255, 0, 64)), Patch((4, 8), colour=(255, 0, 0, 128), blend=OVER)]
    assert pixels(apng(SMALL, (8, 6), patches), (2, 1, 1), (2, 6, 6)) == [(204, 51, 0, 160), (0, 255, 0, 64)]


def test_blend_source_puts_a_hole_where_over_shows_what_is_below() -> None:
    for blend, expected in ((SOURCE, CLEAR), (OVER, RED)):
        patches = [Patch(SMALL, colour=RED), Patch((4, 8), colour=CLEAR, blend=blend)]
        assert pixels(apng(SMALL, (8, 6), patches), (2, 1, 1)) == [expected]


@pytest.mark.parametrize(
    ("form", "key", "ground", "front", "seen"),
    [
        ((8, 0), b"\0\7", (200,), (7,), (200, 200, 200, 255)),
        ((16, 0), b"\x12\x34", (0xC8C8,), (0x1234,), (0xC8, 0xC8, 0xC8, 255)),
        ((8, 2), b"\0\1\0\2\0\3", (9, 8, 7), (1, 2, 3), (9, 8, 7, 255)),
        ((16, 2), b"\1\2\3\4\5\6", (0x909, 0x808, 0x707), (0x102, 0x304, 0x506), (9, 8, 7, 255)),
    ],
)
def test_the_colour_that_stands_for_transparent_blends_as_such(
    form: tuple[int, int], key: bytes, ground: tuple[int, ...], front: tuple[int, ...], seen: Rgba
) -> None:
    patches = [Patch(SMALL, colour=ground), Patch((4, 8), colour=front, blend=OVER)]
    assert pixels(apng(SMALL, form, patches, png_chunk(b"tRNS", key)), (2, 1, 1), (2, 6, 6)) == [seen, seen]


def test_a_palette_with_transparency_blends() -> None:
    palette = png_chunk(b"PLTE", bytes((255, 0, 0, 0, 255, 0))), png_chunk(b"tRNS", b"\xff\0")
    patches = [Patch(SMALL, colour=(0,)), Patch((4, 8), colour=(1,), blend=OVER)]
    assert pixels(apng(SMALL, (8, 3), patches, *palette), (1, 1, 1), (2, 1, 1)) == [RED, RED]


def test_grey_of_16_bits_keeps_them_when_it_is_scaled() -> None:
    data = apng(WIDE, (16, 0), [Patch(WIDE, colour=(0x1234,)), Patch((500, 8), colour=(0xFEDC,), blend=OVER)])
    stored = decoded(CODEC.stored_form(data).data)
    assert stored.mode == "I;16"
    assert stored.getpixel((9, 3)) == 0x1234
    assert frames_of(CODEC.stored_form(data).data)[1].size == (2048, 8)


def test_a_hidden_default_image_stays_hidden_and_is_neither_thumbnail_nor_input() -> None:
    data = apng(SMALL, (8, 2), [Patch(SMALL, colour=GREEN[:3]), Patch(SMALL, colour=BLUE[:3])], hidden=b"\xff\0\0")
    picture = CODEC.stored_form(data)
    assert opened(picture).getpixel((3, 3)) == GREEN[:3]
    shown = thumbnail(picture)
    assert shown is not None
    red, green, blue, *_ = decoded(shown).getpixel((3, 3))  # type: ignore[misc] # RGB
    assert red < 10
    assert green > 240
    assert blue < 10


def test_the_orientation_of_an_animation_is_applied_when_it_is_scaled() -> None:
    # 6: the first column is the top row. A red patch at the left end of the file is at the top afterwards.
    turned = png_chunk(b"eXIf", exif(6).tobytes().removeprefix(b"Exif\0\0"))
    patches = [Patch(WIDE, colour=WHITE), Patch((700, 8), colour=RED)]
    stored = CODEC.stored_form(apng(WIDE, (8, 6), patches, turned))
    assert (stored.width_px, stored.height_px, stored.frames) == (8, 2048, 2)
    assert [frames_of(stored.data)[1].getpixel((4, y)) for y in (100, 1900)] == [RED, WHITE]


def test_scaled_frames_look_as_the_sent_ones() -> None:
    """Not only through our own reader: the scaled file is read by Pillow, in which every frame covers the canvas."""
    patches = [Patch(WIDE, colour=R), Patch((700, 8), (700, 0), G, 2), Patch((10, 8), colour=B)]
    stored = Image.open(BytesIO(CODEC.stored_form(gif(WIDE, TABLE, patches)).data))
    stored.seek(2)
    shown = stored.convert("RGBA")
    assert [shown.getpixel((x, 4)) for x in (4, 1000, 2000)] == [BLUE, CLEAR, RED]


def random_patches(seed: int, *, is_gif: bool) -> list[Patch]:
    """Return frames of any place, size, disposal and blending."""
    dice = random.Random(seed)
    patches = []
    for index in range(8):
        size = SMALL if index == 0 else (dice.randint(1, 8), dice.randint(1, 8))
        at = dice.randint(0, 8 - size[0]), dice.randint(0, 8 - size[1])
        if is_gif:
            clear = dice.choice([None, None, W])
            # Decoders disagree on what the first frame restores.
            disposal = dice.choice([0, 1, 2, 3] if index else [0, 1, 2])
            patches.append(Patch(size, at, dice.randrange(4), disposal, transparent_index=clear))
        else:
            colour = (*dice.choice(TABLE), dice.choice([0, 80, 255]))
            patches.append(Patch(size, at, colour, dice.randrange(3), dice.randrange(2)))
    return patches


def assert_alike(ours: list[Image.Image], others: list[Image.Image]) -> None:
    """Compare what is seen; the colour of what is transparent does not count."""
    for one, other in zip(ours, others, strict=True):
        pair = [np.asarray(image.convert("RGBA")).astype(int) for image in (one, other)]
        seen = (pair[0][..., 3] > 0) | (pair[1][..., 3] > 0)
        assert np.abs(pair[0] - pair[1])[seen].max(initial=0) <= 2


@pytest.mark.skipif(shutil.which("apngdis") is None, reason="needs apngdis")
@pytest.mark.parametrize("seed", range(12))
def test_an_apng_looks_as_apngdis_takes_it_apart(tmp_path: Path, seed: int) -> None:
    data = apng(SMALL, (8, 6), random_patches(seed, is_gif=False))
    (tmp_path / "a.png").write_bytes(data)
    subprocess.run(["apngdis", "a.png"], cwd=tmp_path, check=True, capture_output=True)  # noqa: S607 - from the path
    assert_alike(frames_of(data), [Image.open(file) for file in sorted(tmp_path.glob("apngframe*.png"))])


@pytest.mark.skipif(shutil.which("convert") is None, reason="needs ImageMagick")
@pytest.mark.parametrize("seed", range(12))
def test_a_gif_looks_as_imagemagick_coalesces_it(tmp_path: Path, seed: int) -> None:
    data = gif(SMALL, TABLE, random_patches(seed, is_gif=True))
    (tmp_path / "a.gif").write_bytes(data)
    command = ["convert", "a.gif", "-coalesce", "+adjoin", "PNG32:f%02d.png"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert_alike(frames_of(data), [Image.open(file) for file in sorted(tmp_path.glob("f*.png"))])
