"""`runware-mock ready`."""

import http.client
import json
import ssl
import time
import urllib.error
import urllib.request
from email.message import Message
from http import HTTPStatus
from pathlib import Path

import click

from runware_mock.clock import monotonic_s
from runware_mock.commands.base import EXIT_USAGE, default_url, fail
from runware_mock.units import parse_duration

_POLL_S = 0.05
_TIMEOUT_S = 5.0


class Unreachable(Exception):
    """No web server answers; the message says why."""


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
    """Check that the server is ready, and exit with status 1 if not."""
    try:
        give_up_s = monotonic_s() + parse_duration(wait).total_seconds()
    except ValueError as error:
        fail(f"bad value for --wait (or RUNWARE_MOCK_WAIT): {error}", EXIT_USAGE)
    if url is None and ready_file is None:
        url = default_url()
    while True:
        try:
            click.echo(f"ready on {_ready_url(url, ready_file or Path())}")
        except NotReady as reason:
            if monotonic_s() >= give_up_s:
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
    try:
        status, headers, _ = ask(f"{url}/health", trust=_any_certificate())
    except Unreachable as error:
        return str(error)
    if status != HTTPStatus.OK:
        return f"it answers {status}"
    return None if "X-Runware-Mock" in headers else "something else answers there"


def _any_certificate() -> ssl.SSLContext:
    """Return a context that trusts every server, for a question that holds nothing secret."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def ask(url: str, body: bytes | None = None, trust: ssl.SSLContext | None = None) -> tuple[int, Message, bytes]:
    """GET a URL, or POST JSON to it; return status, headers and body of the answer. Raises Unreachable."""
    # A proxy named by the environment has nothing to do with a server on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))
    try:
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - the user's own
        with opener.open(request, timeout=_TIMEOUT_S) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()
    except http.client.HTTPException as error:
        raise Unreachable(f"no web server answers there ({str(error).strip()})") from None
    except (OSError, ValueError) as error:
        raise Unreachable(str(getattr(error, "reason", error))) from None
