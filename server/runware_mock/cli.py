"""The command `runware-mock`.

The flags of `serve` are the fields of Settings. What only one command needs is imported by that command: a server
starts without the libraries that talk to one.
"""

import errno
import gc
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_origin

import click

from runware_mock.commands import COMMANDS
from runware_mock.commands.base import EXIT_USAGE, fail, flag_of, settings_of
from runware_mock.settings import Settings, default_text
from runware_mock.version import __version__

if TYPE_CHECKING:
    import socket

    from fastapi import FastAPI

    from runware_mock.storage.database import Database

Command = Callable[..., Any]

_STORE_SETTINGS = (
    "data_dir",
    "database_url",
    "durable",
    "content_url",
    "content_timeout",
    "retention",
    "conflict_window",
    "replay_window",
)
# While somebody tries things out the next picture comes sooner: memory that was given back costs it 75 ms for 100 MB.
_HEAP_LOOK_S = 10.0
_STOPS = (signal.SIGINT, signal.SIGTERM)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="runware-mock")
def main() -> None:
    """Run a local stand-in for the Runware upload API, and control it."""


def settings_flags(*names: str) -> Callable[[Command], Command]:
    """Add the flags of these settings to a command."""

    def add(command: Command) -> Command:
        for name in reversed(names):
            command = _flag(name)(command)
        return command

    return add


def _flag(name: str) -> Callable[[Command], Command]:
    field, default, flag = Settings.model_fields[name], default_text(name), flag_of(name)
    return click.option(
        f"{flag}/--no-{flag[2:]}" if field.annotation is bool else flag,
        default=None,
        multiple=get_origin(field.annotation) in (tuple, dict),
        help=f"{field.description}{f'  [{default}]' if default else ''}",
    )


@main.command()
@settings_flags(*Settings.model_fields)
def serve(**values: Any) -> None:
    """Serve until stopped.

    Every flag can be set by an environment variable of its name instead, such as RUNWARE_MOCK_PORT for --port. A flag
    takes precedence over its variable.
    """
    for number in _STOPS:
        signal.signal(number, lambda *_: sys.exit(0))
    settings = settings_of(values)
    bound = _bind(settings)
    if settings.ready_file is not None:
        _clear(settings.ready_file)
    # Imports make garbage of nothing: collecting meanwhile would only slow the start.
    gc.disable()
    with ExitStack() as cleanup:
        make_app = _opened(settings, cleanup)
        for name, value in settings.changed().items():
            click.echo(f"{flag_of(name)} {value}")
        sys.exit(_serve(settings, bound, make_app))


def _opened(settings: Settings, cleanup: ExitStack) -> Callable[[], "FastAPI"]:
    """Open the database; return what makes the application, for several processes in each of them."""
    from runware_mock.app import create_app
    from runware_mock.logs import set_up_logging
    from runware_mock.opening import FixturesUnusable, prepare_for_workers
    from runware_mock.storage.database import DatabaseUnusable
    from runware_mock.storage.object_store import StoreFailed
    from runware_mock.storage.outage import outage_of

    set_up_logging(settings.log_level, settings.log_format, outage_of)
    try:
        if settings.workers > 1:
            return partial(create_app, settings, common=prepare_for_workers(settings, cleanup))
        app = create_app(settings)
    except (DatabaseUnusable, FixturesUnusable, StoreFailed) as error:
        fail(str(error), EXIT_USAGE)
    return lambda: app


def _serve(settings: Settings, bound: "socket.socket", make_app: Callable[[], "FastAPI"]) -> int:
    from runware_mock import malloc
    from runware_mock.api.listening import address_of, is_loopback, ready_document
    from runware_mock.certificates import TlsUnusable, server_context
    from runware_mock.scheduler import Schedule
    from runware_mock.server import MockServer

    if settings.control_token is None and not is_loopback(settings.host):
        click.echo("--control-token is not set: /_mock/ answers callers on this machine alone")

    def announce() -> None:
        url = address_of(bound, is_tls=settings.uses_tls)
        if settings.ready_file is not None:
            _write_whole(settings.ready_file, ready_document(url))
        click.echo(f"runware-mock ready on {url}")

    _allow_files(2 * settings.max_connections)
    try:
        context = server_context(settings)
    except TlsUnusable as error:
        fail(str(error), EXIT_USAGE)

    def run(on_ready: Callable[[], None]) -> None:
        def begun() -> None:
            gc.enable()
            gc.freeze()
            on_ready()

        app = make_app()
        server = MockServer(app, settings, context, begun)
        malloc.keep()
        Schedule("malloc", malloc.Idleness(app.state.services.metrics.total).look, _HEAP_LOOK_S).start()
        # uvicorn sets this handler itself, but only later; and when it has stopped, it raises the signal again.
        for number in _STOPS:
            signal.signal(number, server.handle_exit)
        server.run(sockets=[bound])

    if settings.workers == 1:
        run(announce)
        return 0
    from runware_mock.api.workers import Workers

    return Workers(settings.workers, run, bound, announce).run()


@main.command()
@settings_flags(*_STORE_SETTINGS)
def migrate(**values: Any) -> None:
    """Create the database, or upgrade it to the tables of this version, without serving."""
    from runware_mock.storage.migrations import HEAD

    with ExitStack() as cleanup:
        database = _open(settings_of(values), cleanup)
        click.echo(f"{database.name} is at version {HEAD}")


@main.command()
@settings_flags(*_STORE_SETTINGS)
@click.option("--dry-run", envvar="RUNWARE_MOCK_DRY_RUN", is_flag=True, help="Only say what would be removed.")
def purge(*, dry_run: bool, **values: Any) -> None:
    """Remove expired media now, whether or not a server uses the database."""
    from runware_mock.clock import SystemClock
    from runware_mock.opening import create_services
    from runware_mock.protocol.errors import Refusal
    from runware_mock.purge import collect_orphans, count_orphans, forecast, purge_expired
    from runware_mock.storage.object_store import StoreFailed

    with ExitStack() as cleanup:
        settings = settings_of(values)
        try:
            services = create_services(settings, SystemClock(), _open(settings, cleanup))
            expired = forecast(services)
            media = expired.media if dry_run else purge_expired(services).media
            orphans = count_orphans(services) if dry_run else collect_orphans(services)
        except (StoreFailed, Refusal) as error:
            fail(error.message if isinstance(error, Refusal) else str(error))
        did, more = "would purge" if dry_run else "purged", f", {orphans} orphaned objects" if orphans else ""
        click.echo(f"{did} {media} media, {expired.size_bytes} bytes{more}")


@main.command()
@settings_flags("data_dir")
@click.option("--path", "only_path", is_flag=True, help="Print where the certificate is instead.")
def ca(*, only_path: bool, **values: Any) -> None:
    """Print the certificate of the authority behind --tls, creating it if there is none.

    Programs trust it with SSL_CERT_FILE=$(runware-mock ca --path); Node also needs NODE_EXTRA_CA_CERTS.
    """
    from runware_mock.certificates import TlsUnusable, ensure_ca

    try:
        file = ensure_ca(settings_of(values).data_dir)
        click.echo(file.absolute() if only_path else file.read_text(encoding="ascii").rstrip())
    except TlsUnusable as error:
        fail(str(error), EXIT_USAGE)


for command in COMMANDS:
    main.add_command(command)


def _bind(settings: Settings) -> "socket.socket":
    from runware_mock.api.listening import listening_socket

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


def _allow_files(wanted: int) -> None:
    """Raise the number of files this process may open, where it is lower than that and the system lets it."""
    try:
        import resource
    except ImportError:  # not a POSIX system
        return
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY != files < wanted:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most)
        )


def _open(settings: Settings, cleanup: ExitStack) -> "Database":
    if settings.in_memory:
        fail("RUNWARE_MOCK_IN_MEMORY is set: a database in memory belongs to its server alone", EXIT_USAGE)
    from runware_mock.opening import open_database
    from runware_mock.storage.database import DatabaseUnusable

    try:
        return open_database(settings, cleanup)
    except DatabaseUnusable as error:
        fail(str(error), EXIT_USAGE)


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
