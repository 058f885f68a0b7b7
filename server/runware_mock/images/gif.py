"""GIF: taken apart block by block, its frames decoded one by one, and written frame by frame."""

import re
import struct
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
from PIL.GifImagePlugin import getdata
from PIL.Image import Dither, Image, Quantize, frombytes

from runware_mock.images.animation import Disposal, Frame, composited
from runware_mock.images.decoder import Decoder
from runware_mock.images.limits import MOST_FRAMES, Deadline
from runware_mock.images.resize import Pixels, Size, image_of

# GIF89a, sections 18 to 27: labels.
_TRAILER, _EXTENSION, _IMAGE = 0x3B, 0x21, 0x2C
_CONTROL, _APPLICATION = 0xF9, 0xFF
# They end nothing. Pillow and ImageMagick skip them, while browsers stop there.
_SPARE_TERMINATORS = re.compile(b"\0+")
# The start of Netscape's block with the loop count; other programs write it under the second name.
_LOOPS = (b"\x0bNETSCAPE2.0\3\1", b"\x0bANIMEXTS1.0\3\1")
# Section 23. Some encoders write 4 for 3, and browsers accept it.
_DISPOSALS = {2: Disposal.CLEAR, 3: Disposal.RESTORE, 4: Disposal.RESTORE}
_RESTORE_TO_BACKGROUND = 2
_NO_CONTROL = bytes(4)
# They are read one by one in Python. Encoders fill each with 255 bytes.
_MOST_BLOCKS = 2_000_000
_MOST_CODES, _WIDEST_CODE_BITS = 4096, 12
_OPAQUE_FROM = 128
_TRANSPARENT_INDEX = 255
# The colours of a file without a palette.
_GREYS = bytes(shade for shade in range(256) for _ in range(3))


class _Frame(Frame, kw_only=True):
    is_interlaced: bool
    # Red, green and blue of each index.
    colours: bytes
    transparent_index: int | None
    code_bits: int
    # The start and end of the blocks of coded indices, including the empty one at the end.
    span: tuple[int, int]


class GifDecoder(Decoder):
    """A GIF whose blocks are complete; the trailer may be missing, as in browsers."""

    pixel_bytes = 16
    # A single frame is written as an animation, too.
    is_animated = True

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._loop: int | None = None
        self._frames: list[_Frame] = []
        try:
            self._read()
        except (IndexError, struct.error):
            raise EOFError("the file is truncated") from None
        self.frames = len(self._frames)
        if not self.frames or 0 in self.size:
            raise SyntaxError("there is no picture in it")
        self._check_work(self.frames, "frames")
        self._largest_px = max(frame.size[0] * frame.size[1] for frame in self._frames)

    def check(self, deadline: Deadline) -> None:
        """Decode the indices of every frame."""
        for frame in self._frames:
            self._indices(frame, deadline)

    def animation(self, deadline: Deadline) -> Iterator[tuple[Image, float]]:
        """Yield every composited frame, in RGB if it is opaque, else in RGBA."""
        frames = ((frame, self._pixels(frame, deadline)) for frame in self._frames)
        for canvas, duration_ms in composited(self.size, frames):
            image = image_of(canvas)
            yield image.convert("RGB") if canvas[..., 3].all() else image, duration_ms

    def needed_bytes(self, size: Size | None = None) -> int:
        """Return roughly the memory needed: the indices, or the frames and the copies of the largest."""
        return 4 * self._largest_px if size is None else super().needed_bytes(size) + 14 * self._largest_px

    def encode_animation(self, frames: Iterator[tuple[Image, float]], size: Size) -> bytes:
        """Write each frame as it comes, with a palette of its own; Pillow's own writer would hold them all."""
        out = BytesIO()
        # Section 18: no global colour table.
        out.write(b"GIF89a" + struct.pack("<HHBBB", *size, 0x70, 0, 0))
        if self._loop is not None:
            out.write(b"!\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<HB", self._loop, 0))
        options: dict[str, Any] = {"disposal": _RESTORE_TO_BACKGROUND, "include_color_table": True}
        may_be_clear = not self._is_opaque
        if may_be_clear:
            # In every frame: else Pillow clears the area of an opaque frame to some colour.
            options["transparency"] = _TRANSPARENT_INDEX
        for frame, duration_ms in frames:
            paletted = _quantized(frame, may_be_clear=may_be_clear)
            out.writelines(getdata(paletted, duration=duration_ms, **options))
        out.write(b";")
        return out.getvalue()

    @property
    def _is_opaque(self) -> bool:
        """Whether no frame has transparent pixels."""
        first = self._frames[0]
        covers = (first.left_px, first.top_px, first.size) == (0, 0, self.size)
        is_cleared = first.disposal is not Disposal.KEEP or any(one.disposal is Disposal.CLEAR for one in self._frames)
        is_clear = any(frame.transparent_index is not None for frame in self._frames)
        return covers and not (is_cleared and self.frames > 1) and not is_clear

    def _pixels(self, frame: _Frame, deadline: Deadline) -> Pixels:
        # An index without a colour is transparent, like the transparent one.
        colours = np.zeros((256, 4), np.uint8)
        given = np.frombuffer(frame.colours, np.uint8).reshape(-1, 3)
        colours[: len(given), :3], colours[: len(given), 3] = given, 255
        if frame.transparent_index is not None:
            colours[frame.transparent_index] = 0
        values = colours.view(np.uint32)[:, 0].take(self._indices(frame, deadline))
        return values.view(np.uint8).reshape(frame.size[1], frame.size[0], 4)

    def _indices(self, frame: _Frame, deadline: Deadline) -> Pixels:
        deadline.check()
        if 0 in frame.size:
            return np.zeros(frame.size[::-1], np.uint8)
        data = self._data[slice(*frame.span)]
        if frame.code_bits == 1:
            rows = _from_two_bits(data, frame.size, deadline)
            # Appendix E: where each pass begins, and how far apart its rows are.
            passes = ((0, 8), (4, 8), (2, 4), (1, 2)) if frame.is_interlaced else ((0, 1),)
            order = [row for start, step in passes for row in range(start, frame.size[1], step)]
            return rows[np.argsort(order)]
        return np.asarray(frombytes("L", frame.size, data, "gif", frame.code_bits, frame.is_interlaced))

    def _read(self) -> None:
        """Find all frames, and the size of the canvas."""
        data = self._data
        width_px, height_px, packed = struct.unpack_from("<HHB", data, 6)
        self.size = width_px, height_px
        position, blocks, control = 13 + _color_table_bytes(packed), 0, _NO_CONTROL
        shared = data[13:position]
        # A file that ends between two blocks merely lacks its trailer.
        while position < len(data) and data[position] != _TRAILER:
            if spare := _SPARE_TERMINATORS.match(data, position):
                position = spare.end()
                continue
            start, label, is_image = position, data[position + 1], data[position] == _IMAGE
            if not is_image and data[position] != _EXTENSION:
                raise SyntaxError("there is something between two blocks")
            position += 11 + _color_table_bytes(data[position + 9]) if is_image else 2
            content_at = position
            while data[position]:
                position += data[position] + 1
                blocks += 1
            position += 1
            if len(self._frames) >= MOST_FRAMES or blocks > _MOST_BLOCKS:
                raise SyntaxError(f"more than {MOST_FRAMES} frames, or {_MOST_BLOCKS} blocks")
            if is_image:
                self._add_frame(data[start + 1 : content_at], control, shared, (content_at, position))
                control = _NO_CONTROL
            elif label == _CONTROL:
                control = data[content_at + 1 : content_at + 5]
            elif label == _APPLICATION and data[content_at : content_at + 14] in _LOOPS:
                (self._loop,) = struct.unpack_from("<H", data, content_at + 14)

    def _add_frame(self, descriptor: bytes, control: bytes, shared: bytes, span: tuple[int, int]) -> None:
        left_px, top_px, width_px, height_px, layout = struct.unpack_from("<4HB", descriptor)
        packed, hundredths, transparent_index = struct.unpack("<BHB", control)
        if not self._frames:
            # Browsers and Pillow let the first frame enlarge the canvas.
            self.size = max(self.size[0], left_px + width_px), max(self.size[1], top_px + height_px)
        frame = _Frame(
            (width_px, height_px),
            left_px,
            top_px,
            10 * hundredths,
            _DISPOSALS.get(packed >> 2 & 7, Disposal.KEEP),
            blends=True,
            is_interlaced=bool(layout & 0x40),
            colours=descriptor[9:-1] or shared or _GREYS,
            transparent_index=transparent_index if packed & 1 else None,
            code_bits=descriptor[-1],
            span=span,
        )
        self._frames.append(frame)


def _from_two_bits(blocks: bytes, size: Size, deadline: Deadline) -> Pixels:
    """Return the rows, as they come, from codes that start at two bits, which Pillow does not read: appendix F."""
    coded, at = bytearray(), 0
    while at < len(blocks):
        coded += blocks[at + 1 : at + 1 + blocks[at]]
        at += 1 + blocks[at]
    known, clear, end = [b"\0", b"\1", b"", b""], 2, 3
    words, previous, width, at = known.copy(), b"", 2, 0
    found = bytearray()
    while len(found) < size[0] * size[1]:
        deadline.check()
        code = int.from_bytes(coded[at >> 3 : (at >> 3) + 3], "little") >> (at & 7) & ((1 << width) - 1)
        at += width
        if at > 8 * len(coded) or code == end or code > len(words):
            raise EOFError("not enough image data")
        if code == clear:
            words, previous, width = known.copy(), b"", 2
            continue
        word = words[code] if code < len(words) else previous + previous[:1]
        found += word
        if previous and len(words) < _MOST_CODES:
            words.append(previous + word[:1])
        previous, width = word, min(len(words).bit_length(), _WIDEST_CODE_BITS)
    return np.frombuffer(found, np.uint8, size[0] * size[1]).reshape(size[::-1])


def _quantized(frame: Image, *, may_be_clear: bool) -> Image:
    """Return a frame in 256 colours, or in 255 and the transparent one."""
    colours = _TRANSPARENT_INDEX if may_be_clear else 256
    paletted = frame.convert("RGB").quantize(colours, Quantize.FASTOCTREE, dither=Dither.NONE)
    if not may_be_clear:
        return paletted
    if "A" in frame.getbands():
        clear = frame.getchannel("A").point([255 if alpha < _OPAQUE_FROM else 0 for alpha in range(256)])
        paletted.paste(_TRANSPARENT_INDEX, mask=clear)
    palette = paletted.getpalette() or []
    paletted.putpalette(palette + [0] * (768 - len(palette)))
    return paletted


def _color_table_bytes(packed: int) -> int:
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0
