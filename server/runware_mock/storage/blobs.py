"""The bytes of contents: in their rows, or in objects with keys, in a folder or an S3 bucket.

A key is never used twice, so deleting the object of a deleted row is always safe.
"""

import logging
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from runware_mock.clock import monotonic_s
from runware_mock.images.formats import FORMATS, Picture
from runware_mock.protocol.errors import refuse
from runware_mock.settings import Settings
from runware_mock.storage import contents
from runware_mock.storage.contents import Placed, StoredFile
from runware_mock.storage.database import Database, secret_of

_log = logging.getLogger(__name__)

# An empty object, written to check that the storage accepts objects, and to read its own clock.
MARK = "last-checked"
# How long /ready waits for that check.
PROOF_S = 2.0
_LISTED_AT_ONCE = 500
_CONNECT_S = 5.0
_RETRIES = 3
# The sources of credentials. Without any, the library would ask an address that exists only in the cloud, and wait.
_CREDENTIALS = (
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    ("AWS_WEB_IDENTITY_TOKEN_FILE",),
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI",),
    ("AWS_SKIP_SIGNATURE",),
)


class StoreFailed(Exception):
    """The object storage cannot be used; the message says why, for the user."""


class ObjectGone(Exception):
    """A row points at an object that does not exist."""


class FolderStore:
    """Objects as files in a folder."""

    failures: tuple[type[Exception], ...] = (OSError,)

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreFailed(self.reason(error)) from error

    def put(self, key: str, data: bytes) -> None:
        """Store an object completely, or not at all."""
        # Several processes may write MARK at once, so each file has a name of its own until it is complete.
        partial = self._folder / f"{key}.{secrets.token_hex(4)}.part"
        try:
            partial.write_bytes(data)
            _sync(partial)
            partial.replace(self._folder / key)
        except OSError:
            partial.unlink(missing_ok=True)
            raise
        # The file's name must survive a power cut, as the row that points at it does.
        _sync(self._folder)

    def read(self, key: str, span: range | None = None) -> bytes:
        """Return an object, or a span of its bytes; raises ObjectGone."""
        try:
            with (self._folder / key).open("rb") as file:
                file.seek(0 if span is None else span.start)
                return file.read(-1 if span is None else len(span))
        except FileNotFoundError:
            # If the whole folder is missing, this raises an error of the storage instead.
            self._folder.stat()
            raise ObjectGone from None

    def has(self, key: str) -> bool:
        """Return whether there is such an object."""
        self._folder.stat()
        return (self._folder / key).exists()

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects that may or may not exist."""
        for key in keys:
            (self._folder / key).unlink(missing_ok=True)

    def listed(self) -> Iterator[Sequence[tuple[str, float]]]:
        """Yield batches of all objects, partial files included: key, and when it was stored (Unix time)."""
        found = []
        for entry in os.scandir(self._folder):
            # A partial file may get its real name at any time.
            with suppress(FileNotFoundError):
                found.append((entry.name, entry.stat().st_mtime))
        for start in range(0, len(found), _LISTED_AT_ONCE):
            yield found[start : start + _LISTED_AT_ONCE]

    def prove(self) -> float:
        """Store MARK; return when that was by the storage's own clock (Unix time)."""
        self.put(MARK, b"")
        return (self._folder / MARK).stat().st_mtime

    @staticmethod
    def reason(error: Exception) -> str:
        """Return what went wrong, in a few words."""
        return getattr(error, "strerror", None) or str(error)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class S3Objects:
    """Objects under `s3://bucket/prefix/<folder>`; region, endpoint and credentials come from the AWS_* variables.

    A call takes at most twice `timeout_s`: it is retried until then, and the last try may take as long again.
    """

    def __init__(self, url: SplitResult, folder: str, timeout_s: float) -> None:
        from obstore import exceptions, store

        self.failures: tuple[type[Exception], ...] = (exceptions.BaseError, OSError, ValueError)
        if not any(all(os.environ.get(name) for name in names) for names in _CREDENTIALS):
            raise StoreFailed("there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        try:
            self._store = store.S3Store(url.netloc, **_s3_options(url, folder, timeout_s, _RETRIES))
            self._proving = store.S3Store(url.netloc, **_s3_options(url, folder, min(timeout_s, PROOF_S), 1))
        except self.failures as error:
            raise StoreFailed(self.reason(error)) from error

    def put(self, key: str, data: bytes) -> None:
        """Store an object in one request, so that a killed process leaves nothing incomplete."""
        self._store.put(key, data, use_multipart=False)

    def read(self, key: str, span: range | None = None) -> bytes:
        """Return an object, or a span of its bytes; raises ObjectGone."""
        try:
            if span is None:
                return bytes(self._store.get(key).bytes())
            return bytes(self._store.get_range(key, start=span.start, end=span.stop))
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise
            raise ObjectGone from None

    def has(self, key: str) -> bool:
        """Return whether there is such an object."""
        try:
            self._store.head(key)
        except FileNotFoundError:
            return False
        return True

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects that may or may not exist."""
        self._store.delete(keys)

    def listed(self) -> Iterator[Sequence[tuple[str, float]]]:
        """Yield batches of all objects: key, and when it was stored (Unix time)."""
        for batch in self._store.list(chunk_size=_LISTED_AT_ONCE):
            yield [(found["path"], found["last_modified"].timestamp()) for found in batch]

    def prove(self) -> float:
        """Store MARK; return when that was by the storage's own clock (Unix time)."""
        self._proving.put(MARK, b"", use_multipart=False)
        return self._proving.head(MARK)["last_modified"].timestamp()

    @staticmethod
    def reason(error: Exception) -> str:
        """Return what went wrong, in a few words from the library's long report, which never contains a secret."""
        report = str(error)
        if code := re.search(r"<Code>(\w+)</Code>", report):
            return code[1]
        if kind := re.search(r"kind: (Connect|Timeout)", report):
            return {"Connect": "nothing answers at its address", "Timeout": "it does not answer in time"}[kind[1]]
        return report.partition("\n")[0].rpartition(" - ")[2][:200]


def _s3_options(url: SplitResult, folder: str, timeout_s: float, retries: int) -> dict[str, Any]:
    timeout = timedelta(seconds=timeout_s)
    # AWS's own tools find the certificate authority of a private storage by this variable.
    bundle = os.environ.get("AWS_CA_BUNDLE")
    return {
        "prefix": "/".join(part for part in (*url.path.split("/"), folder) if part),
        # Region and endpoint, as the setting checks.
        "config": dict(parse_qsl(url.query)),
        "client_options": {
            "allow_http": True,
            "timeout": timeout,
            "connect_timeout": min(timeout, timedelta(seconds=_CONNECT_S)),
            **({"root_certificate": Path(bundle).read_bytes()} if bundle else {}),
        },
        "retry_config": {"max_retries": retries, "retry_timeout": timeout},
    }


ObjectStore = FolderStore | S3Objects


class Blobs:
    """The bytes of contents: in their rows or, for new ones if there is a `store`, in objects.

    Every method raises the refusal mockStorageUnavailable if the storage cannot be used.
    """

    def __init__(self, database: Database, store: ObjectStore | None = None) -> None:
        self._database = database
        self._store = store
        self._proving = Lock()
        self._proved: tuple[float, str | None] | None = None

    @property
    def are_objects(self) -> bool:
        """Whether placing or reading bytes may be a call over the network."""
        return self._store is not None

    def place(self, sent_sha256: bytes, picture: Picture) -> Placed:
        """Store the bytes of a picture in their final place, before the row that points at them is written."""
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
        """Return whether the bytes of a row exist; those in the row itself always do."""
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
        """Yield batches of the keys of objects at least `age_s` old by the storage's own clock."""
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
                    self._store.prove()
                except self._store.failures as error:
                    problem = self._store.reason(error)
                # The time after the check: if a stuck storage took longer than PROOF_S, every caller would ask again.
                self._proved = (monotonic_s(), problem)
            return self._proved[1]

    @contextmanager
    def _opened(self) -> Iterator[ObjectStore]:
        if self._store is None:
            raise refuse("mockStorageUnavailable", "The file is an object, and --content-url is not set.")
        try:
            yield self._store
        except self._store.failures as error:
            reason = self._store.reason(error)
            _log.warning("the object storage cannot be used: %s", reason)
            raise refuse("mockStorageUnavailable", f"It says: {reason}.") from error


def open_blobs(settings: Settings, database: Database) -> Blobs:
    """Return the place for the bytes of pictures; raises StoreFailed if it cannot be used."""
    if settings.content_url is None:
        return Blobs(database)
    failed = f"cannot use the object storage {settings.content_url}"
    # Each database has its own folder, so that none deletes the objects of another.
    folder = secret_of(database, "object_folder", lambda: secrets.token_hex(8).encode()).decode()
    url = urlsplit(settings.content_url)
    try:
        store = (
            FolderStore(Path(unquote(url.path)) / folder)
            if url.scheme == "file"
            else S3Objects(url, folder, settings.content_timeout.total_seconds())
        )
    except ImportError:
        raise StoreFailed(f"{failed}: S3 needs the extra s3: run pip install '.[s3]' in the checkout") from None
    except StoreFailed as error:
        raise StoreFailed(f"{failed}: {error}") from error
    blobs = Blobs(database, store)
    problem = blobs.problem()
    if problem is not None:
        raise StoreFailed(f"{failed}: {problem}")
    return blobs
