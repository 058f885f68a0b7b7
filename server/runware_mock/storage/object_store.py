"""Objects: files by key, in a folder or an S3 bucket, beside the database whose rows point at them.

A key is given to one object alone and never again, so that to delete the object of a deleted row is always safe.
"""

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

# Written to prove that the storage takes objects, and to learn what its own clock shows.
MARK = "last-checked"
LISTED_AT_ONCE = 500


class StoreFailed(Exception):
    """The object storage cannot be used; the message says why, for the user."""


class ObjectGone(Exception):
    """There is no such object, though a row points at it."""


class ObjectStore(Protocol):
    """The objects of one database. Every method may raise StoreFailed."""

    def put(self, key: str, data: bytes) -> None:
        """Store an object, which is there whole or not at all."""
        ...

    def read(self, key: str, span: range | None = None) -> bytes:
        """Return an object, or a span of its bytes; raises ObjectGone."""
        ...

    def has(self, key: str) -> bool:
        """Tell whether there is such an object."""
        ...

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; those that are not there do not matter."""
        ...

    def listed(self) -> Iterator[Sequence[tuple[str, float]]]:
        """Yield all objects, some at a time: key, and when it was stored, in seconds since 1970."""
        ...

    def prove(self) -> float:
        """Store MARK without much patience; return when that was by the storage's own clock, in seconds since 1970."""
        ...


def open_store(url: str, folder: str, timeout_s: float) -> ObjectStore:
    """Return the objects of the database that calls its part of the storage `folder`; raises StoreFailed."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return FolderStore(Path(unquote(parts.path)) / folder)
    try:
        from runware_mock.storage.s3 import S3Objects
    except ImportError:
        raise StoreFailed("S3 needs an optional library: install runware-mock[s3]") from None
    return S3Objects(parts, folder, timeout_s)


class FolderStore:
    """Objects as files of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with _failing():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, key: str, data: bytes) -> None:
        """Store an object."""
        # Of processes that store the same MARK at once, each has a name of its own.
        part = self._folder / f"{key}.{secrets.token_hex(4)}.part"
        with _failing():
            try:
                with part.open("xb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(self._folder / key)
            except OSError:
                part.unlink(missing_ok=True)
                raise
            self._sync()

    def read(self, key: str, span: range | None = None) -> bytes:
        """Return an object, or a span of its bytes."""
        with _failing():
            try:
                with (self._folder / key).open("rb") as file:
                    file.seek(0 if span is None else span.start)
                    return file.read(-1 if span is None else len(span))
            except FileNotFoundError:
                # Where the whole folder is missing, nobody has deleted this one.
                self._folder.stat()
                raise ObjectGone from None

    def has(self, key: str) -> bool:
        """Tell whether there is such an object."""
        with _failing():
            self._folder.stat()
            return (self._folder / key).exists()

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects."""
        with _failing():
            for key in keys:
                (self._folder / key).unlink(missing_ok=True)

    def listed(self) -> Iterator[Sequence[tuple[str, float]]]:
        """Yield all objects, and what a process that was killed has left of one."""
        with _failing():
            names = [file.name for file in self._folder.iterdir()]
        for start in range(0, len(names), LISTED_AT_ONCE):
            yield [found for name in names[start : start + LISTED_AT_ONCE] if (found := self._found(name))]

    def prove(self) -> float:
        """Store MARK."""
        self.put(MARK, b"")
        with _failing():
            return (self._folder / MARK).stat().st_mtime

    def _found(self, name: str) -> tuple[str, float] | None:
        try:
            return name, (self._folder / name).stat().st_mtime
        except OSError:
            return None

    def _sync(self) -> None:
        """Let the name of a new file survive a power cut, as the row will that points at it."""
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _failing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreFailed(error.strerror or str(error)) from error
