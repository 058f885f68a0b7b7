"""Where the bytes of contents are: in their rows, or in objects that the rows point at."""

import logging
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock

from runware_mock.clock import monotonic_s
from runware_mock.images.formats import FORMATS
from runware_mock.images.picture import Picture
from runware_mock.protocol.errors import refuse
from runware_mock.storage import contents
from runware_mock.storage.contents import Placed, StoredFile
from runware_mock.storage.database import Database
from runware_mock.storage.object_store import ObjectGone, ObjectStore, StoreFailed
from runware_mock.storage.secrets import secret_of

_log = logging.getLogger(__name__)

_FOLDER = "object_folder"
# Whoever asks whether the storage is there gets an answer that is no older.
_PROVED_FOR_S = 2.0


class Blobs:
    """The bytes of contents. Without a `store` they are in the rows, with one new ones are objects of it.

    Every method raises the refusal mockStorageUnavailable where the storage cannot be used.
    """

    def __init__(self, database: Database, store: ObjectStore | None = None) -> None:
        self._database = database
        self._store = store
        self._proving = Lock()
        self._proved: tuple[float, str | None] | None = None

    @property
    def are_objects(self) -> bool:
        """Whether to place or read one may be a call over the network."""
        return self._store is not None

    def place(self, sent_sha256: bytes, picture: Picture) -> Placed:
        """Bring the bytes of a picture to where they are to stay, before the row is written that will point at them."""
        if self._store is None:
            return Placed(sent_sha256, picture)
        with self._database.reading() as connection:
            known = contents.find(connection, sent_sha256)
        if known is not None and self.has(known.object_key):
            return Placed(sent_sha256, picture)
        key = f"{sent_sha256.hex()}-{secrets.token_hex(8)}.{FORMATS[picture.format].extension}"
        with self._opened() as store:
            store.put(key, picture.data)
        return Placed(sent_sha256, picture, key, None if known is None else known.object_key)

    def has(self, object_key: str | None) -> bool:
        """Tell whether the object of a row is there; bytes in the row itself are."""
        if object_key is None:
            return True
        with self._opened() as store:
            return store.has(object_key)

    def read(self, file: StoredFile, span: range | None = None) -> bytes:
        """Return the bytes of a file, or a span of them; raises ObjectGone."""
        if file.data is not None:
            return file.data if span is None else file.data[span.start : span.stop]
        assert file.object_key is not None  # noqa: S101 - a constraint of the table
        with self._opened() as store:
            try:
                return store.read(file.object_key, span)
            except ObjectGone:
                _log.warning("the object %s is gone from the object storage, a row points at it", file.object_key)
                raise

    def picture(self, file: StoredFile) -> Picture:
        """Return a file with its bytes; raises ObjectGone."""
        return Picture(file.format, file.width_px, file.height_px, file.frames, self.read(file))

    def delete(self, object_keys: Sequence[str]) -> None:
        """Delete objects."""
        with self._opened() as store:
            store.delete(object_keys)

    def older_than(self, age_s: float) -> Iterator[Sequence[str]]:
        """Yield the keys of objects, some at a time, that were stored so long ago by the storage's own clock."""
        if self._store is None:
            return
        with self._opened() as store:
            until_s = store.prove() - age_s
            for some in store.listed():
                yield [key for key, stored_s in some if stored_s <= until_s]

    def clear(self) -> None:
        """Delete all objects."""
        for some in self.older_than(0):
            self.delete(some)

    def problem(self) -> str | None:
        """Tell what keeps files from being stored."""
        if self._store is None:
            return None
        with self._proving:
            if self._proved is None or self._proved[0] < monotonic_s() - _PROVED_FOR_S:
                problem = None
                try:
                    self._store.prove()
                except StoreFailed as error:
                    problem = str(error)
                # Only now: what a stuck storage has kept waiting for so long would be asked again each time.
                self._proved = (monotonic_s(), problem)
            return self._proved[1]

    @contextmanager
    def _opened(self) -> Iterator[ObjectStore]:
        if self._store is None:
            raise refuse("mockStorageUnavailable", "The file is an object, and --content-url is not set.")
        try:
            yield self._store
        except StoreFailed as error:
            _log.warning("the object storage cannot be used: %s", error)
            raise refuse("mockStorageUnavailable", f"It says: {error}.") from error


def folder_of(database: Database) -> str:
    """Return what a database calls its part of an object storage, in which no other one ever deletes anything."""
    return secret_of(database, _FOLDER, lambda: secrets.token_hex(8).encode()).decode()
