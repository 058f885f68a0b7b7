"""What all verbs share: where the server is, whose account is meant, how an answer and a failure are printed."""

import os
import sys
from collections.abc import Callable, Mapping
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click

if TYPE_CHECKING:
    from runware_mock.client import ControlClient, ControlError

_EXIT_FAILED = 1
EXIT_USAGE = 2
# What to do about a missing field that no argument of the verb has named.
_HINTS = {"account": "give --account KEY", "x-control-token": "give --token TOKEN"}


def default_url() -> str:
    """Return the address that `serve` would listen on with the same environment."""
    host = os.environ.get("RUNWARE_MOCK_HOST", "127.0.0.1")
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    host = f"[{host}]" if ":" in host else host
    scheme = "https" if _serves_tls() else "http"
    return f"{scheme}://{host}:{os.environ.get('RUNWARE_MOCK_PORT', '8080')}"


def _serves_tls() -> bool:
    """Tell whether `serve` would speak TLS."""
    switch = os.environ.get("RUNWARE_MOCK_TLS", "").lower() in ("1", "true", "t", "yes", "y", "on")
    return switch or bool(os.environ.get("RUNWARE_MOCK_TLS_CERT"))


def url_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--url`."""
    return click.option(
        "--url",
        envvar="RUNWARE_MOCK_URL",
        default=default_url,
        help="Address of the server. Default: the one `serve` would listen on.",
    )(function)


class Call:
    """One run of a verb: the server and the account it speaks of."""

    def __init__(self, url: str, api_key: str | None, token: str | None) -> None:
        self.url, self.api_key, self.token = url, api_key, token

    @cached_property
    def control(self) -> "ControlClient":
        """The control API; opened when it is first asked for."""
        from runware_mock.client import ControlClient

        return ControlClient(self.url, self.api_key, self.token)

    def close(self) -> None:
        """Close what was opened."""
        if "control" in self.__dict__:
            self.control.close()


class Printed(NamedTuple):
    """An answer that knows its own text; with a `problem` the exit status is 1."""

    text: str
    json: Mapping[str, Any]
    problem: str | None = None


def verb(name: str, group: click.Group | None = None) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a command of a function that takes a Call and its own parameters and returns an answer or Printed."""

    def made(function: Callable[..., Any]) -> click.Command:
        @wraps(function)
        def run(*, url: str, account: str | None, token: str | None, as_json: bool, **given: Any) -> None:
            from runware_mock.client import ControlError

            call = Call(url.rstrip("/"), account, token)
            try:
                answer = function(call, **given)
            except ControlError as error:
                fail(_in_one_line(error, call))
            finally:
                call.close()
            _show(answer, as_json=as_json)

        command = click.command(name)(_shared(run))
        if group is not None:
            group.add_command(command)
        return command

    return made


def fail(message: str, status: int = _EXIT_FAILED) -> NoReturn:
    """Say in one line why not, and exit."""
    click.echo(f"runware-mock: {message}", err=True)
    sys.exit(status)


def _shared(function: Callable[..., Any]) -> Callable[..., Any]:
    as_json = click.option("--json", "as_json", is_flag=True, help="Print the API's own JSON.")
    token = click.option("--token", envvar="RUNWARE_MOCK_CONTROL_TOKEN", help="The server's --control-token.")
    account = click.option(
        "--account", envvar="RUNWARE_API_KEY", metavar="KEY", help="API key of the account. Default: all accounts."
    )
    return url_option(account(token(as_json(function))))


def _show(answer: Any, *, as_json: bool) -> None:
    if as_json:
        import json

        click.echo(json.dumps(answer.json, indent=2, ensure_ascii=False))
    elif isinstance(answer, Printed):
        click.echo(answer.text)
    else:
        from runware_mock.commands.tables import text_of

        click.echo(text_of(answer))
    if isinstance(answer, Printed) and answer.problem:
        fail(answer.problem)


def _in_one_line(error: "ControlError", call: Call) -> str:
    message = " ".join(error.message.split())
    if error.field and error.field not in message:
        message = f"{error.field}: {message}"
    given = {"account": call.api_key, "x-control-token": call.token}
    hint = _HINTS.get(error.field or "")
    return f"{message} ({hint})" if hint and not given[error.field or ""] else message
