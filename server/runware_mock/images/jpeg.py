"""Downsize a JPEG: decoded straight to an n/8 scale, and encoded without holding the interpreter's lock."""

import re
import struct
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING

from PIL.Image import Transpose
from PIL.JpegImagePlugin import JpegImageFile

from runware_mock.images.pixels import image_of, mode_of, pixels_of
from runware_mock.images.resize import QUALITY, RESAMPLING, oriented, turn_of

if TYPE_CHECKING:
    from runware_mock.images.pixels import Pixels

_ICC_HEADER = b"ICC_PROFILE\0"
_ICC_CHUNK_BYTES = 65_519
# Pillow reads segment by segment in Python, and keeps each. Cameras write some dozens.
_MOST_SEGMENTS = 100_000
# In each scan the decoder goes over the whole picture. Ten are common; libjpeg-turbo's own fuzzers give up at 500.
_MOST_SCANS = 500
_TOO_MANY = f"more than {_MOST_SEGMENTS} segments, or {_MOST_SCANS} scans, or more bytes between segments"
# Pillow reads so much of each segment to learn its length.
_LENGTH_BYTES = 2
# And byte by byte the mark of each, and whatever stands between two: in a picture nothing, or a little to fill up.
_MOST_MARK_BYTES = 3 * _MOST_SEGMENTS
_SCAN = b"\xff\xda"
_END = b"\xff\xd9"
# ITU T.81, B.1.1: in coded data, FF is followed by 0, by a restart or by another FF, or ends it.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_COLOR_SPACES = {"RGB": ("RGB", "420"), "L": ("GRAY", "Gray")}

Resize = Callable[["Pixels", tuple[int, int]], "Pixels"]


class QuietJpegFile(JpegImageFile):
    """Pillow's reader, but for its search for a resolution in the EXIF, which warns of what is broken there."""

    def _read_dpi_from_exif(self) -> None:
        pass


class _Header(BytesIO):
    """Counts the segments before the first scan, which Pillow reads one by one in Python, and keeps."""

    _segments = 0
    _mark_bytes = 0

    def read(self, size: int | None = -1, /) -> bytes:
        if size == 1:
            self._mark_bytes += 1
        elif size == _LENGTH_BYTES:
            self._segments += 1
        if self._segments > _MOST_SEGMENTS or self._mark_bytes > _MOST_MARK_BYTES:
            raise SyntaxError(_TOO_MANY)
        return super().read(size)


def open_jpeg(file: BytesIO) -> QuietJpegFile:
    """Open a JPEG of no more segments and scans than a picture has."""
    data = file.getvalue()
    image = QuietJpegFile(_Header(data))
    # To look through 6 MB for further ones takes 5 ms, in which nobody else gets the interpreter.
    if not is_in_one_scan(image, data):
        _check_segments(data)
    return image


def _check_segments(data: bytes) -> None:
    position, segments, scans = 2, 0, 0
    while (marker := _MARKER.search(data, position)) and marker[0] != _END:
        segments += 1
        scans += marker[0] == _SCAN
        if segments > _MOST_SEGMENTS or scans > _MOST_SCANS:
            raise SyntaxError(_TOO_MANY)
        length = int.from_bytes(data[marker.end() : marker.end() + 2], "big")
        position = marker.end() + length


def memory_bytes(image: JpegImageFile, data: bytes, size: tuple[int, int]) -> int:
    """Return about what `downsize` needs: the scaled pixels twice, the result, and what waits for later scans."""
    # Pillow scales by powers of two alone.
    scale = max(n for n in (1, 2, 4, 8) if n <= min(image.width // size[0], image.height // size[1]))
    scaled_px = -(-image.width // scale) * -(-image.height // scale)
    coefficients = 0 if is_in_one_scan(image, data) else 2 * len(image.getbands()) * image.width * image.height
    return 8 * scaled_px + 12 * size[0] * size[1] + coefficients


def is_in_one_scan(image: JpegImageFile, data: bytes) -> bool:
    """Tell whether rows come whole, one after the other; else all coefficients wait in memory for the last scan."""
    # The reader stands behind the header of the first scan, which has two bytes for each component in it.
    bands, scan_at = len(image.getbands()), image.fp.tell() if image.fp else 0
    return data.startswith(b"\xff\xda", max(0, scan_at - 8 - 2 * bands)) and "progressive" not in image.info


def downsize(image: JpegImageFile, data: bytes, size: tuple[int, int], resize: Resize) -> tuple[bytes, tuple[int, int]]:
    """Return the encoded picture and its size, which is turned where the orientation says so."""
    icc_profile = image.info.get("icc_profile")
    pixels = _decode_scaled(data, image.mode, size)
    if pixels is not None:
        small = _turned(resize(pixels, size), turn_of(image))
        return _with_icc_profile(_encode(small), icc_profile), (small.shape[1], small.shape[0])
    # CMYK, and files that libjpeg warns of: Pillow decodes both.
    image.draft(None, size)
    image.load()
    shrunk = oriented(image.resize(size, RESAMPLING), image)
    if shrunk.mode in _COLOR_SPACES:
        return _with_icc_profile(_encode(pixels_of(shrunk)), icc_profile), shrunk.size
    out = BytesIO()
    shrunk.save(out, "jpeg", quality=QUALITY, icc_profile=icc_profile)
    return out.getvalue(), shrunk.size


def _turned(pixels: "Pixels", turn: Transpose | None) -> "Pixels":
    return pixels if turn is None else pixels_of(image_of(pixels).transpose(turn))


def _decode_scaled(data: bytes, mode: str, size: tuple[int, int]) -> "Pixels | None":
    import simplejpeg

    if mode not in _COLOR_SPACES:
        return None
    try:
        pixels: Pixels = simplejpeg.decode_jpeg(data, _COLOR_SPACES[mode][0], min_width=size[0], min_height=size[1])
    except ValueError:
        return None
    return pixels


def _encode(pixels: "Pixels") -> bytes:
    import simplejpeg

    color_space, subsampling = _COLOR_SPACES[mode_of(pixels)]
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
