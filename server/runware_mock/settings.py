"""What a user may set: one field a setting, which is also its flag and its `RUNWARE_MOCK_*` variable."""

import os
import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from runware_mock.readers import (
    Reader,
    database_url,
    duration,
    existing_path,
    filled_text,
    http_url,
    names,
    one_of,
    path,
    size,
    storage_url,
    switch,
    text,
    url_map,
    whole,
)
from runware_mock.units import write_duration, write_size

_SECRETS = ("api_key", "control_token")
ENV_PREFIX = "RUNWARE_MOCK_"

# The page: "Valid extensions are: jpeg, jpg, png, webp, bmp and gif."
PICTURES = ("jpeg", "png", "webp", "bmp", "gif")
FetchMode = Literal["off", "public", "local"]
_NOTHING = timedelta(0)


def without_secrets(url: str) -> str:
    """Return the address of a database with its passwords hidden, wherever they stand in it."""
    hidden = re.sub(r"(?<=://)([^:@/?]*):.*@", r"\1:***@", url)
    return re.sub(r"([?&][^=&]*password)=[^&]*", r"\1=***", hidden, flags=re.IGNORECASE)


def machine_memory_bytes() -> int:
    """Return the memory this process may use: the machine's, or its container's if that is less."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(machine, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    except (OSError, ValueError):  # no such file, or "max"
        return machine


def default_data_dir() -> Path:
    """Return the folder that is used where none is named."""
    import platformdirs

    return platformdirs.user_data_path("runware-mock")


class BadSetting(ValueError):
    """A setting that cannot be; the message says why."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def _formats(value: object) -> tuple[str, ...]:
    formats = tuple("jpeg" if name.lower() == "jpg" else name.lower() for name in names(value))
    if unknown := [name for name in formats if name not in PICTURES]:
        raise ValueError(f"{unknown[0]!r} is none of {', '.join(PICTURES)}")
    return formats


def setting(default: Any, read: Reader, description: str, *, is_shown: bool = True) -> Any:
    """Return a field of Settings: its default, what reads a value, and the help text of its flag."""
    return field(default=default, repr=is_shown, metadata={"read": read, "description": description})


# What dataclass would compile to print forty fields costs each start three milliseconds.
@dataclass(frozen=True, kw_only=True, repr=False)
class Settings:
    """Every setting of the server; one may be given as a user writes it. Raises BadSetting."""

    host: str = setting("127.0.0.1", text, "Address to listen on.")
    port: int = setting(8080, whole(0, 65535), "Port to listen on; 0 picks a free one.")
    # Where none is given it is `default_data_dir()`, asked only then: what knows it is slow to import.
    data_dir: Path = setting(None, path, "Folder of the database.")
    database_url: str | None = setting(
        None,
        database_url,
        "Database instead of a file in the data folder: postgresql+psycopg://user:password@host/name.",
        is_shown=False,
    )
    content_url: str | None = setting(
        None, storage_url, "Object storage for the bytes of pictures: s3://BUCKET/PREFIX or file:///FOLDER."
    )
    content_timeout: timedelta = setting(
        timedelta(seconds=10),
        duration(more_than=_NOTHING, at_most=timedelta(hours=1)),
        "How long one request to the object storage may take.",
    )
    in_memory: bool = setting(False, switch, "Keep nothing: state is gone at exit.")
    durable: bool = setting(False, switch, "Survive a power cut, not only a killed process (slower).")
    retention: timedelta = setting(timedelta(days=30), duration(), "How long after its last use an image is kept.")
    purge_every: timedelta = setting(
        timedelta(minutes=10), duration(more_than=_NOTHING), "How often expired images are removed."
    )
    api_key: tuple[str, ...] = setting(
        (), names, "Accept only this API key (repeatable). Default: any key.", is_shown=False
    )
    control_token: str | None = setting(
        None, filled_text, "Secret that calls of /_mock/ must bring; other machines need one.", is_shown=False
    )
    allow_origin: tuple[str, ...] = setting(
        (), names, "Let pages of this origin call the API, besides this machine's (repeatable). * lets all."
    )
    public_url: str | None = setting(None, http_url, "Base of every imageURL. Default: the request's own host.")
    tls: bool = setting(
        False, switch, "Speak https and wss, with a certificate of a local authority (runware-mock[tls])."
    )
    tls_name: tuple[str, ...] = setting((), names, "Further name of the server in that certificate (repeatable).")
    tls_cert: Path | None = setting(None, path, "Certificate chain to use instead, in PEM; needs --tls-key.")
    tls_key: Path | None = setting(None, path, "Key of --tls-cert, in PEM.")
    max_message_bytes: int = setting(256 * 2**20, size(1024), "Longest request body or WebSocket message.")
    message_budget_bytes: int | None = setting(
        None, size(2**20), "Memory of each process for messages. Default: a quarter of the machine's in all."
    )
    memory_budget_bytes: int | None = setting(
        None, size(2**20), "Memory of each process for decoding pictures. Default: a quarter of the machine's in all."
    )
    workers: int = setting(1, whole(1, 64), "Processes that serve, on one port and one database.")
    threads: int = setting(0, whole(0, 256), "Threads of each process that decode pictures; 0 means one a core in all.")
    vips: Literal["auto", "off"] = setting(
        "auto",
        one_of("auto", "off"),
        "auto: downsize with libvips what it is better at, if runware-mock[vips] is installed; off.",
    )
    formats: tuple[str, ...] = setting(PICTURES, _formats, "Picture formats accepted, separated by commas.")
    uuid: Literal["v4", "any"] = setting("v4", one_of("v4", "any"), "taskUUIDs accepted: v4, or any UUID.")
    seed: int | None = setting(None, whole(), "Make up the same UUIDs in every run, for each API key apart.")
    journal_entries: int = setting(100_000, whole(1), "Tasks remembered in the journal.")
    journal_bytes: int = setting(256 * 2**20, size(2**16), "Memory of the journal, answers included.")
    conflict_window: timedelta = setting(timedelta(hours=24), duration(), "How long a taskUUID may not be used again.")
    processing_time: timedelta = setting(
        _NOTHING, duration(), "How long getResponse says 'processing' of an asynchronous task."
    )
    quota_media: int | None = setting(None, whole(0), "Media that an API key may have stored. Default: any number.")
    quota_bytes: int | None = setting(None, size(0), "Bytes that an API key may have stored. Default: any number.")
    quota_tasks_per_minute: int | None = setting(
        None, whole(1), "Tasks that an API key may begin in a minute, getResponse aside. Default: any number."
    )
    data_shape: Literal["array", "object"] = setting(
        "array",
        one_of("array", "object"),
        "array, or object: answer a REST request of one task as the documentation page prints it.",
    )
    fetch: FetchMode = setting(
        "local",
        one_of("off", "public", "local"),
        "Image URLs fetched: off, public addresses, or local (private and loopback ones too).",
    )
    fetch_timeout: timedelta = setting(
        timedelta(seconds=30),
        duration(more_than=_NOTHING, at_most=timedelta(days=1)),
        "How long fetching an image URL may take.",
    )
    url_map: tuple[str, ...] = setting((), url_map, "URL=FILE: serve this image URL from a file (repeatable).")
    idle_timeout: timedelta = setting(
        timedelta(seconds=120), duration(more_than=_NOTHING), "Close a WebSocket after this silence."
    )
    stall_timeout: timedelta = setting(
        timedelta(seconds=60),
        duration(),
        "Close a connection that moves less than 16 KiB of a message in this time; 0s never does.",
    )
    max_connections: int = setting(
        1000, whole(0), "Connections at once; further ones are answered 503. 0 means as many as files."
    )
    replay_window: timedelta = setting(
        timedelta(seconds=120), duration(), "How long undelivered WebSocket answers are kept for a reconnect."
    )
    log_level: Literal["debug", "info", "warning", "error"] = setting(
        "info",
        one_of("debug", "info", "warning", "error"),
        "Least severe line logged: debug, info, warning or error.",
    )
    log_format: Literal["text", "json"] = setting(
        "text", one_of("text", "json"), "How log lines are written: text or json."
    )
    fixtures: Path | None = setting(
        None, existing_path, "Folder of media, or manifest.json, that are stored from the start."
    )
    ready_file: Path | None = setting(None, path, "Write the address as JSON to this file when ready.")

    def __post_init__(self) -> None:
        """Read each that is not at its default; raises BadSetting."""
        for name in self._given:
            try:
                object.__setattr__(self, name, FIELDS[name].metadata["read"](getattr(self, name)))
            except ValueError as error:
                raise BadSetting(name, str(error)) from None
        if "data_dir" not in self._given:
            object.__setattr__(self, "data_dir", default_data_dir())
        if self.in_memory and self.database_url is not None:
            raise BadSetting("in_memory", "what --database-url names is kept: leave out one of the two")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise BadSetting("tls_key", "--tls-cert and --tls-key belong together")

    def __repr__(self) -> str:
        """Name all but secrets."""
        shown = (f"{name}={getattr(self, name)!r}" for name, one in FIELDS.items() if one.repr)
        return f"Settings({', '.join(shown)})"

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Settings":
        """Return what names and values make; raises BadSetting."""
        if unknown := given.keys() - FIELDS:
            raise BadSetting(min(unknown), "there is no such setting")
        return cls(**given)

    @cached_property
    def _given(self) -> list[str]:
        """Those that were not left at their default."""
        return [name for name, one in FIELDS.items() if getattr(self, name) is not one.default]

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
            for name in self._given
            if getattr(self, name) != FIELDS[name].default
        }


FIELDS: Mapping[str, Field[Any]] = {one.name: one for one in fields(Settings)}


def _default(name: str) -> Any:
    return default_data_dir() if name == "data_dir" else FIELDS[name].default


def description(name: str) -> str:
    """Return the help text of a setting's flag."""
    told: str = FIELDS[name].metadata["description"]
    return told


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
