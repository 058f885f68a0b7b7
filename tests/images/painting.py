"""Test pictures, the same on every run: photo-like, with a corner of its own colour in each corner."""

import random
import struct
import zlib
from functools import cache
from io import BytesIO

from PIL import Image, ImageCms, ImageDraw

# Top left, top right, bottom left, bottom right: they tell which way a picture was turned.
CORNERS = ("red", "green", "blue", "yellow")
_COLORS = {"red": (220, 20, 30), "green": (20, 170, 60), "blue": (25, 40, 210), "yellow": (235, 215, 40)}

Size = tuple[int, int]

# Larger than what is stored as it is, and saved at this size.
LARGE: Size = (2400, 600)
LARGE_SAVED: Size = (2048, 512)


@cache
def photo(size: Size = LARGE) -> Image.Image:
    """Paint soft light, shade and grain in RGB; callers must not change the picture."""
    shade = Image.linear_gradient("L").resize(size)
    light = Image.radial_gradient("L").resize(size)
    grain = Image.frombytes("L", (64, 64), random.Random(2026).randbytes(64 * 64)).resize(size)
    colors = Image.merge("RGB", (light, shade, light.transpose(Image.Transpose.FLIP_LEFT_RIGHT)))
    picture = Image.blend(colors, Image.merge("RGB", (grain, grain, grain)), 0.15)
    draw = ImageDraw.Draw(picture)
    (width, height), side = size, corner_side(size)
    places = [(0, 0), (width - side, 0), (0, height - side), (width - side, height - side)]
    for name, (left, top) in zip(CORNERS, places, strict=True):
        draw.rectangle((left, top, left + side - 1, top + side - 1), fill=_COLORS[name])
    return picture


def corner_side(size: Size) -> int:
    """Return the side of a corner's square."""
    return max(1, min(size) // 4)


def corners(picture: Image.Image) -> tuple[str, ...]:
    """Name the colour in the middle of each corner."""
    (width, height), inset = picture.size, corner_side(picture.size) // 2
    colors = picture.convert("RGB")
    places = [(inset, inset), (width - 1 - inset, inset), (inset, height - 1 - inset)]
    return tuple(_name(colors.getpixel(place)) for place in [*places, (width - 1 - inset, height - 1 - inset)])


def _name(color: object) -> str:
    assert isinstance(color, tuple)
    distances = {name: sum(abs(a - b) for a, b in zip(color, known, strict=True)) for name, known in _COLORS.items()}
    nearest = min(distances, key=distances.__getitem__)
    return nearest if distances[nearest] < 100 else f"none of them: {color}"


@cache
def see_through(size: Size = LARGE) -> Image.Image:
    """Paint the photo in RGBA, clear on the left, opaque on the right and half of each between."""
    picture = photo(size).convert("RGBA")
    alpha = Image.new("L", size, 128)
    third = size[0] // 3
    alpha.paste(0, (0, 0, third, size[1]))
    alpha.paste(255, (2 * third, 0, *size))
    picture.putalpha(alpha)
    return picture


@cache
def icc_profile() -> bytes:
    """Return a real colour profile."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def encoded(picture: Image.Image, format_name: str, **options: object) -> bytes:
    """Return the picture as a file."""
    if format_name == "PNG":
        options.setdefault("compress_level", 1)
    out = BytesIO()
    picture.save(out, format_name, **options)
    return out.getvalue()


def exif(orientation: int) -> Image.Exif:
    """Return metadata as a camera writes it."""
    tags = Image.Exif()
    tags[0x010F] = "Camera"
    tags[0x0112] = orientation
    return tags


def clip(size: Size, count: int) -> list[Image.Image]:
    """Paint an animation in RGBA: a square wanders over clear ground and changes its colour."""
    frames = []
    side = max(1, size[1] // 2)
    for index in range(count):
        frame = Image.new("RGBA", size)
        left = index * (size[0] - side) // max(1, count - 1)
        color = (250 - 40 * (index % 6), 30 + 35 * (index % 5), 60 * (index % 4), 255)
        ImageDraw.Draw(frame).rectangle((left, side // 2, left + side - 1, side // 2 + side - 1), fill=color)
        frames.append(frame)
    return frames


def moving(frames: list[Image.Image], format_name: str, **options: object) -> bytes:
    """Return the frames as one animated file."""
    return encoded(frames[0], format_name, save_all=True, append_images=frames[1:], **options)


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """Return one chunk of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def raw_png(size: Size, bit_depth: int, color_type: int, pixel: bytes, *chunks: bytes) -> bytes:
    """Return a PNG of one colour in a layout that Pillow does not write; `pixel` holds as many pixels as fill it."""
    pixels_each = max(1, 8 // bit_depth) if color_type in (0, 3) else 1
    rows = (b"\0" + pixel * -(-size[0] // pixels_each)) * size[1]
    header = struct.pack(">IIBBBBB", *size, bit_depth, color_type, 0, 0, 0)
    body = [png_chunk(b"IHDR", header), *chunks, png_chunk(b"IDAT", zlib.compress(rows)), png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def one_color_png(side_px: int) -> bytes:
    """Return a huge black RGB PNG in no time: the same compressed row, repeated."""
    row = bytes(1 + 3 * side_px)
    squeeze = zlib.compressobj(9, wbits=-15)
    block = squeeze.compress(row) + squeeze.flush(zlib.Z_FULL_FLUSH)
    # zlib.adler32 of zeros alone: the low half stays 1, the high half counts them.
    checksum = (len(row) * side_px % 65521) << 16 | 1
    pixels = b"\x78\xda" + block * side_px + b"\x03\0" + struct.pack(">I", checksum)
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", side_px, side_px, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")


def one_pixel_gif(frames: int, size: Size = (1, 1)) -> bytes:
    """Return an animated GIF of the fewest bytes a frame."""
    header = b"GIF89a" + struct.pack("<HH", *size) + b"\x80\0\0" + b"\x14\x28\x3c\xff\xff\xff"
    frame = b"!\xf9\x04\0\x0a\0\0\0" + b",\0\0\0\0\x01\0\x01\0\0" + b"\x02\x02\x44\x01\0"
    return header + frame * frames + b";"


def interlaced_png(picture: Image.Image) -> bytes:
    """Return a grey picture as a PNG in the seven passes of Adam7, which Pillow does not write."""
    (width, height), pixels = picture.size, picture.tobytes()
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    rows = b"".join(
        b"\0" + pixels[y * width + left : (y + 1) * width : step]
        for left, top, step, step_down in passes
        for y in range(top, height, step_down)
        if left < width
    )
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 1))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
