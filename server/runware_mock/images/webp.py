"""WebP: read by Pillow, whose libwebp composes animations itself, and written frame by frame."""

import struct
from collections.abc import Iterator
from functools import cached_property
from io import BytesIO

from PIL.Image import Image
from PIL.WebPImagePlugin import WebPImageFile

from runware_mock.images.decoder import Decoder
from runware_mock.images.limits import Deadline
from runware_mock.images.resize import QUALITY, Size, orientation

_HEADER_BYTES = 12
# libwebp keeps a record of each chunk, which is larger than an empty chunk.
_MOST_CHUNKS = 200_000
_EXTENDED_HEADER_BYTES = 18
# libwebp's two canvases, the frame that it returns, and Pillow's own.
_PIXEL_BYTES = 14
# Pillow copies what libwebp has decoded with the interpreter locked: 0.1 s at this size.
_MOST_PX = 2**25
_SAVE_OPTIONS = {"quality": QUALITY, "method": 0}

# WebP Container Specification, "Extended File Format" and "Animation".
_ANIMATION, _ALPHA, _ICC_PROFILE = 0x02, 0x10, 0x20
_DO_NOT_BLEND = 0x02


class WebpDecoder(Decoder):
    """A WebP with no more chunks than a real picture has. libwebp reads it once its memory has been reserved."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._chunks, moving = _chunks(data)
        self.size = self._read_size()
        self.frames = moving or 1
        # Browsers ignore a profile that the flags do not announce.
        has_profile = any(flags & _ICC_PROFILE for flags in self._content(b"VP8X")[:1])
        self.icc_profile = (has_profile and self._content(b"ICCP")) or None
        self.orientation = orientation(self._content(b"EXIF"))
        self._check_work(self.frames, "frames")
        self.pixel_bytes = _PIXEL_BYTES + (10 if self.is_animated else 8)

    def _content(self, kind: bytes) -> bytes:
        start, length = self._chunks.get(kind, (0, 0))
        return self._data[start : start + length]

    def _read_size(self) -> Size:
        """Return width and height: RFC 9649, 2.7 ("Canvas Width Minus One"), 3.4; RFC 6386, 9.1."""
        if extended := self._content(b"VP8X"):
            return int.from_bytes(extended[4:7], "little") + 1, int.from_bytes(extended[7:10], "little") + 1
        if lossless := self._content(b"VP8L"):
            bits = int.from_bytes(lossless[1:5], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        width_px, height_px = struct.unpack_from("<HH", self._content(b"VP8 "), 6)
        return width_px & 0x3FFF, height_px & 0x3FFF

    @cached_property
    def _file(self) -> WebPImageFile:
        if self.size[0] * self.size[1] > _MOST_PX:
            hint = "animations may have no more" if self.is_animated else "install runware-mock[vips]"
            raise SyntaxError(f"it has more than {_MOST_PX} pixels: {hint}")
        file = WebPImageFile(BytesIO(self._data))
        if (file.size, file.n_frames) != (self.size, self.frames):
            raise SyntaxError("its headers contradict one another")
        return file

    def animation(self, deadline: Deadline) -> Iterator[tuple[Image, float]]:
        """Yield every composited frame."""
        for index in range(self.frames):
            deadline.check()
            self._file.seek(index)
            self._file.load()
            yield self._file, self._file.info.get("duration", 0)

    def encode(self, image: Image) -> bytes:
        """Return a WebP with the ICC profile of this one."""
        out = BytesIO()
        image.info = {}
        image.save(out, "webp", icc_profile=self.icc_profile, **_SAVE_OPTIONS)
        return out.getvalue()

    def encode_animation(self, frames: Iterator[tuple[Image, float]], size: Size) -> bytes:
        """Write each frame whole, as it comes; libwebp's writer would merge equal frames, and write a still for one."""
        flags = _ANIMATION | (_ICC_PROFILE if self.icc_profile else 0)
        moving = BytesIO()
        for frame, duration_ms in frames:
            if "A" in frame.getbands():
                flags |= _ALPHA
            header = bytes(6) + _u24(size[0] - 1) + _u24(size[1] - 1) + _u24(round(duration_ms))
            moving.write(_chunk(b"ANMF", header + bytes((_DO_NOT_BLEND,)) + _coded(frame)))
        body = b"WEBP" + _chunk(b"VP8X", bytes((flags, 0, 0, 0)) + _u24(size[0] - 1) + _u24(size[1] - 1))
        if self.icc_profile:
            body += _chunk(b"ICCP", self.icc_profile)
        (loop,) = struct.unpack_from("<H", self._content(b"ANIM"), 4)
        body += _chunk(b"ANIM", bytes(4) + struct.pack("<H", loop)) + moving.getvalue()
        return _chunk(b"RIFF", body)

    def streamable(self, *, fits: bool) -> bytes | None:
        """Return the file of a still picture; if it does not fit, only a lossy one without alpha, else None.

        The rows of a lossy one need nothing from those far above them.
        """
        is_in_rows = b"VP8 " in self._chunks and not {b"VP8L", b"ALPH"} & self._chunks.keys()
        return self._data if not self.is_animated and (fits or is_in_rows) else None


def _chunks(data: bytes) -> tuple[dict[bytes, tuple[int, int]], int]:
    """Return start and length of the content of each kind of top-level chunk, and the number of frames."""
    found: dict[bytes, tuple[int, int]] = {}
    position, count, frames = _HEADER_BYTES, 0, 0
    while position + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, position)
        found.setdefault(kind, (position + 8, length))
        frames += kind == b"ANMF"
        count += 1
        if count > _MOST_CHUNKS:
            raise SyntaxError(f"more than {_MOST_CHUNKS} chunks")
        position += 8 + length + length % 2
    return found, frames


def _coded(frame: Image) -> bytes:
    """Return the chunks of one encoded frame without the headers of its file."""
    still = BytesIO()
    frame.info = {}
    frame.save(still, "webp", **_SAVE_OPTIONS)
    data = still.getvalue()
    is_extended = data.startswith(b"VP8X", _HEADER_BYTES)
    return data[_HEADER_BYTES + (_EXTENDED_HEADER_BYTES if is_extended else 0) :]


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def _u24(number: int) -> bytes:
    return number.to_bytes(3, "little")
