"""How the control API answers a call that fails."""

import logging
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import Scope

from runware_mock.api.control.guard import check_caller
from runware_mock.control.refusals import Code, ControlRefused, dotted, not_found
from runware_mock.protocol.errors import Refusal

_log = logging.getLogger(__name__)

PREFIX = "/_mock"


class Failure(BaseModel):
    """Why nothing was done; `field` is the dotted path of what has to be mended, such as `faults[0].kind`."""

    message: str
    field: str | None
    code: Code


class Refused(BaseModel):
    """The answer to a call that is refused."""

    error: Failure


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
            return _invalid(error.errors()[0])
        case HTTPException(status_code=400):
            return ControlRefused("the body is no JSON, or is nested too deeply", "body")
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


def _invalid(error: Mapping[str, Any]) -> ControlRefused:
    """Return what FastAPI found wrong with a parameter or a field of the body."""
    source, *location = error["loc"]
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "json_invalid":
        return ControlRefused(f"the body is no JSON: {message}", source)
    if not location and source == "body":
        return ControlRefused(f"{message}; send a JSON object, with Content-Type: application/json", source)
    if location[:1] == ["faults"]:
        # The kind of a fault stands in the location, but it is no field of its own; where it is missing, that is all.
        location = [*location[:2], *location[3:], *(["kind"] if error["type"].startswith("union_tag") else [])]
        if error["type"] == "model_attributes_type":
            location.append("kind")
    return ControlRefused(message, dotted(location) or source)
