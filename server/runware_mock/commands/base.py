"""What these commands share: which server and account they act on, and how answers and failures are printed."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, wraps
from operator import attrgetter
from typing import Any, NamedTuple, NoReturn

import click

from runware_mock.answer_models import RuleState
from runware_mock.client import ControlClient, ControlError, Listing
from runware_mock.control_models import Account, Answer, Entry, Expiring, FaultState, Medium, PlanState, Snapshot
from runware_mock.protocol.redaction import masked
from runware_mock.settings import ENV_PREFIX, BadSetting, Settings
from runware_mock.values import parse_duration, url_of, write_duration

EXIT_FAILED = 1
EXIT_USAGE = 2
Function = Callable[..., Any]

# The option that supplies what an error says is missing: field -> hint.
_HINTS = {
    "account": "give --account KEY",
    "Authorization": "--account must not be empty",
    "x-control-token": "give --token TOKEN",
}


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

    @cached_property
    def control(self) -> ControlClient:
        """The control API of the server."""
        return ControlClient(self.url, self.api_key, self.token)

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


def duration_of(text: str, option: str) -> timedelta:
    """Return the duration that an option was given; a bad one ends the program with one line."""
    try:
        return parse_duration(text)
    except ValueError as error:
        fail(f"bad value for {option}: {error}", EXIT_USAGE)


def flag_of(name: str) -> str:
    """Return the flag of a setting."""
    return "--" + name.replace("_", "-")


def default_url() -> str:
    """Return the address that `serve` would listen on with the same environment."""
    settings = settings_of(dict.fromkeys(("host", "port", "tls")))
    return url_of(settings.host, settings.port, is_tls=settings.tls or bool(os.environ.get(f"{ENV_PREFIX}TLS_CERT")))


url_option = click.option(
    "--url",
    envvar="RUNWARE_MOCK_URL",
    default=default_url,
    help="Address of the server. Default: where `serve` would listen.",
)
yes_option = click.option("--yes", is_flag=True, help="Do it to all accounts without asking.")
token_option = click.option("--token", envvar="RUNWARE_MOCK_CONTROL_TOKEN", help="The server's --control-token.")
_json_option = click.option("--json", "as_json", is_flag=True, help="Print the JSON that the API answers.")


def account_option(otherwise: str = ", or else all accounts") -> Callable[[Function], Function]:
    """Add `--account`; `otherwise` says what happens without the variable."""
    text = f"API key of the account. Default: $RUNWARE_API_KEY{otherwise}."
    return click.option("--account", envvar="RUNWARE_API_KEY", metavar="KEY", help=text)


def control_command(
    name: str,
    group: click.Group | None = None,
    *,
    is_for_one: bool = False,
    help: str | None = None,  # noqa: A002 - click's name
) -> Callable[[Function], click.Command]:
    """Make a command of a function that takes a Call and its own parameters and returns an answer or Printed.

    `is_for_one` says that the command needs an account, where others act on all accounts without one. `help` replaces
    the function's docstring.
    """
    with_account = account_option("") if is_for_one else account_option()

    def made(function: Function) -> click.Command:
        @wraps(function)
        def run(*, url: str, account: str | None, token: str | None, as_json: bool, **given: Any) -> None:
            try:
                answer = function(Call(url.rstrip("/"), account, token), **given)
            except ControlError as error:
                fail(one_line(error, account, token))
            _show(answer, as_json=as_json)

        command = click.command(name, help=help)(url_option(with_account(token_option(_json_option(run)))))
        if group is not None:
            group.add_command(command)
        return command

    return made


def _show(answer: Any, *, as_json: bool) -> None:
    printed = answer if isinstance(answer, Printed) else Printed(text_of(answer), answer)
    text = json.dumps(json_of(printed.answer), indent=2, ensure_ascii=False) if as_json else printed.text
    if text:
        click.echo(text)
    if printed.problem:
        fail(printed.problem)


def one_line(error: ControlError, api_key: str | None, token: str | None) -> str:
    """Write an error of the server as one line, with the option that supplies what is missing."""
    message, field = " ".join(error.message.split()), error.field or ""
    # A command has no body: what is wrong with that is wrong with the file it names.
    if field not in message and field != "body":
        message = f"{field}: {message}"
    is_given = {"account": api_key, "x-control-token": token}.get(field)
    return message if field not in _HINTS or is_given else f"{message} ({_HINTS[field]})"


def json_of(answer: Any) -> Any:
    """Return an answer, or the page of a list, as the server sent it."""
    model = answer.page if isinstance(answer, Listing) else answer
    return model.model_dump(mode="json", exclude_unset=True) if isinstance(model, Answer) else model


def text_of(answer: Any) -> str:
    """Write an answer, or a list of them."""
    if not isinstance(answer, Listing):
        return _aligned([(path, _text(value)) for path, value in _paths("", json_of(answer))])
    more = f"\n(more: --before {answer.next_before})" if answer.next_before else ""
    return table(answer) + more


def table(answers: Sequence[Any]) -> str:
    """Write answers of one kind, one a line, under headings. Nothing is cut, however narrow the terminal."""
    if not answers:
        return "none"
    columns = _COLUMNS[type(answers[0])]
    cells = [attrgetter(column) if isinstance(column, str) else column for column in columns.values()]
    return _aligned([tuple(columns), *(tuple(_text(cell(answer)) for cell in cells) for answer in answers)])


def _attempt(entry: Entry) -> str | None:
    """Write which attempt a call of a webhook was, and why it failed."""
    if entry.kind != "webhook":
        return None
    return f"attempt {entry.task.get('attempt')}: {entry.task.get('problem', '')}".removesuffix(": ")


def fault(state: FaultState) -> str:
    """Write how often a fault was met, and how often it will be."""
    return f"{state.kind} {state.met} {'without end' if state.times is None else f'of {state.times}'}"


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _paths(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Return every value in a JSON document with its path, such as `faults[0].kind`."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from _paths(f"{path}.{name}".removeprefix("."), part)
    elif isinstance(value, list) and any(isinstance(part, Mapping) for part in value):
        for position, part in enumerate(value):
            yield from _paths(f"{path}[{position}]", part)
    else:
        yield path, value


def _text(value: Any) -> str:
    match value:
        case None | [] | ():
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case timedelta():
            return write_duration(value - value % timedelta(seconds=1))
        case list() | tuple():
            return ", ".join(map(str, value))
    return str(value)


# The columns of a table of each kind of answer: heading -> attribute, or a function that returns the value.
_COLUMNS: Mapping[type, Mapping[str, str | Callable[[Any], object]]] = {
    Account: {"id": "id", "key": "label", "clock": "now_at", "media": "media", "journal": "journal", "plans": "plans"},
    Medium: {
        "uuid": "uuid",
        "account": "account",
        "format": "format",
        "size": lambda medium: f"{medium.width_px}x{medium.height_px}" if medium.width_px else None,
        "bytes": "size_bytes",
        "downsized": "downsized",
        "last used": "last_used_at",
        "time left": "time_left",
    },
    Expiring: {
        "uuid": "uuid",
        "last used": "last_used_at",
        "expires": "expires_at",
        "time left": "time_left",
        "purged": "would_be_purged",
    },
    PlanState: {
        "name": "name",
        "account": lambda plan: plan.account or "all",
        "must be met": "must_be_met",
        "is met": "is_met",
        "faults met": lambda plan: [fault(one) for one in plan.faults],
        "warnings": "warnings",
    },
    RuleState: {
        "name": "name",
        "account": lambda rule: rule.account or "all",
        "task": lambda rule: rule.task_type or "any",
        "prompt": "prompt",
        "must be used": "must_be_used",
        "is used": "is_used",
        "given": lambda rule: [f"{one.used}{'' if one.times is None else f' of {one.times}'}" for one in rule.give],
        "warnings": "warnings",
    },
    Entry: {
        "id": "id",
        "at": "at",
        "account": "account",
        "status": lambda entry: "no answer" if entry.status == 0 else entry.status,
        "over": "transport",
        "client": "client",
        "task": "asked",
        "taskUUID": "task_uuid",
        "outcome": "outcome",
        "code": lambda entry: _attempt(entry) or next((item["code"] for item in entry.answer if "code" in item), None),
        "ms": lambda entry: f"{entry.duration_ms:.1f}",
        "faults": lambda entry: [met.kind for met in entry.faults],
    },
    Snapshot: {"name": "name", "created": "created_at", "media": "media"},
}
