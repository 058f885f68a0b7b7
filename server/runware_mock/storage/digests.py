"""SHA-256 of what an account sends, found again for the same bytes by a fingerprint that takes a tenth of its time."""

import hashlib
from threading import Lock

from runware_mock.protocol.embedded import Embedded
from runware_mock.protocol.texts import Texts

# Shorter ones are hashed sooner than looked up.
_FROM_BYTES = 64 * 1024
_MOST = 10_000


class Digests:
    """Remembers the newest.

    Fingerprints are compared within one account alone: whoever found two files of the same one would deceive himself.
    """

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._known: dict[tuple[int, bool, bytes], bytes] = {}
        # Those of short ones.
        self._came: set[bytes] = set()
        self._lock = Lock()

    def sha256(self, account_id: int, sent: bytes | Embedded) -> bytes:
        """Return the digest of the bytes that this account has sent."""
        if len(sent) < _FROM_BYTES:
            return hashlib.sha256(_bytes_of(sent)).digest()
        fingerprint = sent.fingerprint if isinstance(sent, Embedded) else self._texts.fingerprint(sent)
        key = account_id, isinstance(sent, Embedded), fingerprint
        with self._lock:
            # The newest are last.
            digest = self._known.pop(key, None)
            if digest is not None:
                self._known[key] = digest
                return digest
        digest = hashlib.sha256(_bytes_of(sent)).digest()
        with self._lock:
            self._known[key] = digest
            if len(self._known) > _MOST:
                del self._known[next(iter(self._known))]
        return digest

    def came_before(self, digest: bytes) -> bool:
        """Tell whether bytes of this digest have come lately, as far as is remembered; they may be gone again."""
        if digest in self._came:
            return True
        if len(self._came) >= _MOST:
            self._came.clear()
        self._came.add(digest)
        return False


def _bytes_of(sent: bytes | Embedded) -> bytes:
    return sent.data if isinstance(sent, Embedded) else sent
