"""Values as users write them: durations, sizes, names, files and addresses."""

import re
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

_UNITS_S = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
# Operating system timers cannot wait much longer.
_LONGEST = timedelta(days=36_500)
_UNITS_BYTES = {"b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_LONGEST_PATH = 1024
# Base64 contains none of "~.:\\".
_FILE_PATH = re.compile(r"(?:file:|~/|\.{1,2}[/\\]|[A-Za-z]:\\).*|[^:]*[^.]\.[A-Za-z0-9]{2,5}", re.IGNORECASE)
_NUMBER = r"\d+(?:\.\d+)?"


def parse_duration(value: object, longest: timedelta = _LONGEST) -> timedelta:
    """Return the timedelta that `30d`, `2h30m`, `1.5s` or `0` stands for, or the timedelta that was given.

    Raises ValueError for anything else: a number needs a unit, and there is a longest duration.
    """
    if isinstance(value, timedelta):
        return value
    text = str(value).strip().lower()
    if re.fullmatch(_NUMBER, text):
        if float(text) == 0:
            return timedelta(0)
        raise ValueError(f"{text} has no unit: write {text}s, {text}m or {text}d")
    if not re.fullmatch(rf"({_NUMBER}(ms|[smhdw]))+", text):
        raise ValueError("not a duration (write for example 30d, 2h30m or 90s)")
    parts = re.findall(rf"({_NUMBER})(ms|[smhdw])", text)
    try:
        span = sum((timedelta(seconds=float(number) * _UNITS_S[unit]) for number, unit in parts), timedelta())
    except OverflowError:
        span = timedelta.max
    if span > longest:
        raise ValueError(f"a duration may not be more than {longest.days}d")
    return span


def parse_size(value: object) -> int:
    """Return the number of bytes that `256MiB`, `1.5GB` or `0` stands for, or the int that was given.

    Raises ValueError for anything else: the text of a number needs a unit.
    """
    if type(value) is int and value >= 0:
        return value
    text = str(value).strip().lower()
    match = re.fullmatch(rf"({_NUMBER})\s*([a-z]*)", text)
    if match is None or match[2] not in ("", *_UNITS_BYTES):
        raise ValueError("not a size (write for example 256MiB or 1GB)")
    if not match[2] and float(text) != 0:
        raise ValueError(f"{text} has no unit: write {text}MiB, {text}KB or {text}B")
    whole, _, decimals = match[1].partition(".")
    parts: int = 10 ** len(decimals)
    return int(whole + decimals) * _UNITS_BYTES[match[2] or "b"] // parts


def write_duration(span: timedelta) -> str:
    """Write a duration so that `parse_duration` reads it back."""
    text = ""
    for unit in ("d", "h", "m"):
        count, span = divmod(span, timedelta(seconds=_UNITS_S[unit]))
        text += f"{count}{unit}" if count else ""
    seconds = f"{span.total_seconds():f}".rstrip("0").rstrip(".")
    return text + (f"{seconds}s" if span or not text else "")


def write_size(size_bytes: int) -> str:
    """Write a size so that `parse_size` reads it back."""
    for unit in ("GiB", "MiB", "KiB"):
        if size_bytes and size_bytes % _UNITS_BYTES[unit.lower()] == 0:
            return f"{size_bytes // _UNITS_BYTES[unit.lower()]}{unit}"
    return f"{size_bytes}B" if size_bytes else "0"


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


def is_file_path(text: str) -> bool:
    """Tell whether a text that may be a picture in base64, a URL or a name looks like the path of a file instead."""
    return len(text) <= _LONGEST_PATH and bool(_FILE_PATH.fullmatch(text))


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine by its very name or address, whatever a resolver says."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
        # What listens on `::` sees a caller over IPv4 as ::ffff:127.0.0.1.
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback
    except ValueError:
        return False


def url_of(host: str, port: int, *, is_tls: bool) -> str:
    """Return the URL of a server that listens on a host and port, as a client on this machine writes it."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"{'https' if is_tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


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
