"""A PNG chunk by chunk, which proves it whole: without Pillow, whose import takes a seventh of a start."""

import struct
import zlib
from collections.abc import Iterator
from itertools import islice

SIGNATURE_BYTES = 8
TEXTS = (b"tEXt", b"zTXt", b"iTXt")
# Pillow reads chunk by chunk in Python. An animation of 10,000 frames has 20,000.
MOST_CHUNKS = 100_000
_length_and_kind = struct.Struct(">I4s").unpack_from
_checksum = struct.Struct(">I").unpack_from
# "The IHDR chunk shall be the first chunk in the PNG datastream"; its length is 13.
_HEADER_BEGINS = b"\0\0\0\x0dIHDR"
_HEADER_AT, _HEADER_ENDS_AT = 8, 33
# Bit depth and colour type: grey and colours, with alpha and without, eight bits each.
_PLAIN_FORMS = frozenset((b"\x08\0", b"\x08\2", b"\x08\4", b"\x08\6"))
# Of which nothing is kept, or nothing told.
_PLAIN_CHUNKS = frozenset((b"IDAT", b"IEND", *TEXTS))
# What `chunks` raises.
_BROKEN = (EOFError, SyntaxError)


def plain_size(data: bytes, most_px: int) -> tuple[int, int] | None:
    """Return width and height of a PNG of which `open_png` would tell no more, where no side is longer than `most_px`.

    None for any other, mostly at once, and for what is broken: as there, every chunk is proved.
    """
    if len(data) < _HEADER_ENDS_AT or not data.startswith(_HEADER_BEGINS, _HEADER_AT):
        return None
    width_px, height_px, form, methods = struct.unpack_from(">II2s2s", data, _HEADER_AT + 8)
    if not 0 < width_px <= most_px or not 0 < height_px <= most_px or form not in _PLAIN_FORMS or methods != b"\0\0":
        return None
    last, has_pixels = b"", False
    try:
        for last, _, _ in islice(chunks(data), 1, MOST_CHUNKS):
            if last not in _PLAIN_CHUNKS:
                return None
            has_pixels |= last == b"IDAT"
    except _BROKEN:
        return None
    return (width_px, height_px) if has_pixels and last == b"IEND" else None


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of every chunk; raises where one is missing or damaged."""
    view = memoryview(data)
    start, kind = SIGNATURE_BYTES, b""
    while kind != b"IEND":
        if len(data) < start + 12:
            raise EOFError("the file is truncated")
        length, kind = _length_and_kind(data, start)
        end = start + 12 + length
        if len(data) < end:
            raise EOFError("the file is truncated")
        if (zlib.crc32(view[start + 4 : end - 4]),) != _checksum(data, end - 4):
            raise SyntaxError(f"the checksum of the chunk {kind!r} is wrong")
        yield kind, start, end
        start = end
