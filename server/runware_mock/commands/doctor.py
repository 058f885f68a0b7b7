"""`runware-mock ready` and `doctor`: whether a server can be reached, and how to point each SDK at it."""

import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from runware_mock.certificates import client_context
from runware_mock.clock import monotonic_s
from runware_mock.commands.base import Call, Printed, control_command, default_url, duration_of, fail
from runware_mock.connection import BADGE, Unreachable, send
from runware_mock.testing import RunwareMock

_TRUST = (
    "to trust its certificate, set SSL_CERT_FILE=$(runware-mock ca --path); Node needs NODE_EXTRA_CA_CERTS "
    "(not with --tls-cert)"
)
# Long enough for every client. The account it opens stays empty.
_OWN_KEY = "runware-mock-doctor-0123456789abcdef"
_NEXT = "start one with `runware-mock serve`, or give the address of one with --url"
_UNREACHABLE = "cannot be reached"
_POLL_S = 0.05
_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Sdk:
    """One SDK. `setup` is what a user writes, with `{ws}` and `{rest}` for the server's addresses.

    `least_key_chars` is the length of the shortest key that it accepts. `keeps_localhost` says that it takes
    ws://localhost:8080 for its own test server.
    """

    name: str
    transports: str
    setup: str
    pitfalls: tuple[str, ...] = ()
    least_key_chars: int = 0
    keeps_localhost: bool = False

    def warnings(self, url: str, api_key: str | None) -> list[str]:
        """Return the warnings that apply to this user."""
        found = list(self.pitfalls)
        if self.keeps_localhost and urlsplit(url).netloc == "localhost:8080":
            found.append("takes ws://localhost:8080 for its own test server and does not wait for it: write 127.0.0.1")
        if api_key is not None and len(api_key) < self.least_key_chars:
            found.append(f"accepts no key under {self.least_key_chars} characters; this one has {len(api_key)}")
        return found


_NO_SETTING = "has no setting: it reaches this server only through a TLS proxy named {}"
_SCHEMAS = "asks schemas.runware.ai when a task names no taskType, and continues if there is no answer"
_ONE_NAME = "has the same import name, `runware`, as the other PyPI package: install only one of them"

SDKS = (
    Sdk(
        "PyPI runware 0.5",
        "WebSocket",
        'Runware(api_key=KEY, url="{ws}")',
        ("sends streamed textInference, with the key, to api.runware.ai whatever the URL", _ONE_NAME),
        keeps_localhost=True,
    ),
    Sdk("PyPI runware-sdk 1.8", "WebSocket", 'Runware(api_key=KEY, ws_base_url="{ws}")', (_SCHEMAS, _ONE_NAME)),
    Sdk(
        "PyPI runware-sdk 1.8",
        "REST",
        'Runware(api_key=KEY, transport="rest", http_base_url="{rest}")',
        (_SCHEMAS, _ONE_NAME),
    ),
    Sdk("npm @runware/sdk-js 1.3", "WebSocket", 'new Runware({ apiKey: KEY, url: "{ws}" })', keeps_localhost=True),
    Sdk(
        "npm @runware/sdk 1.6",
        "WebSocket, REST",
        'createClient({ apiKey: KEY, wsBaseUrl: "{ws}", httpBaseUrl: "{rest}" })',
        (_SCHEMAS,),
    ),
    Sdk("npm @runware/ai-sdk-provider 2.0", "REST", 'createRunware({ apiKey: KEY, baseURL: "{rest}" })'),
    Sdk("ComfyUI-Runware 1.9", "REST", "export RUNWARE_CUSTOM_ENDPOINT={rest}", least_key_chars=25),
    Sdk(
        "npm @runware/mcp",
        "WebSocket",
        _NO_SETTING.format("ws-api.runware.ai"),
        ("asks schemas.runware.ai in every run",),
    ),
    Sdk("npm runware-mcp", "REST", _NO_SETTING.format("api.runware.ai"), least_key_chars=32),
    Sdk("PHP SDK", "REST", _NO_SETTING.format("api.runware.ai")),
)


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
    """Check that the server is ready. Exits with status 1 if it is not."""
    give_up_s = monotonic_s() + duration_of(wait, "--wait (or RUNWARE_MOCK_WAIT)").total_seconds()
    if url is None and ready_file is None:
        url = default_url()
    while True:
        try:
            click.echo(f"ready on {_ready_url(url, ready_file or Path())}")
        except Unreachable as reason:
            if monotonic_s() >= give_up_s:
                fail(f"not ready{reason}")
            time.sleep(_POLL_S)
        else:
            return


def _ready_url(url: str | None, ready_file: Path) -> str:
    """Return the address of a server that is ready; raises Unreachable."""
    try:
        url = (url or str(json.loads(ready_file.read_text(encoding="utf-8"))["url"])).rstrip("/")
    except OSError as error:
        raise Unreachable(f": cannot read {ready_file}: {error.strerror}") from None
    except (ValueError, LookupError, TypeError):
        raise Unreachable(f": {ready_file} holds no address") from None
    # Nothing secret is sent, so any certificate will do.
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    try:
        answer = send("GET", f"{url}/health", timeout_s=_TIMEOUT_S, trust=trust)
    except Unreachable as error:
        is_silent = isinstance(error.__cause__, ConnectionRefusedError)
        reason = f"no server answers there ({error}): {_NEXT}" if is_silent else str(error)
        raise Unreachable(f" on {url}: {reason}") from None
    if answer.status != HTTPStatus.OK:
        raise Unreachable(f" on {url}: it answers {answer.status}")
    if BADGE not in answer.headers:
        raise Unreachable(f" on {url}: something else answers there")
    return url


@control_command("doctor")
def doctor(call: Call) -> Any:
    """Check the server, and list SDK setups.

    Shows how to point each SDK at the server, and warns of pitfalls. With --account, use that key for the checks and
    warn of clients that refuse it.
    """
    # Any address of the server will do: with ws:// or http://, with or without /v1.
    url = f"http{call.url.removeprefix('ws')}" if call.url.startswith(("ws://", "wss://")) else call.url
    server = RunwareMock(url, call.api_key or _OWN_KEY)
    checks = {name: _problem(check, server) for name, check in _CHECKS.items()}
    report = {
        "url": server.url,
        "trusted": _TRUST if server.url.startswith("https:") else None,
        "checks": [{"transport": name, "problem": problem} for name, problem in checks.items()],
        "sdks": [
            {
                "name": sdk.name,
                "transport": sdk.transports,
                "pointed": sdk.setup.replace("{ws}", server.ws_url).replace("{rest}", server.rest_url),
                "warnings": sdk.warnings(server.url, call.api_key),
            }
            for sdk in SDKS
        ],
    }
    failed = [name for name, problem in checks.items() if problem]
    is_gone = all(_UNREACHABLE in (problem or "") for problem in checks.values())
    if is_gone and not report["trusted"]:
        return Printed("", report, f"{checks['REST']} ({_NEXT})")
    text = _text({**report, "sdks": []} if is_gone else report)
    return Printed(text, report, f"not reachable by {' and '.join(failed)}" if failed else None)


def _text(report: Mapping[str, Any]) -> str:
    lines = [f"runware-mock on {report['url']}", ""]
    if report["trusted"]:
        lines += [report["trusted"], ""]
    lines += [f"{check['transport']}: {check['problem'] or 'reachable'}" for check in report["checks"]]
    for sdk in report["sdks"]:
        lines += ["", f"{sdk['name']} ({sdk['transport']})", f"    {sdk['pointed']}"]
        lines += [f"    warning: {warning}" for warning in sdk["warnings"]]
    return "\n".join(lines)


def _problem(check: Callable[[RunwareMock], None], server: RunwareMock) -> str | None:
    try:
        check(server)
    except Unreachable as problem:
        return str(problem)
    return None


def _check_rest(server: RunwareMock) -> None:
    """Authenticate as ComfyUI does, which sends the key only in the body."""
    body = json.dumps([{"taskType": "authentication", "apiKey": server.api_key}]).encode()
    headers = {"Content-Type": "application/json"}
    try:
        answer = send("POST", server.rest_url, body, headers, timeout_s=_TIMEOUT_S, trust=_trust(server))
    except Unreachable as error:
        raise Unreachable(f"{server.rest_url} {_UNREACHABLE}: {error}") from None
    if BADGE not in answer.headers:
        raise Unreachable(f"something else answers at {server.rest_url}")
    _check_answer(answer.content, "authentication")


def _check_websocket(server: RunwareMock) -> None:
    """Connect, authenticate and ping, as every SDK does first."""
    tasks: dict[str, dict[str, Any]] = {"authentication": {"apiKey": server.api_key}, "ping": {"ping": True}}
    try:
        with connect(
            server.ws_url, open_timeout=_TIMEOUT_S, close_timeout=_TIMEOUT_S, proxy=None, ssl=_trust(server)
        ) as socket:
            for task_type, fields in tasks.items():
                socket.send(json.dumps([{"taskType": task_type, **fields}]))
                _check_answer(socket.recv(_TIMEOUT_S), task_type)
    except (OSError, WebSocketException, ValueError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise Unreachable(f"{server.ws_url} {_UNREACHABLE}: {reason}") from None


_CHECKS: Mapping[str, Callable[[RunwareMock], None]] = {"REST": _check_rest, "WebSocket": _check_websocket}


def _trust(server: RunwareMock) -> ssl.SSLContext | None:
    return client_context() if server.url.startswith("https:") else None


def _check_answer(text: str | bytes, task_type: str) -> None:
    try:
        document = json.loads(text)
        if "errors" in document:
            raise Unreachable(f"{task_type} is refused: {document['errors'][0]['message']}")
        is_answer = document["data"][0]["taskType"] == task_type
    except (ValueError, LookupError, TypeError):
        is_answer = False
    if not is_answer:
        raise Unreachable(f"{task_type} is not answered as the API answers it")
