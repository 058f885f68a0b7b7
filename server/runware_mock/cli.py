"""The command `runware-mock`. Every flag of `serve` is a field of Settings and has a `RUNWARE_MOCK_*` twin.

What is slow to import is imported by the command that needs it, so that `--help` and `ready` answer at once.
"""

import errno
import json
import signal
import socket
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runware_mock import __version__
from runware_mock.cli_control import COMMANDS
from runware_mock.cli_control.calling import EXIT_USAGE, fail, url_option

if TYPE_CHECKING:
    from runware_mock.settings import Settings

_POLL_S = 0.05
_STOPS = (signal.SIGINT, signal.SIGTERM)
# Those that may be given several times; all other flags take one value.
_REPEATABLE = ("api_key", "url_map")


class _Switch(click.types.BoolParamType):
    """Leaves a bad variable to Settings: click's own message takes four lines and does not name it."""

    def convert(self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None) -> Any:
        return value


class SettingsCommand(click.Command):
    """A command whose flags are fields of Settings: those of `fields`, or all."""

    fields: tuple[str, ...] | None = None

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the flags; only now is the model imported that describes them."""
        if not any(isinstance(param, click.Option) and param.name == "data_dir" for param in self.params):
            from runware_mock.settings import Settings

            self.params[:0] = [_option(name) for name in self.fields or Settings.model_fields]
        return super().get_params(ctx)


class StoreCommand(SettingsCommand):
    """A command on the database alone."""

    fields = ("data_dir", "durable", "content_url", "content_timeout", "retention", "conflict_window", "replay_window")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="runware-mock")
def main() -> None:
    """Run a local stand-in for the Runware upload API."""


for _command in COMMANDS:
    main.add_command(_command)


@main.command(cls=SettingsCommand)
def serve(**values: Any) -> None:
    """Serve until stopped.

    Every flag can be set by an environment variable of its name instead, such as RUNWARE_MOCK_PORT for --port; a flag
    beats a variable.
    """
    for number in _STOPS:
        signal.signal(number, lambda *_: sys.exit(0))
    settings = _settings(values)
    bound = _bind(settings)
    if settings.ready_file is not None:
        _clear(settings.ready_file)
    # Imports make garbage of nothing: collecting meanwhile would only slow the start.
    import gc

    gc.disable()
    from runware_mock.app import FixturesUnusable, create_app
    from runware_mock.logs import set_up_logging
    from runware_mock.storage.database import DatabaseUnusable
    from runware_mock.storage.objects import StoreFailed
    from runware_mock.web.listening import address_of, is_loopback, ready_document
    from runware_mock.web.server import MockServer

    set_up_logging(settings.log_level, settings.log_format)
    try:
        app = create_app(settings)
    except (DatabaseUnusable, FixturesUnusable, StoreFailed) as error:
        fail(str(error))
    for name, value in settings.changed().items():
        click.echo(f"{_flag(name)} {value}")
    if settings.control_token is None and not is_loopback(settings.host):
        click.echo("--control-token is not set: /_mock/ answers callers on this machine alone")

    def announce() -> None:
        gc.enable()
        gc.freeze()
        url = address_of(bound)
        if settings.ready_file is not None:
            _write_whole(settings.ready_file, ready_document(url))
        click.echo(f"runware-mock ready on {url}")

    server = MockServer(app, settings, announce)
    # uvicorn sets this handler itself, but only later; and when it has stopped, it raises the signal again.
    for number in _STOPS:
        signal.signal(number, server.handle_exit)
    server.run(sockets=[bound])


@main.command()
@url_option
@click.option(
    "--wait",
    "wait_s",
    envvar="RUNWARE_MOCK_WAIT",
    type=click.FloatRange(min=0),
    default=0.0,
    help="Seconds to wait for it.",
)
def ready(url: str, wait_s: float) -> None:
    """Tell by the exit status whether the server is ready."""
    url = url.rstrip("/")
    give_up_s = time.monotonic() + wait_s
    while problem := _problem(url):
        if time.monotonic() >= give_up_s:
            fail(f"not ready on {url}: {problem}")
        time.sleep(_POLL_S)
    click.echo(f"ready on {url}")


@main.command(cls=StoreCommand)
def migrate(**values: Any) -> None:
    """Create the database or bring it to this version's tables, without serving."""
    from runware_mock.storage.schema import HEAD

    with ExitStack() as cleanup:
        database = _open(_settings(values), cleanup)
        click.echo(f"{database.path} is at version {HEAD}")


@main.command(cls=StoreCommand)
@click.option("--dry-run", envvar="RUNWARE_MOCK_DRY_RUN", is_flag=True, help="Only tell what would be removed.")
def purge(*, dry_run: bool, **values: Any) -> None:
    """Remove what has expired now, whether or not a server runs on the same database."""
    from runware_mock.app import create_services
    from runware_mock.clock import SystemClock
    from runware_mock.protocol.errors import Refusal
    from runware_mock.purge import collect_orphans, count_orphans, forecast, purge_expired
    from runware_mock.storage.objects import StoreFailed

    with ExitStack() as cleanup:
        settings = _settings(values)
        try:
            services = create_services(settings, SystemClock(), _open(settings, cleanup))
            expired = forecast(services)
            media = expired.media if dry_run else purge_expired(services).media
            orphans = count_orphans(services) if dry_run else collect_orphans(services)
        except (StoreFailed, Refusal) as error:
            fail(error.message if isinstance(error, Refusal) else str(error))
        did, more = "would purge" if dry_run else "purged", f", {orphans} orphaned objects" if orphans else ""
        click.echo(f"{did} {media} media, {expired.size_bytes} bytes{more}")


def _option(name: str) -> click.Option:
    from runware_mock.settings import ENV_PREFIX, Settings, default_text

    field = Settings.model_fields[name]
    is_switch = field.annotation is bool
    default = default_text(name)
    return click.Option(
        [f"{_flag(name)}/--no-{_flag(name)[2:]}" if is_switch else _flag(name)],
        default=None,
        multiple=name in _REPEATABLE,
        envvar=ENV_PREFIX + name.upper(),
        type=_Switch() if is_switch else None,
        metavar=None if is_switch else "TEXT",
        help=f"{field.description}{f'  [{default}]' if default else ''}",
    )


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _settings(values: dict[str, Any]) -> "Settings":
    from pydantic import ValidationError

    from runware_mock.settings import ENV_PREFIX, Settings

    try:
        return Settings(**{name: value for name, value in values.items() if value not in (None, ())})
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        name = str(first["loc"][0])
        message = first["msg"].removeprefix("Value error, ")
        fail(f"bad value for {_flag(name)} (or {ENV_PREFIX}{name.upper()}): {message}", EXIT_USAGE)


def _bind(settings: "Settings") -> socket.socket:
    from runware_mock.web.listening import listening_socket

    try:
        bound = listening_socket(settings.host, settings.port)
        # Only listening makes the port ours: two sockets may be bound to the same one. Whoever connects now is served
        # as soon as the server is ready.
        bound.listen()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            fail(f"port {settings.port} is in use: choose another with --port (0 picks a free one)", EXIT_USAGE)
        fail(f"cannot listen on {settings.host}:{settings.port} (--host, --port): {error.strerror}", EXIT_USAGE)
    return bound


def _open(settings: "Settings", cleanup: ExitStack) -> Any:
    from runware_mock.app import open_database
    from runware_mock.storage.database import DatabaseUnusable

    try:
        return open_database(settings, cleanup)
    except DatabaseUnusable as error:
        fail(str(error))


def _problem(url: str) -> str | None:
    """Return what keeps the server from being ready, or None."""
    import http.client
    import urllib.error
    import urllib.request

    # A proxy that the environment names has nothing to do with a server on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url + "/health", timeout=5) as answer:
            if "X-Runware-Mock" not in answer.headers:
                return "something else answers there"
            json.load(answer)
    except urllib.error.HTTPError as error:
        return f"it answers {error.code}"
    except http.client.HTTPException as error:
        return f"no web server answers there ({str(error).strip()})"
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", error))
    return None


def _clear(ready_file: Path) -> None:
    """Remove what a server before this one wrote; find out now whether this one will be able to write."""
    try:
        partial = _partial(ready_file)
        partial.touch()
        partial.unlink()
        ready_file.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        fail(f"cannot write --ready-file (or RUNWARE_MOCK_READY_FILE) {ready_file}: {error}", EXIT_USAGE)


def _write_whole(file: Path, text: str) -> None:
    """Write a file that is never seen half-written."""
    partial = _partial(file)
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)


def _partial(file: Path) -> Path:
    return file.with_name(file.name + ".part")
