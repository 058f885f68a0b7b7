"""A small picture of a stored one, for the page."""

from io import BytesIO

from PIL import Image

from runware_mock.images.decoding import read, refusing_broken
from runware_mock.images.picture import Picture, PictureRefused

SIDE_PX = 240
_QUALITY = 70


def thumbnail(picture: Picture) -> bytes | None:
    """Return a WebP of at most 240 px a side, the first frame of an animation; None for what is no picture."""
    try:
        with refusing_broken(picture.format), read(picture) as image:
            image.draft(None, (SIDE_PX, SIDE_PX))
            has_alpha = image.has_transparency_data
            small = image.convert("RGBA" if has_alpha else "RGB")
            small.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.BOX, reducing_gap=None)
    except PictureRefused:
        return None
    out = BytesIO()
    small.save(out, "WEBP", quality=_QUALITY, method=0)
    return out.getvalue()
