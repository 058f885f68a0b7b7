"""What a user may set: each field is a setting, a flag of `runware-mock serve` and a `RUNWARE_MOCK_*` variable."""

import os
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

import platformdirs
from pydantic import BeforeValidator, Field, PrivateAttr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from runware_mock.values import (
    ApiKeys,
    DatabaseUrl,
    Duration,
    ExistingPath,
    HttpUrl,
    Names,
    PositiveDuration,
    Secret,
    Size,
    StorageUrl,
    UrlFiles,
    split_names,
    write_duration,
    write_size,
)

ENV_PREFIX = "RUNWARE_MOCK_"

# The page: "Valid extensions are: jpeg, jpg, png, webp, bmp and gif."
Picture = Literal["jpeg", "png", "webp", "bmp", "gif"]
PICTURES: tuple[Picture, ...] = get_args(Picture)
FetchMode = Literal["off", "public", "local"]
# Where the operating system does not tell how much memory the machine has.
_USUAL_MEMORY_BYTES = 8 * 2**30


class BadSetting(ValueError):
    """The setting `name` has a value it cannot have, or does not exist; the message says what is wrong."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name

    @classmethod
    def of(cls, error: ValidationError) -> "BadSetting":
        """Return the first of pydantic's findings."""
        first = error.errors(include_url=False, include_input=False)[0]
        messages = {
            "value_error": str(first.get("ctx", {}).get("error")),
            "extra_forbidden": "there is no such setting",
            "bool_parsing": "should be true or false",
            "too_short": "may not be empty",
        }
        return cls(str(first["loc"][0]), messages.get(first["type"], first["msg"].removeprefix("Input ")))


def without_secrets(url: str) -> str:
    """Return the address of a database with every password in it hidden."""
    hidden = re.sub(r"(?<=://)([^:@/?]*):.*@", r"\1:***@", url)
    return re.sub(r"([?&][^=&]*password)=[^&]*", r"\1=***", hidden, flags=re.IGNORECASE)


def default_data_dir() -> Path:
    """Return the data folder used when none is set."""
    return platformdirs.user_data_path("runware-mock")


def machine_memory_bytes() -> int:
    """Return the memory this process may use: the machine's, or its container's if that is less."""
    try:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError):  # not a POSIX system
        machine = _USUAL_MEMORY_BYTES
    try:
        return min(machine, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    except (OSError, ValueError):  # no such file, or "max"
        return machine


def _format_name(name: object) -> str:
    return "jpeg" if str(name).lower() == "jpg" else str(name).lower()


Formats = Annotated[tuple[Annotated[Picture, BeforeValidator(_format_name)], ...], BeforeValidator(split_names)]


class Settings(BaseSettings):
    """Every setting of the server. `Settings(retention="7d")` takes values as a user writes them or of their own type.

    Raises BadSetting. Reads the environment only in `from_environment`.
    """

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_ignore_empty=True,
        enable_decoding=False,  # no JSON in variables: the validators split them
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    _start_token: str | None = PrivateAttr(None)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    data_dir: Path = Field(default_factory=default_data_dir, description="Folder for the database.")
    database_url: DatabaseUrl | None = Field(
        None,
        repr=False,
        description="Database to use instead of a file in the data folder: "
        "postgresql+psycopg://user:password@host/name.",
    )
    content_url: StorageUrl | None = Field(
        None, description="Object storage for the bytes of pictures: s3://BUCKET/PREFIX or file:///FOLDER."
    )
    content_timeout: PositiveDuration = Field(
        timedelta(seconds=10), le=timedelta(hours=1), description="How long one request to the object storage may take."
    )
    in_memory: bool = Field(default=False, description="Keep the database in a temporary folder, deleted at exit.")
    durable: bool = Field(default=False, description="Survive a power cut, not only a killed process (slower).")
    retention: Duration = Field(timedelta(days=30), description="How long after its last use an image is kept.")
    purge_every: PositiveDuration = Field(timedelta(minutes=10), description="How often expired images are removed.")
    api_key: ApiKeys = Field((), description="Accept only this API key (repeatable). Default: any key.")
    control_token: Secret | None = Field(
        None, description="Secret that calls to /_mock/ must send. Calls from other machines always need one."
    )
    allow_origin: Names = Field(
        (),
        description="Let web pages of this origin call the API, besides those of this machine (repeatable). "
        "* allows all.",
    )
    public_url: HttpUrl | None = Field(None, description="Base of every imageURL. Default: the request's own host.")
    tls: bool = Field(
        default=False,
        description="Serve https and wss with a certificate of a local authority (needs runware-mock[tls]).",
    )
    tls_name: Names = Field((), description="Another host name for that certificate (repeatable).")
    tls_cert: Path | None = Field(None, description="Use this certificate chain instead (PEM); needs --tls-key.")
    tls_key: Path | None = Field(None, validate_default=True, description="Private key of --tls-cert (PEM).")
    max_message_bytes: Size = Field(256 * 2**20, ge=1024, description="Longest request body or WebSocket message.")
    max_tasks: int = Field(1000, ge=1, description="How many tasks one request or WebSocket message may hold.")
    message_budget_bytes: Size | None = Field(
        None,
        ge=2**20,
        description="Memory for messages in each process. Default: a quarter of the machine's, shared by all.",
    )
    memory_budget_bytes: Size | None = Field(
        None,
        ge=2**20,
        description="Memory for decoding pictures in each process. Default: a quarter of the machine's, shared by all.",
    )
    workers: int = Field(1, ge=1, le=64, description="Processes that serve the port and share the database.")
    threads: int = Field(
        0, ge=0, le=256, description="Threads that decode pictures in each process. 0 divides the cores among them."
    )
    vips: Literal["auto", "off"] = Field(
        "auto",
        description="Use libvips for downsizing where it is better: auto (if the extra vips is installed) or off.",
    )
    formats: Formats = Field(PICTURES, description="Picture formats accepted, separated by commas.")
    uuid: Literal["v4", "any"] = Field("v4", description="taskUUIDs accepted: v4 only, or any UUID.")
    strict: bool = Field(
        default=False, description="Check tasks by the older, stricter documentation: sizes, prompts, seeds and models."
    )
    balance: float = Field(100.0, ge=0, description="Balance that accountManagement reports.")
    seed: int | None = Field(None, description="Generate the same UUIDs in every run, separately for each API key.")
    journal_entries: int = Field(100_000, ge=1, description="How many tasks the journal keeps.")
    journal_bytes: Size = Field(256 * 2**20, ge=2**16, description="How large the journal may grow, answers included.")
    conflict_window: Duration = Field(
        timedelta(hours=24), description="How long the taskUUID of a finished task may not be used again."
    )
    processing_time: Duration = Field(
        timedelta(0), description="How long getResponse reports an asynchronous task as 'processing'."
    )
    quota_media: int | None = Field(None, ge=0, description="Media an API key may store. Default: no limit.")
    quota_bytes: Size | None = Field(None, ge=0, description="Bytes an API key may store. Default: no limit.")
    quota_tasks_per_minute: int | None = Field(
        None, ge=1, description="Tasks an API key may start in a minute, except getResponse. Default: no limit."
    )
    data_shape: Literal["array", "object"] = Field(
        "array",
        description="Shape of `data` in the answer to a single REST task: array, or object as in the documentation.",
    )
    webhook_body: Literal["flat", "data"] = Field(
        "flat", description="What a webhook sends: flat (the result itself) or data (an answer with this one result)."
    )
    fetch: FetchMode = Field(
        "local", description="Image URLs to fetch: off (none), public, or local (private and loopback addresses, too)."
    )
    fetch_timeout: PositiveDuration = Field(
        timedelta(seconds=30), le=timedelta(days=1), description="How long fetching an image URL may take."
    )
    decode_timeout: PositiveDuration = Field(
        timedelta(seconds=30), le=timedelta(days=1), description="How long decoding a picture may take."
    )
    url_map: UrlFiles = Field({}, description="URL=FILE: serve this image URL from a file (repeatable).")
    idle_timeout: PositiveDuration = Field(
        timedelta(seconds=120), description="Close a WebSocket that is silent for this long."
    )
    stall_timeout: Duration = Field(
        timedelta(seconds=60),
        description="Close a connection that moves less than 16 KiB of a message in this time; 0s never closes one.",
    )
    max_connections: int = Field(
        1000,
        ge=0,
        description="How many connections are served at once; others get a 503. 0: as many as files may be open.",
    )
    replay_window: Duration = Field(
        timedelta(seconds=120), description="How long undelivered WebSocket answers are kept for a reconnect."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Lowest level to log: debug, info, warning or error."
    )
    log_format: Literal["text", "json"] = Field("text", description="How log lines are written: text or json.")
    fixtures: ExistingPath | None = Field(
        None, description="Folder of media, or a manifest.json, to store at the start."
    )
    answers: ExistingPath | None = Field(
        None, description="Folder of rules for scripted answers, or one file of them, to load at the start."
    )
    ready_file: Path | None = Field(None, description="Write the server's address to this file, as JSON, when ready.")

    def __init__(self, **given: Any) -> None:
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise BadSetting.of(error) from None

    @classmethod
    def from_environment(cls, given: Mapping[str, Any]) -> "Settings":
        """Return the settings of `given`, read from their `RUNWARE_MOCK_*` variables where the value is None or ().

        Other variables are not read. Raises BadSetting.
        """
        flags = {name: value for name, value in given.items() if value not in (None, ())}
        variables = {name: value for name, value in EnvSettingsSource(cls)().items() if name in given}
        return cls(**{**variables, **flags})

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic-settings'
        init_settings: PydanticBaseSettingsSource,
        *_others: PydanticBaseSettingsSource,
        **_named: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources of `Settings(...)`: what is given, and nothing else."""
        # A server that a test starts does not depend on the variables of the shell it runs in.
        return (init_settings,)

    @field_validator("in_memory")
    @classmethod
    def _one_database(cls, in_memory: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - the signature is pydantic's
        if in_memory and info.data.get("database_url") is not None:
            raise ValueError("--database-url names a database, too: leave out one of the two")
        return in_memory

    @field_validator("tls_key")
    @classmethod
    def _both_or_none(cls, key: Path | None, info: ValidationInfo) -> Path | None:
        if (key is None) != (info.data.get("tls_cert") is None):
            raise ValueError("--tls-cert and --tls-key belong together")
        return key

    @property
    def uses_tls(self) -> bool:
        """Whether clients speak https and wss."""
        return self.tls or self.tls_cert is not None

    def token(self) -> str | None:
        """Return the token that opens the control API and the page: `control_token`, or else that of this start."""
        return self.control_token.get_secret_value() if self.control_token else self._start_token

    def with_start_token(self) -> Self:
        """Return these settings with a token made for one start, which callers from other machines can use."""
        made = self.model_copy()
        made._start_token = secrets.token_urlsafe(16)  # noqa: SLF001 - of the same class
        return made

    def api_keys(self) -> tuple[str, ...]:
        """Return the keys of `api_key` in clear."""
        return tuple(key.get_secret_value() for key in self.api_key)

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
        """Return the settings that differ from their default as a user writes them, secrets hidden."""
        given = {name: getattr(self, name) for name in Settings.model_fields}
        return {name: _write(name, value) for name, value in given.items() if value != _default(name)}


def default_text(name: str) -> str:
    """Write the default of a setting for a help text; empty where there is none to show."""
    value = _default(name)
    return "" if value in (None, (), {}, False) else _write(name, value)


def _default(name: str) -> Any:
    return Settings.model_fields[name].get_default(call_default_factory=True)


def _write(name: str, value: Any) -> str:
    if name in ("api_key", "control_token"):
        return "(hidden)"
    if name == "database_url":
        return without_secrets(value)
    if name.endswith("_bytes"):
        return write_size(value)
    if isinstance(value, timedelta):
        return write_duration(value)
    if isinstance(value, dict):
        return ",".join(f"{url}={file}" for url, file in value.items())
    return ",".join(value) if isinstance(value, tuple) else str(value)
