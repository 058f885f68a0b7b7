"""`runware-mock doctor`: how to point each SDK at a server, and whether it can be reached."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from runware_mock.certificates import client_context
from runware_mock.commands.base import Call, Printed, control_command
from runware_mock.commands.ready import Unreachable, ask
from runware_mock.commands.sdks import SDKS, Address

_TRUST = (
    "to trust its certificate, set SSL_CERT_FILE=$(runware-mock ca --path); Node needs NODE_EXTRA_CA_CERTS "
    "(not with --tls-cert)"
)
# Long enough for every client. The account it opens stays empty.
_OWN_KEY = "runware-mock-doctor-0123456789abcdef"
_TIMEOUT_S = 5.0


class CheckFailed(Exception):
    """The server cannot be reached this way; the message says why."""


@control_command("doctor")
def doctor(call: Call) -> Any:
    """Check that the server can be reached, and list SDK setups.

    Shows how to point each SDK at the server, and warns of pitfalls. With --account, use that key for the checks and
    warn of clients that refuse it.
    """
    address = Address.of(call.url, call.api_key)
    checks = {name: _problem(check, address, call.api_key or _OWN_KEY) for name, check in _CHECKS.items()}
    report = {
        "url": address.url,
        "trusted": _TRUST if address.is_tls else None,
        "checks": [{"transport": name, "problem": problem} for name, problem in checks.items()],
        "sdks": [
            {
                "name": sdk.name,
                "transport": sdk.transports,
                "pointed": sdk.line(address),
                "warnings": sdk.warnings(address),
            }
            for sdk in SDKS
        ],
    }
    failed = [name for name, problem in checks.items() if problem]
    return Printed(_text(report), report, f"not reachable by {' and '.join(failed)}" if failed else None)


def _text(report: Mapping[str, Any]) -> str:
    lines = [f"runware-mock on {report['url']}", ""]
    if report["trusted"]:
        lines += [report["trusted"], ""]
    lines += [f"{check['transport']}: {check['problem'] or 'reachable'}" for check in report["checks"]]
    for sdk in report["sdks"]:
        lines += ["", f"{sdk['name']} ({sdk['transport']})", f"    {sdk['pointed']}"]
        lines += [f"    warning: {warning}" for warning in sdk["warnings"]]
    return "\n".join(lines)


def _problem(check: Callable[[Address, str], None], address: Address, api_key: str) -> str | None:
    try:
        check(address, api_key)
    except CheckFailed as failed:
        return str(failed)
    return None


def _check_rest(address: Address, api_key: str) -> None:
    """Authenticate as ComfyUI does, which sends the key only in the body."""
    task = {"taskType": "authentication", "apiKey": api_key}
    trust = client_context() if address.is_tls else None
    try:
        _, headers, answer = ask(address.rest_url, json.dumps([task]).encode(), trust)
    except Unreachable as error:
        raise CheckFailed(f"{address.rest_url} cannot be reached: {_why(error)}") from None
    if "X-Runware-Mock" not in headers:
        raise CheckFailed(f"something else answers at {address.rest_url}")
    _check_answer(answer, "authentication")


def _check_websocket(address: Address, api_key: str) -> None:
    """Connect, authenticate and ping, as every SDK does first."""
    from websockets.exceptions import WebSocketException
    from websockets.sync.client import connect

    tasks: dict[str, dict[str, Any]] = {"authentication": {"apiKey": api_key}, "ping": {"ping": True}}
    trust = client_context() if address.is_tls else None
    try:
        with connect(
            address.ws_url, open_timeout=_TIMEOUT_S, close_timeout=_TIMEOUT_S, proxy=None, ssl=trust
        ) as socket:
            for task_type, fields in tasks.items():
                socket.send(json.dumps([{"taskType": task_type, **fields}]))
                _check_answer(socket.recv(_TIMEOUT_S), task_type)
    except (OSError, WebSocketException, ValueError) as error:
        raise CheckFailed(f"{address.ws_url} cannot be reached: {_why(error)}") from None


_CHECKS: Mapping[str, Callable[[Address, str], None]] = {"REST": _check_rest, "WebSocket": _check_websocket}


def _check_answer(text: str | bytes, task_type: str) -> None:
    try:
        document = json.loads(text)
        if "errors" in document:
            raise CheckFailed(f"{task_type} is refused: {document['errors'][0]['message']}")
        is_answer = document["data"][0]["taskType"] == task_type
    except (ValueError, LookupError, TypeError):
        is_answer = False
    if not is_answer:
        raise CheckFailed(f"{task_type} is not answered as the API answers it")


def _why(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
