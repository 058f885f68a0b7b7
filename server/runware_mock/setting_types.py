"""Types of settings: each reads a value as a user writes it, or raises a ValueError that says what is wrong with it."""

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from runware_mock.units import parse_duration, parse_size


def split_names(value: object) -> object:
    """Split names at commas and spaces, so that one variable can hold several."""
    given = value if isinstance(value, (tuple, list)) else (value,)
    return tuple(
        part for one in given for part in (re.split(r"[\s,]+", one.strip()) if isinstance(one, str) else (one,))
    )


def _url_files(value: object) -> object:
    """Read `URL=FILE`, several of them in a tuple or separated by spaces."""
    if isinstance(value, Mapping):
        return value
    pairs = value.split() if isinstance(value, str) else value if isinstance(value, (tuple, list)) else (value,)
    files = {}
    for pair in pairs:
        url, _, file = str(pair).rpartition("=")
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"{pair!r} should be URL=FILE")
        files[url] = file
    return files


def _check_files(files: dict[str, Path]) -> dict[str, Path]:
    for file in files.values():
        if not file.is_file():
            raise ValueError(f"{str(file)!r} is not a file")
    return files


def _check_exists(path: Path) -> Path:
    if not path.exists():
        raise ValueError(f"there is no {path}")
    return path


def _check_database_url(url: str) -> str:
    # A wrong address may hold a password, so the message does not repeat it.
    if not re.match(r"(postgres(ql)?(\+psycopg)?://.|sqlite:///(?!:memory:).)", url):
        raise ValueError("not the address of a database (write postgresql+psycopg://… or sqlite:///FILE)")
    return url


def _check_storage_url(url: str) -> str:
    # A wrong address may hold a secret, so the message does not repeat it.
    parts = urlsplit(url)
    if parts.scheme == "file":
        is_known = not (parts.netloc or parts.query or parts.fragment) and parts.path.startswith("/")
    else:
        options = parse_qs(parts.query, keep_blank_values=True).keys() <= {"region", "endpoint"}
        is_bucket = bool(parts.netloc) and "@" not in parts.netloc + parts.query and not parts.fragment
        is_known = parts.scheme == "s3" and is_bucket and options
    if not is_known:
        raise ValueError(
            "should be file:///FOLDER, or s3://BUCKET/PREFIX with at most ?region= and endpoint= after it "
            "(credentials come from the AWS_* variables)"
        )
    return url


def _check_http_url(url: str) -> str:
    if not re.match(r"https?://[^/\s]+", url):
        raise ValueError("not an address (write http://… or https://…)")
    return url


Duration = Annotated[timedelta, Field(ge=timedelta(0)), BeforeValidator(parse_duration)]
PositiveDuration = Annotated[timedelta, Field(gt=timedelta(0)), BeforeValidator(parse_duration)]
Size = Annotated[int, BeforeValidator(parse_size)]
Names = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(split_names)]
Secret = Annotated[SecretStr, Field(min_length=1)]
ApiKeys = Annotated[tuple[Secret, ...], BeforeValidator(split_names)]
UrlFiles = Annotated[dict[str, Path], BeforeValidator(_url_files), AfterValidator(_check_files)]
DatabaseUrl = Annotated[str, AfterValidator(_check_database_url)]
StorageUrl = Annotated[str, AfterValidator(_check_storage_url)]
HttpUrl = Annotated[str, AfterValidator(_check_http_url)]
ExistingPath = Annotated[Path, AfterValidator(_check_exists)]
