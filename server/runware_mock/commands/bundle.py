"""`runware-mock open`: look at a failure that was written to one file, and repeat it."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from runware_mock import bundles
from runware_mock.client import ControlError
from runware_mock.commands.base import EXIT_FAILED, EXIT_USAGE, fail
from runware_mock.testing import RunwareMock, counted, serve

_LONGEST_WAIT_S = 0.5


@click.command("open")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of the page.  [a free one]")
@click.option("--no-page", is_flag=True, help="Only replay; exit with status 1 if there is a difference.")
def open_bundle(file: Path, port: int, *, no_page: bool) -> None:
    """Show a bundle, and replay its requests.

    FILE is what `export --bundle` or pytest's --runware-mock-bundle has written. Its requests are sent to a fresh mock,
    and the first difference between then and now is printed. The page is served until you press Ctrl-C.
    """
    try:
        bundle = bundles.unpack(file.read_bytes())
    except (OSError, bundles.BundleUnusable) as error:
        fail(f"{file}: {error}", EXIT_USAGE)
    for name, value in bundle.about.items():
        if name != "bundle" and value:
            click.echo(f"{name}: {value}")
    try:
        with _serving(bundle.archive, port) as shown, _serving(bundles.at_the_start(bundle), 0) as fresh:
            recorded = bundles.entries(shown.control)
            difference = bundles.replay(bundle, recorded, fresh)
            replayed = f"replayed {counted(len(recorded), 'task')}: no difference"
            click.echo(f"first difference: {difference}" if difference else replayed)
            if not no_page:
                account = shown.control.journal.list(limit=1, kind="all")
                number = account[0].account if account else ""
                click.echo(f"open {shown.url}/ui/journal?account={number or ''} (Ctrl-C ends it)")
                _wait_for_a_signal()
    except ControlError as error:
        # The body is the file itself.
        where = "" if error.field in (None, "body") else f"{error.field}: "
        fail(f"{file}: {where}{error.message}", EXIT_USAGE)
    if difference and no_page:
        raise SystemExit(EXIT_FAILED)


@contextmanager
def _serving(archive: bytes, port: int) -> Iterator[RunwareMock]:
    try:
        with serve(port=port) as mock:
            mock.control.load(archive)
            yield mock
    except OSError as error:
        fail(f"cannot serve on port {port}: {error.strerror or error}", EXIT_USAGE)


def _wait_for_a_signal() -> None:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    while not stopped.wait(_LONGEST_WAIT_S):
        pass
