"""Downsize an animation: every frame, its duration and the loop count are kept."""

import struct
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from PIL.GifImagePlugin import getdata
from PIL.Image import Dither, Image, Quantize
from PIL.ImageFile import ImageFile

from runware_mock.images.still import QUALITY, RESAMPLING, resizable

_OPAQUE_FROM = 128
_TRANSPARENT_INDEX = 255
_RESTORE_TO_BACKGROUND = 2


def count_frames(image: ImageFile) -> int:
    """Return the number of frames, 1 for a still picture."""
    return int(getattr(image, "n_frames", 1))


def memory_bytes(name: str, image: ImageFile, frames: int, size: tuple[int, int]) -> int:
    """Return about what `downsize` needs: GIF is written frame by frame, the others hold all small frames."""
    held = 2 if name == "gif" else frames
    return 12 * image.width * image.height + held * 4 * size[0] * size[1]


def downsize(name: str, image: ImageFile, size: tuple[int, int]) -> bytes:
    """Return the encoded animation."""
    return _gif(image, size) if name == "gif" else _other(name, image, size)


def _frames(image: ImageFile, size: tuple[int, int]) -> Iterator[tuple[Image, float]]:
    for index in range(count_frames(image)):
        image.seek(index)
        image.load()
        yield resizable(image).resize(size, RESAMPLING), image.info.get("duration", 0)


def _gif(image: ImageFile, size: tuple[int, int]) -> bytes:
    """Write each frame as it comes, with a palette of its own; Pillow's own writer would hold them all."""
    out = BytesIO()
    # GIF89a, section 18: no global colour table.
    out.write(b"GIF89a" + struct.pack("<HHBBB", *size, 0x70, 0, 0))
    if "loop" in image.info:
        out.write(b"!\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<HB", image.info["loop"], 0))
    for frame, duration_ms in _frames(image, size):
        paletted, options = _quantized(frame)
        options |= {"duration": duration_ms, "disposal": _RESTORE_TO_BACKGROUND, "include_color_table": True}
        out.writelines(getdata(paletted, **options))
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


def _other(name: str, image: ImageFile, size: tuple[int, int]) -> bytes:
    frames, durations_ms = zip(*_frames(image, size), strict=True)
    options = {"quality": QUALITY, "method": 0} if name == "webp" else {"compress_level": 1}
    out = BytesIO()
    frames[0].save(
        out,
        name,
        save_all=True,
        append_images=frames[1:],
        duration=durations_ms,
        loop=image.info.get("loop", 0),
        icc_profile=image.info.get("icc_profile"),
        **options,
    )
    return out.getvalue()
