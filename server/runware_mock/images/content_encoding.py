"""Undo the Content-Encoding of an answer piece by piece, within a limit: a few bytes may inflate to gigabytes.

RFC 9110, 8.4: "If one or more encodings have been applied to a representation, the sender that applied the encodings
MUST generate a Content-Encoding header field that lists the content codings in the order in which they were applied."
"""

import zlib

import brotli

from runware_mock.images.picture import FetchFailed

ACCEPTED = "gzip, deflate, br"


class ContentDecoder:
    """Undoes the encodings that a Content-Encoding names; no step makes more than `max_bytes` from one piece."""

    def __init__(self, header: str, max_bytes: int) -> None:
        names = [name.strip().lower() for name in header.split(",")]
        self._steps: list[_Zlib | _Brotli] = []
        self._max_bytes = max_bytes
        for name in reversed([name for name in names if name not in ("", "identity")]):
            if name not in _STEPS:
                raise FetchFailed(f"The answer's Content-Encoding is {name[:40]!r}; {ACCEPTED} are supported.")
            self._steps.append(_STEPS[name]())

    def decode(self, data: bytes) -> bytes:
        """Return the next data decoded; raises FetchFailed if they are broken."""
        try:
            for step in self._steps:
                data = step.decode(data, self._max_bytes) if data and not step.is_finished else b""
        except (zlib.error, brotli.error) as error:
            raise FetchFailed(f"The answer's Content-Encoding is broken: {error}.") from None
        return data

    def finish(self) -> None:
        """Raise FetchFailed if the encoded data ended too early."""
        if not all(step.is_finished for step in self._steps):
            raise FetchFailed("The answer's Content-Encoding is broken: it ends too early.")


class _Zlib:
    """Gzip and deflate; the latter comes with zlib's header or, contrary to the specification, without it."""

    def __init__(self) -> None:
        self._inflater: zlib._Decompress | None = None

    @property
    def is_finished(self) -> bool:
        return self._inflater is not None and self._inflater.eof

    def decode(self, data: bytes, max_bytes: int) -> bytes:
        if self._inflater is None:
            # zlib.h: "Add 32 to windowBits to enable zlib and gzip decoding with automatic header detection". RFC 1950:
            # the low half of a zlib header's first byte is 8. RFC 1952: a gzip header's first byte is 31.
            is_raw = data[0] & 15 != 8 and data[0] != 31  # noqa: PLR2004 - see above
            self._inflater = zlib.decompressobj(-zlib.MAX_WBITS if is_raw else 32 + zlib.MAX_WBITS)
        return self._inflater.decompress(data, max_bytes)


class _Brotli:
    def __init__(self) -> None:
        self._decompressor = brotli.Decompressor()

    @property
    def is_finished(self) -> bool:
        return bool(self._decompressor.is_finished())

    def decode(self, data: bytes, max_bytes: int) -> bytes:
        out: bytes = self._decompressor.process(data, output_buffer_limit=max_bytes)
        while len(out) < max_bytes and not self._decompressor.can_accept_more_data():
            out += self._decompressor.process(b"", output_buffer_limit=max_bytes - len(out))
        return out


_STEPS: dict[str, type[_Zlib | _Brotli]] = {"gzip": _Zlib, "x-gzip": _Zlib, "deflate": _Zlib, "br": _Brotli}
