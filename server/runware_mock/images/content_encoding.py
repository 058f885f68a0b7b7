"""Undo the Content-Encoding of an answer piece by piece, never beyond a limit: a few bytes may inflate to gigabytes.

RFC 9110, 8.4: "If one or more encodings have been applied to a representation, the sender that applied the encodings
MUST generate a Content-Encoding header field that lists the content codings in the order in which they were applied."
"""

import zlib
from collections.abc import Mapping
from typing import Protocol

import brotli

from runware_mock.images.picture import FetchFailed

ACCEPTED = "gzip, deflate, br"
_BROKEN = (zlib.error, brotli.error)


class Decoder(Protocol):
    """Undoes one encoding."""

    def decode(self, data: bytes, max_bytes: int) -> bytes:
        """Return what comes out of more data, at most `max_bytes`; the rest is dropped."""
        ...

    def finish(self) -> None:
        """Raise FetchFailed if the encoded data ended too early."""
        ...


def decoder_of(header: str, max_bytes: int) -> Decoder:
    """Return what undoes the encodings that a Content-Encoding names; no step exceeds `max_bytes` at once."""
    names = [name.strip().lower() for name in header.split(",")]
    steps: list[Decoder] = []
    for name in reversed([name for name in names if name not in ("", "identity")]):
        if name not in _DECODERS:
            raise FetchFailed(f"The answer's Content-Encoding is {name[:40]!r}; {ACCEPTED} are supported.")
        steps.append(_DECODERS[name]())
    return _Chain(steps, max_bytes)


class _Chain:
    def __init__(self, steps: list[Decoder], max_bytes: int) -> None:
        self._steps = steps
        self._max_bytes = max_bytes

    def decode(self, data: bytes, max_bytes: int) -> bytes:
        try:
            for step in self._steps[:-1]:
                data = step.decode(data, self._max_bytes)
            return self._steps[-1].decode(data, max_bytes) if self._steps else data
        except _BROKEN as error:
            raise FetchFailed(f"The answer's Content-Encoding is broken: {error}.") from None

    def finish(self) -> None:
        for step in self._steps:
            step.finish()


class _Zlib:
    """Gzip and deflate; the latter comes with zlib's header or, against the specification, without."""

    def __init__(self) -> None:
        self._inflater: zlib._Decompress | None = None
        self._has_ended = False

    def decode(self, data: bytes, max_bytes: int) -> bytes:
        if self._has_ended or not data:
            return b""
        if self._inflater is None:
            self._inflater = zlib.decompressobj(self._window_bits(data[0]))
        inflated = self._inflater.decompress(data, max_bytes)
        self._has_ended = self._inflater.eof
        return inflated

    def _window_bits(self, first: int) -> int:
        # zlib.h: "Add 32 to windowBits to enable zlib and gzip decoding with automatic header detection". RFC 1950: the
        # low half of a zlib header's first byte is 8. RFC 1952: a gzip header's first byte is 31.
        is_raw = first & 15 != 8 and first != 31  # noqa: PLR2004 - see above
        return -zlib.MAX_WBITS if is_raw else 32 + zlib.MAX_WBITS

    def finish(self) -> None:
        if not self._has_ended:
            raise FetchFailed("The answer's Content-Encoding is broken: it ends too early.")


class _Brotli:
    def __init__(self) -> None:
        self._decompressor = brotli.Decompressor()

    def decode(self, data: bytes, max_bytes: int) -> bytes:
        if self._decompressor.is_finished():
            return b""
        out: bytes = self._decompressor.process(data, output_buffer_limit=max_bytes)
        while len(out) < max_bytes and not self._decompressor.can_accept_more_data():
            out += self._decompressor.process(b"", output_buffer_limit=max_bytes - len(out))
        return out

    def finish(self) -> None:
        if not self._decompressor.is_finished():
            raise FetchFailed("The answer's Content-Encoding is broken: it ends too early.")


_DECODERS: Mapping[str, type[Decoder]] = {
    "gzip": _Zlib,
    "x-gzip": _Zlib,
    "deflate": _Zlib,
    "br": _Brotli,
}
