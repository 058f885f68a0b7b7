"""A long WebSocket frame, unmasked piece by piece where it lies, while the piece is still in the core's cache.

The parser makes a second one of the whole, and a look for what is no ASCII goes over that once more: together they take
three times as long.
"""

import sys

from websockets.utils import apply_mask

_WORD_BYTES = 8


def can_unmask() -> bool:
    """Tell whether numpy is there, which comes with the first photo: it is not imported for this."""
    return "numpy" in sys.modules


class Unmasking:
    """The frame that comes to `place`, all of it masked, as a client must."""

    def __init__(self, place: memoryview, mask: bytes) -> None:
        import numpy as np

        self._place = place
        self._mask = mask
        self._words = np.frombuffer(place, np.uint64, len(place) // _WORD_BYTES)
        self._mask_word = np.frombuffer(mask * 2, np.uint64)[0]
        self._done = 0
        self.is_ascii = True

    def go_on(self, received_bytes: int) -> None:
        """Unmask what has come since; a word that is not whole waits."""
        words = self._words[self._done : received_bytes // _WORD_BYTES]
        if not len(words):
            return
        self._done += len(words)
        words ^= self._mask_word
        self.is_ascii = self.is_ascii and bool(words.view("b").min() >= 0)

    def end(self) -> None:
        """Unmask the last bytes, which are no whole word."""
        rest = self._place[self._done * _WORD_BYTES :]
        rest[:] = apply_mask(bytes(rest), self._mask)
        self.is_ascii = self.is_ascii and bytes(rest).isascii()
