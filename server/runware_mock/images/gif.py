"""GIF: taken apart block by block, its frames decoded one by one, and written frame by frame."""

import struct
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
from msgspec import Struct
from PIL.GifImagePlugin import getdata
from PIL.Image import Dither, Image, Quantize, frombytes

from runware_mock.images.animation import Disposal, Part, composited
from runware_mock.images.decoder import Decoder
from runware_mock.images.limits import MOST_FRAMES, Deadline
from runware_mock.images.resize import Pixels, Size, image_of

# GIF89a, sections 18 to 27: labels.
_TRAILER, _EXTENSION, _IMAGE = 0x3B, 0x21, 0x2C
_CONTROL, _APPLICATION = 0xF9, 0xFF
# Netscape's block of this name says how often to loop; other programs write it under the second name.
_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
# Section 23. 4 is what some encoders write for 3; browsers take it as such.
_DISPOSALS = {2: Disposal.CLEAR, 3: Disposal.RESTORE, 4: Disposal.RESTORE}
_RESTORE_TO_BACKGROUND = 2
# Read one by one in Python. Encoders fill each with 255 bytes.
_MOST_BLOCKS = 2_000_000

_OPAQUE_FROM = 128
_TRANSPARENT_INDEX = 255


class _Frame(Struct, frozen=True):
    left_px: int
    top_px: int
    width_px: int
    height_px: int
    is_interlaced: bool
    # Red, green and blue of each index.
    colours: bytes
    transparent_index: int | None
    disposal: Disposal
    duration_ms: float
    code_bits: int
    # Where the blocks of coded indices begin and end, the empty one at the end included.
    start: int
    end: int


class GifDecoder(Decoder):
    """A GIF whose blocks are all there; the trailer may be missing, as browsers do without it."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._loop: int | None = None
        self._frames: list[_Frame] = []
        try:
            self.size = self._read()
        except (IndexError, struct.error):
            raise EOFError("the file is truncated") from None
        self.frames = len(self._frames)
        if not self.frames or 0 in self.size:
            raise SyntaxError("there is no picture in it")
        self._check_work(self.frames, "frames")
        self._largest_px = max(frame.width_px * frame.height_px for frame in self._frames)

    @property
    def is_animated(self) -> bool:
        """A single frame is written like those of an animation."""
        return True

    def check_bytes(self) -> int:
        """Return about how much memory `check` takes."""
        return 4 * self._largest_px

    def check(self, deadline: Deadline) -> None:
        """Decode the indices of every frame."""
        for frame in self._frames:
            deadline.check()
            self._indices(frame)

    def image(self, deadline: Deadline, least: Size | None = None) -> Image:
        """Return the first frame in RGBA."""
        del least
        image = next(self.animation(deadline))[0].copy()
        image.info = {}
        return image

    def animation(self, deadline: Deadline) -> Iterator[tuple[Image, float]]:
        """Yield every frame as it looks, in RGB where it is opaque, else in RGBA."""
        for canvas, duration_ms in composited(self.size, self._parts(deadline)):
            image = image_of(canvas)
            yield image.convert("RGB") if canvas[..., 3].all() else image, duration_ms

    def downsize_bytes(self, size: Size) -> int:
        """Return about how much memory `downsized` takes."""
        return 16 * self.size[0] * self.size[1] + 14 * self._largest_px + 16 * size[0] * size[1]

    def encode(self, image: Image) -> bytes:
        """Return a GIF of one frame."""
        return self.encode_animation(iter([(image, 0)]), image.size)

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
            # In every frame: Pillow clears to some colour what an opaque frame covered.
            options["transparency"] = _TRANSPARENT_INDEX
        for frame, duration_ms in frames:
            paletted = _quantized(frame, may_be_clear=may_be_clear)
            out.writelines(getdata(paletted, duration=duration_ms, **options))
        out.write(b";")
        return out.getvalue()

    @property
    def _is_opaque(self) -> bool:
        """Whether no frame can be seen through."""
        first = self._frames[0]
        covers = (first.left_px, first.top_px, first.width_px, first.height_px) == (0, 0, *self.size)
        is_cleared = first.disposal is not Disposal.KEEP or any(one.disposal is Disposal.CLEAR for one in self._frames)
        is_clear = any(frame.transparent_index is not None for frame in self._frames)
        return covers and not (is_cleared and self.frames > 1) and not is_clear

    def _parts(self, deadline: Deadline) -> Iterator[Part]:
        for frame in self._frames:
            deadline.check()
            colours = np.zeros((256, 4), np.uint8)
            given = np.frombuffer(frame.colours, np.uint8).reshape(-1, 3)
            # An index that has no colour shows nothing, nor does the transparent one.
            colours[: len(given), :3] = given
            colours[: len(given), 3] = 255
            if frame.transparent_index is not None:
                colours[frame.transparent_index] = 0
            values = colours.view(np.uint32)[:, 0].take(self._indices(frame))
            pixels = values.view(np.uint8).reshape(frame.height_px, frame.width_px, 4)
            yield Part(pixels, frame.left_px, frame.top_px, frame.disposal, blends=True, duration_ms=frame.duration_ms)

    def _indices(self, frame: _Frame) -> Pixels:
        size = frame.width_px, frame.height_px
        if 0 in size:
            return np.zeros(size[::-1], np.uint8)
        data = self._data[frame.start : frame.end]
        return np.asarray(frombytes("L", size, data, "gif", frame.code_bits, frame.is_interlaced))

    def _read(self) -> Size:
        """Find all frames, and return the size of the canvas."""
        data = self._data
        width_px, height_px, packed = struct.unpack_from("<HHB", data, 6)
        position, blocks, control = 13 + _color_table_bytes(packed), 0, b"\0\0\0\0"
        shared = data[13:position]
        # A file that ends between two blocks merely lacks its trailer.
        while position < len(data) and data[position] != _TRAILER:
            label, start, is_image = data[position + 1], position, data[position] == _IMAGE
            if is_image:
                left, top, frame_width, frame_height, packed = struct.unpack_from("<4HB", data, position + 1)
                position += 11 + _color_table_bytes(packed)
            elif data[position] == _EXTENSION:
                position += 2
            else:
                raise SyntaxError("there is something between two blocks")
            content_at = position
            while data[position]:
                position += data[position] + 1
                blocks += 1
            position += 1
            if len(self._frames) >= MOST_FRAMES or blocks > _MOST_BLOCKS:
                raise SyntaxError(f"more than {MOST_FRAMES} frames, or {_MOST_BLOCKS} blocks")
            if is_image:
                if not self._frames:
                    # Browsers and Pillow let the first frame enlarge the canvas.
                    width_px, height_px = max(width_px, left + frame_width), max(height_px, top + frame_height)
                colours = data[start + 10 : content_at - 1] or shared
                place = (left, top, frame_width, frame_height, bool(packed & 0x40))
                frame = _frame(place, colours, control, data[content_at - 1], (content_at, position))
                self._frames.append(frame)
                control = b"\0\0\0\0"
            elif label == _CONTROL:
                control = data[content_at + 1 : content_at + 5]
            elif label == _APPLICATION:
                self._read_loop(data[content_at + 1 : position])
        return width_px, height_px

    def _read_loop(self, content: bytes) -> None:
        # Behind the name, the first byte is the length of the block, the next its kind.
        if content[:11] in _LOOPS and content[11:13] == b"\3\1":
            (self._loop,) = struct.unpack_from("<H", content, 13)


def _frame(
    place: tuple[int, int, int, int, bool], colours: bytes, control: bytes, code_bits: int, span: tuple[int, int]
) -> _Frame:
    packed, hundredths, transparent_index = struct.unpack("<BHB", control)
    # Without any colours, indices are shades of grey.
    colours = colours or bytes(shade for shade in range(256) for _ in range(3))
    disposal = _DISPOSALS.get(packed >> 2 & 7, Disposal.KEEP)
    transparent = transparent_index if packed & 1 else None
    return _Frame(*place, colours, transparent, disposal, 10 * hundredths, code_bits, *span)


def _quantized(frame: Image, *, may_be_clear: bool) -> Image:
    """Return a frame of 256 colours, or of 255 and the transparent one."""
    if not may_be_clear:
        return frame.convert("RGB").quantize(256, Quantize.FASTOCTREE, dither=Dither.NONE)
    paletted = frame.convert("RGB").quantize(_TRANSPARENT_INDEX, Quantize.FASTOCTREE, dither=Dither.NONE)
    if "A" in frame.getbands():
        clear = frame.getchannel("A").point([255 if alpha < _OPAQUE_FROM else 0 for alpha in range(256)])
        paletted.paste(_TRANSPARENT_INDEX, mask=clear)
    palette = paletted.getpalette() or []
    paletted.putpalette(palette + [0] * (768 - len(palette)))
    return paletted


def _color_table_bytes(packed: int) -> int:
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0
