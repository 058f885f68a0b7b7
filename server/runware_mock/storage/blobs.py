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
from runware_mock.settings import Settings
from runware_mock.storage import contents
from runware_mock.storage.contents import Placed, StoredFile
from runware_mock.storage.database import Database, secret_of
from runware_mock.storage.object_store import PROOF_S, ObjectGone, ObjectStore, StoreFailed, failing, open_store

_log = logging.getLogger(__name__)


class Blobs:
    """The bytes of contents: in their rows, or, with a `store`, new ones in objects.

    Every method raises the refusal mockStorageUnavailable if the storage cannot be used.
    """

    def __init__(self, database: Database, store: ObjectStore | None = None) -> None:
        self._database = database
        self._store = store
        self._proving = Lock()
        self._proved: tuple[float, str | None] | None = None

    @property
    def are_objects(self) -> bool:
        """Whether placing or reading one may be a call over the network."""
        return self._store is not None

    def place(self, sent_sha256: bytes, picture: Picture) -> Placed:
        """Store the bytes of a picture where they are to stay, before the row is written that points at them."""
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
        """Return whether the bytes of a row exist; bytes in the row itself do."""
        if object_key is None:
            return True
        with self._opened() as store:
            return store.has(object_key)

    def read(self, file: StoredFile, span: range | None = None) -> bytes:
        """Return the bytes of a file, or a span of them; raises ObjectGone."""
        if file.object_key is None:
            data = file.data or b""
            return data if span is None else data[span.start : span.stop]
        with self._opened() as store:
            try:
                return store.read(file.object_key, span)
            except ObjectGone:
                _log.warning("the object %s is gone from the object storage, but a row points at it", file.object_key)
                raise

    def picture(self, file: StoredFile) -> Picture:
        """Return a file with its bytes; raises ObjectGone."""
        return Picture(file.format, file.width_px, file.height_px, file.frames, self.read(file))

    def delete(self, object_keys: Sequence[str]) -> None:
        """Delete objects."""
        with self._opened() as store:
            store.delete(object_keys)

    def older_than(self, age_s: float) -> Iterator[Sequence[str]]:
        """Yield batches of the keys of objects that are at least so old by the storage's own clock."""
        if self._store is None:
            return
        with self._opened() as store:
            until_s = store.prove() - age_s
            for batch in store.listed():
                yield [key for key, stored_s in batch if stored_s <= until_s]

    def clear(self) -> None:
        """Delete all objects."""
        for keys in self.older_than(0):
            self.delete(keys)

    def problem(self) -> str | None:
        """Return what keeps files from being stored, or None."""
        if self._store is None:
            return None
        with self._proving:
            if self._proved is None or self._proved[0] < monotonic_s() - PROOF_S:
                problem = None
                try:
                    with failing(self._store):
                        self._store.prove()
                except StoreFailed as error:
                    problem = str(error)
                # The time after the proof: a stuck storage that took longer would be asked again by every caller.
                self._proved = (monotonic_s(), problem)
            return self._proved[1]

    @contextmanager
    def _opened(self) -> Iterator[ObjectStore]:
        if self._store is None:
            raise refuse("mockStorageUnavailable", "The file is an object, and --content-url is not set.")
        try:
            with failing(self._store):
                yield self._store
        except StoreFailed as error:
            _log.warning("the object storage cannot be used: %s", error)
            raise refuse("mockStorageUnavailable", f"It says: {error}.") from error


def open_blobs(settings: Settings, database: Database) -> Blobs:
    """Return where the bytes of pictures are kept; raises StoreFailed if they cannot be."""
    if settings.content_url is None:
        return Blobs(database)
    # Each database has its own folder, so that none deletes the objects of another.
    folder = secret_of(database, "object_folder", lambda: secrets.token_hex(8).encode()).decode()
    try:
        store = open_store(settings.content_url, folder, settings.content_timeout.total_seconds())
    except StoreFailed as error:
        raise StoreFailed(f"cannot use the object storage {settings.content_url}: {error}") from error
    return Blobs(database, store)
