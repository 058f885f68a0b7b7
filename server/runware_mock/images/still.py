"""Downsize one still picture: orientation applied, ICC profile, alpha and depth kept, other metadata dropped."""

from io import BytesIO

from PIL.Image import Image, Resampling, Transpose
from PIL.ImageFile import ImageFile

# 0.1 to 0.2 dB under LANCZOS at half its time.
RESAMPLING = Resampling.HAMMING

# Guess: the quality at which the real service saves is unknown; this is what image services commonly use.
QUALITY = 90

_ORIENTATION_TAG = 0x0112
# EXIF 2.32, table 6: how to turn the stored rows and columns into the picture as it is meant to be seen.
_TURNS = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
_SAVE_OPTIONS: dict[str, dict[str, object]] = {
    # Level 1 takes a quarter of the time of the default for little more size.
    "png": {"compress_level": 1},
    "webp": {"quality": QUALITY, "method": 0},
    "bmp": {},
    "gif": {},
}
# Bytes a pixel in Pillow's memory, where it is not 4.
_PIXEL_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2}


def memory_bytes(image: ImageFile, size: tuple[int, int]) -> int:
    """Return about what `downsize` needs: the decoded picture, its converted copy and the half-resized rows."""
    pixel_bytes = _PIXEL_BYTES.get(image.mode, 4)
    if image.mode in ("1", "P") or image.format == "WEBP":
        pixel_bytes += 8
    return image.width * image.height * pixel_bytes + size[0] * image.height * 4 + size[0] * size[1] * 8


def downsize(name: str, image: ImageFile, size: tuple[int, int]) -> tuple[bytes, tuple[int, int]]:
    """Return the encoded picture and its size, which is turned where the orientation says so."""
    icc_profile = image.info.get("icc_profile")
    image.load()
    small = oriented(resizable(image).resize(size, RESAMPLING), image)
    out = BytesIO()
    small.save(out, name, icc_profile=icc_profile, **_SAVE_OPTIONS[name])
    return out.getvalue(), small.size


def resizable(image: Image) -> Image:
    """Return the picture in a mode whose pixels can be mixed: palettes and colour keys become colour and alpha."""
    if image.mode == "1":
        return image.convert("L")
    if image.has_transparency_data and image.mode not in ("RGBA", "LA"):
        return image.convert("LA" if image.mode == "L" else "RGBA")
    return image.convert("RGB") if image.mode == "P" else image


def oriented(small: Image, original: ImageFile) -> Image:
    """Turn a downsized copy the way the original's EXIF orientation says."""
    turn = _TURNS.get(original.getexif().get(_ORIENTATION_TAG, 1))
    return small if turn is None else small.transpose(turn)
