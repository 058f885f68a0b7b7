"""A still picture that no memory budget holds is streamed where `runware-mock[vips]` is installed."""

from io import BytesIO

import pytest
from PIL import Image

from runware_mock.images.budget import Budget
from runware_mock.images.codec import Codec
from runware_mock.images.picture import PictureRefused
from runware_mock.settings import PICTURES

pytest.importorskip("pyvips", reason="needs runware-mock[vips]")

CODEC = Codec(PICTURES, Budget(2**20, 1))


def painted(name: str, **options: object) -> bytes:
    """Return a red picture far over the budget."""
    out = BytesIO()
    Image.new("RGB", (4000, 3000), (200, 30, 40)).save(out, name, **options)
    return out.getvalue()


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP"])
def test_a_picture_over_the_budget_is_streamed(name: str) -> None:
    picture = CODEC.stored_form(painted(name))
    image = Image.open(BytesIO(picture.data))
    assert (image.format, image.size, picture.width_px, picture.height_px) == (name, (2048, 1536), 2048, 1536)


def test_its_orientation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = CODEC.stored_form(painted("JPEG", exif=exif))
    assert (picture.width_px, picture.height_px) == (1536, 2048)


@pytest.mark.parametrize("name", ["JPEG", "PNG"])
def test_a_truncated_one_is_refused(name: str) -> None:
    data = painted(name)
    with pytest.raises(PictureRefused, match="cannot be decoded"):
        CODEC.stored_form(data[: len(data) // 2])
