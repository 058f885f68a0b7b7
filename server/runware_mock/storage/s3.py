"""Objects in a bucket of S3, or of anything that speaks like it."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qsl

from obstore.exceptions import BaseError
from obstore.store import S3Store

from runware_mock.storage.object_store import LISTED_AT_ONCE, MARK, ObjectGone, StoreFailed

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

_CONNECT_S = 5.0
_RETRIES = 3
# To tell whether the storage is there nobody waits longer.
_PROOF_S = 2.0
# Where credentials come from. Without any the library would ask an address of the cloud for them, which elsewhere is a
# long wait for nothing.
_CREDENTIALS = (
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    ("AWS_WEB_IDENTITY_TOKEN_FILE",),
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI",),
    ("AWS_SKIP_SIGNATURE",),
)


class S3Objects:
    """Objects under `s3://bucket/prefix/<folder>`; region, endpoint and credentials are those of AWS_* variables.

    A call takes at most twice `timeout_s`: until then it is tried again, and the last try may take as long.
    """

    def __init__(self, url: SplitResult, folder: str, timeout_s: float) -> None:
        if not any(all(os.environ.get(name) for name in names) for names in _CREDENTIALS):
            raise StoreFailed("there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        prefix = "/".join(part for part in (*url.path.split("/"), folder) if part)
        config = _config(url)
        client: ClientConfig = {"allow_http": True}
        with _failing():
            # As the tools of AWS call the authorities that a storage of one's own is known to.
            if bundle := os.environ.get("AWS_CA_BUNDLE"):
                client["root_certificate"] = Path(bundle).read_bytes()
            self._store = _store(url.netloc, prefix, config, client, timeout_s, _RETRIES)
            self._proving = _store(url.netloc, prefix, config, client, min(timeout_s, _PROOF_S), 1)

    def put(self, key: str, data: bytes) -> None:
        """Store an object: by one request, of which a killed process leaves nothing."""
        with _failing():
            self._store.put(key, data, use_multipart=False)

    def read(self, key: str, span: range | None = None) -> bytes:
        """Return an object, or a span of its bytes."""
        with _failing():
            try:
                if span is None:
                    return bytes(self._store.get(key).bytes())
                return bytes(self._store.get_range(key, start=span.start, end=span.stop))
            except FileNotFoundError as error:
                if "NoSuchBucket" in str(error):
                    raise
                raise ObjectGone from None

    def has(self, key: str) -> bool:
        """Tell whether there is such an object."""
        with _failing():
            try:
                self._store.head(key)
            except FileNotFoundError:
                return False
            return True

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects."""
        with _failing():
            self._store.delete(keys)

    def listed(self) -> Iterator[Sequence[tuple[str, float]]]:
        """Yield all objects."""
        with _failing():
            for some in self._store.list(chunk_size=LISTED_AT_ONCE):
                yield [(one["path"], one["last_modified"].timestamp()) for one in some]

    def prove(self) -> float:
        """Store MARK."""
        with _failing():
            self._proving.put(MARK, b"", use_multipart=False)
            return self._proving.head(MARK)["last_modified"].timestamp()


def _config(url: SplitResult) -> "S3Config":
    given = dict(parse_qsl(url.query))
    config: S3Config = {}
    if "region" in given:
        config["region"] = given["region"]
    if "endpoint" in given:
        config["endpoint"] = given["endpoint"]
    return config


def _store(
    bucket: str, prefix: str, config: "S3Config", client: "ClientConfig", timeout_s: float, retries: int
) -> S3Store:
    timeout = timedelta(seconds=timeout_s)
    retry: RetryConfig = {
        "max_retries": retries,
        "retry_timeout": timeout,
        "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=1), "base": 2},
    }
    return S3Store(
        bucket,
        prefix=prefix,
        config=config,
        client_options={**client, "timeout": timeout, "connect_timeout": min(timeout, timedelta(seconds=_CONNECT_S))},
        retry_config=retry,
    )


@contextmanager
def _failing() -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        raise StoreFailed(_reason(str(error))) from None


def _reason(told: str) -> str:
    """Return what matters in the library's report of many lines, which never holds a secret."""
    if code := re.search(r"<Code>(\w+)</Code>", told):
        return code[1]
    if kind := re.search(r"kind: (Connect|Timeout)", told):
        return {"Connect": "nothing answers at its address", "Timeout": "it does not answer in time"}[kind[1]]
    return told.partition("\n")[0].rpartition(" - ")[2][:200]
