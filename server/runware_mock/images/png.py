"""PNG and APNG: inflated here, so that nothing is missing, and decoded by Pillow."""

import zlib
from collections.abc import Callable, Iterator
from functools import cached_property
from io import BytesIO
from itertools import islice

import numpy as np
from isal import igzip_lib
from PIL.Image import Image
from PIL.PngImagePlugin import PngImageFile

from runware_mock.images import png_chunks
from runware_mock.images.animation import Disposal, composited
from runware_mock.images.decoder import Decoder
from runware_mock.images.limits import Deadline
from runware_mock.images.png_chunks import COLOUR_ALPHA, GREY, GREY_ALPHA, INDEXED, SAMPLES, PngFrame, Span, chunk
from runware_mock.images.resize import Pixels, Size, image_of, in_8_bits, orientation

_DEEP = 16
_LAST_FILTER = 4
# Adam7: where each pass begins, across and down, and how far apart its pixels are.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_PIECE_BYTES = 2**16
# RFC 1950, 2.2: a valid header of deflated data without a preset dictionary, and one with the largest window.
_ZLIB_FIXED_BITS, _ZLIB_DEFLATE, _ZLIB_CHECK, _ZLIB_LARGEST_WINDOW = 0x8F20, 0x0800, 31, b"\x78\x01"
# Nobody needs a larger profile; a thousandth of that may inflate to it.
_MOST_ICC_BYTES = 2**26


class PngDecoder(Decoder):
    """A PNG whose chunks are intact. Pillow sees the pixels alone: texts may inflate a thousandfold."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._chunks = found = png_chunks.read_chunks(data)
        self.size = found.size
        self.orientation = orientation(found.exif)
        self.frames = len(found.frames)
        self._check_work(self.frames, "frames")
        self._pixel_bits = found.bit_depth * SAMPLES[found.colour_type]
        self._has_alpha = bool(found.transparency) or found.colour_type in (GREY_ALPHA, COLOUR_ALPHA)
        is_deep, is_indexed = found.bit_depth == _DEEP, found.colour_type == INDEXED
        # Pillow decodes a sample to one byte, or two of deep grey, and several together to four. Then there are copies:
        # colours multiplied by alpha, deep ones compared with their key, indexed ones looked up, canvases.
        self.pixel_bytes = 4 if SAMPLES[found.colour_type] > 1 else 2 if is_deep else 1
        self.pixel_bytes += 8 if self._has_alpha else 4 if is_indexed else 1 if found.bit_depth == 1 else 0
        self.pixel_bytes += (8 if is_deep and found.transparency else 0) + (16 if self.is_animated else 0)

    def needed_bytes(self, size: Size | None = None) -> int:
        """Return roughly the memory needed: pieces and a row for `check`, else also the file without other chunks."""
        if size is None:
            return 2 * _PIECE_BYTES + self.size[0] * self._pixel_bits // 8
        return super().needed_bytes(size) + 2 * len(self._data)

    def check(self, deadline: Deadline) -> None:
        """Inflate every row of every frame. The rest of decoding, undoing the filters, cannot fail."""
        for frame in self._chunks.frames:
            self._check_rows(frame, deadline)

    def image(self, deadline: Deadline, least: Size) -> Image:
        """Return the picture, or the first frame that is meant to be seen."""
        if not self.is_animated:
            return self._decoded(self._chunks.frames[0], deadline)
        if not self._chunks.frames[0].is_hidden:
            return super().image(deadline, least)
        _, (image, _) = islice(self.animation(deadline), 2)
        return image

    def animation(self, deadline: Deadline) -> Iterator[tuple[Image, float]]:
        """Yield the hidden default image, if there is one, then every composited frame."""
        default = self._chunks.frames[0]
        if default.is_hidden:
            yield image_of(self._pixels(default, deadline)), 0
        shown = ((frame, self._pixels(frame, deadline)) for frame in self._chunks.frames if not frame.is_hidden)
        for canvas, duration_ms in composited(self.size, shown):
            yield image_of(canvas), duration_ms

    def encode(self, image: Image) -> bytes:
        """Return a PNG with the colour chunks of this one."""
        return png_chunks.encode(image, self._chunks.colour)

    def encode_animation(self, frames: Iterator[tuple[Image, float]], size: Size) -> bytes:
        """Return an APNG with the loop count and the colour chunks of this one."""
        del size
        return png_chunks.encode_animation(frames, self._chunks)

    def streamable(self, *, fits: bool) -> bytes | None:
        """Return the file without its ancillary chunks, unless its rows come in seven passes."""
        del fits
        is_in_rows = not self.is_animated and not self._chunks.is_interlaced
        return self._plain_file(self._chunks.frames[0]) if is_in_rows else None

    @property
    def _is_opaque(self) -> bool:
        """Whether no frame of an animation has transparent pixels."""
        first, *others = [frame for frame in self._chunks.frames if not frame.is_hidden]
        covers = first.size == self.size and first.disposal is Disposal.KEEP
        return not self._has_alpha and covers and all(frame.disposal is not Disposal.CLEAR for frame in others)

    def _pixels(self, frame: PngFrame, deadline: Deadline) -> Pixels:
        """Return a frame in the common mode of all frames: unchanged if opaque, else RGBA."""
        image = self._decoded(frame, deadline)
        if self._is_opaque:
            return np.asarray(image)
        return np.asarray(in_8_bits(image).convert("RGBA"))

    def _decoded(self, frame: PngFrame, deadline: Deadline) -> Image:
        """Return one picture of the file in mode L, LA, RGB, RGBA or I;16."""
        self._check_rows(frame, deadline)
        image = self._read(frame, deadline)
        if self._chunks.colour_type == INDEXED:
            return image.convert("RGBA" if self._has_alpha else "RGB")
        if self._chunks.colour_type == GREY_ALPHA:
            return image.convert("LA")
        if image.mode == "1":
            image = image.convert("L")
        return self._with_key(image, frame, deadline) if self._chunks.transparency else image

    def _with_key(self, image: Image, frame: PngFrame, deadline: Deadline) -> Image:
        """Return the picture with alpha instead of the colour that means transparent."""
        depth, key = self._chunks.bit_depth, np.frombuffer(self._chunks.transparency, ">u2")
        pixels = np.asarray(image).reshape(image.height, image.width, -1)
        if depth < _DEEP:
            most = (1 << depth) - 1
            is_key = pixels == (key & most) * 255 // most
        elif self._chunks.colour_type == GREY:
            is_key, pixels = pixels == key, (pixels >> 8).astype(np.uint8)
        else:
            # Pillow decodes the high bytes, and as if they came first, the low ones.
            low = np.asarray(self._read(frame, deadline, "RGB;16L"))
            is_key = (pixels == key >> 8) & (low == key & 255)
        return image_of(np.dstack((pixels, np.where(is_key.all(axis=2), 0, 255).astype(np.uint8))))

    def _read(self, frame: PngFrame, deadline: Deadline, layout: str | None = None) -> Image:
        image = PngImageFile(_TimedFile(self._plain_file(frame), deadline))
        if layout:
            image.tile = [tile._replace(args=layout) for tile in image.tile]
        image.load()
        return image

    def _plain_file(self, frame: PngFrame) -> bytes:
        """Return a file of one frame without ancillary chunks, except that of transparency."""
        found, view = self._chunks, memoryview(self._data)
        pieces = [png_chunks.head(frame.size, found.bit_depth, found.colour_type, is_interlaced=found.is_interlaced)]
        for kind, content in ((b"PLTE", found.palette), (b"tRNS", found.transparency)):
            pieces += [chunk(kind, content)] if content else []
        compressed = bytearray().join(view[start:end] for start, end in frame.spans)
        header = int.from_bytes(compressed[:2])
        if header & _ZLIB_FIXED_BITS == _ZLIB_DEFLATE and header % _ZLIB_CHECK == 0:
            # Some encoders state a smaller window than they use, and libvips takes their word for it.
            compressed[:2] = _ZLIB_LARGEST_WINDOW
        pieces.append(chunk(b"IDAT", compressed))
        return b"".join((*pieces, chunk(b"IEND", b"")))

    def _check_rows(self, frame: PngFrame, deadline: Deadline) -> None:
        """Inflate all rows, some at a time: Pillow and libvips would show missing ones as black."""
        inflate = _inflater(memoryview(self._data), frame.spans, deadline)
        for row_bytes, rows in self._passes(frame.size):
            rows_at_once = max(1, _PIECE_BYTES // row_bytes)
            for first in range(0, rows, rows_at_once):
                inflated = inflate(min(rows_at_once, rows - first) * row_bytes)
                if max(inflated[::row_bytes]) > _LAST_FILTER:
                    raise SyntaxError("a row has an unknown filter")

    def _passes(self, size: Size) -> Iterator[tuple[int, int]]:
        """Yield for each pass the bytes of a row, with its filter type, and the number of rows."""
        for left, top, across, down in _PASSES if self._chunks.is_interlaced else ((0, 0, 1, 1),):
            columns, rows = -(-(size[0] - left) // across), -(-(size[1] - top) // down)
            if columns > 0 and rows > 0:
                yield 1 + (columns * self._pixel_bits + 7) // 8, rows

    @cached_property
    def icc_profile(self) -> bytes | None:
        """The ICC profile, or None if it is broken or absurdly large."""
        _, _, packed = self._chunks.icc.partition(b"\0")
        inflater = zlib.decompressobj()
        try:
            profile = inflater.decompress(packed[1:], _MOST_ICC_BYTES)
        except zlib.error:
            return None
        return profile if inflater.eof else None


def _inflater(view: memoryview, spans: list[Span], deadline: Deadline) -> Callable[[int], bytearray]:
    """Return a function that inflates the given number of further bytes; it raises EOFError if there are fewer."""
    inflater = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_ZLIB)
    pieces = (view[at : min(at + _PIECE_BYTES, end)] for start, end in spans for at in range(start, end, _PIECE_BYTES))

    def inflate(count: int) -> bytearray:
        inflated = bytearray()
        while len(inflated) < count:
            deadline.check()
            piece = next(pieces, None) if inflater.needs_input else b""
            if piece is None or inflater.eof:
                raise EOFError("rows are missing")
            inflated += inflater.decompress(piece, count - len(inflated))
        return inflated

    return inflate


class _TimedFile(BytesIO):
    """A file that stops Pillow in time if a few bytes inflate hugely, since it reads some kilobytes at a time."""

    def __init__(self, data: bytes, deadline: Deadline) -> None:
        super().__init__(data)
        self._deadline = deadline

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes; raises TookTooLong."""
        self._deadline.check()
        return super().read(size)
