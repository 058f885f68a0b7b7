"""GIF: walked block by block before Pillow decodes it, and written frame by frame."""

import struct
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from PIL.GifImagePlugin import GifImageFile, getdata
from PIL.Image import Dither, Image, Quantize

from runware_mock.images.resize import MOST_FRAMES

_TRAILER = 0x3B
_EXTENSION = 0x21
_IMAGE = 0x2C

_OPAQUE_FROM = 128
_TRANSPARENT_INDEX = 255
_RESTORE_TO_BACKGROUND = 2

# Pillow reads block by block in Python. Encoders fill each with 255 bytes.
_MOST_BLOCKS = 2_000_000


def open_gif(file: BytesIO) -> GifImageFile:
    """Open a GIF that reaches its trailer and whose frames stay on its canvas.

    Pillow takes the end of the file for the end of the animation, lets a late frame enlarge the canvas to whatever it
    likes, and looks for a block byte by byte where there is none.
    """
    try:
        _walk(file.getvalue())
    except (IndexError, struct.error):
        raise EOFError("the file is truncated") from None
    return GifImageFile(file)


def write_animation(frames: Iterator[tuple[Image, float]], size: tuple[int, int], loop: int | None) -> bytes:
    """Write each frame as it comes, with a palette of its own; Pillow's own writer would hold them all."""
    out = BytesIO()
    # GIF89a, section 18: no global colour table.
    out.write(b"GIF89a" + struct.pack("<HHBBB", *size, 0x70, 0, 0))
    if loop is not None:
        out.write(b"!\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<HB", loop, 0))
    for frame, duration_ms in frames:
        paletted, transparency = _quantized(frame)
        out.writelines(
            getdata(
                paletted,
                duration=duration_ms,
                disposal=_RESTORE_TO_BACKGROUND,
                include_color_table=True,
                **transparency,
            )
        )
    out.write(b";")
    return out.getvalue()


def _quantized(frame: Image) -> tuple[Image, dict[str, Any]]:
    if "A" not in frame.getbands():
        return frame.convert("RGB").quantize(256, Quantize.FASTOCTREE, dither=Dither.NONE), {}
    paletted = frame.convert("RGB").quantize(_TRANSPARENT_INDEX, Quantize.FASTOCTREE, dither=Dither.NONE)
    clear = frame.getchannel("A").point([255 if alpha < _OPAQUE_FROM else 0 for alpha in range(256)])
    paletted.paste(_TRANSPARENT_INDEX, mask=clear)
    palette = paletted.getpalette() or []
    paletted.putpalette(palette + [0] * (768 - len(palette)))
    return paletted, {"transparency": _TRANSPARENT_INDEX}


def _walk(data: bytes) -> None:
    canvas_width, canvas_height, packed = struct.unpack_from("<HHB", data, 6)
    position, blocks, frames = 13 + _color_table_bytes(packed), 0, 0
    while data[position] != _TRAILER:
        if data[position] == _EXTENSION:
            position += 2
        elif data[position] == _IMAGE:
            left, top, width, height, packed = struct.unpack_from("<4HB", data, position + 1)
            if frames == 0:
                # As Pillow has it.
                canvas_width, canvas_height = max(canvas_width, left + width), max(canvas_height, top + height)
            if left + width > canvas_width or top + height > canvas_height:
                raise SyntaxError("a frame leaves the canvas")
            position += 11 + _color_table_bytes(packed)
            frames += 1
        else:
            raise SyntaxError("there is something between two blocks")
        while data[position]:
            position += data[position] + 1
            blocks += 1
        position += 1
        if frames > MOST_FRAMES or blocks > _MOST_BLOCKS:
            raise SyntaxError(f"more than {MOST_FRAMES} frames, or {_MOST_BLOCKS} blocks")


def _color_table_bytes(packed: int) -> int:
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0
