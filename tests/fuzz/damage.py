"""Files as nobody writes them: real ones cut, mended, doubled, mixed, and with other numbers in their headers."""

import struct
import zlib
from collections.abc import Callable, Sequence

from hypothesis import strategies as st

# Where a number has the most to say: none, the sign, all bits, and what overflows when something is added.
_NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_HEADER_BYTES = 120
_SIGNATURE_BYTES = 8
# What is repeated adds up to no more than this.
_MOST_BYTES = 2**20

Damage = Callable[[st.DrawFn, bytearray, Sequence[bytes]], None]


def _place(draw: st.DrawFn, data: bytearray) -> int:
    """Pick a place, often in the header."""
    last = max(0, len(data) - 1)
    return draw(st.one_of(st.integers(0, min(last, _HEADER_BYTES)), st.integers(0, last)))


def _part(draw: st.DrawFn, data: bytes | bytearray) -> slice:
    start = _place(draw, bytearray(data))
    return slice(start, start + draw(st.integers(1, 200)))


def _byte(draw: st.DrawFn, data: bytearray, _others: Sequence[bytes]) -> None:
    place = _place(draw, data)
    data[place : place + 1] = bytes((draw(st.integers(0, 255)),))


def _number(draw: st.DrawFn, data: bytearray, _others: Sequence[bytes]) -> None:
    layout = draw(st.sampled_from(["<I", ">I", "<H", ">H"]))
    place, length = _place(draw, data), struct.calcsize(layout)
    number = draw(st.sampled_from(_NUMBERS) | st.integers(0, 2**32 - 1)) % 2 ** (8 * length)
    data[place : place + length] = struct.pack(layout, number)


def _cut(draw: st.DrawFn, data: bytearray, _others: Sequence[bytes]) -> None:
    del data[_part(draw, data)]


def _truncate(draw: st.DrawFn, data: bytearray, _others: Sequence[bytes]) -> None:
    del data[_place(draw, data) :]


def _repeat(draw: st.DrawFn, data: bytearray, _others: Sequence[bytes]) -> None:
    part = _part(draw, data)
    again = bytes(data[part])
    most = _MOST_BYTES // max(1, len(again))
    data[part.start : part.start] = again * draw(st.integers(1, 20) | st.sampled_from([1000, most]).filter(bool))


def _insert(draw: st.DrawFn, data: bytearray, _others: Sequence[bytes]) -> None:
    place = _place(draw, data)
    data[place:place] = draw(st.binary(max_size=100))


def _mix(draw: st.DrawFn, data: bytearray, others: Sequence[bytes]) -> None:
    other = draw(st.sampled_from(others))
    place = _place(draw, data)
    data[place:place] = other[_part(draw, other)]


_DAMAGES: tuple[Damage, ...] = (_byte, _byte, _number, _number, _cut, _truncate, _repeat, _insert, _mix)


@st.composite
def damaged(draw: st.DrawFn, whole: bytes, others: Sequence[bytes]) -> bytes:
    """Draw a file that is nearly this one."""
    data = bytearray(whole)
    for damage in draw(st.lists(st.sampled_from(_DAMAGES), min_size=1, max_size=4)):
        damage(draw, data, others)
    return _with_checksums(bytes(data)) if draw(st.booleans()) else bytes(data)


def _with_checksums(data: bytes) -> bytes:
    """Mend the checksums of a PNG's chunks, without which no other damage would be looked at."""
    if not data.startswith(b"\x89PNG"):
        return data
    out, start = [data[:_SIGNATURE_BYTES]], _SIGNATURE_BYTES
    while start + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, start)
        end = min(start + 8 + length, len(data) - 4)
        out += [data[start:end], struct.pack(">I", zlib.crc32(data[start + 4 : end]))]
        start = end + 4
    return b"".join(out)
