"""How the control API answers a call that fails."""

import logging
from difflib import get_close_matches
from typing import Any, get_args

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import Scope

from runware_mock.api.control.guard import check_caller
from runware_mock.control.refusals import Code, ControlRefused, not_found
from runware_mock.protocol.errors import Refusal

_log = logging.getLogger(__name__)

PREFIX = "/_mock"
REFUSED: dict[str, Any] = {
    "description": "Nothing was done. `field` is the dotted path of what has to be mended, such as `faults[0].kind`.",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["error"],
                "properties": {
                    "error": {
                        "type": "object",
                        "required": ["message", "field", "code"],
                        "properties": {
                            "message": {"type": "string"},
                            "field": {"type": ["string", "null"]},
                            "code": {"enum": list(get_args(Code))},
                        },
                    }
                },
            }
        }
    },
}


def is_control(scope: Scope) -> bool:
    """Tell whether a request is one to the control API."""
    path: str = scope["path"]
    return (path + "/").startswith(f"{PREFIX}/")


def control_failure(request: Request, error: Exception) -> JSONResponse:
    """Return the answer to a call that has failed."""
    refused = error if isinstance(error, ControlRefused) else _refusal_of(request, error)
    body = {"message": refused.message, "field": refused.field, "code": refused.code}
    return JSONResponse({"error": body}, refused.status)


def _refusal_of(request: Request, error: Exception) -> ControlRefused:
    match error:
        case Refusal() if error.is_ours:
            return ControlRefused(error.message, None, "unavailable", error.status)
        case Refusal():
            # A key that the upload API would refuse, too.
            return ControlRefused(error.message, "account", "forbidden", error.status)
        case RequestValidationError():
            first = error.errors()[0]
            return ControlRefused(str(first["msg"]), _dotted(first["loc"][1:]) or str(first["loc"][0]))
        case HTTPException():
            return _no_such_call(request, error)
    _log.error("%s %s failed inside the mock", request.method, request.url.path, exc_info=error)
    return ControlRefused("runware-mock itself failed; its log says more", None, "crash", 500)


def _no_such_call(request: Request, error: HTTPException) -> ControlRefused:
    try:
        check_caller(request, request.app.state.services.settings)
    except ControlRefused as refused:
        return refused
    path = request.url.path
    if error.status_code != 404:  # noqa: PLR2004 - not found
        return ControlRefused(f"{request.method} {path[:100]}: {error.detail}", "method", status=error.status_code)
    known = [one for one in request.app.openapi()["paths"] if one.startswith(PREFIX)]
    near = get_close_matches(path, known, 1)
    meant = f"did you mean {near[0]}? " if near else ""
    return not_found(f"no such path {path[:100]}; {meant}there are {', '.join(known)}", "path")


def _dotted(location: tuple[Any, ...]) -> str:
    """Write `("faults", 0, "kind")` as `faults[0].kind`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.removeprefix(".")
