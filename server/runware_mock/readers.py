"""Readers of settings: each returns the value that a user gave, or raises a ValueError that says what is wrong with it.

Our own, since the library that knows them all took a fifth of every start to import.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from os import PathLike
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, urlsplit

from runware_mock.units import parse_duration, parse_size, write_duration

Reader = Callable[[object], object]

_SWITCHES = {
    **dict.fromkeys(("1", "on", "t", "true", "y", "yes"), True),
    **dict.fromkeys(("0", "off", "f", "false", "n", "no"), False),
}


def text(value: object) -> str:
    """Read a text, which may be empty."""
    if not isinstance(value, str):
        raise ValueError("not a text")  # noqa: TRY004 - a bad value, whatever its type
    return value


def filled_text(value: object) -> str:
    """Read a text of at least one character."""
    if filled := text(value):
        return filled
    raise ValueError("empty")


def path(value: object) -> Path:
    """Read a file's or folder's name."""
    if not isinstance(value, (str, PathLike)):
        raise ValueError("not a path")  # noqa: TRY004 - a bad value, whatever its type
    return Path(value)


def existing_path(value: object) -> Path:
    """Read the name of a file or folder that is there."""
    found = path(value)
    if not found.exists():
        raise ValueError(f"there is no {found}")
    return found


def switch(value: object) -> bool:
    """Read yes or no, on or off, true or false, 1 or 0."""
    try:
        return _SWITCHES[str(value).lower()]
    except KeyError:
        raise ValueError("neither on nor off (write true or false)") from None


def one_of(*words: str) -> Reader:
    """Read one of these words."""
    *first, last = map(repr, words)

    def read(value: object) -> str:
        if value not in words:
            raise ValueError(f"should be {', '.join(first)} or {last}")
        return text(value)

    return read


def whole(at_least: int | None = None, at_most: int | None = None) -> Reader:
    """Read a whole number."""

    def read(value: object) -> int:
        try:
            number = int(str(value))
        except ValueError:
            raise ValueError("not a valid integer") from None
        _check_bounds(number, at_least, at_most)
        return number

    return read


def size(at_least: int) -> Reader:
    """Read a number of bytes."""

    def read(value: object) -> int:
        size_bytes = parse_size(value)
        _check_bounds(size_bytes, at_least, None)
        return size_bytes

    return read


def _check_bounds(number: int, at_least: int | None, at_most: int | None) -> None:
    if at_least is not None and number < at_least:
        raise ValueError(f"should be greater than or equal to {at_least}")
    if at_most is not None and number > at_most:
        raise ValueError(f"should be less than or equal to {at_most}")


def duration(more_than: timedelta | None = None, at_most: timedelta | None = None) -> Reader:
    """Read a duration."""

    def read(value: object) -> timedelta:
        span = parse_duration(value)
        if span < timedelta(0):
            raise ValueError("a negative duration")
        if more_than is not None and span <= more_than:
            raise ValueError(f"should be greater than {write_duration(more_than)}")
        if at_most is not None and span > at_most:
            raise ValueError(f"should be less than or equal to {write_duration(at_most)}")
        return span

    return read


def names(value: object) -> tuple[str, ...]:
    """Read several names, given as such or in one text with commas or spaces between them."""
    given = value if isinstance(value, (tuple, list)) else (value,)
    joined = ",".join(map(filled_text, given)).strip()
    return tuple(map(filled_text, re.split(r"[\s,]+", joined))) if given else ()


def database_url(value: object) -> str:
    """Read the address of a database."""
    # Whatever else it is may hold a password, and is not repeated.
    if not re.match(r"(postgres(ql)?(\+psycopg)?://.|sqlite:///(?!:memory:).)", text(value)):
        raise ValueError("not the address of a database (write postgresql+psycopg://… or sqlite:///FILE)")
    return text(value)


def storage_url(value: object) -> str:
    """Read the address of an object storage."""
    # What is refused may hold a secret, and is not repeated.
    if not _is_storage(urlsplit(text(value))):
        raise ValueError(
            "not s3://BUCKET/PREFIX (with ?region= or endpoint= at most; credentials are AWS_* variables), nor "
            "file:///FOLDER"
        )
    return text(value)


def _is_storage(url: SplitResult) -> bool:
    if url.scheme == "file":
        return not (url.netloc or url.query or url.fragment) and url.path.startswith("/")
    known = parse_qs(url.query, keep_blank_values=True).keys() <= {"region", "endpoint"}
    return url.scheme == "s3" and bool(url.netloc) and "@" not in url.netloc + url.query and known and not url.fragment


def http_url(value: object) -> str:
    """Read an address that begins with http:// or https://."""
    if not re.match(r"https?://[^/\s]+", text(value)):
        raise ValueError("not an address (write http://… or https://…)")
    return text(value)


def url_map(value: object) -> tuple[str, ...]:
    """Read pairs of a URL and a file that is there."""
    pairs = tuple(map(text, value if isinstance(value, (tuple, list)) else (value,)))
    for pair in pairs:
        url, _, file = pair.rpartition("=")
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"{pair!r} is not URL=FILE")
        if not Path(file).is_file():
            raise ValueError(f"{file!r} is not a file")
    return pairs
