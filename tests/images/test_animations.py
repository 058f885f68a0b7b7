"""Animations: every frame, duration and loop count is kept, whatever the size."""

import pytest
from PIL import Image
from PIL.PngImagePlugin import Disposal

from tests.images.looking import Clip, difference, opened, stored_bytes, taken_apart
from tests.images.painting import Size, clip, encoded, icc_profile, moving, photo, raw_png
from tests.talking import Talker, upload

DURATIONS_MS = [50, 100, 1500, 20, 400]
FORMATS = ["GIF", "WEBP", "PNG"]
BIG: Size = (2100, 300)


def animation(name: str, size: Size, loop: int = 3) -> bytes:
    """Return an animation with transparency."""
    options: dict[str, dict[str, object]] = {
        "GIF": {"disposal": 2},
        "WEBP": {"lossless": True},
        "PNG": {"disposal": Disposal.OP_BACKGROUND},
    }
    return moving(clip(size, len(DURATIONS_MS)), name, duration=DURATIONS_MS, loop=loop, **options[name])


def stored_clip(talker: Talker, data: bytes) -> Clip:
    """Upload an animation, fetch it back and take it apart."""
    return taken_apart(stored_bytes(talker.ask(upload(data)).item))


def assert_same(stored: Clip, sent: Clip, size: Size) -> None:
    """Compare what is seen, frame by frame."""
    assert stored.durations_ms == pytest.approx(sent.durations_ms)
    assert stored.loop == sent.loop
    for frame, original in zip(stored.frames, sent.frames, strict=True):
        assert frame.size == size
        assert difference(frame, original.resize(size)) < 1


@pytest.mark.parametrize("name", FORMATS)
def test_a_small_animation_is_stored_byte_for_byte(talker: Talker, name: str) -> None:
    data = animation(name, (120, 90))
    assert stored_bytes(talker.ask(upload(data)).item) == data


@pytest.mark.parametrize("name", FORMATS)
def test_a_large_one_keeps_frames_durations_loop_count_and_alpha(talker: Talker, name: str) -> None:
    data = animation(name, BIG)
    sent = taken_apart(data)
    assert len(sent.frames) == len(DURATIONS_MS)
    assert all(frame.getchannel("A").getextrema() == (0, 255) for frame in sent.frames)
    stored = stored_clip(talker, data)
    assert_same(stored, sent, (2048, 293))
    assert stored.durations_ms == DURATIONS_MS
    assert all(frame.getchannel("A").getextrema() == (0, 255) for frame in stored.frames)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("loop", [0, 1, 65535])
def test_every_loop_count_is_kept(talker: Talker, name: str, loop: int) -> None:
    assert stored_clip(talker, animation(name, (2049, 20), loop)).loop == loop


def test_a_gif_that_does_not_loop_still_does_not(talker: Talker) -> None:
    data = moving(clip((2100, 40), 3), "GIF", duration=100, disposal=2)
    assert taken_apart(data).loop is None
    assert stored_clip(talker, data).loop is None


@pytest.mark.parametrize("name", FORMATS)
def test_frames_that_look_alike_are_not_merged(talker: Talker, name: str) -> None:
    frames = [Image.new("RGB", (2100, 60), (100, 90, 80)) for _ in range(4)]
    for index, frame in enumerate(frames):
        # Too faint to survive being made smaller.
        frame.putpixel((7 * index, 0), (101, 90, 80))
    data = moving(frames, name, duration=DURATIONS_MS[:4], **({"lossless": True} if name == "WEBP" else {}))
    assert len(taken_apart(data).frames) == 4
    assert stored_clip(talker, data).durations_ms == DURATIONS_MS[:4]


@pytest.mark.parametrize("disposal", [0, 1, 2, 3])
def test_every_disposal_of_a_gif_looks_the_same(talker: Talker, disposal: int) -> None:
    ground = photo(BIG).quantize(64).convert("RGBA")
    frames = [ground, *clip(BIG, 4)]
    data = moving(frames, "GIF", duration=100, loop=0, disposal=disposal)
    assert_same_or_close(stored_clip(talker, data), taken_apart(data))


def assert_same_or_close(stored: Clip, sent: Clip) -> None:
    """Compare what is seen, leaving room for a palette of 256 colours."""
    assert len(stored.frames) == len(sent.frames) > 1
    for frame, original in zip(stored.frames, sent.frames, strict=True):
        assert difference(frame, original.resize(frame.size)) < 7


def test_the_hidden_still_of_an_apng_stays_hidden(talker: Talker) -> None:
    cover = Image.new("RGBA", BIG, "purple")
    frames = clip(BIG, 3)
    data = encoded(
        cover, "PNG", save_all=True, default_image=True, append_images=frames, duration=[100, 200, 300], loop=2
    )
    stored = stored_bytes(talker.ask(upload(data)).item)
    picture = opened(stored)
    assert picture.info["default_image"]
    assert difference(picture, cover.resize(picture.size)) == 0
    clip_stored = taken_apart(stored)
    assert len(clip_stored.frames) == 4
    assert clip_stored.durations_ms[1:] == [100, 200, 300]
    assert difference(clip_stored.frames[3], frames[2].resize(picture.size)) < 1


def test_a_duration_that_is_no_whole_number_of_milliseconds_is_kept(talker: Talker) -> None:
    data = moving(clip((2100, 40), 3), "PNG", duration=1000 / 30)
    assert stored_clip(talker, data).durations_ms == pytest.approx([1000 / 30] * 3)


@pytest.mark.parametrize("name", ["WEBP", "PNG"])
def test_the_icc_profile_of_an_animation_is_kept(talker: Talker, name: str) -> None:
    data = moving(clip((2100, 40), 3), name, duration=100, icc_profile=icc_profile())
    stored = opened(stored_bytes(talker.ask(upload(data)).item))
    assert stored.size == (2048, 39)
    assert stored.info["icc_profile"] == icc_profile()


@pytest.mark.parametrize("mode", ["RGB", "L", "P"])
@pytest.mark.parametrize("name", FORMATS)
def test_an_opaque_animation_stays_opaque(talker: Talker, name: str, mode: str) -> None:
    turned = photo((2100, 60)).transpose(Image.Transpose.ROTATE_180)
    frames = [photo((2100, 60)).convert(mode), turned.convert(mode)]
    data = moving(frames, name, duration=100, loop=0)
    stored = stored_clip(talker, data)
    assert all(frame.getchannel("A").getextrema() == (255, 255) for frame in stored.frames)
    assert_same_or_close(stored, taken_apart(data))


def test_a_png_that_says_it_has_one_frame_is_a_still(talker: Talker) -> None:
    data = encoded(photo((2100, 60)), "PNG", save_all=True)
    assert len(stored_clip(talker, data).frames) == 1
    assert len(stored_clip(talker, raw_png((2100, 60), 8, 2, b"\1\2\3")).frames) == 1
