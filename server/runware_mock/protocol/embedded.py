"""Files that a message holds as long texts of base64: decoded where they stand, and the rest left to the JSON parser.

msgspec looks at each character of a text and copies it, and nothing else of the process runs meanwhile. For a picture
of 8 MB this takes a fifth of that time, and the text is never held beside the bytes.
"""

import secrets
from collections.abc import Callable

import msgspec
import pybase64

from runware_mock.protocol.texts import Texts

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
# What stands behind the file in a task is shorter.
_TAIL_CHARS = 1024


class Embedded:
    """A text of base64, by itself or as a data URI: `header` is what stands before it.

    It is held as the bytes that it stands for or, where it has come before, as the text until somebody wants those.
    """

    __slots__ = ("_chars", "_data", "_text", "fingerprint", "header")

    def __init__(self, fingerprint: bytes, text: memoryview, data: bytes | None) -> None:
        self.header = ""
        self.fingerprint = fingerprint
        self._chars = len(text)
        self._data = data
        self._text = text if data is None else None

    @property
    def data(self) -> bytes:
        """The bytes that the text stands for."""
        if self._text is not None:
            self._data, self._text = pybase64.b64decode(self._text, validate=True), None
        return self._data or b""

    def __len__(self) -> int:
        """Return the characters of the text."""
        return len(self.header) + self._chars

    def __str__(self) -> str:
        """Return the text as it was sent."""
        return self.head(len(self))

    def head(self, chars: int) -> str:
        """Return the first characters of the text."""
        text = pybase64.b64encode(self.data[:chars]) if self._text is None else bytes(self._text[:chars])
        return (self.header + text.decode())[:chars]


def taken_out(
    raw: bytes | bytearray, decode: Callable[[bytes], object], texts: Texts, long_chars: int = LONG_CHARS
) -> tuple[object, bytes] | None:
    """Return what `decode` makes of a message, with Embedded for its long files, and the message without them.

    None where there are none, or where only a look at the whole tells what is right.
    """
    files: list[Embedded] = []
    pieces, kept_from = [], 0
    with memoryview(raw) as view:
        for start, end, fingerprint in _texts(raw, texts, long_chars):
            data_from = start + _header_chars(raw, start)
            file = _embedded(view[data_from:end], fingerprint, texts)
            if file is None:
                continue
            pieces += [bytes(view[kept_from : data_from + _HEAD_CHARS]), f"{_MARK}{len(files):04x}".encode()]
            files.append(file)
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


def _texts(raw: bytes | bytearray, texts: Texts, long_chars: int) -> list[tuple[int, int, bytes | None]]:
    """Return where the long texts of a message begin and end, if it is JSON; none that holds an escape.

    With the fingerprint of each that has come before.
    """
    found: list[tuple[int, int, bytes | None]] = []
    end = -1
    for _ in range(_MOST_TEXTS):
        start = raw.find(b'"', end + 1) + 1
        if not start:
            return found
        if proven := _proven(raw, start, texts, long_chars):
            end = proven[0]
            found.append((start, *proven))
            continue
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
            found.append((start, end, None))
    return []


def _proven(raw: bytes | bytearray, start: int, texts: Texts, long_chars: int) -> tuple[int, bytes] | None:
    """Return the end of the text that begins there, and its fingerprint, if it has come before.

    That it ends where the message nearly does is a guess, and the fingerprint its proof: no base64 holds a quote.
    """
    if len(raw) - start < long_chars:
        return None
    end = raw.find(b'"', max(start, len(raw) - _TAIL_CHARS))
    data_from = start + _header_chars(raw, start)
    if end - start < long_chars or not texts.may_know(end - data_from):
        return None
    with memoryview(raw) as view:
        fingerprint = texts.fingerprint(view[data_from:end])
    return (end, fingerprint) if texts.is_proven(end - data_from, fingerprint) else None


def _header_chars(raw: bytes | bytearray, start: int) -> int:
    """Return how long the header of a data URI is: 0 for any other text."""
    comma = raw.find(b",", start, start + _LONGEST_HEADER)
    header = raw[start : comma + 1]
    is_header = header[:5].lower() == b"data:" and header.endswith(_HEADER_END)
    return len(header) if is_header and b"\\" not in header and b'"' not in header else 0


def _embedded(text: memoryview, fingerprint: bytes | None, texts: Texts) -> Embedded | None:
    """Return a text as a file; None unless it is the very one that base64 makes of what it stands for."""
    if fingerprint is not None:
        return Embedded(fingerprint, text, None)
    try:
        data: bytes = pybase64.b64decode(text, validate=True)
    except ValueError:
        return None
    last = pybase64.b64encode(data[-(len(data) % 3 or 3) :])
    if len(text) != _chars(len(data)) or text[-4:] != last:
        return None
    fingerprint = texts.fingerprint(text)
    texts.add(len(text), fingerprint)
    return Embedded(fingerprint, text, data)


def _chars(data_bytes: int) -> int:
    return (data_bytes + 2) // 3 * 4


class _Putting:
    """Puts files back to where their marks stand."""

    def __init__(self, files: list[Embedded]) -> None:
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
        file = self._files[int(marked[-4:], 16)]
        file.header = marked[: -_MARK_CHARS - _HEAD_CHARS]
        return file
