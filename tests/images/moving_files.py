"""Animations written byte by byte, so that their frames lie and behave as no program of Pillow's writes them."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from tests.images.painting import Size, png_chunk

Rgba = tuple[int, int, int, int]


@dataclass(frozen=True)
class Patch:
    """One frame: a rectangle of one colour, or of the given rows."""

    size: Size
    at: tuple[int, int] = (0, 0)
    colour: tuple[int, ...] | int = 0
    disposal: int = 0
    blend: int = 0
    transparent_index: int | None = None
    duration_cs: int = 10
    colour_table: bytes = b""


def lzw(indices: bytes) -> bytes:
    """Code indices of 8 bits as GIF does, with a clear code before the table ever grows."""
    codes = [code for start in range(0, len(indices), 250) for code in (256, *indices[start : start + 250])] + [257]
    bits = sum(code << 9 * place for place, code in enumerate(codes))
    coded = bits.to_bytes((9 * len(codes) + 7) // 8, "little")
    blocks = [coded[start : start + 255] for start in range(0, len(coded), 255)]
    return b"\x08" + b"".join(bytes((len(block),)) + block for block in blocks) + b"\0"


def gif(canvas: Size, table: Sequence[tuple[int, int, int]], patches: Sequence[Patch], extra: bytes = b"") -> bytes:
    """Return a GIF of a shared table of 256 colours; a patch's colour is an index. `extra` follows the first frame."""
    out = b"GIF89a" + struct.pack("<HHBBB", *canvas, 0xF7 if table else 0x70, 0, 0)
    out += b"".join(bytes(colour) for colour in table) + bytes(3 * (256 - len(table)) if table else 0)
    for patch in patches:
        assert isinstance(patch.colour, int)
        packed = patch.disposal << 2 | (patch.transparent_index is not None)
        out += b"!\xf9\x04" + struct.pack("<BHBx", packed, patch.duration_cs, patch.transparent_index or 0)
        out += b"," + struct.pack("<4HB", *patch.at, *patch.size, 0)
        out += lzw(bytes((patch.colour,)) * (patch.size[0] * patch.size[1]))
        out += extra
        extra = b""
    return out + b";"


def png_rows(size: Size, pixel: bytes) -> bytes:
    """Return the compressed rows of one colour."""
    return zlib.compress((b"\0" + pixel * size[0]) * size[1])


def apng(
    canvas: Size,
    form: tuple[int, int],
    patches: Sequence[Patch],
    *chunks: bytes,
    hidden: bytes | None = None,
    loops: int = 0,
) -> bytes:
    """Return an APNG of a bit depth and colour type; `hidden` is the pixel of a default image that is no frame."""
    depth, colour_type = form
    out = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">IIBBBBB", *canvas, depth, colour_type, 0, 0, 0))
    out += b"".join(chunks) + png_chunk(b"acTL", struct.pack(">II", len(patches), loops))
    sequence = 0
    if hidden is not None:
        out += png_chunk(b"IDAT", png_rows(canvas, hidden))
    for index, patch in enumerate(patches):
        assert isinstance(patch.colour, tuple)
        control = (sequence, *patch.size, *patch.at, patch.duration_cs, 100, patch.disposal, patch.blend)
        out += png_chunk(b"fcTL", struct.pack(">5I2H2B", *control))
        rows = png_rows(patch.size, b"".join(value.to_bytes(max(1, depth // 8)) for value in patch.colour))
        if index == 0 and hidden is None:
            out += png_chunk(b"IDAT", rows)
            sequence += 1
        else:
            out += png_chunk(b"fdAT", struct.pack(">I", sequence + 1) + rows)
            sequence += 2
    return out + png_chunk(b"IEND", b"")
