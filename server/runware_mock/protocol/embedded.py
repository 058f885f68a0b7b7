"""Files that a message holds as long texts of base64: decoded where they stand, and the rest left to the JSON parser.

msgspec looks at each character of a text and copies it, and nothing else of the process runs meanwhile. For a picture
of 8 MB this takes a fifth of that time, and the text is never held beside the bytes.
"""

import secrets
from collections.abc import Callable

import msgspec
import pybase64

# Shorter texts are parsed as fast as they are looked for.
LONG_CHARS = 64 * 1024
# A message of more texts than this is not one of a few files.
_MOST_TEXTS = 1_000
_MOST_BACKSLASHES = 64
_DEEPEST = 32
_HEADER_END = b";base64,"
_LONGEST_HEADER = 256
# Stands in the rest of a message for a file, whose number follows it; nobody outside can know it.
_MARK = secrets.token_hex(16)
_MARK_CHARS = len(_MARK) + 4
# So much of a text stands in the rest, too: more than is kept of any that is as long.
_HEAD_CHARS = 256


class Embedded:
    """A text of base64, by itself or as a data URI: `header` is what stands before `data`."""

    __slots__ = ("data", "header")

    def __init__(self, header: str, data: bytes) -> None:
        self.header = header
        self.data = data

    def __len__(self) -> int:
        """Return the characters of the text."""
        return len(self.header) + _chars(len(self.data))

    def __str__(self) -> str:
        """Return the text as it was sent."""
        return self.header + pybase64.b64encode(self.data).decode()

    def head(self, chars: int) -> str:
        """Return the first characters of the text."""
        return (self.header + pybase64.b64encode(self.data[:chars]).decode())[:chars]


def taken_out(
    raw: bytes | bytearray, decode: Callable[[bytes], object], long_chars: int = LONG_CHARS
) -> tuple[object, bytes] | None:
    """Return what `decode` makes of a message, with Embedded for its long files, and the message without them.

    None where there are none, or where only a look at the whole tells what is right.
    """
    files: list[bytes] = []
    pieces, kept_from = [], 0
    with memoryview(raw) as view:
        for start, end in _texts(raw, long_chars):
            data_from = start + _header_chars(raw, start)
            data = _decoded(view[data_from:end])
            if data is None:
                continue
            head_to = data_from + _HEAD_CHARS
            pieces += [bytes(view[kept_from:head_to]), f"{_MARK}{len(files):04x}".encode()]
            files.append(data)
            kept_from = end
        if not files:
            return None
        rest = b"".join((*pieces, bytes(view[kept_from:])))
    try:
        value = decode(rest)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    putting = _Putting(files)
    value = putting.put(value)
    # One that stood where a file is not looked for, or twice under one name.
    return (value, rest) if putting.left == 0 else None


def _texts(raw: bytes | bytearray, long_chars: int) -> list[tuple[int, int]]:
    """Return where the long texts of a message begin and end, if it is JSON; none that holds an escape."""
    found: list[tuple[int, int]] = []
    end = -1
    for _ in range(_MOST_TEXTS):
        start = raw.find(b'"', end + 1) + 1
        if not start:
            return found
        end = raw.find(b'"', start)
        while end > 0 and raw[end - 1] == ord("\\"):
            before = raw[max(start, end - _MOST_BACKSLASHES) : end]
            backslashes = len(before) - len(before.rstrip(b"\\"))
            if backslashes == _MOST_BACKSLASHES:
                return []
            if backslashes % 2 == 0:
                break
            end = raw.find(b'"', end + 1)
        if end < 0:
            return []
        if end - start >= long_chars:
            found.append((start, end))
    return []


def _header_chars(raw: bytes | bytearray, start: int) -> int:
    """Return how long the header of a data URI is: 0 for any other text."""
    comma = raw.find(b",", start, start + _LONGEST_HEADER)
    header = raw[start : comma + 1]
    is_header = header[:5].lower() == b"data:" and header.endswith(_HEADER_END) and b"\\" not in header
    return len(header) if is_header else 0


def _decoded(text: memoryview) -> bytes | None:
    """Return the bytes that a text stands for; None unless it is the very one that base64 makes of them."""
    try:
        data: bytes = pybase64.b64decode(text, validate=True)
    except ValueError:
        return None
    last = pybase64.b64encode(data[-(len(data) % 3 or 3) :])
    return data if len(text) == _chars(len(data)) and text[-4:] == last else None


def _chars(data_bytes: int) -> int:
    return (data_bytes + 2) // 3 * 4


class _Putting:
    """Puts files back to where their marks stand."""

    def __init__(self, files: list[bytes]) -> None:
        self._files = files
        self.left = len(files)

    def put(self, value: object, depth: int = 0) -> object:
        """Return a value with its files in place; what is nested too deeply is left as it is."""
        if isinstance(value, str):
            return self._file(value) if value[-_MARK_CHARS:-4] == _MARK else value
        if depth < _DEEPEST:
            if isinstance(value, dict):
                value.update({name: self.put(inner, depth + 1) for name, inner in value.items()})
            elif isinstance(value, list):
                value[:] = [self.put(inner, depth + 1) for inner in value]
        return value

    def _file(self, marked: str) -> Embedded:
        self.left -= 1
        return Embedded(marked[: -_MARK_CHARS - _HEAD_CHARS], self._files[int(marked[-4:], 16)])
