"""Pictures that differ from one another by a number."""

from io import BytesIO
from random import Random

from PIL import Image

HEAVY_SIZE_PX = (640, 512)
HEAVY_AT_LEAST_BYTES = 950_000
BIG_SIZE_PX = (2400, 900)
STORED_BIG_SIZE_PX = (2048, 768)

_NOISE = Random(1).randbytes(HEAVY_SIZE_PX[0] * HEAVY_SIZE_PX[1] * 3)


def small(number: int) -> bytes:
    """Return a PNG of a few bytes, which is stored as it is."""
    return _encoded(Image.new("RGB", (24, 16), number), "PNG")


def heavy(number: int) -> bytes:
    """Return a PNG of about one megabyte, which is stored as it is."""
    pixels = number.to_bytes(4, "big") + _NOISE[4:]
    return _encoded(Image.frombytes("RGB", HEAVY_SIZE_PX, pixels), "PNG", compress_level=0)


def big(number: int) -> bytes:
    """Return a JPEG that is stored smaller than it is sent."""
    image = Image.linear_gradient("L").resize(BIG_SIZE_PX).convert("RGB")
    # Sixteen stripes, one a bit, so that no two numbers look alike after compression either.
    for bit in range(16):
        if number >> bit & 1:
            image.paste("red", (bit * 150, 0, bit * 150 + 75, BIG_SIZE_PX[1]))
    return _encoded(image, "JPEG")


def photo() -> bytes:
    """Return a JPEG as a camera takes it, of which 72 MB have to be held at once when it is made smaller."""
    return _encoded(Image.effect_noise((6000, 4000), 64).convert("RGB"), "JPEG", quality=60)


def _encoded(image: Image.Image, file_format: str, **options: int) -> bytes:
    out = BytesIO()
    image.save(out, file_format, **options)
    return out.getvalue()
