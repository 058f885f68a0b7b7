"""BMP of every kind that browsers show: any depth and masks, run lengths, OS/2 headers, colour profiles.

Microsoft's "Bitmap Storage" and BITMAPV5HEADER; OS/2's headers as in "OS/2 2.0 Presentation Manager Reference".
"""

import struct
from collections.abc import Iterator

import numpy as np
from msgspec import Struct
from PIL.Image import Image, frombuffer

from runware_mock.images.decoder import Decoder
from runware_mock.images.limits import Deadline
from runware_mock.images.resize import Pixels, Size, image_of, pixels_of

_FILE_HEADER_BYTES = 14
_CORE_HEADER_BYTES, _INFO_HEADER_BYTES, _V4_HEADER_BYTES, _V5_HEADER_BYTES = 12, 40, 108, 124
_OS2_HEADER_BYTES = (16, 64)
_MASKS_AT = 40
# biCompression. With an OS/2 header, 3 and 4 mean something else.
_RGB, _RLE8, _RLE4, _BITFIELDS, _ALPHABITFIELDS, _RLE24 = 0, 1, 2, 3, 6, 4
_RLE_BITS = {_RLE8: 8, _RLE4: 4, _RLE24: 24}
# The layouts that Pillow's raw decoder knows, by bits and masks; others are taken apart here.
_LAYOUTS = {1: ("P", "P;1"), 2: ("P", "P;2"), 4: ("P", "P;4"), 8: ("P", "P"), 24: ("RGB", "BGR")}
_DEFAULT_MASKS = {16: (0x7C00, 0x3E0, 0x1F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}
_KNOWN_MASKS = {
    (16, (0x7C00, 0x3E0, 0x1F, 0)): ("RGB", "BGR;15"),
    (16, (0xF800, 0x7E0, 0x1F, 0)): ("RGB", "BGR;16"),
    (32, (0xFF0000, 0xFF00, 0xFF, 0)): ("RGB", "BGRX"),
    (32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000)): ("RGBA", "BGRA"),
}
# Run lengths are expanded one by one in Python; few programs write any.
_RUN_LENGTH_CODED_LIMIT_PX = 2**26
# bV5CSType: colours by the endpoints and gammas of the header, or by a profile in the file; else they are sRGB.
_CALIBRATED, _EMBEDDED, _SRGB = 0, 0x4D424544, 0x73524742
_RGBA = 4


class _Header(Struct):
    """The header, whichever of the seven it is."""

    width_px: int
    height_px: int
    is_top_down: bool
    bits: int
    compression: int
    masks: tuple[int, int, int, int]
    colours: bytes
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
        self.size = header.width_px, header.height_px
        if header.compression in _RLE_BITS and header.width_px * header.height_px > _RUN_LENGTH_CODED_LIMIT_PX:
            raise SyntaxError(f"run-length coded, and more than {_RUN_LENGTH_CODED_LIMIT_PX} pixels")

    def check_bytes(self) -> int:
        """Return about how much memory `check` takes."""
        header = self._header
        is_known = header.bits in _LAYOUTS or (header.bits, header.masks) in _KNOWN_MASKS
        # Indices beside colours; 32 bits of each value, a sample in floating point, and the samples twice.
        pixel_bytes = 10 if header.compression in _RLE_BITS else 5 if header.colours else 4 if is_known else 20
        return pixel_bytes * self.size[0] * self.size[1]

    def check(self, deadline: Deadline) -> None:
        """Decode all rows."""
        self.image(deadline)

    def image(self, deadline: Deadline, least: Size | None = None) -> Image:
        """Return the picture in L, RGB or RGBA."""
        del least
        deadline.check()
        image = self._run_lengths(deadline) if self._header.compression in _RLE_BITS else self._plain()
        image.info = {"icc_profile": self._header.profile} if self._header.profile else {}
        return image

    def downsize_bytes(self, size: Size) -> int:
        """Return about how much memory `downsized` takes."""
        premultiplied = 4 * self.size[0] * self.size[1] if self._header.masks[3] else 0
        return self.check_bytes() + premultiplied + 4 * size[0] * self.size[1] + 12 * size[0] * size[1]

    def encode(self, image: Image) -> bytes:
        """Return a BMP of 8, 24 or 32 bits with the colour space of this one."""
        header = self._header
        bits = 8 * len(image.getbands())
        stride = (image.width * bits // 8 + 3) // 4 * 4
        rows = np.zeros((image.height, stride), np.uint8)
        pixels = pixels_of(image)[::-1]
        pixels = pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]] if pixels.shape[2] > 1 else pixels
        rows[:, : image.width * bits // 8] = pixels.reshape(image.height, -1)
        palette = bytes(value for shade in range(256) for value in (shade, shade, shade, 0)) if bits == 8 else b""  # noqa: PLR2004 - bits
        has_alpha = image.mode == "RGBA"
        header_bytes = _V5_HEADER_BYTES if header.colour_space or has_alpha else _INFO_HEADER_BYTES
        start = _FILE_HEADER_BYTES + header_bytes + len(palette)
        compression = _BITFIELDS if has_alpha else _RGB
        used = len(palette) // 4
        info = struct.pack("<IiiHHIIiiII", header_bytes, *image.size, 1, bits, compression, rows.nbytes, 0, 0, used, 0)
        if header_bytes == _V5_HEADER_BYTES:
            info += struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) if has_alpha else bytes(16)
            info += header.colour_space or struct.pack("<I48x", _SRGB)
            # bV5ProfileData: "The offset, in bytes, from the beginning of the BITMAPV5HEADER structure".
            at = header_bytes + len(palette) + rows.nbytes if header.profile else 0
            info += struct.pack("<4I", header.intent, at, len(header.profile), 0)
        total_bytes = start + rows.nbytes + len(header.profile)
        head = struct.pack("<2sIII", b"BM", total_bytes, 0, start)
        return b"".join((head, info, palette, rows.tobytes(), header.profile))

    def _plain(self) -> Image:
        header = self._header
        stride = (header.width_px * header.bits + 31) // 32 * 4
        # Some programs leave out what fills up the last row.
        needed_bytes = stride * (header.height_px - 1) + (header.width_px * header.bits + 7) // 8
        rows = np.frombuffer(self._data, np.uint8)[header.pixels_at : header.pixels_at + stride * header.height_px]
        if len(rows) < needed_bytes:
            raise EOFError("rows are missing")
        rows = np.resize(rows, (header.height_px, stride)) if len(rows) < stride * header.height_px else rows
        layout = _LAYOUTS.get(header.bits) or _KNOWN_MASKS.get((header.bits, header.masks))
        if layout is None:
            return self._masked(rows.view(f"<u{header.bits // 8}").reshape(header.height_px, -1))
        mode, raw = layout
        # The last argument: 1 for rows from the top down, -1 for the other way.
        image = frombuffer(mode, self.size, rows, "raw", raw, stride, 1 if header.is_top_down else -1)
        if mode == "P":
            return self._with_palette(image)
        if mode == "RGBA" and image.getchannel("A").getextrema() == (0, 0):
            # Browsers take a picture without any opacity for one whose program left alpha unset.
            return image.convert("RGB")
        return image

    def _with_palette(self, image: Image) -> Image:
        blue_first = np.frombuffer(self._header.colours, np.uint8).reshape(-1, 3)[: 1 << min(8, self._header.bits)]
        colours = blue_first[:, ::-1]
        image.putpalette(colours.tobytes())
        return image.convert("L" if (colours == colours[:, :1]).all() else "RGB")

    def _masked(self, values: Pixels) -> Image:
        """Return the colours that any masks cut out of 16 or 32 bits, stretched to 8."""
        values = values[:, : self.size[0]].astype(np.uint32)
        if not self._header.is_top_down:
            values = values[::-1]
        bands = []
        for mask in self._header.masks:
            if not mask:
                bands.append(np.zeros(values.shape, np.uint8))
                continue
            shift = (mask & -mask).bit_length() - 1
            most = mask >> shift
            bands.append(np.rint((values & mask) * (255 / (most << shift))).astype(np.uint8))
        has_alpha = self._header.masks[3] and bands[3].any()
        return image_of(np.dstack(bands if has_alpha else bands[:3]))

    def _run_lengths(self, deadline: Deadline) -> Image:
        """Return the expanded picture; pixels that no run covers are transparent, as in browsers."""
        header = self._header
        width_px, height_px = self.size
        bits = _RLE_BITS[header.compression]
        values = np.zeros((height_px, width_px), np.uint32 if bits == 24 else np.uint8)  # noqa: PLR2004 - bits
        is_covered = np.zeros((height_px, width_px), bool)
        for column, row, run in _runs(self._data, header.pixels_at, bits, self.size, deadline):
            end = min(width_px, column + len(run))
            values[row, column:end] = run[: end - column]
            is_covered[row, column:end] = True
        # Run lengths always go from the bottom up.
        values, is_covered = values[::-1], is_covered[::-1]
        if bits == 24:  # noqa: PLR2004 - bits
            blue_first = np.ascontiguousarray(values).view(np.uint8).reshape(height_px, width_px, 4)
            image = image_of(blue_first[..., 2::-1])
        else:
            image = self._with_palette(image_of(values, "L"))
        if not is_covered.all():
            image = image.convert("RGBA")
            image.putalpha(image_of(is_covered.astype(np.uint8) * 255))
        return image


def _read_header(data: bytes) -> _Header:
    pixels_at, header_bytes = struct.unpack_from("<II", data, 10)
    is_core = header_bytes == _CORE_HEADER_BYTES
    if is_core:
        width_px, height_px, _, bits = struct.unpack_from("<4H", data, 18)
        compression = used = 0
    elif header_bytes >= _INFO_HEADER_BYTES or header_bytes in _OS2_HEADER_BYTES:
        width_px, height_px, _, bits = struct.unpack_from("<iiHH", data, 18)
        # Of OS/2's shorter one the rest counts as 0.
        known = data[30 : _FILE_HEADER_BYTES + header_bytes].ljust(24, b"\0")
        compression, _, _, _, used, _ = struct.unpack_from("<6I", known)
    else:
        raise SyntaxError(f"a header of {header_bytes} bytes")
    is_os2 = header_bytes == _OS2_HEADER_BYTES[1] and compression in (_BITFIELDS, _RLE24)
    if width_px <= 0 or not height_px:
        raise SyntaxError("a side has no extent")
    if compression not in (_RGB, _RLE8, _RLE4, _BITFIELDS, _ALPHABITFIELDS) and not (is_os2 and compression == _RLE24):
        raise SyntaxError(f"its compression {compression} is not supported")
    if is_os2 and compression == _BITFIELDS:
        raise SyntaxError("Huffman's compression is not supported")
    if _RLE_BITS.get(compression, bits) != bits or (bits not in _LAYOUTS and bits not in _DEFAULT_MASKS):
        raise SyntaxError(f"{bits} bits a pixel with the compression {compression}")
    masks, end = _DEFAULT_MASKS.get(bits, (0, 0, 0, 0)), _FILE_HEADER_BYTES + header_bytes
    if compression in (_BITFIELDS, _ALPHABITFIELDS) and bits in _DEFAULT_MASKS:
        masks, end = _read_masks(data, header_bytes, compression)
    colours = _read_palette(data, end, used, bits, entry_bytes=3 if is_core else 4)
    found = _Header(
        *(width_px, abs(height_px), height_px < 0, bits, compression, masks, colours),
        # Some programs leave it at 0.
        pixels_at or end + len(colours) // 3 * (3 if is_core else 4),
    )
    if header_bytes >= _V4_HEADER_BYTES:
        _read_colour_space(data, header_bytes, found)
    return found


def _read_masks(data: bytes, header_bytes: int, compression: int) -> tuple[tuple[int, int, int, int], int]:
    """Return the masks, and where they or the header end: those of a short header stand behind it."""
    end, at = _FILE_HEADER_BYTES + header_bytes, _FILE_HEADER_BYTES + _MASKS_AT
    has_alpha = header_bytes > 52 or (header_bytes == _INFO_HEADER_BYTES and compression == _ALPHABITFIELDS)  # noqa: PLR2004 - the header that has three masks
    red, green, blue = struct.unpack_from("<3I", data, at)
    (alpha,) = struct.unpack_from("<I", data, at + 12) if has_alpha else (0,)
    return (red, green, blue, alpha), max(end, at + (16 if has_alpha else 12))


def _read_palette(data: bytes, at: int, used: int, bits: int, entry_bytes: int) -> bytes:
    """Return the colours of a palette, blue first."""
    if bits > 8:  # noqa: PLR2004 - bits
        return b""
    count = min(used or 1 << bits, 256)
    entries = data[at : at + count * entry_bytes]
    return b"".join(entries[start : start + 3] for start in range(0, len(entries) - 2, entry_bytes))


def _read_colour_space(data: bytes, header_bytes: int, header: _Header) -> None:
    (kind,) = struct.unpack_from("<I", data, _FILE_HEADER_BYTES + 56)
    if kind == _CALIBRATED:
        header.colour_space = data[_FILE_HEADER_BYTES + 56 : _FILE_HEADER_BYTES + 108]
    if header_bytes >= _V5_HEADER_BYTES:
        header.intent, at, length = struct.unpack_from("<3I", data, _FILE_HEADER_BYTES + 108)
        start = _FILE_HEADER_BYTES + at
        if kind == _EMBEDDED and length and len(data) >= start + length:
            header.colour_space = struct.pack("<I48x", _EMBEDDED)
            header.profile = data[start : start + length]


def _runs(data: bytes, at: int, bits: int, size: Size, deadline: Deadline) -> Iterator[tuple[int, int, Pixels]]:
    """Yield column, row and values of each run, and end where the picture ends, in its middle or not."""
    column = row = 0
    while row < size[1]:
        if len(data) < at + 2:
            if row == size[1] - 1 and column >= size[0]:
                return
            raise EOFError("rows are missing")
        count, value = data[at], data[at + 1]
        at += 2
        if count:
            run = _values(data[at - 1 : at + 2], count, bits, is_repeated=True)
            at += 2 if bits == 24 else 0  # noqa: PLR2004 - bits
            yield column, row, run
            column += count
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
            yield column, row, _values(data[at : at + length], value, bits, is_repeated=False)
            # "Each run must be aligned on a word boundary."
            column, at = column + value, at + length + length % 2


def _values(data: bytes, count: int, bits: int, *, is_repeated: bool) -> Pixels:
    """Return the values of `count` pixels."""
    if bits == 24:  # noqa: PLR2004 - bits
        units = np.frombuffer(data[: len(data) // 3 * 3], np.uint8).reshape(-1, 3).astype(np.uint32)
        values = units[:, 0] | units[:, 1] << 8 | units[:, 2] << 16
    elif bits == 8:  # noqa: PLR2004 - bits
        values = np.frombuffer(data[:1] if is_repeated else data, np.uint8)
    else:
        units = np.frombuffer(data[:1] if is_repeated else data, np.uint8)
        values = np.column_stack((units >> 4, units & 15)).ravel()
    return np.resize(values, count)
