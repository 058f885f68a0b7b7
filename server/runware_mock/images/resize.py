"""Downsize one still picture: orientation applied, ICC profile, alpha and depth kept, other metadata dropped."""

import struct
from io import BytesIO

from PIL.Image import Image, Resampling, Transpose, merge
from PIL.ImageFile import ImageFile

from runware_mock.images import png_encoder

# Pillow walks from frame to frame in Python; these take some seconds.
MOST_FRAMES = 100_000

# 0.1 to 0.2 dB under LANCZOS at half its time.
RESAMPLING = Resampling.HAMMING

# Guess: the quality at which the real service saves is unknown; this is what image services commonly use.
QUALITY = 90

_ORIENTATION_TAG = 0x0112
_SHORT = 3
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
SAVE_OPTIONS: dict[str, dict[str, object]] = {
    "webp": {"quality": QUALITY, "method": 0},
    "bmp": {},
}
# BITMAPV4HEADER, bV4Compression: the masks tell where each colour and alpha lie.
_BITFIELDS = 3
# Bytes a pixel in Pillow's memory, where it is not 4.
_PIXEL_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2}
# libwebp's two canvases, the frame it hands over, and Pillow's own.
_WEBP_PIXEL_BYTES = 14


def memory_bytes(image: ImageFile, size: tuple[int, int]) -> int:
    """Return about what `downsize` needs: the decoded picture, its converted copies and the half-resized rows."""
    pixel_bytes = _WEBP_PIXEL_BYTES if image.format == "WEBP" else _PIXEL_BYTES.get(image.mode, 4)
    has_alpha = image.has_transparency_data
    if image.mode == "P" or (has_alpha and image.mode not in ("RGBA", "LA")):
        pixel_bytes += 4
    if has_alpha:
        # Pillow resizes a copy in which the colours are multiplied by alpha.
        pixel_bytes += 4
    return image.width * image.height * pixel_bytes + size[0] * image.height * 4 + size[0] * size[1] * 8


def downsize(
    name: str, image: ImageFile, size: tuple[int, int], shrunk: Image | None = None
) -> tuple[bytes, tuple[int, int]]:
    """Return the encoded picture and its size, which is turned where the orientation says so.

    `shrunk` are its pixels at the new size, where somebody else has made them.
    """
    icc_profile = image.info.get("icc_profile")
    if shrunk is None:
        image.load()
        shrunk = resizable(image).resize(size, RESAMPLING)
    small = oriented(shrunk, image)
    if name == "png":
        return png_encoder.encode(small, icc_profile), small.size
    if name == "bmp" and small.mode == "RGBA":
        return _bmp_with_alpha(small), small.size
    out = BytesIO()
    small.save(out, name, icc_profile=icc_profile, **SAVE_OPTIONS[name])
    return out.getvalue(), small.size


def resizable(image: Image) -> Image:
    """Return the picture in a mode whose pixels can be mixed: palettes and colour keys become colour and alpha."""
    if image.mode == "I;16":
        return _with_alpha_for_key(image) if "transparency" in image.info else image
    if image.has_transparency_data and image.mode not in ("RGBA", "LA"):
        return image.convert("LA" if image.mode in ("1", "L") else "RGBA")
    plain_modes = {"1": "L", "P": "RGB"}
    return image.convert(plain_modes[image.mode]) if image.mode in plain_modes else image


def oriented(small: Image, original: ImageFile) -> Image:
    """Turn a downsized copy the way the original's EXIF orientation says, and drop the original's metadata."""
    turn = turn_of(original)
    turned = small if turn is None else small.transpose(turn)
    turned.info = {}
    return turned


def upright(image: ImageFile) -> Image:
    """Return the decoded picture, turned the way its EXIF orientation says."""
    image.load()
    turn = turn_of(image)
    return image.copy() if turn is None else image.transpose(turn)


def turn_of(image: ImageFile) -> Transpose | None:
    """Return how a picture is to be turned, the way its EXIF orientation says."""
    return _TURNS.get(orientation(image.info.get("exif", b"")))


def orientation(exif: bytes) -> int:
    """Read the one tag that matters, and take 1 where it cannot be read: broken metadata is no broken picture.

    Pillow's reader raises or warns there, and would read all the rest.
    """
    tiff = exif.removeprefix(b"Exif\0\0")
    order = "<" if tiff.startswith(b"II") else ">"
    try:
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, start)
        for entry in range(start + 2, start + 2 + 12 * entries, 12):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, entry)
            if tag == _ORIENTATION_TAG and kind == _SHORT:
                return int(value)
    except struct.error:
        pass
    return 1


def _with_alpha_for_key(image: Image) -> Image:
    """Pillow has no 16-bit grey with alpha, so eight bits have to do."""
    wide = image.convert("I")
    grey = wide.point([value >> 8 for value in range(0x10000)], "L")
    alpha = wide.point([0 if value == image.info["transparency"] else 255 for value in range(0x10000)], "L")
    return merge("LA", (grey, alpha))


def _bmp_with_alpha(image: Image) -> bytes:
    """Write the header that says which bits are alpha; Pillow writes one that makes readers ignore them."""
    pixels = image.transpose(Transpose.FLIP_TOP_BOTTOM).tobytes("raw", "BGRA")
    header = struct.pack("<IiiHHIIiiII", 108, *image.size, 1, 32, _BITFIELDS, len(pixels), 0, 0, 0, 0)
    masks = struct.pack("<4I4s48x", 0xFF0000, 0xFF00, 0xFF, 0xFF000000, b"BGRs")
    return struct.pack("<2sIII", b"BM", 122 + len(pixels), 0, 122) + header + masks + pixels
