"""What these commands share: which server and account they act on, and how answers and failures are printed."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, NamedTuple, NoReturn

import click

from runware_mock.client import ControlClient, ControlError
from runware_mock.commands.tables import json_of, text_of
from runware_mock.protocol.redaction import masked
from runware_mock.settings import ENV_PREFIX, BadSetting, Settings

EXIT_FAILED = 1
EXIT_USAGE = 2
Function = Callable[..., Any]

# How to give what an error says is missing: field -> option.
_HINTS = {"account": "give --account KEY", "x-control-token": "give --token TOKEN"}


class Printed(NamedTuple):
    """An answer with a text of its own; `answer` is what `--json` prints. A `problem` makes the exit status 1."""

    text: str
    answer: Any
    problem: str | None = None


@dataclass
class Call:
    """One run of a command: the server it talks to, and the account it acts on (all accounts without `api_key`)."""

    url: str
    api_key: str | None
    token: str | None
    cleanup: ExitStack

    @cached_property
    def control(self) -> ControlClient:
        """The control API of the server; closed when the command ends."""
        return self.cleanup.enter_context(ControlClient(self.url, self.api_key, self.token))

    @property
    def account(self) -> str:
        """Name the account, for a person; the key is masked."""
        return f"account {masked(self.api_key)}" if self.api_key else "all accounts"

    def confirm(self, action: str, *, yes: bool) -> None:
        """Ask before `action` is done to all accounts; without a terminal, exit and ask for `--yes`."""
        if self.api_key or yes:
            return
        if not sys.stdin.isatty():
            fail(f"this would {action} of all accounts: add --yes, or name one account with --account KEY", EXIT_USAGE)
        click.confirm(f"{action.capitalize()} of all accounts?", abort=True, err=True)


def fail(message: str, status: int = EXIT_FAILED) -> NoReturn:
    """Print one line that says why, and exit."""
    click.echo(f"runware-mock: {message}", err=True)
    sys.exit(status)


def settings_of(flags: Mapping[str, Any]) -> Settings:
    """Return the settings that these flags or their variables make; a bad one ends the program with one line."""
    try:
        return Settings.from_environment(flags)
    except BadSetting as bad:
        fail(f"bad value for {flag_of(bad.name)} (or {ENV_PREFIX}{bad.name.upper()}): {bad}", EXIT_USAGE)


def flag_of(name: str) -> str:
    """Return the flag of a setting."""
    return "--" + name.replace("_", "-")


def default_url() -> str:
    """Return the address that `serve` would listen on with the same environment."""
    settings = settings_of(dict.fromkeys(("host", "port", "tls")))
    is_tls = settings.tls or bool(os.environ.get(f"{ENV_PREFIX}TLS_CERT"))
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - compared, not bound
    address = f"[{host}]" if ":" in host else host
    return f"{'https' if is_tls else 'http'}://{address}:{settings.port}"


_url_option = click.option(
    "--url",
    envvar="RUNWARE_MOCK_URL",
    default=default_url,
    help="Address of the server. Default: where `serve` would listen.",
)
yes_option = click.option("--yes", is_flag=True, help="Do it to all accounts without asking.")
_account_option = click.option(
    "--account", envvar="RUNWARE_API_KEY", metavar="KEY", help="API key of the account. Default: all accounts."
)
_token_option = click.option("--token", envvar="RUNWARE_MOCK_CONTROL_TOKEN", help="The server's --control-token.")
_json_option = click.option("--json", "as_json", is_flag=True, help="Print the JSON that the API answers.")


def control_command(name: str, group: click.Group | None = None) -> Callable[[Function], click.Command]:
    """Make a command of a function that takes a Call and its own parameters and returns an answer or Printed."""

    def made(function: Function) -> click.Command:
        @wraps(function)
        def run(*, url: str, account: str | None, token: str | None, as_json: bool, **given: Any) -> None:
            try:
                with ExitStack() as cleanup:
                    answer = function(Call(url.rstrip("/"), account, token, cleanup), **given)
            except ControlError as error:
                fail(_one_line(error, account, token))
            _show(answer, as_json=as_json)

        command = click.command(name)(_url_option(_account_option(_token_option(_json_option(run)))))
        if group is not None:
            group.add_command(command)
        return command

    return made


def _show(answer: Any, *, as_json: bool) -> None:
    printed = answer if isinstance(answer, Printed) else Printed(text_of(answer), answer)
    click.echo(json.dumps(json_of(printed.answer), indent=2, ensure_ascii=False) if as_json else printed.text)
    if printed.problem:
        fail(printed.problem)


def _one_line(error: ControlError, api_key: str | None, token: str | None) -> str:
    message, field = " ".join(error.message.split()), error.field or ""
    if field not in message:
        message = f"{field}: {message}"
    is_given = {"account": api_key, "x-control-token": token}.get(field)
    return message if field not in _HINTS or is_given else f"{message} ({_HINTS[field]})"
