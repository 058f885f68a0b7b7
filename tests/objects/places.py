"""Where a mock under test keeps the bytes of pictures, seen from outside of it."""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runware_mock.storage.blobs import MARK
from tests.objects.s3_server import BUCKET

OBJECT_PLACES = ("folder", "s3")
Paint = Callable[[int], bytes]


@dataclass(frozen=True)
class Place:
    """A folder or a bucket's prefix of a test's own; `content_url` leads a mock there, and is None for the database."""

    content_url: str | None

    @property
    def settings(self) -> dict[str, Any]:
        """What leads a mock in this process there."""
        return {} if self.content_url is None else {"content_url": self.content_url}

    @property
    def arguments(self) -> tuple[str, ...]:
        """What leads a mock in a process of its own there."""
        return () if self.content_url is None else ("--content-url", self.content_url)

    def names(self) -> set[str]:
        """Return the names of the objects that are there."""
        return set()

    def remove(self, *names: str) -> None:
        """Delete objects behind the mock's back."""


@dataclass(frozen=True)
class FolderPlace(Place):
    """A folder."""

    folder: Path

    def names(self) -> set[str]:
        """Return the names of the objects that are there."""
        names = {file.name for file in self.folder.rglob("*") if file.is_file()}
        # A mark has another name until it is complete.
        return {name for name in names if name != MARK and not name.startswith(f"{MARK}.")}

    def remove(self, *names: str) -> None:
        """Delete objects behind the mock's back."""
        for file in self.folder.rglob("*"):
            if file.name in names:
                file.unlink()


@dataclass(frozen=True)
class S3Place(Place):
    """A prefix of a bucket of the server at `server_url`."""

    prefix: str
    server_url: str

    def names(self) -> set[str]:
        """Return the names of the objects that are there."""
        return {path.rpartition("/")[2] for path in self._paths()} - {MARK}

    def remove(self, *names: str) -> None:
        """Delete objects behind the mock's back."""
        self._store().delete([path for path in self._paths() if path.rpartition("/")[2] in names])

    def _store(self) -> Any:
        from obstore.store import S3Store

        return S3Store(BUCKET, endpoint=self.server_url, prefix=self.prefix, client_options={"allow_http": True})

    def _paths(self) -> list[str]:
        return [found["path"] for some in self._store().list() for found in some]


def folder_place(folder: Path) -> FolderPlace:
    """Return a place for objects below a folder."""
    return FolderPlace((folder / "objects").as_uri(), folder / "objects")


def s3_place(server_url: str, through_url: str | None = None) -> S3Place:
    """Return a place for objects in the bucket, which a mock reaches by `through_url`, if it is given."""
    prefix = f"tests/{secrets.token_hex(8)}"
    return S3Place(f"s3://{BUCKET}/{prefix}?endpoint={through_url or server_url}", prefix, server_url)


def until(is_so: Callable[[], bool], within_s: float = 30.0) -> Iterator[None]:
    """Yield until something has become so, for a `for` loop that has nothing else to do."""
    give_up_s = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < give_up_s, "it has not become so"
        yield
