"""`runware-mock ready`."""

import json
import time
from pathlib import Path

import click

from runware_mock.commands.base import EXIT_USAGE, default_url, fail
from runware_mock.units import parse_duration

_POLL_S = 0.05
_TIMEOUT_S = 5.0


class NotReady(Exception):
    """The server cannot be used yet; the message says why."""


@click.command()
@click.option(
    "--url",
    envvar="RUNWARE_MOCK_URL",
    help="Address of the server. Default: the one in --ready-file, or where `serve` would listen.",
)
@click.option(
    "--ready-file",
    envvar="RUNWARE_MOCK_READY_FILE",
    type=click.Path(path_type=Path),
    help="The file that the server's --ready-file names.",
)
@click.option("--wait", envvar="RUNWARE_MOCK_WAIT", default="0s", help="How long to wait for the server, such as 2s.")
def ready(url: str | None, ready_file: Path | None, wait: str) -> None:
    """Exit with status 0 if the server is ready, and with 1 if it is not."""
    try:
        give_up_s = time.monotonic() + parse_duration(wait).total_seconds()
    except ValueError as error:
        fail(f"bad value for --wait (or RUNWARE_MOCK_WAIT): {error}", EXIT_USAGE)
    if url is None and ready_file is None:
        url = default_url()
    while True:
        try:
            click.echo(f"ready on {_ready_url(url, ready_file or Path())}")
        except NotReady as reason:
            if time.monotonic() >= give_up_s:
                fail(f"not ready{reason}")
            time.sleep(_POLL_S)
        else:
            return


def _ready_url(url: str | None, ready_file: Path) -> str:
    """Return the address of a server that is ready; raises NotReady."""
    where = (url or _url_in(ready_file)).rstrip("/")
    if problem := _problem_at(where):
        raise NotReady(f" on {where}: {problem}")
    return where


def _url_in(ready_file: Path) -> str:
    try:
        return str(json.loads(ready_file.read_text(encoding="utf-8"))["url"])
    except OSError as error:
        raise NotReady(f": cannot read {ready_file}: {error.strerror}") from None
    except (ValueError, LookupError, TypeError):
        raise NotReady(f": {ready_file} holds no address") from None


def _problem_at(url: str) -> str | None:
    """Return what keeps the server from being ready, or None."""
    import httpx

    try:
        # A proxy has nothing to do with a server on this machine; nothing secret is sent, so any certificate will do.
        answer = httpx.get(f"{url}/health", timeout=_TIMEOUT_S, trust_env=False, verify=False)  # noqa: S501
    except httpx.RemoteProtocolError as error:
        return f"no web server answers there ({error})"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return str(error) or type(error).__name__
    if not answer.is_success:
        return f"it answers {answer.status_code}"
    return None if "X-Runware-Mock" in answer.headers else "something else answers there"
