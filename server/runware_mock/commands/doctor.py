"""`runware-mock doctor`: how each SDK is pointed at a server, and whether it is reachable that way."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from runware_mock.commands.base import Call, Printed, verb

if TYPE_CHECKING:
    import ssl

    from runware_mock.commands.sdks import Place

_TRUSTED = (
    "trusted with SSL_CERT_FILE=$(runware-mock ca --path), by Node with NODE_EXTRA_CA_CERTS, unless --tls-cert is set"
)
# Long enough for every client; the account that it opens stays empty.
_OWN_KEY = "runware-mock-doctor-0123456789abcdef"
_PATIENCE_S = 5.0


class CheckFailed(Exception):
    """The server is not reachable that way; says why."""


@verb("doctor")
def doctor(call: Call) -> Any:
    """Say how each SDK is pointed at this server, check that it is reachable, and warn of traps.

    With --account, the checks are made with that key, and its length is looked at.
    """
    from runware_mock.commands.sdks import SDKS, Place

    place = Place.of(call.url, call.api_key)
    checks = {name: _problem(check, place, call.api_key or _OWN_KEY) for name, check in _CHECKS.items()}
    sdks = [
        {
            "name": sdk.name,
            "transport": sdk.transports,
            "pointed": sdk.line(place),
            "warnings": sdk.warnings(place),
        }
        for sdk in SDKS
    ]
    report = {
        "url": place.url,
        "trusted": _TRUSTED if place.url.startswith("https:") else None,
        "checks": [{"transport": name, "problem": problem} for name, problem in checks.items()],
        "sdks": sdks,
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


def _problem(check: Callable[["Place", str], None], place: "Place", api_key: str) -> str | None:
    try:
        check(place, api_key)
    except CheckFailed as failed:
        return str(failed)
    return None


def _rest(place: "Place", api_key: str) -> None:
    """Authenticate as ComfyUI does, which sends the key in the body alone."""
    import httpx

    task = {"taskType": "authentication", "apiKey": api_key}
    try:
        answer = httpx.post(
            place.rest_url,
            json=[task],
            timeout=_PATIENCE_S,
            trust_env=False,
            verify=_trust(place) or False,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise CheckFailed(f"{place.rest_url} cannot be reached: {_why(error)}") from None
    if "X-Runware-Mock" not in answer.headers:
        raise CheckFailed(f"something else answers at {place.rest_url}")
    _item(answer.text, "authentication")


def _web_socket(place: "Place", api_key: str) -> None:
    """Connect, authenticate and ping, as every SDK begins."""
    import json

    from websockets.exceptions import WebSocketException
    from websockets.sync.client import connect

    tasks: dict[str, dict[str, Any]] = {"authentication": {"apiKey": api_key}, "ping": {"ping": True}}
    try:
        with connect(
            place.ws_url, open_timeout=_PATIENCE_S, close_timeout=_PATIENCE_S, proxy=None, ssl=_trust(place)
        ) as socket:
            for task_type, fields in tasks.items():
                socket.send(json.dumps([{"taskType": task_type, **fields}]))
                _item(socket.recv(_PATIENCE_S), task_type)
    except (OSError, WebSocketException, ValueError) as error:
        raise CheckFailed(f"{place.ws_url} cannot be reached: {_why(error)}") from None


def _trust(place: "Place") -> "ssl.SSLContext | None":
    if not place.url.startswith("https:"):
        return None
    from runware_mock.certificates import client_context

    return client_context()


def _item(text: str | bytes, task_type: str) -> None:
    """Check that an answer is that of a task."""
    import json

    try:
        document = json.loads(text)
        if "errors" in document:
            raise CheckFailed(f"{task_type} is refused: {document['errors'][0]['message']}")
        is_answer = document["data"][0]["taskType"] == task_type
    except (ValueError, LookupError, TypeError):
        is_answer = False
    if not is_answer:
        raise CheckFailed(f"{task_type} is not answered as the API does")


def _why(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


_CHECKS: Mapping[str, Callable[["Place", str], None]] = {"REST": _rest, "WebSocket": _web_socket}
