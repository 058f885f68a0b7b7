"""JPEG: decoded straight to an n/8 scale, and encoded without holding the interpreter's lock, by libjpeg-turbo."""

import re
import struct
from functools import cached_property

import numpy as np
import simplejpeg
from msgspec import Struct, field
from PIL.Image import Image

from runware_mock.images.decoder import Decoder
from runware_mock.images.limits import Deadline
from runware_mock.images.resize import QUALITY, Pixels, Resizer, Size, image_of, orientation, pixels_of, upright

# ITU T.81, table B.1. Segments from SOF0 to SOF15 but for three of them say how large the picture is.
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset((0xC2, 0xC6, 0xCA, 0xCE))
_APP1, _APP2, _APP14 = 0xE1, 0xE2, 0xEE
_END = b"\xff\xd9"
# B.1.1.2 and B.1.1.5: a marker may be preceded by any number of FF; in coded data FF 00 is a byte, and FF D0 to FF D7
# are restarts, neither of which ends it.
_MARKER = re.compile(rb"\xff+([\x01-\xcf\xd8-\xfe])")
_EXIF, _ICC = b"Exif\0\0", b"ICC_PROFILE\0"
_ICC_CHUNK_BYTES = 65_519
# Read one by one in Python. Cameras write some dozens.
_MOST_SEGMENTS = 100_000
# Ten are common; libjpeg-turbo's own fuzzers give up at 500.
_MOST_SCANS = 500
# Of these libjpeg warns, and all pixels are there nevertheless.
_HARMLESS = re.compile("extraneous bytes|Adobe color transform|Invalid SOS parameters|Inconsistent progression|JFIF")
_SPACES = {1: ("GRAY", "L"), 3: ("RGB", "RGB"), 4: ("CMYK", "CMYK")}
_SUBSAMPLING = {"L": "Gray", "RGB": "420", "CMYK": "444"}


class _Header(Struct):
    """What stands before the first scan."""

    size: Size = (0, 0)
    components: int = 0
    is_progressive: bool = False
    has_adobe: bool = False
    exif: bytes = b""
    icc_chunks: dict[int, bytes] = field(default_factory=dict)
    icc_count: int = 0
    # The segments before the first scan, and whether there is anything between them.
    segments: list[bytes] = field(default_factory=list)
    has_junk: bool = False
    # Where the first scan's segment begins, and how many components it has.
    scan_at: int = 0
    scan_components: int = 0


class JpegDecoder(Decoder):
    """A JPEG of no more segments and scans than a picture has."""

    def __init__(self, data: bytes) -> None:
        self._header = header = _read_header(data)
        if header.has_junk:
            # libjpeg skips it and warns, which would hide what else it warns of.
            data = b"".join((b"\xff\xd8", *header.segments, data[header.scan_at :]))
            header.scan_at = len(b"\xff\xd8")
        self._data = _closed(data, header.scan_at)
        self.size = header.size
        self.orientation = orientation(header.exif)
        self._space, self._mode = _SPACES[header.components]
        # The rows come whole, one after the other; else all coefficients wait in memory for the last scan.
        self.is_in_one_scan = header.scan_components == header.components and not header.is_progressive
        if not self.is_in_one_scan:
            # To look through 6 MB takes 5 ms, in which nobody else gets the interpreter.
            self._check_work(_count_scans(data, header.scan_at), "scans")

    def check_bytes(self) -> int:
        """Return about how much memory `check` takes."""
        return self._coefficients_bytes() + 4 * self._scaled_px(8)

    def check(self, deadline: Deadline) -> None:
        """Decode every coefficient, and of the pixels an eighth of each side: nothing else of it can fail."""
        deadline.check()
        self._decode("GRAY", (1, 1))

    def image(self, deadline: Deadline, least: Size | None = None) -> Image:
        """Return the picture in L, RGB or CMYK."""
        deadline.check()
        pixels = self._decode(self._space, least or self.size)
        image = image_of(255 - pixels if self._mode == "CMYK" else pixels, self._mode)
        image.info = {"icc_profile": self.icc_profile} if self.icc_profile else {}
        return image

    def downsize_bytes(self, size: Size) -> int:
        """Return about how much memory `downsized` takes: the scaled pixels twice, the result, the coefficients."""
        scale = max(1, min(self.size[0] // max(1, size[0]), self.size[1] // max(1, size[1]), 8))
        return self._coefficients_bytes() + 8 * self._scaled_px(scale) + 12 * size[0] * size[1]

    def downsized(self, size: Size, resizer: Resizer, deadline: Deadline) -> tuple[bytes, Size]:
        """Return the encoded picture at this size, turned as the orientation says; and the size after that.

        Pixels are never copied into an image of Pillow's: it keeps four bytes for three.
        """
        deadline.check()
        small = resizer.pixels(self._decode(self._space, size), size, self._mode)
        if self.orientation != 1:
            small = pixels_of(upright(image_of(small, self._mode), self.orientation))
        return self._encoded(small), (small.shape[1], small.shape[0])

    def encode(self, image: Image) -> bytes:
        """Return a JPEG with the ICC profile of this one."""
        pixels = pixels_of(image)
        # libvips has inverted what Adobe's programs store inverted; readers expect that of any CMYK.
        return self._encoded(255 - pixels if image.mode == "CMYK" and self._header.has_adobe else pixels)

    def streamable(self) -> bytes | None:
        """Return the file if rows come whole and are all there: libvips fills missing ones with grey."""
        if not self.is_in_one_scan:
            return None
        self._decode("GRAY", (1, 1))
        return self._data

    @cached_property
    def icc_profile(self) -> bytes | None:
        """The profile, whose chunks are numbered from 1: ICC.1:2022, annex B.4."""
        chunks, count = self._header.icc_chunks, self._header.icc_count
        is_whole = count and chunks.keys() == set(range(1, count + 1))
        return b"".join(chunks[number] for number in sorted(chunks)) if is_whole else None

    def _coefficients_bytes(self) -> int:
        return 0 if self.is_in_one_scan else 2 * self._header.components * self.size[0] * self.size[1]

    def _scaled_px(self, scale: int) -> int:
        return -(-self.size[0] // scale) * -(-self.size[1] // scale)

    def _decode(self, space: str, least: Size) -> Pixels:
        """Decode at the smallest scale that is no smaller than `least`; raises ValueError where pixels are missing."""
        options = {"min_width": least[0], "min_height": least[1]}
        try:
            pixels: Pixels = simplejpeg.decode_jpeg(self._data, space, **options)
        except ValueError as warning:
            if not _HARMLESS.search(str(warning)):
                raise
            pixels = simplejpeg.decode_jpeg(self._data, space, strict=False, **options)
        return pixels

    def _encoded(self, pixels: Pixels) -> bytes:
        subsampling = _SUBSAMPLING[self._mode]
        encoded: bytes = simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), QUALITY, self._space, subsampling)
        return _with_icc_profile(encoded, self.icc_profile)


def _read_header(data: bytes) -> _Header:
    header = _Header()
    position, segments = 2, 0
    while marker := _MARKER.search(data, position):
        kind, start = marker[1][0], marker.end()
        segments += 1
        if segments > _MOST_SEGMENTS:
            raise SyntaxError(f"more than {_MOST_SEGMENTS} segments")
        if kind == _END_OF_IMAGE or len(data) < start + 2:
            break
        (length,) = struct.unpack_from(">H", data, start)
        content = data[start + 2 : start + length]
        header.has_junk |= start != position + 2
        position = start + length
        if kind == _START_OF_SCAN:
            header.scan_at, header.scan_components = start - 2, content[0]
            if header.components not in _SPACES or 0 in header.size:
                raise SyntaxError(f"a picture of {header.components} components, {header.size[0]} by {header.size[1]}")
            return header
        header.segments.append(data[start - 2 : position])
        if kind in _START_OF_FRAME:
            height_px, width_px, header.components = struct.unpack_from(">HHB", content, 1)
            header.size = width_px, height_px
            header.is_progressive = kind in _PROGRESSIVE
        elif kind == _APP1 and content.startswith(_EXIF) and not header.exif:
            header.exif = content
        elif kind == _APP2 and content.startswith(_ICC):
            number, header.icc_count = content[12:14]
            header.icc_chunks[number] = content[14:]
        elif kind == _APP14 and content.startswith(b"Adobe"):
            header.has_adobe = True
    raise EOFError("the file is truncated")


def _count_scans(data: bytes, position: int) -> int:
    segments = scans = 0
    while (marker := _MARKER.search(data, position)) and marker[1][0] != _END_OF_IMAGE:
        segments += 1
        scans += marker[1][0] == _START_OF_SCAN
        if segments > _MOST_SEGMENTS or scans > _MOST_SCANS:
            raise SyntaxError(f"more than {_MOST_SEGMENTS} segments, or {_MOST_SCANS} scans")
        position = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2])
    return scans


def _closed(data: bytes, position: int) -> bytes:
    """Return the file up to its end marker, without what phones append; with one where it was left out.

    With the marker, libjpeg warns if and only if pixels are missing.
    """
    if data.endswith(_END):
        return data
    while marker := _MARKER.search(data, position):
        if marker[1][0] == _END_OF_IMAGE:
            return data[: marker.end()]
        position = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2])
    return data.rstrip(b"\xff") + _END


def _with_icc_profile(encoded: bytes, profile: bytes | None) -> bytes:
    """Insert the profile behind the first segment, in chunks as ICC.1:2022, annex B.4 lays down."""
    if not profile:
        return encoded
    chunks = [profile[start : start + _ICC_CHUNK_BYTES] for start in range(0, len(profile), _ICC_CHUNK_BYTES)]
    segments = b"".join(
        b"\xff\xe2" + struct.pack(">H", len(chunk) + 16) + _ICC + bytes((number, len(chunks))) + chunk
        for number, chunk in enumerate(chunks, start=1)
    )
    (first_bytes,) = struct.unpack_from(">H", encoded, 4)
    return encoded[: 4 + first_bytes] + segments + encoded[4 + first_bytes :]
