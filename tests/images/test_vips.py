"""With `runware-mock[vips]` pictures come out as without; and what no memory budget holds is streamed."""

import logging
import resource
import struct
import sys
import zlib
from functools import cache
from io import BytesIO

import pytest
from PIL import Image, ImageCms

from runware_mock.images.codec import Codec
from runware_mock.images.formats import Picture, PictureRefused
from runware_mock.images.limits import Budget
from runware_mock.settings import PICTURES
from tests.images.looking import opened, stored_bytes
from tests.images.painting import moving, one_color_png, photo, png_chunk
from tests.running import running_mock
from tests.talking import talking, upload

pytest.importorskip("pyvips", reason="needs runware-mock[vips]")

CODEC = Codec(PICTURES, Budget(2**20, 1))
ROOMY = Codec(PICTURES, Budget(2**32, 1))
PILLOW = Codec(PICTURES, Budget(2**32, 1), may_use_vips=False)
SIZE = (3000, 2250)


@cache
def painted(name: str, mode: str = "RGB", **options: object) -> bytes:
    """Return a picture far over the budget."""
    out = BytesIO()
    picture = photo(SIZE).convert(mode)
    if mode == "RGBA":
        picture.putalpha(Image.linear_gradient("L").resize(SIZE))
    picture.save(out, name, **options)
    return out.getvalue()


def difference(one: Picture, other: Picture) -> float:
    """Return the mean difference of two pictures' samples."""
    return mean_difference(*(Image.open(BytesIO(picture.data)) for picture in (one, other)))


def mean_difference(*images: Image.Image) -> float:
    """Return the mean difference of two images' samples."""
    import numpy as np

    pixels = [np.asarray(image.convert("RGBA"), float) for image in images]
    return float(abs(pixels[0] - pixels[1]).mean())


@pytest.mark.parametrize(
    ("name", "mode"),
    [("JPEG", "L"), ("JPEG", "RGB"), ("PNG", "L"), ("PNG", "RGB"), ("PNG", "RGBA"), ("WEBP", "RGB")],
)
def test_what_is_streamed_is_as_what_is_decoded_whole(name: str, mode: str) -> None:
    data = painted(name, mode)
    streamed, whole = CODEC.stored_form(data), PILLOW.stored_form(data)
    images = [Image.open(BytesIO(picture.data)) for picture in (streamed, whole)]
    assert [(image.format, image.size, image.mode) for image in images] == [(name, (2048, 1536), images[1].mode)] * 2
    assert (streamed.width_px, streamed.height_px, streamed.sent) == (2048, 1536, whole.sent)
    assert difference(streamed, whole) < 4


@pytest.mark.parametrize(
    ("name", "mode"),
    [("JPEG", "L"), ("JPEG", "RGB"), ("PNG", "L"), ("PNG", "RGB"), ("PNG", "RGBA"), ("WEBP", "RGB"), ("BMP", "RGB")],
)
def test_what_libvips_downsizes_is_as_what_pillow_does(name: str, mode: str) -> None:
    data = painted(name, mode)
    one, other = ROOMY.stored_form(data), PILLOW.stored_form(data)
    images = [Image.open(BytesIO(picture.data)) for picture in (one, other)]
    assert [(image.format, image.size, image.mode) for image in images] == [(name, (2048, 1536), images[1].mode)] * 2
    assert (one.width_px, one.height_px, one.sent) == (2048, 1536, other.sent)
    assert difference(one, other) < 4


@pytest.mark.parametrize(
    ("name", "mode"), [("GIF", "RGB"), ("GIF", "L"), ("GIF", "RGBA"), ("PNG", "RGB"), ("WEBP", "RGB")]
)
def test_the_frames_it_resizes_are_as_those_of_pillow(name: str, mode: str) -> None:
    first = photo((2500, 1000)).convert(mode)
    data = moving([first, first.transpose(Image.Transpose.ROTATE_180)], name, duration=[40, 70])
    one, other = ROOMY.stored_form(data), PILLOW.stored_form(data)
    assert (one.width_px, one.height_px, one.frames) == (other.width_px, other.height_px, 2) == (2048, 819, 2)
    for index in range(2):
        images = [Image.open(BytesIO(picture.data)) for picture in (one, other)]
        for image in images:
            image.seek(index)
            image.load()
        assert images[0].info["duration"] == images[1].info["duration"]
        assert mean_difference(*images) < 6


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP"])
def test_it_is_the_same_picture_with_as_many_threads_as_slots_and_with_one(name: str) -> None:
    data = painted(name)
    assert Codec(PICTURES, Budget(2**32, 4)).stored_form(data) == ROOMY.stored_form(data)


def test_libvips_says_nothing_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        assert ROOMY.stored_form(painted("PNG")).width_px == 2048
    assert [record.name for record in caplog.records if "vips" in record.name] == []


@pytest.mark.parametrize("size", [(2049, 1), (1, 2049), (2049, 2048), (3001, 1777), (20_000, 3)])
@pytest.mark.parametrize("name", ["PNG", "WEBP"])
def test_both_agree_on_the_size(name: str, size: tuple[int, int]) -> None:
    if name == "WEBP" and max(size) > 16_383:
        pytest.skip("no WebP is so long")
    out = BytesIO()
    photo((64, 64)).resize(size).save(out, name)
    sizes = [(one.width_px, one.height_px) for one in (codec.stored_form(out.getvalue()) for codec in (ROOMY, PILLOW))]
    assert sizes[0] == sizes[1]


def test_its_orientation_is_applied_and_its_profile_kept_and_nothing_else() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a maker"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = CODEC.stored_form(painted("JPEG", exif=exif.tobytes(), icc_profile=profile))
    assert (picture.width_px, picture.height_px) == (1536, 2048)
    image = Image.open(BytesIO(picture.data))
    assert image.info["icc_profile"] == profile
    assert not image.getexif()


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP"])
def test_a_truncated_one_is_refused(name: str) -> None:
    data = painted(name)
    with pytest.raises(PictureRefused, match="cannot be decoded"):
        CODEC.stored_form(data[: len(data) // 2])


@pytest.mark.parametrize(
    ("name", "mode", "options"),
    [
        ("JPEG", "RGB", {"progressive": True}),
        ("WEBP", "RGB", {"lossless": True, "method": 0}),
        ("WEBP", "RGBA", {"method": 0}),
        ("BMP", "RGB", {}),
    ],
    ids=["progressive JPEG", "lossless WebP", "WebP with alpha", "BMP"],
)
def test_what_only_fits_in_memory_whole_is_refused(name: str, mode: str, options: dict[str, object]) -> None:
    with pytest.raises(PictureRefused, match="more than the memory budget of 1 MiB"):
        CODEC.stored_form(painted(name, mode, **options))


def test_nothing_is_streamed_where_it_is_switched_off() -> None:
    with pytest.raises(PictureRefused, match="more than the memory budget of 1 MiB"):
        Codec(PICTURES, Budget(2**20, 1), may_use_vips=False).stored_form(painted("PNG"))


def huge_jpeg(side_px: int) -> bytes:
    """Return a baseline JPEG of one colour."""
    out = BytesIO()
    Image.new("L", (side_px, side_px), 99).save(out, "JPEG", quality=90)
    return out.getvalue()


@pytest.mark.full
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("make", "side_px"), [(one_color_png, 50_000), (huge_jpeg, 30_000)])
def test_enormous_pictures_are_served_in_bounded_memory(
    make: object, side_px: int, transport: str, api_key: str
) -> None:
    assert callable(make)
    data = make(side_px)
    with running_mock(memory_budget_bytes=64 * 2**20) as mock, talking(mock, transport, api_key) as talker:
        before_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        (item,) = talker.ask(upload(data)).data
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before_bytes < 600 * 2**20
        assert opened(stored_bytes(item)).size == (2048, 2048)


def test_pyvips_is_not_imported_for_what_is_stored_as_it_is() -> None:
    """It costs 40 ms, which a start should not pay; asked in a process of its own."""
    import subprocess

    script = (
        "import sys; from runware_mock.images.codec import Codec; from runware_mock.images.limits import Budget;"
        "from tests.images.painting import encoded, photo; codec = Codec(['jpeg', 'png'], Budget(2**30, 1));"
        "codec.stored_form(encoded(photo((2000, 2048)), 'JPEG'));"
        "codec.stored_form(encoded(photo((2048, 2000)), 'PNG'));"
        "sys.exit('pyvips' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize(("width_px", "is_streamed"), [(76_694, True), (76_695, True), (76_696, False)])
def test_rows_that_would_fill_the_memory_are_not_streamed(width_px: int, *, is_streamed: bool) -> None:
    out = BytesIO()
    Image.new("RGB", (width_px, 20)).save(out, "PNG")
    if is_streamed:
        assert CODEC.stored_form(out.getvalue()).width_px == 2048
    else:
        with pytest.raises(PictureRefused, match="more than the memory budget of 1 MiB"):
            CODEC.stored_form(out.getvalue())


def test_a_few_bytes_that_promise_endless_rows_take_no_memory() -> None:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 2**31 - 1, 40, 8, 6, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(bytes(99))) + png_chunk(b"IEND", b"")
    before_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    for codec in (CODEC, ROOMY):
        with pytest.raises(PictureRefused, match="more than the memory budget"):
            codec.stored_form(data)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before_bytes < 2**26


def test_a_wide_picture_that_fits_takes_no_more_memory_than_it_was_given() -> None:
    out = BytesIO()
    Image.new("RGB", (3_000_000, 3)).save(out, "PNG")
    before_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert ROOMY.stored_form(out.getvalue()).width_px == 2048
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before_bytes < 2**28
