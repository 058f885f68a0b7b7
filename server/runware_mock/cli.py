"""The command `runware-mock`.

The flags of `serve` are the fields of Settings. What only one command needs is imported by that command: a server
starts without the libraries that talk to one.
"""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, get_origin

import click

from runware_mock.certificates import TlsUnusable, ensure_ca
from runware_mock.clock import SystemClock
from runware_mock.commands.answers import answers
from runware_mock.commands.base import EXIT_USAGE, fail, flag_of, settings_of
from runware_mock.commands.bundle import open_bundle
from runware_mock.commands.doctor import doctor, ready
from runware_mock.commands.exec import exec_command
from runware_mock.commands.faults import faults
from runware_mock.commands.journal import journal, webhooks
from runware_mock.commands.mcp import mcp
from runware_mock.commands.media import media, sample
from runware_mock.commands.state import accounts, clock, export_state, import_state, reset, snapshot
from runware_mock.protocol.errors import Refusal
from runware_mock.settings import Settings, default_text, without_secrets
from runware_mock.values import is_loopback
from runware_mock.version import __version__

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
    if settings.control_token is None and not is_loopback(settings.host):
        settings = settings.with_start_token()
    from runware_mock import logs, server

    def announce(url: str) -> None:
        for name, value in settings.changed().items():
            click.echo(flag_of(name) if value == "True" else f"{flag_of(name)} {value}")
        if settings.control_token is None and (token := settings.token()):
            click.echo(f"Page (from another machine, use this machine's address): {url}/?token={token}")
        if sys.stdout.isatty():
            click.echo(_introduction(settings, url))
        write_ready_file(server.ready_document(url))
        click.echo(f"runware-mock ready on {url}")

    logs.set_up_logging(settings.log_level, settings.log_format)
    try:
        bound = server.listen(settings)
        with _ready_file(settings.ready_file) as write_ready_file:
            sys.exit(server.serve(settings, bound, announce))
    except server.UNUSABLE as error:
        fail(str(error), EXIT_USAGE)


def _introduction(settings: Settings, url: str) -> str:
    """Say where everything is, to a person at a terminal."""
    database = without_secrets(settings.database_url) if settings.database_url else settings.data_dir
    return (
        f"  API          {url}/v1\n"
        f"  Page         {url}/ui\n"
        f"  Docs         {url}/docs\n"
        f"  Control API  {url}/_mock/\n"
        f"  Data         {'in memory, deleted at exit' if settings.in_memory else database}\n"
        "  Stop         Ctrl-C"
    )


@contextmanager
def _ready_file(file: Path | None) -> Iterator[Callable[[str], None]]:
    """Give the function that writes the ready file, which is removed at the end.

    What an earlier server left is removed at once; a file that cannot be written ends the program before it serves.
    """
    if file is None:
        yield lambda _text: None
        return
    partial = file.with_name(file.name + ".part")
    try:
        partial.touch()
        partial.unlink()
        file.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        fail(f"cannot write --ready-file (or RUNWARE_MOCK_READY_FILE) {file}: {error}", EXIT_USAGE)

    def write(text: str) -> None:
        partial.write_text(text, encoding="utf-8")
        partial.replace(file)  # so that nobody reads half a file

    try:
        yield write
    finally:
        with suppress(OSError):
            file.unlink(missing_ok=True)


@main.command()
@settings_flags(*_STORE_SETTINGS)
def migrate(**values: Any) -> None:
    """Create or upgrade the database. Nothing is served."""
    from runware_mock import services
    from runware_mock.storage import migrations

    try:
        with ExitStack() as cleanup:
            database = services.open_database(_store_settings(values), cleanup)
            click.echo(f"{database.name} is at version {migrations.HEAD}")
    except services.UNUSABLE as error:
        fail(str(error), EXIT_USAGE)


@main.command("purge")
@settings_flags(*_STORE_SETTINGS)
@click.option("--dry-run", envvar="RUNWARE_MOCK_DRY_RUN", is_flag=True, help="Only say what would be removed.")
def purge_now(*, dry_run: bool, **values: Any) -> None:
    """Remove expired media now. A server may run meanwhile."""
    from runware_mock import purge, services

    with ExitStack() as cleanup:
        settings = _store_settings(values)
        try:
            opened = services.create_services(settings, SystemClock(), services.open_database(settings, cleanup))
        except services.UNUSABLE as error:
            fail(str(error), EXIT_USAGE)
        try:
            expired = purge.forecast(opened)
            media = expired.media if dry_run else purge.purge_expired(opened).media
            orphans = purge.count_orphans(opened) if dry_run else purge.collect_orphans(opened)
        except (*services.UNUSABLE, Refusal) as error:
            fail(error.message if isinstance(error, Refusal) else str(error))
        did, more = "would purge" if dry_run else "purged", f", {orphans} orphaned objects" if orphans else ""
        click.echo(f"{did} {media} media, {expired.size_bytes} bytes{more}")


@main.command()
@settings_flags("data_dir")
@click.option("--path", "only_path", is_flag=True, help="Print where the certificate is instead.")
def ca(*, only_path: bool, **values: Any) -> None:
    """Print the certificate to trust with --tls.

    It belongs to a local authority, which is created if there is none. Programs trust it with
    SSL_CERT_FILE=$(runware-mock ca --path); Node also needs NODE_EXTRA_CA_CERTS.
    """
    try:
        file = ensure_ca(settings_of(values).data_dir)
        click.echo(file.absolute() if only_path else file.read_text(encoding="ascii").rstrip())
    except TlsUnusable as error:
        fail(str(error), EXIT_USAGE)


for command in (accounts, answers, clock, doctor, exec_command, export_state, faults, import_state, journal):
    main.add_command(command)
for command in (mcp, media, open_bundle, ready, reset, sample, snapshot, webhooks):
    main.add_command(command)


def _store_settings(values: dict[str, Any]) -> Settings:
    settings = settings_of({**values, "in_memory": None})
    if settings.in_memory:
        fail("RUNWARE_MOCK_IN_MEMORY is set: only its own server can use a database in memory", EXIT_USAGE)
    return settings
