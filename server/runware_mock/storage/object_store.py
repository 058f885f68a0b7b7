"""Object storage: files by key, in a folder or an S3 bucket, beside the database whose rows point at them.

A key is never used twice, so deleting the object of a deleted row is always safe.
"""

import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from obstore.store import S3Store

# An empty object, written to prove that the storage takes objects and to read the storage's own clock.
MARK = "last-checked"
# /ready waits no longer than that for a proof.
PROOF_S = 2.0
_LISTED_AT_ONCE = 500
_CONNECT_S = 5.0
_RETRIES = 3
# Where credentials come from. Without any, the library would ask an address that only the cloud has, and wait.
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
    """Objects as files of a folder."""

    failures: tuple[type[Exception], ...] = (OSError,)

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with failing(self):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, key: str, data: bytes) -> None:
        """Store an object: whole, or not at all."""
        # Several processes may write MARK at once, so each file has a name of its own until it is complete.
        partial = self._folder / f"{key}.{secrets.token_hex(4)}.part"
        try:
            with partial.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self._folder / key)
        except OSError:
            partial.unlink(missing_ok=True)
            raise
        # The file's name must survive a power cut, as the row that points at it does.
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def read(self, key: str, span: range | None = None) -> bytes:
        """Return an object, or a span of its bytes; raises ObjectGone."""
        try:
            with (self._folder / key).open("rb") as file:
                file.seek(0 if span is None else span.start)
                return file.read(-1 if span is None else len(span))
        except FileNotFoundError:
            # If the whole folder is missing, nobody has deleted this one object.
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
            # A partial file gets its real name at any time.
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


class S3Objects:
    """Objects under `s3://bucket/prefix/<folder>`; region, endpoint and credentials come from the AWS_* variables.

    A call takes at most twice `timeout_s`: it is retried until then, and the last try may take as long again.
    """

    def __init__(self, url: SplitResult, folder: str, timeout_s: float) -> None:
        from obstore.exceptions import BaseError

        self.failures: tuple[type[Exception], ...] = (BaseError, OSError, ValueError)
        if not any(all(os.environ.get(name) for name in names) for names in _CREDENTIALS):
            raise StoreFailed("there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        with failing(self):
            self._store = _s3_store(url, folder, timeout_s, _RETRIES)
            self._proving = _s3_store(url, folder, min(timeout_s, PROOF_S), 1)

    def put(self, key: str, data: bytes) -> None:
        """Store an object by one request, of which a killed process leaves nothing."""
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
        """Return what went wrong in a few words of the library's long report, which never holds a secret."""
        report = str(error)
        if code := re.search(r"<Code>(\w+)</Code>", report):
            return code[1]
        if kind := re.search(r"kind: (Connect|Timeout)", report):
            return {"Connect": "nothing answers at its address", "Timeout": "it does not answer in time"}[kind[1]]
        return report.partition("\n")[0].rpartition(" - ")[2][:200]


def _s3_store(url: SplitResult, folder: str, timeout_s: float, retries: int) -> "S3Store":
    from obstore.store import S3Store

    timeout = timedelta(seconds=timeout_s)
    # AWS's own tools find the certificate authority of a private storage by this variable.
    bundle = os.environ.get("AWS_CA_BUNDLE")
    return S3Store(
        url.netloc,
        prefix="/".join(part for part in (*url.path.split("/"), folder) if part),
        config=dict(parse_qsl(url.query)),  # type: ignore[arg-type] # region and endpoint, as the setting checks
        client_options={
            "allow_http": True,
            "timeout": timeout,
            "connect_timeout": min(timeout, timedelta(seconds=_CONNECT_S)),
            **({"root_certificate": Path(bundle).read_bytes()} if bundle else {}),
        },
        retry_config={"max_retries": retries, "retry_timeout": timeout},
    )


ObjectStore = FolderStore | S3Objects


@contextmanager
def failing(store: ObjectStore) -> Iterator[None]:
    """Raise StoreFailed for whatever a store raises when it cannot be used."""
    try:
        yield
    except store.failures as error:
        raise StoreFailed(store.reason(error)) from error


def open_store(url: str, folder: str, timeout_s: float) -> ObjectStore:
    """Return the objects in this folder of the storage; raises StoreFailed unless it can be used."""
    parts = urlsplit(url)
    try:
        is_folder = parts.scheme == "file"
        store = FolderStore(Path(unquote(parts.path)) / folder) if is_folder else S3Objects(parts, folder, timeout_s)
    except ImportError:
        raise StoreFailed("S3 needs an optional library: install runware-mock[s3]") from None
    with failing(store):
        store.prove()
    return store
