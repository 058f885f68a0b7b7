"""PNG: checked chunk by chunk before Pillow sees it, and written frame by frame when it moves."""

import struct
from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO
from itertools import islice

from PIL.Image import Image
from PIL.PngImagePlugin import PngImageFile

from runware_mock.images import png_encoder
from runware_mock.images.png_chunks import MOST_CHUNKS, SIGNATURE_BYTES, TEXTS, chunks
from runware_mock.images.png_encoder import chunk

_BIT_DEPTH_AT = 24


def open_png(file: BytesIO) -> PngImageFile:
    """Open a PNG that is whole and whose every chunk is intact; its texts are left out.

    Texts are not kept, may inflate a thousandfold, and Pillow lets one called "transparency" pass for the real thing.
    """
    data = file.getvalue()
    found = list(islice(chunks(data), MOST_CHUNKS + 1))
    if len(found) > MOST_CHUNKS:
        raise SyntaxError(f"more than {MOST_CHUNKS} chunks")
    if any(kind in TEXTS for kind, _, _ in found):
        view = memoryview(data)
        kept = (view[start:end] for kind, start, end in found if kind not in TEXTS)
        data = b"".join((view[:SIGNATURE_BYTES], *kept))
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
        pieces = list(chunks(data))
        if index == 0:
            first_idat = next(start for kind, start, _ in pieces if kind == b"IDAT")
            out.write(data[:first_idat])
            out.write(chunk(b"acTL", struct.pack(">II", count - is_first_hidden, loop)))
        if index > 0 or not is_first_hidden:
            delay_s = Fraction(duration_ms / 1000).limit_denominator(0xFFFF)
            # PNG (third edition), 11.3.6.2: whole canvas, nothing disposed of, pixels overwritten.
            control = (sequence, *frame.size, 0, 0, delay_s.numerator, delay_s.denominator, 0, 0)
            out.write(chunk(b"fcTL", struct.pack(">5I2H2B", *control)))
            sequence += 1
        for kind, start, end in pieces:
            if kind == b"IDAT" and index == 0:
                out.write(data[start:end])
            elif kind == b"IDAT":
                out.write(chunk(b"fdAT", struct.pack(">I", sequence) + data[start + 8 : end - 4]))
                sequence += 1
    out.write(chunk(b"IEND", b""))
    return out.getvalue()


def _scaled_key(image: PngImageFile, bit_depth: int) -> object:
    """Return the colour that stands for transparent, in the depth that Pillow decodes to."""
    key = image.info["transparency"]
    if image.mode == "L":
        return key * 255 // (2**bit_depth - 1)
    if image.mode == "RGB" and bit_depth == 16:  # noqa: PLR2004 - bits a sample
        return tuple(sample >> 8 for sample in key)
    return key
