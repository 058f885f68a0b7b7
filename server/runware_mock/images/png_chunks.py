"""A PNG taken apart into chunks, each checked before anything is decoded."""

import struct
import zlib
from collections.abc import Iterator

from msgspec import Struct, field

from runware_mock.images.animation import Disposal

_SIGNATURE_BYTES = 8
# Read one by one in Python. An animation of 10,000 frames has 20,000.
_MOST_CHUNKS = 100_000
# PNG (third edition), 5.6: all that come before the pixels and say how their colours are meant.
_COLOUR_CHUNKS = (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"mDCV", b"cLLI")
_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
# Chunks without which pixels are missing; of others a broken one is left out, as browsers do.
_HOLDS_PIXELS = (b"fcTL", b"fdAT")
# Chunks that no decoder inflates or stumbles over.
_PLAIN = (*_CRITICAL, b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"pHYs")
# Table 12: grey and colours; those with alpha have none that stands for transparent.
_KEY_BYTES = {0: 2, 2: 6}
_length_and_kind = struct.Struct(">I4s").unpack_from
_header = struct.Struct(">IIBBBBB")
_control = struct.Struct(">5I2H2B")
# 12.9: "dispose_op"; and fcTL, "If the value of the denominator is 0, the decoder MUST act as if it was 100".
_DISPOSALS = (Disposal.KEEP, Disposal.CLEAR, Disposal.RESTORE)
_DEFAULT_DENOMINATOR = 100


class FrameControl(Struct, frozen=True):
    """Where the pixels of a frame belong, and how: the fcTL chunk."""

    width_px: int
    height_px: int
    left_px: int = 0
    top_px: int = 0
    duration_ms: float = 0
    disposal: Disposal = Disposal.KEEP
    blends: bool = False


class FrameData(Struct):
    """One picture of the file, and the spans of the file that hold its compressed rows. No control: it is hidden."""

    control: FrameControl | None
    spans: list[tuple[int, int]] = field(default_factory=list)


class PngChunks(Struct):
    """What a PNG consists of; `frames` begins with the default image."""

    width_px: int
    height_px: int
    bit_depth: int
    colour_type: int
    is_interlaced: bool
    frames: list[FrameData]
    palette: bytes = b""
    transparency: bytes = b""
    colour: bytes = b""
    icc: bytes = b""
    exif: bytes = b""
    loop: int = 0
    promised: int = 0
    next_sequence: int = 0
    is_plain: bool = True


def read_chunks(data: bytes) -> PngChunks:
    """Take a file apart; raises EOFError or SyntaxError where it is not whole."""
    pieces = _chunks(data)
    kind, start, end = next(pieces)
    found = _read_header(kind, data[start + 8 : end - 4])
    for number, (kind, start, end) in enumerate(pieces, start=1):
        if number >= _MOST_CHUNKS:
            raise SyntaxError(f"more than {_MOST_CHUNKS} chunks")
        found.is_plain &= kind in _PLAIN
        _take(found, data, kind, start, end)
    if not found.frames[0].spans:
        raise SyntaxError("no image data")
    if found.promised:
        _check_frames(found)
    if found.colour_type == 3 and not found.palette:  # noqa: PLR2004 - table 12: indexed colour
        raise SyntaxError("the palette is missing")
    return found


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of every chunk that is intact or can be left out."""
    view = memoryview(data)
    start, kind = _SIGNATURE_BYTES, b""
    while kind != b"IEND":
        if len(data) < start + 12:
            raise EOFError("the file is truncated")
        length, kind = _length_and_kind(data, start)
        end = start + 12 + length
        if len(data) < end:
            raise EOFError("the file is truncated")
        is_intact = zlib.crc32(view[start + 4 : end - 4]) == int.from_bytes(view[end - 4 : end])
        is_critical = not kind[0] & 0x20
        if not is_intact and (is_critical or kind in _HOLDS_PIXELS):
            raise SyntaxError(f"the checksum of the chunk {kind!r} is wrong")
        if is_critical and kind not in _CRITICAL:
            raise SyntaxError(f"the critical chunk {kind!r} is not part of the standard")
        yield kind if is_intact else b"", start, end
        start = end


def _read_header(kind: bytes, content: bytes) -> PngChunks:
    if kind != b"IHDR" or len(content) != _header.size:
        raise SyntaxError("the first chunk is no header")
    width_px, height_px, bit_depth, colour_type, compression, filtering, interlace = _header.unpack(content)
    if not width_px or not height_px:
        raise SyntaxError("a side has no extent")
    if compression or filtering or interlace > 1:
        raise SyntaxError("an unknown method of compression, filtering or interlacing")
    return PngChunks(width_px, height_px, bit_depth, colour_type, bool(interlace), [FrameData(None)])


def _take(found: PngChunks, data: bytes, kind: bytes, start: int, end: int) -> None:
    default = found.frames[0]
    if kind == b"IDAT":
        default.spans.append((start + 8, end - 4))
    elif kind in _HOLDS_PIXELS:
        if found.promised:
            _add_frame(found, kind, data[start + 8 : start + 34], (start + 12, end - 4))
    elif kind == b"eXIf":
        found.exif = data[start + 8 : end - 4]
    elif not default.spans:
        _add_before_pixels(found, kind, data[start + 8 : end - 4], data[start:end])


def _add_before_pixels(found: PngChunks, kind: bytes, content: bytes, whole: bytes) -> None:
    if kind == b"acTL":
        found.promised, found.loop = struct.unpack(">II", content)
    elif kind == b"PLTE":
        found.palette = content
    elif kind == b"tRNS":
        # One sample, three, or an alpha for each colour of the palette; as browsers do, others are left out.
        is_whole = len(content) == _KEY_BYTES.get(found.colour_type, len(content))
        found.transparency = content if is_whole and found.colour_type in (*_KEY_BYTES, 3) else b""
    elif kind in _COLOUR_CHUNKS:
        found.colour += whole
        if kind == b"iCCP":
            found.icc = content


def _add_frame(found: PngChunks, kind: bytes, content: bytes, span: tuple[int, int]) -> None:
    if content[:4] != struct.pack(">I", found.next_sequence):
        raise SyntaxError("the frames are out of order")
    found.next_sequence += 1
    if kind == b"fdAT":
        if len(found.frames) == 1 or not found.frames[-1].control:
            raise SyntaxError("a frame has pixels and no header")
        found.frames[-1].spans.append(span)
        return
    if len(content) != _control.size:
        raise SyntaxError("a frame's header is broken")
    _, width_px, height_px, left_px, top_px, numerator, denominator, disposal, blend = _control.unpack(content)
    if not width_px or not height_px or left_px + width_px > found.width_px or top_px + height_px > found.height_px:
        raise SyntaxError("a frame leaves the canvas")
    if disposal >= len(_DISPOSALS) or blend > 1:
        raise SyntaxError("a frame's header is broken")
    control = FrameControl(
        *(width_px, height_px, left_px, top_px),
        duration_ms=1000 * numerator / (denominator or _DEFAULT_DENOMINATOR),
        disposal=_DISPOSALS[disposal],
        blends=blend == 1,
    )
    default = found.frames[0]
    if default.spans or default.control:
        found.frames.append(FrameData(control))
    else:
        default.control = control


def _check_frames(found: PngChunks) -> None:
    promised = found.promised
    default = found.frames[0].control
    if default and (default.width_px, default.height_px) != (found.width_px, found.height_px):
        raise SyntaxError("the first frame is not as large as the picture")
    hidden = not default
    if len(found.frames) - hidden < promised or not all(frame.spans for frame in found.frames):
        raise SyntaxError(f"{promised} frames are promised, and not all of them are there")
    del found.frames[promised + hidden :]
