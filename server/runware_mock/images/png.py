"""PNG: checked chunk by chunk before Pillow sees it, and written frame by frame when it moves."""

import struct
import zlib
from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO
from itertools import islice

from PIL.Image import Image
from PIL.PngImagePlugin import PngImageFile

from runware_mock.images import png_encoder
from runware_mock.images.png_encoder import chunk

_SIGNATURE_BYTES = 8
_length_and_kind = struct.Struct(">I4s").unpack_from
_checksum = struct.Struct(">I").unpack_from
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_BIT_DEPTH_AT = 24
# Pillow reads chunk by chunk in Python. An animation of 10,000 frames has 20,000.
_MOST_CHUNKS = 100_000
# "The IHDR chunk shall be the first chunk in the PNG datastream"; its length is 13.
_HEADER_BEGINS = b"\0\0\0\x0dIHDR"
_HEADER_AT, _HEADER_ENDS_AT = 8, 33
# Bit depth and colour type: grey and colours, with alpha and without, eight bits each.
_PLAIN_FORMS = frozenset((b"\x08\0", b"\x08\2", b"\x08\4", b"\x08\6"))
# Of which nothing is kept, or nothing told.
_PLAIN_CHUNKS = frozenset((b"IDAT", b"IEND", *_TEXTS))


def plain_size(data: bytes, most_px: int) -> tuple[int, int] | None:
    """Return width and height of a PNG of which `open_png` would tell no more, where no side is longer than `most_px`.

    None for any other, mostly at once. As there, every chunk is proved; what is broken is raised.
    """
    if len(data) < _HEADER_ENDS_AT or not data.startswith(_HEADER_BEGINS, _HEADER_AT):
        return None
    width_px, height_px, form, methods = struct.unpack_from(">II2s2s", data, _HEADER_AT + 8)
    if not 0 < width_px <= most_px or not 0 < height_px <= most_px or form not in _PLAIN_FORMS or methods != b"\0\0":
        return None
    last, has_pixels = b"", False
    for last, _, _ in islice(_chunks(data), 1, _MOST_CHUNKS):
        if last not in _PLAIN_CHUNKS:
            return None
        has_pixels |= last == b"IDAT"
    return (width_px, height_px) if has_pixels and last == b"IEND" else None


def open_png(file: BytesIO) -> PngImageFile:
    """Open a PNG that is whole and whose every chunk is intact; its texts are left out.

    Texts are not kept, may inflate a thousandfold, and Pillow lets one called "transparency" pass for the real thing.
    """
    data = file.getvalue()
    chunks = list(islice(_chunks(data), _MOST_CHUNKS + 1))
    if len(chunks) > _MOST_CHUNKS:
        raise SyntaxError(f"more than {_MOST_CHUNKS} chunks")
    if any(kind in _TEXTS for kind, _, _ in chunks):
        view = memoryview(data)
        kept = (view[start:end] for kind, start, end in chunks if kind not in _TEXTS)
        data = b"".join((view[:_SIGNATURE_BYTES], *kept))
    image = PngImageFile(BytesIO(data))
    if image.mode == "P" and image.palette is None:
        raise SyntaxError("the palette is missing")
    if "transparency" in image.info:
        image.info["transparency"] = _scaled_key(image, data[_BIT_DEPTH_AT])
    return image


def write_animation(
    frames: Iterator[tuple[Image, float]], count: int, loop: int, icc_profile: bytes | None, *, is_first_hidden: bool
) -> bytes:
    """Write every frame whole, as it comes; Pillow's own writer merges equal frames and holds them all.

    A first frame that is hidden is the picture shown by programs that know no animation.
    """
    out = BytesIO()
    sequence = 0
    for index, (frame, duration_ms) in enumerate(frames):
        data = png_encoder.encode(frame, icc_profile)
        chunks = list(_chunks(data))
        if index == 0:
            first_idat = next(start for kind, start, _ in chunks if kind == b"IDAT")
            out.write(data[:first_idat])
            out.write(chunk(b"acTL", struct.pack(">II", count - is_first_hidden, loop)))
        if index > 0 or not is_first_hidden:
            delay_s = Fraction(duration_ms / 1000).limit_denominator(0xFFFF)
            # PNG (third edition), 11.3.6.2: whole canvas, nothing disposed of, pixels overwritten.
            control = (sequence, *frame.size, 0, 0, delay_s.numerator, delay_s.denominator, 0, 0)
            out.write(chunk(b"fcTL", struct.pack(">5I2H2B", *control)))
            sequence += 1
        for kind, start, end in chunks:
            if kind == b"IDAT" and index == 0:
                out.write(data[start:end])
            elif kind == b"IDAT":
                out.write(chunk(b"fdAT", struct.pack(">I", sequence) + data[start + 8 : end - 4]))
                sequence += 1
    out.write(chunk(b"IEND", b""))
    return out.getvalue()


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of every chunk; raises where one is missing or damaged."""
    view = memoryview(data)
    start, kind = _SIGNATURE_BYTES, b""
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


def _scaled_key(image: PngImageFile, bit_depth: int) -> object:
    """Return the colour that stands for transparent, in the depth that Pillow decodes to."""
    key = image.info["transparency"]
    if image.mode == "L":
        return key * 255 // (2**bit_depth - 1)
    if image.mode == "RGB" and bit_depth == 16:  # noqa: PLR2004 - bits a sample
        return tuple(sample >> 8 for sample in key)
    return key
