"""PNG and APNG."""

import struct
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
from isal import igzip_lib, isal_zlib
from PIL.Image import Image, merge
from PIL.PngImagePlugin import PngImageFile

from runware_mock.images import png_writer
from runware_mock.images.animation import Disposal, Part, composited
from runware_mock.images.decoder import Decoder
from runware_mock.images.limits import Deadline
from runware_mock.images.png_chunks import FrameControl, FrameData, read_chunks
from runware_mock.images.png_writer import SIGNATURE, chunk
from runware_mock.images.resize import Pixels, Size, image_of, orientation

# PNG (third edition), table 12: colour types, and how many samples a pixel has.
_GREY, _COLOUR, _INDEXED, _GREY_ALPHA, _COLOUR_ALPHA = 0, 2, 3, 4, 6
_SAMPLES = {_GREY: 1, _COLOUR: 3, _INDEXED: 1, _GREY_ALPHA: 2, _COLOUR_ALPHA: 4}
_DEEP = 16
_LAST_FILTER = 4
# Adam7: where each pass begins, across and down, and how far apart its pixels are.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_PIECE_BYTES = 2**16
# Nobody needs a larger profile; a thousandth of it may inflate to that.
_MOST_ICC_BYTES = 2**26


class PngDecoder(Decoder):
    """A PNG whose chunks are intact. Pillow sees the pixels alone: texts may inflate a thousandfold."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._view = memoryview(data)
        self._chunks = found = read_chunks(data)
        self.size = found.width_px, found.height_px
        self.orientation = orientation(found.exif)
        self.frames = len(found.frames)
        self._check_work(self.frames, "frames")
        # Pillow decodes a mode of one bit or two samples in a byte or four for each pixel.
        self._pixel_bytes = 1 if found.colour_type in (_GREY, _INDEXED) else 4
        self._has_alpha = bool(found.transparency) or found.colour_type in (_GREY_ALPHA, _COLOUR_ALPHA)

    def check_bytes(self) -> int:
        """Return about how much memory `check` takes."""
        return 2 * _PIECE_BYTES

    def check(self, deadline: Deadline) -> None:
        """Inflate every row of every frame. What is left of decoding, to add rows up, cannot fail."""
        for frame in self._chunks.frames:
            self._check_rows(frame, deadline)

    def image(self, deadline: Deadline, least: Size | None = None) -> Image:
        """Return the picture, or the first frame that is meant to be seen."""
        del least
        if not self.is_animated:
            image = self._decoded(self._chunks.frames[0], deadline)
        else:
            frames = self.animation(deadline)
            image = next(frames)[0]
            if self._is_first_hidden:
                image = next(frames)[0]
            image = image.copy()
        image.info = {"icc_profile": profile} if (profile := self._icc_profile()) else {}
        return image

    def animation(self, deadline: Deadline) -> Iterator[tuple[Image, float]]:
        """Yield the hidden default image if there is one, then every frame as it looks."""
        if self._is_first_hidden:
            yield image_of(self._pixels(self._chunks.frames[0], deadline)), 0
        for canvas, duration_ms in composited(self.size, self._parts(deadline)):
            yield image_of(canvas), duration_ms

    def downsize_bytes(self, size: Size) -> int:
        """Return about how much memory `downsized` takes."""
        decoded_bytes, made_bytes = self._pixel_bytes, 0
        if self._chunks.bit_depth == 1 and self._chunks.colour_type == _GREY:
            made_bytes = 1
        if self._chunks.bit_depth == _DEEP and self._chunks.colour_type == _GREY:
            decoded_bytes, made_bytes = 2, 8 if self._has_alpha else 0
        elif self._chunks.bit_depth == _DEEP and self._chunks.transparency:
            made_bytes = 16
        elif self._has_alpha or self._chunks.colour_type == _INDEXED:
            # Pillow resizes a copy in which the colours are multiplied by alpha.
            made_bytes = 8 if self._has_alpha else 4
        if self.is_animated:
            made_bytes += 16
        pixels = self.size[0] * self.size[1]
        return (
            (decoded_bytes + made_bytes) * pixels
            + 4 * size[0] * self.size[1]
            + 12 * size[0] * size[1]
            + 2 * len(self._data)
        )

    def encode(self, image: Image) -> bytes:
        """Return a PNG with the colour chunks of this one."""
        return png_writer.encode(image, self._chunks.colour)

    def encode_animation(self, frames: Iterator[tuple[Image, float]], size: Size) -> bytes:
        """Return an APNG with the colour chunks of this one."""
        del size
        loop, colour = self._chunks.loop, self._chunks.colour
        return png_writer.encode_animation(frames, self.frames, loop, colour, is_first_hidden=self._is_first_hidden)

    def streamable(self) -> bytes | None:
        """Return the file without its ancillary chunks, unless its rows come in seven passes."""
        if self.is_animated or self._chunks.is_interlaced:
            return None
        if self._chunks.is_plain:
            return self._data
        return self._plain_file(self._chunks.frames[0], chunk(b"tRNS", self._chunks.transparency))

    @property
    def _is_first_hidden(self) -> bool:
        return self.is_animated and self._chunks.frames[0].control is None

    @property
    def _is_opaque(self) -> bool:
        """Whether no frame of an animation can be seen through."""
        shown = [frame.control for frame in self._chunks.frames if frame.control]
        covers = (shown[0].width_px, shown[0].height_px) == self.size and shown[0].disposal is Disposal.KEEP
        clears = any(control.disposal is Disposal.CLEAR for control in shown)
        return not self._has_alpha and covers and not clears

    def _parts(self, deadline: Deadline) -> Iterator[Part]:
        for index, frame in enumerate(frame for frame in self._chunks.frames if frame.control):
            deadline.check()
            control = frame.control or FrameControl(*self.size)
            # 12.9: "If the first fcTL chunk uses a dispose_op of APNG_DISPOSE_OP_PREVIOUS it should be treated as
            # APNG_DISPOSE_OP_BACKGROUND."
            is_first_restored = index == 0 and control.disposal is Disposal.RESTORE
            disposal = Disposal.CLEAR if is_first_restored else control.disposal
            pixels = self._pixels(frame, deadline)
            yield Part(pixels, control.left_px, control.top_px, disposal, control.blends, control.duration_ms)

    def _pixels(self, frame: FrameData, deadline: Deadline) -> Pixels:
        """Return a frame in the one mode of all frames: opaque as it is, else RGBA."""
        image = self._decoded(frame, deadline)
        if self._is_opaque:
            return np.asarray(image)
        if image.mode == "I;16":
            image = image_of((np.asarray(image) >> 8).astype(np.uint8))
        return np.asarray(image.convert("RGBA"))

    def _decoded(self, frame: FrameData, deadline: Deadline) -> Image:
        """Return one picture of the file in mode L, LA, RGB, RGBA or I;16."""
        self._check_rows(frame, deadline)
        kind, key = self._chunks.colour_type, self._chunks.transparency
        image: Image = self._read(frame, deadline)
        if kind == _INDEXED:
            return self._with_palette(image)
        if image.mode == "1":
            image = image.convert("L")
        if kind == _GREY_ALPHA and image.mode == "RGBA":
            # Pillow has no other mode for 16 bits of grey with alpha.
            return merge("LA", (image.getchannel("R"), image.getchannel("A")))
        return self._with_key(image, frame, deadline) if key and kind in (_GREY, _COLOUR) else image

    def _with_key(self, image: Image, frame: FrameData, deadline: Deadline) -> Image:
        """Return the picture with alpha in place of the colour that stands for transparent."""
        depth, key = (
            self._chunks.bit_depth,
            struct.unpack(f">{len(self._chunks.transparency) // 2}H", self._chunks.transparency),
        )
        if depth == _DEEP:
            is_grey = self._chunks.colour_type == _GREY
            return (
                self._deep_grey_with_key(image, key[0])
                if is_grey
                else self._deep_colour_with_key(image, frame, deadline)
            )
        most = (1 << depth) - 1
        samples = [(sample & most) * 255 // most for sample in key]
        image.info["transparency"] = samples[0] if len(samples) == 1 else tuple(samples)
        return image.convert("LA" if len(samples) == 1 else "RGBA")

    def _with_palette(self, image: Image) -> Image:
        if not self._chunks.transparency:
            return image.convert("RGB")
        colours = np.frombuffer(self._chunks.palette, np.uint8).reshape(-1, 3)[:256]
        alpha = np.full((len(colours), 1), 255, np.uint8)
        given = np.frombuffer(self._chunks.transparency, np.uint8)[: len(colours)]
        alpha[: len(given), 0] = given
        image.putpalette(np.hstack((colours, alpha)).tobytes(), "RGBA")
        return image.convert("RGBA")

    def _deep_grey_with_key(self, image: Image, key: int) -> Image:
        samples = np.asarray(image)
        alpha = np.where(samples == key, 0, 255).astype(np.uint8)
        return merge("LA", (image_of((samples >> 8).astype(np.uint8)), image_of(alpha)))

    def _deep_colour_with_key(self, image: Image, frame: FrameData, deadline: Deadline) -> Image:
        """Compare all 16 bits: Pillow decodes the high bytes, and as if they came first, the low ones."""
        key = np.frombuffer(self._chunks.transparency, np.uint8)
        is_key = (np.asarray(image) == key[0::2]).all(axis=2)
        is_key &= (np.asarray(self._read(frame, deadline, "RGB;16L")) == key[1::2]).all(axis=2)
        image = image.convert("RGB")
        image.putalpha(image_of(np.where(is_key, 0, 255).astype(np.uint8)))
        return image

    def _read(self, frame: FrameData, deadline: Deadline, layout: str | None = None) -> PngImageFile:
        image = PngImageFile(_TimedFile(self._plain_file(frame), deadline))
        if layout:
            image.tile = [tile._replace(args=layout) for tile in image.tile]
        image.load()
        return image

    def _plain_file(self, frame: FrameData, transparency: bytes = b"") -> bytes:
        found, control = self._chunks, frame.control
        size = (control.width_px, control.height_px) if control else self.size
        header = struct.pack(">IIBBBBB", *size, found.bit_depth, found.colour_type, 0, 0, found.is_interlaced)
        pieces = [SIGNATURE, chunk(b"IHDR", header), chunk(b"PLTE", found.palette) if found.palette else b""]
        pieces.append(transparency if found.transparency else b"")
        pieces.append(chunk(b"IDAT", b"".join(self._view[start:end] for start, end in frame.spans)))
        return b"".join((*pieces, chunk(b"IEND", b"")))

    def _check_rows(self, frame: FrameData, deadline: Deadline) -> None:
        """Inflate all rows; Pillow and libvips take missing ones for black."""
        rows = self._rows(frame)
        row_bytes, left_bytes = next(rows)
        position = 0
        for inflated in self._inflated(frame, deadline):
            start = 0
            while start < len(inflated) and left_bytes:
                end = min(len(inflated), start + left_bytes)
                filters = inflated[start + -position % row_bytes : end : row_bytes]
                if filters and max(filters) > _LAST_FILTER:
                    raise SyntaxError("a row has an unknown filter")
                position, left_bytes, start = position + end - start, left_bytes - end + start, end
                if not left_bytes:
                    row_bytes, left_bytes = next(rows, (1, 0))
                    position = 0
            if not left_bytes:
                return
        raise EOFError("rows are missing")

    def _inflated(self, frame: FrameData, deadline: Deadline) -> Iterator[bytes]:
        """Yield the rows in pieces that take no memory to speak of."""
        inflater = isal_zlib.decompressobj()
        for start, end in frame.spans:
            data: bytes | memoryview = self._view[start:end]
            inflated = bytes(_PIECE_BYTES)
            # A full piece may have left more to come, though there is no more to go in.
            while data or len(inflated) == _PIECE_BYTES:
                deadline.check()
                inflated = _inflate(inflater, data, _PIECE_BYTES)
                yield inflated
                data = inflater.unconsumed_tail

    def _rows(self, frame: FrameData) -> Iterator[tuple[int, int]]:
        """Yield for each pass the bytes of a row with its filter type, and of all its rows."""
        found, control = self._chunks, frame.control
        width_px, height_px = (control.width_px, control.height_px) if control else self.size
        if found.colour_type not in _SAMPLES:
            raise SyntaxError("an unknown colour type")
        bits = found.bit_depth * _SAMPLES[found.colour_type]
        for left, top, across, down in _PASSES if found.is_interlaced else ((0, 0, 1, 1),):
            columns, rows = -(-(width_px - left) // across), -(-(height_px - top) // down)
            if columns > 0 and rows > 0:
                row_bytes = 1 + (columns * bits + 7) // 8
                yield row_bytes, row_bytes * rows

    def _icc_profile(self) -> bytes | None:
        """Return the ICC profile, None where it is broken or absurdly large."""
        _, _, packed = self._chunks.icc.partition(b"\0")
        inflater = isal_zlib.decompressobj()
        try:
            profile = _inflate(inflater, packed[1:], _MOST_ICC_BYTES) if packed else b""
        except ValueError:
            return None
        return profile if inflater.eof else None


def _inflate(inflater: Any, data: bytes | memoryview, max_bytes: int = 0) -> bytes:
    """Return what comes out of more data; raises ValueError."""
    try:
        inflated: bytes = inflater.decompress(data, max_bytes)
    except igzip_lib.IsalError as error:  # type: ignore[misc] # the stubs take the class for an instance
        raise ValueError(f"the compressed data are broken: {error}") from None
    return inflated


class _TimedFile(BytesIO):
    """Pillow reads some kilobytes at a time: so a few that inflate hugely are given up in time."""

    def __init__(self, data: bytes, deadline: Deadline) -> None:
        super().__init__(data)
        self._deadline = deadline

    def read(self, size: int | None = -1, /) -> bytes:
        """Return what comes next; raises TookTooLong."""
        self._deadline.check()
        return super().read(size)
