"""A small picture of a stored one, for the page."""

from io import BytesIO

from PIL.Image import Resampling

from runware_mock.images.codec import DECODERS, TIMEOUT, refusing_broken
from runware_mock.images.limits import Deadline
from runware_mock.images.picture import Picture, PictureRefused

SIDE_PX = 240
_QUALITY = 70


def thumbnail(picture: Picture) -> bytes | None:
    """Return a WebP of at most 240 px a side, the first frame of an animation; None for what is no picture."""
    if picture.format not in DECODERS:
        return None
    longest = max(1, picture.width_px, picture.height_px)
    least = tuple(max(1, side_px * SIDE_PX // longest) for side_px in (picture.width_px, picture.height_px))
    try:
        with refusing_broken(picture.format):
            decoder = DECODERS[picture.format](picture.data)
            image = decoder.image(Deadline(TIMEOUT.total_seconds()), (least[0], least[1]))
            if image.mode == "I;16":
                image = image.point([value >> 8 for value in range(2**16)], "L")
            small = image.convert("RGBA" if "A" in image.getbands() else "RGB")
            small.thumbnail((SIDE_PX, SIDE_PX), Resampling.BOX, reducing_gap=None)
    except PictureRefused:
        return None
    small.info = {}
    out = BytesIO()
    small.save(out, "WEBP", quality=_QUALITY, method=0)
    return out.getvalue()
