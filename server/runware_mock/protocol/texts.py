"""Which long texts have come before: a fixture that is sent again is known by its text, and need not be decoded."""

import secrets
from collections import Counter
from threading import Lock

# Not when the first long text comes: where no file can be opened then, nothing can be imported.
import xxhash

_MOST = 10_000


class Texts:
    """Remembers the newest that were proven to be base64, each by its length and fingerprint.

    A fingerprint has 128 bits and a seed that nobody outside knows.
    """

    def __init__(self) -> None:
        self._seed = secrets.randbits(64)
        self._proven: dict[tuple[int, bytes], None] = {}
        self._lengths: Counter[int] = Counter()
        self._lock = Lock()

    def may_know(self, chars: int) -> bool:
        """Tell whether one of this length has come."""
        return chars in self._lengths

    def fingerprint(self, text: bytes | memoryview) -> bytes:
        """Return the fingerprint of a text, which takes a third of the time to decode it."""
        return xxhash.xxh3_128_digest(text, seed=self._seed)

    def is_proven(self, chars: int, fingerprint: bytes) -> bool:
        """Tell whether a text is one that has come."""
        return (chars, fingerprint) in self._proven

    def add(self, chars: int, fingerprint: bytes) -> None:
        """Remember a text that is base64."""
        with self._lock:
            if (chars, fingerprint) not in self._proven:
                self._proven[chars, fingerprint] = None
                self._lengths[chars] += 1
            if len(self._proven) > _MOST:
                oldest = next(iter(self._proven))
                del self._proven[oldest]
                self._lengths[oldest[0]] -= 1
                self._lengths += Counter()
