"""From a stand-in's picture to the bytes that are answered."""

from io import BytesIO
from typing import Literal

from PIL.Image import Image

from runware_mock.images import png_writer
from runware_mock.images.standins.modes import opaque, plain


def encode(picture: Image, format_name: Literal["jpeg", "png", "webp"], quality: int) -> bytes:
    """Return the picture in the given format; JPEG, which has no transparency, gets a white ground.

    `quality` goes from 1 to 100 and means nothing to PNG.
    """
    source = plain(picture)
    profile = source.info.get("icc_profile")
    if format_name == "png":
        return png_writer.encode(source, png_writer.icc_chunk(profile))
    out = BytesIO()
    if format_name == "webp":
        source.save(out, "WEBP", quality=quality, method=0, icc_profile=profile)
    else:
        flat = source if source.mode == "L" else opaque(source)
        flat.save(out, "JPEG", quality=quality, icc_profile=profile)
    return out.getvalue()
