"""Downsize a JPEG: decoded straight to an n/8 scale, and encoded without holding the interpreter's lock."""

import struct
from io import BytesIO

from PIL.Image import Image, frombuffer
from PIL.JpegImagePlugin import JpegImageFile

from runware_mock.images.still import QUALITY, RESAMPLING, oriented

_ICC_HEADER = b"ICC_PROFILE\0"
_ICC_CHUNK_BYTES = 65_519
_COLOR_SPACES = {"RGB": ("RGB", "420"), "L": ("GRAY", "Gray")}


def memory_bytes(image: JpegImageFile, size: tuple[int, int]) -> int:
    """Return about what `downsize` needs: the scaled pixels twice, the result, and all coefficients if progressive."""
    scaled_px = 1
    for side_px, target_px in zip(image.size, size, strict=True):
        eighths = -(-8 * target_px // side_px)
        scaled_px *= -(-side_px * eighths // 8)
    if image.mode not in _COLOR_SPACES:
        scaled_px = image.width * image.height
    coefficients = 2 * len(image.getbands()) * image.width * image.height if "progressive" in image.info else 0
    return 8 * scaled_px + 12 * size[0] * size[1] + coefficients


def downsize(image: JpegImageFile, data: bytes, size: tuple[int, int]) -> tuple[bytes, tuple[int, int]]:
    """Return the encoded picture and its size, which is turned where the orientation says so."""
    icc_profile = image.info.get("icc_profile")
    scaled = _decode_scaled(data, image.mode, size)
    if scaled is None:
        # CMYK, and files that libjpeg warns of: Pillow decodes both.
        image.load()
        scaled = image
    small = oriented(scaled.resize(size, RESAMPLING), image)
    if small.mode not in _COLOR_SPACES:
        out = BytesIO()
        small.save(out, "jpeg", quality=QUALITY, icc_profile=icc_profile)
        return out.getvalue(), small.size
    return _with_icc_profile(_encode(small), icc_profile), small.size


def _decode_scaled(data: bytes, mode: str, size: tuple[int, int]) -> Image | None:
    import simplejpeg

    if mode not in _COLOR_SPACES:
        return None
    try:
        pixels = simplejpeg.decode_jpeg(data, _COLOR_SPACES[mode][0], min_width=size[0], min_height=size[1])
    except ValueError:
        return None
    height_px, width_px = pixels.shape[:2]
    return frombuffer(mode, (width_px, height_px), pixels, "raw", mode, 0, 1)


def _encode(image: Image) -> bytes:
    import numpy as np
    import simplejpeg

    color_space, subsampling = _COLOR_SPACES[image.mode]
    pixels = np.asarray(image).reshape(image.height, image.width, -1)
    encoded: bytes = simplejpeg.encode_jpeg(pixels, QUALITY, color_space, subsampling)
    return encoded


def _with_icc_profile(encoded: bytes, profile: bytes | None) -> bytes:
    """Insert the profile behind the JFIF header, in chunks as ICC.1:2022 annex B.4 lays down."""
    if not profile:
        return encoded
    chunks = [profile[start : start + _ICC_CHUNK_BYTES] for start in range(0, len(profile), _ICC_CHUNK_BYTES)]
    segments = b"".join(
        b"\xff\xe2" + struct.pack(">H", len(chunk) + 16) + _ICC_HEADER + bytes((number, len(chunks))) + chunk
        for number, chunk in enumerate(chunks, start=1)
    )
    (jfif_bytes,) = struct.unpack_from(">H", encoded, 4)
    return encoded[: 4 + jfif_bytes] + segments + encoded[4 + jfif_bytes :]
