"""What a user may set: one field a setting, which is also its flag and its `RUNWARE_MOCK_*` variable."""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, parse_qs, urlsplit

import platformdirs
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

_SECRETS = ("api_key", "control_token")
ENV_PREFIX = "RUNWARE_MOCK_"

_UNITS_S = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
# Timers of the operating system cannot wait much longer.
_LONGEST = timedelta(days=36_500)
_UNITS_BYTES = {"": 1, "b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 2**10, "mib": 2**20, "gib": 2**30}
# The page: "Valid extensions are: jpeg, jpg, png, webp, bmp and gif."
PICTURES = ("jpeg", "png", "webp", "bmp", "gif")


def parse_duration(value: object) -> timedelta:
    """Read `30d`, `2h30m`, `1.5s` or a bare number of seconds."""
    if isinstance(value, timedelta):
        return value
    text = str(value).strip().lower()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        text += "s"
    if not re.fullmatch(r"(\d+(\.\d+)?(ms|[smhdw]))+", text):
        raise ValueError("not a duration (write for example 30d, 2h30m, 90s)")
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|[smhdw])", text)
    try:
        span = sum((timedelta(seconds=float(number) * _UNITS_S[unit]) for number, unit in parts), timedelta())
    except OverflowError:
        span = timedelta.max
    if span > _LONGEST:
        raise ValueError(f"a duration of more than {_LONGEST.days}d")
    return span


def parse_size(value: object) -> int:
    """Read `256MiB`, `1.5GB` or a bare number of bytes."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", str(value).strip().lower())
    if match is None or match[2] not in _UNITS_BYTES:
        raise ValueError("not a size (write for example 256MiB or 1GB)")
    return int(Fraction(match[1]) * _UNITS_BYTES[match[2]])


def write_duration(span: timedelta) -> str:
    """Write a duration as `parse_duration` reads it."""
    text = ""
    for unit in ("d", "h", "m"):
        count, span = divmod(span, timedelta(seconds=_UNITS_S[unit]))
        text += f"{count}{unit}" if count else ""
    seconds = f"{span.total_seconds():f}".rstrip("0").rstrip(".")
    return text + (f"{seconds}s" if span or not text else "")


def write_size(size_bytes: int) -> str:
    """Write a size as `parse_size` reads it."""
    for unit in ("GiB", "MiB", "KiB"):
        if size_bytes and size_bytes % _UNITS_BYTES[unit.lower()] == 0:
            return f"{size_bytes // _UNITS_BYTES[unit.lower()]}{unit}"
    return str(size_bytes)


def without_secrets(url: str) -> str:
    """Return the address of a database with its passwords hidden, wherever they stand in it."""
    hidden = re.sub(r"(?<=://)([^:@/?]*):.*@", r"\1:***@", url)
    return re.sub(r"([?&][^=&]*password)=[^&]*", r"\1=***", hidden, flags=re.IGNORECASE)


def _split(value: object) -> object:
    text = ",".join(value) if isinstance(value, (tuple, list)) else value
    return tuple(re.split(r"[\s,]+", text.strip())) if text and isinstance(text, str) else value


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Size = Annotated[int, BeforeValidator(parse_size)]
FetchMode = Literal["off", "public", "local"]
Names = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_split)]


def machine_memory_bytes() -> int:
    """Return the memory this process may use: the machine's, or its container's if that is less."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(machine, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    except (OSError, ValueError):  # no such file, or "max"
        return machine


def default_data_dir() -> Path:
    """Return the folder that is used where none is named."""
    return platformdirs.user_data_path("runware-mock")


class Settings(BaseModel):
    """Every setting of the server. The field's description is the help text of its flag."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="Folder of the database.",
    )
    database_url: str | None = Field(
        None,
        repr=False,
        description="Database instead of a file in the data folder: postgresql+psycopg://user:password@host/name.",
    )
    content_url: str | None = Field(
        None, description="Object storage for the bytes of pictures: s3://BUCKET/PREFIX or file:///FOLDER."
    )
    content_timeout: Duration = Field(
        timedelta(seconds=10),
        gt=timedelta(0),
        le=timedelta(hours=1),
        description="How long one request to the object storage may take.",
    )
    in_memory: bool = Field(default=False, description="Keep nothing: state is gone at exit.")
    durable: bool = Field(default=False, description="Survive a power cut, not only a killed process (slower).")
    retention: Duration = Field(timedelta(days=30), description="How long after its last use an image is kept.")
    purge_every: Duration = Field(
        timedelta(minutes=10), gt=timedelta(0), description="How often expired images are removed."
    )
    api_key: Names = Field((), repr=False, description="Accept only this API key (repeatable). Default: any key.")
    control_token: str | None = Field(
        None,
        min_length=1,
        repr=False,
        description="Secret that calls of /_mock/ must bring; other machines need one.",
    )
    allow_origin: Names = Field(
        (), description="Let pages of this origin call the API, besides this machine's (repeatable). * lets all."
    )
    public_url: str | None = Field(
        None, pattern=r"^https?://[^/\s]+", description="Base of every imageURL. Default: the request's own host."
    )
    tls: bool = Field(
        default=False, description="Speak https and wss, with a certificate of a local authority (runware-mock[tls])."
    )
    tls_name: Names = Field((), description="Further name of the server in that certificate (repeatable).")
    tls_cert: Path | None = Field(None, description="Certificate chain to use instead, in PEM; needs --tls-key.")
    tls_key: Path | None = Field(None, description="Key of --tls-cert, in PEM.")
    max_message_bytes: Size = Field(256 * 2**20, ge=1024, description="Longest request body or WebSocket message.")
    message_budget_bytes: Size | None = Field(
        None,
        ge=2**20,
        description="Memory of each process for messages. Default: a quarter of the machine's in all.",
    )
    memory_budget_bytes: Size | None = Field(
        None,
        ge=2**20,
        description="Memory of each process for decoding pictures. Default: a quarter of the machine's in all.",
    )
    workers: int = Field(1, ge=1, le=64, description="Processes that serve, on one port and one database.")
    threads: int = Field(
        0, ge=0, le=256, description="Threads of each process that decode pictures; 0 means one a core in all."
    )
    vips: Literal["auto", "off"] = Field(
        "auto",
        description="auto: downsize with libvips what it is better at, if runware-mock[vips] is installed; off.",
    )
    formats: Names = Field(PICTURES, description="Picture formats accepted, separated by commas.")
    uuid: Literal["v4", "any"] = Field("v4", description="taskUUIDs accepted: v4, or any UUID.")
    seed: int | None = Field(None, description="Make up the same UUIDs in every run, for each API key apart.")
    journal_entries: int = Field(100_000, ge=1, description="Tasks remembered in the journal.")
    journal_bytes: Size = Field(256 * 2**20, ge=2**16, description="Memory of the journal, answers included.")
    conflict_window: Duration = Field(timedelta(hours=24), description="How long a taskUUID may not be used again.")
    processing_time: Duration = Field(
        timedelta(0), description="How long getResponse says 'processing' of an asynchronous task."
    )
    quota_media: int | None = Field(
        None, ge=0, description="Media that an API key may have stored. Default: any number."
    )
    quota_bytes: Size | None = Field(
        None, ge=0, description="Bytes that an API key may have stored. Default: any number."
    )
    quota_tasks_per_minute: int | None = Field(
        None, ge=1, description="Tasks that an API key may begin in a minute, getResponse aside. Default: any number."
    )
    data_shape: Literal["array", "object"] = Field(
        "array",
        description="array, or object: answer a REST request of one task as the documentation page prints it.",
    )
    fetch: FetchMode = Field(
        "local", description="Image URLs fetched: off, public addresses, or local (private and loopback ones too)."
    )
    fetch_timeout: Duration = Field(
        timedelta(seconds=30),
        gt=timedelta(0),
        le=timedelta(days=1),
        description="How long fetching an image URL may take.",
    )
    url_map: tuple[str, ...] = Field((), description="URL=FILE: serve this image URL from a file (repeatable).")
    idle_timeout: Duration = Field(
        timedelta(seconds=120), gt=timedelta(0), description="Close a WebSocket after this silence."
    )
    stall_timeout: Duration = Field(
        timedelta(seconds=60),
        description="Close a connection that moves less than 16 KiB of a message in this time; 0s never does.",
    )
    max_connections: int = Field(
        1000, ge=0, description="Connections at once; further ones are answered 503. 0 means as many as files."
    )
    replay_window: Duration = Field(
        timedelta(seconds=120), description="How long undelivered WebSocket answers are kept for a reconnect."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe line logged: debug, info, warning or error."
    )
    log_format: Literal["text", "json"] = Field("text", description="How log lines are written: text or json.")
    fixtures: Path | None = Field(
        None, description="Folder of media, or manifest.json, that are stored from the start."
    )
    ready_file: Path | None = Field(None, description="Write the address as JSON to this file when ready.")

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str | None) -> str | None:
        # Whatever else it is may hold a password, and is not repeated.
        if value is not None and not re.match(r"(postgres(ql)?(\+psycopg)?://.|sqlite:///(?!:memory:).)", value):
            raise ValueError("not the address of a database (write postgresql+psycopg://… or sqlite:///FILE)")
        return value

    @field_validator("in_memory")
    @classmethod
    def _one_database(cls, value: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - as pydantic calls it
        if value and info.data.get("database_url") is not None:
            raise ValueError("what --database-url names is kept: leave out one of the two")
        return value

    @field_validator("content_url")
    @classmethod
    def _known_storage(cls, value: str | None) -> str | None:
        # What is refused may hold a secret, and is not repeated.
        if value is not None and not _is_storage(urlsplit(value)):
            raise ValueError(
                "not s3://BUCKET/PREFIX (with ?region= or endpoint= at most; credentials are AWS_* variables), nor "
                "file:///FOLDER"
            )
        return value

    @field_validator("formats")
    @classmethod
    def _known_formats(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple("jpeg" if name.lower() == "jpg" else name.lower() for name in value)
        if unknown := [name for name in names if name not in PICTURES]:
            raise ValueError(f"{unknown[0]!r} is none of {', '.join(PICTURES)}")
        return names

    @field_validator("url_map")
    @classmethod
    def _existing_files(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pair in value:
            url, _, file = pair.rpartition("=")
            if not url.startswith(("http://", "https://")):
                raise ValueError(f"{pair!r} is not URL=FILE")
            if not Path(file).is_file():
                raise ValueError(f"{file!r} is not a file")
        return value

    @field_validator("fixtures")
    @classmethod
    def _existing_path(cls, value: Path | None) -> Path | None:
        if value is not None and not value.exists():
            raise ValueError(f"there is no {value}")
        return value

    @model_validator(mode="after")
    def _has_both(self) -> "Settings":
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("--tls-cert and --tls-key belong together")
        return self

    @property
    def uses_tls(self) -> bool:
        """Whether clients speak https and wss."""
        return self.tls or self.tls_cert is not None

    @cached_property
    def local_files(self) -> Mapping[str, Path]:
        """`url_map` as URL -> file."""
        return {url: Path(file) for url, _, file in (pair.rpartition("=") for pair in self.url_map)}

    def memory_budget(self) -> int:
        """Return the bytes that decoding may take at once."""
        return self.memory_budget_bytes or machine_memory_bytes() // 4 // self.workers

    def message_budget(self) -> int:
        """Return the bytes that messages may take at once: at least those of the longest one."""
        return max(self.message_budget_bytes or machine_memory_bytes() // 4 // self.workers, self.max_message_bytes)

    def thread_count(self) -> int:
        """Return how many threads decode pictures."""
        return self.threads or max(1, (os.cpu_count() or 1) // self.workers)

    def changed(self) -> dict[str, str]:
        """Return the settings that differ from their default, written for a person, without secrets."""
        return {
            name: "(hidden)" if name in _SECRETS else _write(name, getattr(self, name))
            for name in type(self).model_fields
            if getattr(self, name) != _default(name)
        }


def _is_storage(url: SplitResult) -> bool:
    if url.scheme == "file":
        return not (url.netloc or url.query or url.fragment) and url.path.startswith("/")
    known = parse_qs(url.query, keep_blank_values=True).keys() <= {"region", "endpoint"}
    return url.scheme == "s3" and bool(url.netloc) and "@" not in url.netloc + url.query and known and not url.fragment


def _default(name: str) -> Any:
    return Settings.model_fields[name].get_default(call_default_factory=True, validated_data={})


def _write(name: str, value: object) -> str:
    if name.endswith("_bytes"):
        return write_size(int(str(value)))
    if isinstance(value, timedelta):
        return write_duration(value)
    if name == "database_url":
        return without_secrets(str(value))
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def default_text(name: str) -> str:
    """Write the default of a setting for a help text; empty where there is none to show."""
    value = _default(name)
    return "" if value in (None, (), False) else _write(name, value)
