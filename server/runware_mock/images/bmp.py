"""BMP of every kind that browsers show: any depth and masks, run lengths, OS/2 headers, colour profiles.

Microsoft's "Bitmap Storage" and BITMAPV5HEADER; OS/2's headers as in "OS/2 2.0 Presentation Manager Reference".
"""

import struct
from collections.abc import Iterator
from io import BytesIO

import numpy as np
from msgspec import Struct
from PIL.Image import Image, frombuffer

from runware_mock.images.decoder import Decoder
from runware_mock.images.limits import Deadline
from runware_mock.images.resize import Pixels, Size, image_of

Masks = tuple[int, int, int, int]

_FILE_HEADER_BYTES = 14
_CORE_HEADER_BYTES, _INFO_HEADER_BYTES, _V4_HEADER_BYTES, _V5_HEADER_BYTES = 12, 40, 108, 124
_THREE_MASKS_HEADER_BYTES = 52
# OS/2's second header may end after any of its fields; these lengths are Microsoft's.
_OS2_HEADER_BYTES = frozenset(range(16, 65)) - {_INFO_HEADER_BYTES, _THREE_MASKS_HEADER_BYTES, 56}
_info_header = struct.Struct("<IiiHHIIiiII")
_MASKS_AT, _ALPHA_MASK_AT, _COLOUR_SPACE_AT, _GAMMA_END_AT = 54, 66, 70, 122
# biCompression, and the possible bits of a pixel. With an OS/2 header, 3 and 4 mean something else.
_RGB, _RLE8, _RLE4, _BITFIELDS, _ALPHABITFIELDS, _RLE24 = 0, 1, 2, 3, 6, 4
_OS2_BITS = {_RGB: (1, 2, 4, 8, 16, 24, 32), _RLE8: (8,), _RLE4: (4,), _RLE24: (24,)}
_BITS = {_RGB: _OS2_BITS[_RGB], _RLE8: (8,), _RLE4: (4,), _BITFIELDS: (16, 24, 32), _ALPHABITFIELDS: (16, 24, 32)}
_RLE_BITS = {_RLE8: 8, _RLE4: 4, _RLE24: 24}
_MOST_INDEXED_BITS = 8
_NO_MASKS = (0, 0, 0, 0)
_DEFAULT_MASKS = {16: (0x7C00, 0x3E0, 0x1F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}
_RGBA_MASKS = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
# The layouts that Pillow's raw decoder knows, by bits and masks; others are taken apart here.
_LAYOUTS = {
    (1, _NO_MASKS): ("P", "P;1"),
    (2, _NO_MASKS): ("P", "P;2"),
    (4, _NO_MASKS): ("P", "P;4"),
    (8, _NO_MASKS): ("P", "P"),
    (24, _NO_MASKS): ("RGB", "BGR"),
    (16, _DEFAULT_MASKS[16]): ("RGB", "BGR;15"),
    (16, (0xF800, 0x7E0, 0x1F, 0)): ("RGB", "BGR;16"),
    (32, _DEFAULT_MASKS[32]): ("RGB", "BGRX"),
    (32, _RGBA_MASKS): ("RGBA", "BGRA"),
}
# Run lengths are expanded one by one in Python; few programs write them.
_RUN_LENGTH_CODED_LIMIT_PX = 2**26
# bV5CSType: colours by the endpoints and gammas of the header, or by a profile in the file; else they are sRGB.
_CALIBRATED, _EMBEDDED, _SRGB = 0, 0x4D424544, 0x73524742


class _Header(Struct):
    """The header, of any of the seven kinds."""

    size: Size
    is_top_down: bool
    bits: int
    compression: int
    masks: Masks
    # Red, green and blue of each index.
    colours: Pixels
    pixels_at: int
    # bV5CSType with what follows it up to the gammas, the rendering intent, and the profile.
    colour_space: bytes = b""
    intent: int = 0
    profile: bytes = b""


class BmpDecoder(Decoder):
    """A BMP whose header makes sense."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._header = header = _read_header(data)
        self.size = header.size
        is_coded = header.compression in _RLE_BITS
        if is_coded and self.size[0] * self.size[1] > _RUN_LENGTH_CODED_LIMIT_PX:
            raise SyntaxError(f"run-length coded, and more than {_RUN_LENGTH_CODED_LIMIT_PX} pixels")
        # An index and its colour; for unknown masks the 32-bit value, one sample as a float, and the samples twice.
        is_known = (header.bits, header.masks) in _LAYOUTS
        self.pixel_bytes = 10 if is_coded else 5 if len(header.colours) else 4 if is_known else 20
        self.pixel_bytes += 4 if header.masks[3] else 0
        self.icc_profile = header.profile or None

    def image(self, deadline: Deadline, least: Size) -> Image:
        """Return the picture in L, RGB or RGBA."""
        del least
        deadline.check()
        return self._run_lengths(deadline) if self._header.compression in _RLE_BITS else self._plain()

    def encode(self, image: Image) -> bytes:
        """Return a BMP of 8, 24 or 32 bits with the colour space of this one."""
        header, has_alpha = self._header, image.mode == "RGBA"
        out = BytesIO()
        image.info = {}
        image.save(out, "BMP")
        file = out.getvalue()
        if not header.colour_space and not has_alpha:
            return file
        # Alpha, like colour spaces, needs a header that Pillow does not write.
        pixels = file[_FILE_HEADER_BYTES + _INFO_HEADER_BYTES :]
        _, *size_and_bits, _, size_bytes, _, _, used, _ = _info_header.unpack_from(file, _FILE_HEADER_BYTES)
        compression = _BITFIELDS if has_alpha else _RGB
        info = _info_header.pack(_V5_HEADER_BYTES, *size_and_bits, compression, size_bytes, 0, 0, used, 0)
        info += struct.pack("<4I", *(_RGBA_MASKS if has_alpha else _NO_MASKS))
        info += header.colour_space or struct.pack("<I48x", _SRGB)
        # bV5ProfileData: "The offset, in bytes, from the beginning of the BITMAPV5HEADER structure".
        profile_at = _V5_HEADER_BYTES + len(pixels) if header.profile else 0
        info += struct.pack("<4I", header.intent, profile_at, len(header.profile), 0)
        start = _FILE_HEADER_BYTES + _V5_HEADER_BYTES + 4 * used
        total_bytes = _FILE_HEADER_BYTES + _V5_HEADER_BYTES + len(pixels) + len(header.profile)
        return b"".join((struct.pack("<2sIII", b"BM", total_bytes, 0, start), info, pixels, header.profile))

    def _plain(self) -> Image:
        header, (width_px, height_px) = self._header, self.size
        stride = (width_px * header.bits + 31) // 32 * 4
        # Some programs leave out the padding of the last row.
        needed_bytes = stride * (height_px - 1) + (width_px * header.bits + 7) // 8
        rows = np.frombuffer(self._data, np.uint8)[header.pixels_at : header.pixels_at + stride * height_px]
        if len(rows) < needed_bytes:
            raise EOFError("rows are missing")
        rows = np.resize(rows, (height_px, stride)) if len(rows) < stride * height_px else rows
        layout = _LAYOUTS.get((header.bits, header.masks))
        if layout is None:
            return self._masked(rows.view(f"<u{header.bits // 8}").reshape(height_px, -1))
        mode, raw = layout
        # The last argument: 1 for rows from the top down, -1 for the other way.
        image = frombuffer(mode, self.size, rows, "raw", raw, stride, 1 if header.is_top_down else -1)
        return self._with_palette(image) if mode == "P" else image

    def _with_palette(self, image: Image) -> Image:
        colours = self._header.colours
        image.putpalette(colours.tobytes())
        return image.convert("L" if (colours == colours[:, :1]).all() else "RGB")

    def _masked(self, values: Pixels) -> Image:
        """Return the colours that arbitrary masks select from 16 or 32 bits, stretched to 8."""
        values = values[:, : self.size[0]].astype(np.uint32)
        if not self._header.is_top_down:
            values = values[::-1]
        masks = self._header.masks
        bands = [np.rint((values & mask) * (255 / max(1, mask))).astype(np.uint8) for mask in masks]
        return image_of(np.dstack(bands if masks[3] else bands[:3]))

    def _run_lengths(self, deadline: Deadline) -> Image:
        """Return the expanded picture; pixels that no run covers are transparent, as in browsers."""
        width_px, height_px = self.size
        bits = _RLE_BITS[self._header.compression]
        pixels = np.zeros((height_px, width_px, 3 if bits == 24 else 1), np.uint8)  # noqa: PLR2004 - bits
        is_covered = np.zeros((height_px, width_px), bool)
        for column, row, run in _runs(self._data, self._header.pixels_at, bits, self.size, deadline):
            end = min(width_px, column + len(run))
            pixels[row, column:end] = run[: end - column]
            is_covered[row, column:end] = True
        # Blue comes first.
        order = slice(None, None, 1 if self._header.is_top_down else -1)
        image = image_of(pixels[order, :, ::-1])
        image = self._with_palette(image) if image.mode == "L" else image
        if not is_covered.all():
            image = image.convert("RGBA")
            image.putalpha(image_of(is_covered[order].astype(np.uint8) * 255))
        return image


def _read_header(data: bytes) -> _Header:
    pixels_at, header_bytes = struct.unpack_from("<II", data, 10)
    is_core = header_bytes == _CORE_HEADER_BYTES
    if not is_core and header_bytes < _INFO_HEADER_BYTES and header_bytes not in _OS2_HEADER_BYTES:
        raise SyntaxError(f"a header of {header_bytes} bytes")
    width_px, height_px, _, bits = struct.unpack_from("<4H" if is_core else "<iiHH", data, 18)
    # The missing rest of a shorter header counts as 0.
    known = b"" if is_core else data[30 : _FILE_HEADER_BYTES + header_bytes]
    compression, _, _, _, used, _ = struct.unpack_from("<6I", known.ljust(24, b"\0"))
    if width_px <= 0 or not height_px:
        raise SyntaxError("a side has no extent")
    kinds = _OS2_BITS if header_bytes in _OS2_HEADER_BYTES else _BITS
    if bits not in kinds.get(compression, ()):
        raise SyntaxError(f"{bits} bits a pixel with the compression {compression}")
    masks, end = _DEFAULT_MASKS.get(bits, _NO_MASKS), _FILE_HEADER_BYTES + header_bytes
    if compression in (_BITFIELDS, _ALPHABITFIELDS) and bits in _DEFAULT_MASKS:
        # The masks of a short header follow it.
        is_alpha_behind = header_bytes == _INFO_HEADER_BYTES and compression == _ALPHABITFIELDS
        count = 4 if header_bytes > _THREE_MASKS_HEADER_BYTES or is_alpha_behind else 3
        red, green, blue, *alpha = struct.unpack_from(f"<{count}I", data, _MASKS_AT)
        masks, end = (red, green, blue, alpha[0] if alpha else 0), max(end, _MASKS_AT + 4 * count)
    if compression == _RGB and bits == 32 and header_bytes >= _V4_HEADER_BYTES:  # noqa: PLR2004 - bits
        # "valid only if bV5Compression is set to BI_BITFIELDS" is said of the other masks alone.
        masks = (*masks[:3], *struct.unpack_from("<I", data, _ALPHA_MASK_AT))
    entry_bytes = 3 if is_core else 4
    count = 0 if bits > _MOST_INDEXED_BITS else min(used or 1 << bits, 256)
    entries = np.frombuffer(data[end : end + count * entry_bytes], np.uint8)
    entries = entries[: len(entries) // entry_bytes * entry_bytes].reshape(-1, entry_bytes)
    # Some programs leave `pixels_at` at 0.
    pixels_at = pixels_at or end + entries.size
    colours = entries[: 1 << bits, 2::-1]
    found = _Header((width_px, abs(height_px)), height_px < 0, bits, compression, masks, colours, pixels_at)
    if header_bytes >= _V4_HEADER_BYTES:
        _read_colour_space(data, header_bytes, found)
    return found


def _read_colour_space(data: bytes, header_bytes: int, header: _Header) -> None:
    (kind,) = struct.unpack_from("<I", data, _COLOUR_SPACE_AT)
    if kind == _CALIBRATED:
        header.colour_space = data[_COLOUR_SPACE_AT:_GAMMA_END_AT]
    if header_bytes >= _V5_HEADER_BYTES:
        header.intent, at, length = struct.unpack_from("<3I", data, _GAMMA_END_AT)
        start = _FILE_HEADER_BYTES + at
        if kind == _EMBEDDED and length and len(data) >= start + length:
            header.colour_space = struct.pack("<I48x", _EMBEDDED)
            header.profile = data[start : start + length]


def _runs(data: bytes, at: int, bits: int, size: Size, deadline: Deadline) -> Iterator[tuple[int, int, Pixels]]:
    """Yield column, row and pixels of each run until the picture ends, complete or not."""
    column = row = 0
    pixel_bytes = max(1, bits // 8)
    while row < size[1]:
        if len(data) < at + 2:
            if row == size[1] - 1 and column >= size[0]:
                return
            raise EOFError("rows are missing")
        count, value = data[at], data[at + 1]
        at += 2
        if count:
            yield column, row, _pixels(data[at - 1 : at - 1 + pixel_bytes], count, bits)
            column, at = column + count, at - 1 + pixel_bytes
        elif value == 0:
            deadline.check()
            column, row = 0, row + 1
        elif value == 1:
            return
        elif value == 2:  # noqa: PLR2004 - "Delta"
            across, down = struct.unpack_from("<BB", data, at)
            column, row, at = column + across, row + down, at + 2
        else:
            length = (value * bits + 7) // 8
            if len(data) < at + length:
                raise EOFError("rows are missing")
            yield column, row, _pixels(data[at : at + length], value, bits)
            # "Each run must be aligned on a word boundary."
            column, at = column + value, at + length + length % 2


def _pixels(data: bytes, count: int, bits: int) -> Pixels:
    """Return `count` pixels, repeating the data if there are fewer."""
    values = np.frombuffer(data, np.uint8)
    if bits == 4:  # noqa: PLR2004 - bits
        values = np.column_stack((values >> 4, values & 15)).ravel()
    return np.resize(values, (count, 3 if bits == 24 else 1))  # noqa: PLR2004 - bits
