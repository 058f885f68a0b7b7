"""Make every upload a different file without encoding it again.

The mock decodes a file it has seen before only once, so a bench that sends the same bytes twice measures a lookup. Each
format has a place for a comment; a counter goes there, and only the base64 around it is encoded per request.
"""

import struct
import zlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass

PNG_SIGNATURE_AND_IHDR_BYTES = 33
GIF_SCREEN_BYTES = 13


def jpeg_comment(text: bytes) -> bytes:
    """Return a COM segment."""
    return b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text


def png_text(text: bytes) -> bytes:
    """Return a tEXt chunk with its CRC."""
    body = b"tEXtComment\0" + text
    length = struct.pack(">I", len(body) - 4)
    return length + body + struct.pack(">I", zlib.crc32(body))


def gif_comment(text: bytes) -> bytes:
    """Return a comment extension of one block."""
    return b"\x21\xfe" + bytes((len(text),)) + text + b"\0"


def webp_unknown(text: bytes) -> bytes:
    """Return a chunk that WebP readers must skip; the text has even length."""
    return b"note" + struct.pack("<I", len(text)) + text


@dataclass(frozen=True)
class Stamp:
    """Where a file takes a comment: between `before` and `after`."""

    before: bytes
    after: bytes
    comment: Callable[[bytes], bytes]


def webp_stamp(raw: bytes, size_px: tuple[int, int]) -> Stamp:
    """Leave room at the end; only the extended format allows other chunks."""
    chunks = raw[12:]
    if chunks[:4] == b"VP8 ":
        canvas = b"".join(struct.pack("<I", side - 1)[:3] for side in size_px)
        chunks = b"VP8X" + struct.pack("<I", 10) + bytes(4) + canvas + chunks
    room_bytes = len(webp_unknown(text_of(0)))
    riff = struct.pack("<I", 4 + len(chunks) + room_bytes)
    return Stamp(b"RIFF" + riff + b"WEBP" + chunks, b"", webp_unknown)


def stamp_for(raw: bytes, kind: str, size_px: tuple[int, int]) -> Stamp:
    """Find the place for a comment in an encoded picture."""
    if kind == "WEBP":
        return webp_stamp(raw, size_px)
    if kind == "JPEG":
        cut, comment = 2, jpeg_comment
    elif kind == "PNG":
        cut, comment = PNG_SIGNATURE_AND_IHDR_BYTES, png_text
    else:
        flags = raw[10]
        palette_bytes = 3 << (flags & 7) + 1 if flags & 0x80 else 0
        cut, comment = GIF_SCREEN_BYTES + palette_bytes, gif_comment
    return Stamp(raw[:cut], raw[cut:], comment)


def text_of(number: int) -> bytes:
    """Return the comment for a request number; its length never changes."""
    return b"upload %010d." % number


class Variants:
    """The base64 of one picture, different for every number."""

    def __init__(self, raw: bytes, kind: str, size_px: tuple[int, int]) -> None:
        """Encode once all that does not change."""
        stamp = stamp_for(raw, kind, size_px)
        # base64 turns 3 bytes into 4, so the cuts must fall on multiples of 3.
        cut = len(stamp.before) // 3 * 3
        self._lead = stamp.before[cut:]
        self._comment = stamp.comment
        changing_bytes = len(self._lead) + len(stamp.comment(text_of(0)))
        borrowed = -changing_bytes % 3
        self._trail = stamp.after[:borrowed]
        self._prefix = b64encode(stamp.before[:cut])
        self._suffix = b64encode(stamp.after[borrowed:])

    def base64_parts(self, number: int) -> tuple[bytes, bytes, bytes]:
        """Return the pieces whose concatenation is the base64 of one file."""
        comment = self._comment(text_of(number))
        changing = b64encode(self._lead + comment + self._trail)
        return self._prefix, changing, self._suffix
