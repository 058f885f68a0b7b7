"""JPEG: libjpeg-turbo decodes straight to an n/8 scale, and encodes without holding the interpreter's lock."""

import re
import struct
from collections.abc import Iterator
from functools import cached_property
from hashlib import sha256
from io import BytesIO

import numpy as np
import simplejpeg
from msgspec import Struct, field
from PIL.Image import Image
from PIL.JpegImagePlugin import JpegImageFile

from runware_mock.images.decoder import Decoder
from runware_mock.images.limits import Deadline
from runware_mock.images.resize import QUALITY, Pixels, Resizer, Size, image_of, orientation, pixels_of, upright

# ITU T.81, table B.1. All segments from SOF0 to SOF15 except three give the size of the picture.
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset((0xC2, 0xC6, 0xCA, 0xCE))
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_END = b"\xff\xd9"
# B.1.1.2 and B.1.1.5: a marker may be preceded by any number of FF; in coded data FF 00 is a byte, and FF D0 to FF D7
# are restarts, neither of which ends it.
_MARKER = re.compile(rb"\xff+([\x01-\xcf\xd8-\xfe])")
_JFIF, _EXIF, _ICC, _ADOBE = b"JFIF\0", b"Exif\0", b"ICC_PROFILE\0", b"Adobe"
_JFIF_BYTES = 14
# ITU T.872, 6.5.3: the byte of a segment with the colour transform, and its value, if not 0, by components.
_TRANSFORM_AT = 15
_TRANSFORMS = {3: 1, 4: 2}
_ICC_CHUNK_BYTES = 65_519
# They are read one by one in Python. Cameras write some dozens.
_MOST_SEGMENTS = 100_000
# Ten are common; libjpeg-turbo's own fuzzers give up at 500.
_MOST_SCANS = 500
# libjpeg warns of these, but all pixels are there.
_HARMLESS = re.compile("extraneous bytes|Invalid SOS parameters|Inconsistent progression")
# Bits behind every restart marker, which stand for other coefficients than the zeros that libjpeg makes up.
_MORE = b"".join(b"\x5a\xc3\x17\xe4" * 64 + bytes((0xFF, marker)) for marker in range(0xD0, 0xD8))
_SPACES = {1: ("GRAY", "L"), 3: ("RGB", "RGB"), 4: ("CMYK", "CMYK")}
_SUBSAMPLING = {"L": "Gray", "RGB": "420", "CMYK": "444"}


class _Header(Struct):
    """What precedes the first scan."""

    size: Size = (0, 0)
    components: int = 0
    is_progressive: bool = False
    exif: bytes = b""
    icc_chunks: dict[int, bytes] = field(default_factory=dict)
    icc_count: int = 0
    # The segments before the first scan, changed so that libjpeg does not warn of them and hide other warnings.
    segments: list[bytes] = field(default_factory=list)
    # The start of the first scan's segment, and its number of components.
    scan_at: int = 0
    scan_components: int = 0


class JpegDecoder(Decoder):
    """A JPEG with no more segments and scans than a real picture has."""

    def __init__(self, data: bytes) -> None:
        self._header = header = _read_header(data)
        self._data = _without_oddities(data, header)
        self.size = header.size
        self.orientation = orientation(header.exif)
        self._space, self._mode = _SPACES[header.components]
        # If so, rows come complete, one by one; else all coefficients wait in memory for the last scan.
        self.is_in_one_scan = header.scan_components == header.components and not header.is_progressive
        self._is_rare = self._mode != "CMYK" and _is_rare(self._data)
        if not self.is_in_one_scan:
            # Searching 6 MB takes 5 ms, during which no other thread gets the interpreter.
            scans = sum(kind == _START_OF_SCAN for kind, _, _ in _segments(self._data, header.scan_at))
            self._check_work(scans, "scans")

    def check(self, deadline: Deadline) -> None:
        """Decode every coefficient, but pixels only at an eighth of each side: nothing else can fail."""
        deadline.check()
        self._decode("GRAY", (1, 1))

    def image(self, deadline: Deadline, least: Size) -> Image:
        """Return the picture in L, RGB or CMYK."""
        deadline.check()
        pixels = self._decode(self._space, least)
        return image_of(255 - pixels if self._mode == "CMYK" else pixels, self._mode)

    def needed_bytes(self, size: Size | None = None) -> int:
        """Return roughly the memory needed: coefficients, pixels at the scale of decoding, twice, and the result."""
        width_px, height_px = size or (1, 1)
        scale = 1 if self._is_rare else max(1, min(self.size[0] // width_px, self.size[1] // height_px, 8))
        scaled_px = -(-self.size[0] // scale) * -(-self.size[1] // scale)
        coefficients = 0 if self.is_in_one_scan else self._header.components * self.size[0] * self.size[1]
        return 2 * coefficients + 8 * scaled_px + 12 * width_px * height_px

    def downsized(self, size: Size, resizer: Resizer, deadline: Deadline) -> tuple[bytes, Size]:
        """Return the encoded picture at this size, turned as the orientation says, and its size after turning.

        Pixels are never copied into a Pillow image, which takes four bytes for three.
        """
        deadline.check()
        small = resizer.pixels(self._decode(self._space, size), size, self._mode)
        if self.orientation != 1:
            small = pixels_of(upright(image_of(small, self._mode), self.orientation))
        return self._encoded(small), (small.shape[1], small.shape[0])

    def encode(self, image: Image) -> bytes:
        """Return a JPEG with the ICC profile of this one."""
        pixels = pixels_of(image)
        # libvips inverts CMYK, as readers do.
        return self._encoded(255 - pixels if image.mode == "CMYK" else pixels)

    def streamable(self, *, fits: bool) -> bytes | None:
        """Return the file if its rows come complete and all are there, as libvips fills missing ones with grey.

        None if it fits: we decode it to a smaller scale ourselves.
        """
        if fits or not self.is_in_one_scan:
            return None
        self._decode("GRAY", (1, 1))
        return self._data

    @cached_property
    def icc_profile(self) -> bytes | None:
        """The profile, whose chunks are numbered from 1: ICC.1:2022, annex B.4."""
        chunks, count = self._header.icc_chunks, self._header.icc_count
        is_whole = count and chunks.keys() == set(range(1, count + 1))
        return b"".join(chunks[number] for number in sorted(chunks)) if is_whole else None

    def _decode(self, space: str, least: Size) -> Pixels:
        """Decode at the smallest scale that is no smaller than `least`; raises ValueError if pixels are missing."""
        if self._is_rare:
            return self._decoded_by_pillow(least)
        options = {"min_width": least[0], "min_height": least[1]}
        try:
            pixels: Pixels = simplejpeg.decode_jpeg(self._data, space, **options)
        except ValueError as warning:
            if not _HARMLESS.search(str(warning)):
                raise
            pixels = simplejpeg.decode_jpeg(self._data, space, strict=False, **options)
        return pixels

    def _decoded_by_pillow(self, least: Size) -> Pixels:
        """Decode colours that are stored at a rare resolution, which TurboJPEG's interface does not know.

        Pillow does not tell what libjpeg warns of. But if pixels are missing, it makes some from whatever follows.
        """
        extended = self._data.removesuffix(_END) + _MORE + _END
        complete, other = (sha256(_opened(data, self._mode, self.size).tobytes()) for data in (self._data, extended))
        if complete.digest() != other.digest():
            raise EOFError("pixels are missing")
        return pixels_of(_opened(self._data, self._mode, least))

    def _encoded(self, pixels: Pixels) -> bytes:
        subsampling = _SUBSAMPLING[self._mode]
        encoded: bytes = simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), QUALITY, self._space, subsampling)
        return _with_icc_profile(encoded, self.icc_profile)


def _is_rare(data: bytes) -> bool:
    """Return whether TurboJPEG's interface does not know the resolution of the colours."""
    try:
        simplejpeg.decode_jpeg_header(data, strict=False)
    except ValueError as error:
        return "subsampling" in str(error)
    except KeyError:
        # It can be decoded, but has no name.
        pass
    return False


def _opened(data: bytes, mode: str, least: Size) -> Image:
    """Return a JPEG decoded by Pillow, scaled down by as large a power of two as `least` allows."""
    image = JpegImageFile(BytesIO(data))
    image.draft(mode, least)
    image.load()
    return image


def _segments(data: bytes, position: int) -> Iterator[tuple[int, int, int]]:
    """Yield kind, start and end of the content of each segment up to the end of the picture or the file."""
    segments = scans = 0
    while marker := _MARKER.search(data, position):
        kind, start = marker[1][0], marker.end()
        segments += 1
        scans += kind == _START_OF_SCAN
        if segments > _MOST_SEGMENTS or scans > _MOST_SCANS:
            raise SyntaxError(f"more than {_MOST_SEGMENTS} segments, or {_MOST_SCANS} scans")
        position = start + int.from_bytes(data[start : start + 2])
        yield kind, start + 2, position
        if kind == _END_OF_IMAGE:
            return


def _read_header(data: bytes) -> _Header:
    header = _Header()
    for kind, start, end in _segments(data, 2):
        content = data[start:end]
        if kind == _START_OF_SCAN:
            header.scan_at, header.scan_components = start - 4, content[0]
            if header.components not in _SPACES or 0 in header.size:
                raise SyntaxError(f"a picture of {header.components} components, {header.size[0]} by {header.size[1]}")
            known = _TRANSFORMS.get(header.components)
            header.segments = [_with_transform(segment, known) if known else segment for segment in header.segments]
            return header
        if kind in _START_OF_FRAME:
            height_px, width_px, header.components = struct.unpack_from(">HHB", content, 1)
            header.size = width_px, height_px
            header.is_progressive = kind in _PROGRESSIVE
        elif kind == _APP0 and len(content) >= _JFIF_BYTES and content.startswith(_JFIF) and content[5] != 1:
            # libjpeg warns of a major version that it does not know.
            content = _JFIF + b"\1\1" + content[7:]
        elif kind == _APP1 and content.startswith(_EXIF) and not header.exif:
            # The code ends with a byte of padding.
            header.exif = content[len(_EXIF) + 1 :]
        elif kind == _APP2 and content.startswith(_ICC):
            number, header.icc_count = content[12:14].ljust(2, b"\0")
            header.icc_chunks[number] = content[14:]
            # libjpeg warns of chunks that do not fit together.
            continue
        header.segments.append(data[start - 4 : start] + content)
    raise EOFError("the file is truncated")


def _with_transform(segment: bytes, known: int) -> bytes:
    """Return the segment; if it is Adobe's with an undefined transform, with the one that libjpeg then assumes."""
    if segment.startswith(_ADOBE, 4) and segment[1] == _APP14 and segment[_TRANSFORM_AT : _TRANSFORM_AT + 1] > b"\0":
        return segment[:_TRANSFORM_AT] + bytes((known,)) + segment[_TRANSFORM_AT + 1 :]
    return segment


def _without_oddities(data: bytes, header: _Header) -> bytes:
    """Return the file without what is between its first segments, and what phones append after its end marker.

    A missing end marker is added. Then libjpeg warns, of harmless things aside, if and only if pixels are missing.
    """
    head = b"\xff\xd8" + b"".join(header.segments)
    if data[: header.scan_at] != head:
        data = head + data[header.scan_at :]
        header.scan_at = len(head)
    if data.endswith(_END):
        return data
    for kind, start, _ in _segments(data, header.scan_at):
        if kind == _END_OF_IMAGE:
            return data[: start - 2]
    return data.rstrip(b"\xff") + _END


def _with_icc_profile(encoded: bytes, profile: bytes | None) -> bytes:
    """Return the file with the profile after the first segment, in chunks by ICC.1:2022, annex B.4."""
    if not profile:
        return encoded
    chunks = [profile[start : start + _ICC_CHUNK_BYTES] for start in range(0, len(profile), _ICC_CHUNK_BYTES)]
    segments = b"".join(
        b"\xff\xe2" + struct.pack(">H", len(chunk) + 16) + _ICC + bytes((number, len(chunks))) + chunk
        for number, chunk in enumerate(chunks, start=1)
    )
    (first_bytes,) = struct.unpack_from(">H", encoded, 4)
    return encoded[: 4 + first_bytes] + segments + encoded[4 + first_bytes :]
