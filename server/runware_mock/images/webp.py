"""WebP animations, written frame by frame."""

import struct
from collections.abc import Iterator
from io import BytesIO

from PIL.Image import Image
from PIL.WebPImagePlugin import WebPImageFile

from runware_mock.images.resize import SAVE_OPTIONS

_HEADER_BYTES = 12
# libwebp keeps a note of each, larger than an empty one is itself.
_MOST_CHUNKS = 200_000
_EXTENDED_HEADER_BYTES = 18

# WebP Container Specification, "Extended File Format" and "Animation".
_ANIMATION, _ALPHA, _ICC_PROFILE = 0x02, 0x10, 0x20
_DO_NOT_BLEND = 0x02


def open_webp(file: BytesIO) -> WebPImageFile:
    """Open a WebP of no more chunks than a picture has."""
    data, position = file.getbuffer(), _HEADER_BYTES
    for _ in range(_MOST_CHUNKS):
        if position + 8 > len(data):
            return WebPImageFile(file)
        (length,) = struct.unpack_from("<I", data, position + 4)
        position += 8 + length + length % 2
    raise SyntaxError(f"more than {_MOST_CHUNKS} chunks")


def write_animation(
    frames: Iterator[tuple[Image, float]], size: tuple[int, int], loop: int, icc_profile: bytes | None
) -> bytes:
    """Write every frame whole, as it comes; the writer of libwebp merges equal frames and turns one into a still."""
    flags = _ANIMATION | (_ICC_PROFILE if icc_profile else 0)
    moving = BytesIO()
    for frame, duration_ms in frames:
        if "A" in frame.getbands():
            flags |= _ALPHA
        header = bytes(6) + _u24(size[0] - 1) + _u24(size[1] - 1) + _u24(round(duration_ms)) + bytes((_DO_NOT_BLEND,))
        moving.write(_chunk(b"ANMF", header + _coded(frame)))
    body = b"WEBP" + _chunk(b"VP8X", bytes((flags, 0, 0, 0)) + _u24(size[0] - 1) + _u24(size[1] - 1))
    if icc_profile:
        body += _chunk(b"ICCP", icc_profile)
    body += _chunk(b"ANIM", bytes(4) + struct.pack("<H", loop)) + moving.getvalue()
    return _chunk(b"RIFF", body)


def is_lossy_without_alpha(data: bytes) -> bool:
    """Tell whether a still picture is coded in rows that need nothing of those far above them."""
    start, kind = _HEADER_BYTES, b""
    while kind not in (b"VP8 ", b"VP8L", b"ALPH") and start + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, start)
        start += 8 + length + length % 2
    return kind == b"VP8 "


def _coded(frame: Image) -> bytes:
    """Return the chunks of one encoded frame without the headers of its file."""
    still = BytesIO()
    frame.save(still, "webp", **SAVE_OPTIONS["webp"])
    data = still.getvalue()
    is_extended = data.startswith(b"VP8X", _HEADER_BYTES)
    return data[_HEADER_BYTES + (_EXTENDED_HEADER_BYTES if is_extended else 0) :]


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def _u24(number: int) -> bytes:
    return number.to_bytes(3, "little")
