"""Responses in Runware's envelope, and the answers to failures: that envelope, a control API error, or a page."""

import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from runware_mock.api.guard import check_caller
from runware_mock.api.ui.pages import page_failure, wants_page
from runware_mock.control.answers import Rule
from runware_mock.control.calls import Code, ControlRefused, nearest, not_found
from runware_mock.control.field_errors import field_error, first_of
from runware_mock.control.state import ToReset
from runware_mock.faults.plans import Plan
from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.protocol.messages import Reply, rest_body
from runware_mock.storage.database import crash, outage_of

_log = logging.getLogger(__name__)

# A web application under test calls the API from its own origin.
CORS_HEADERS = {"Access-Control-Allow-Origin": "*"}
_PREFLIGHT_HEADERS = {
    **CORS_HEADERS,
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Max-Age": "600",
}
_USUAL_HEADERS = "Authorization, Content-Type, Range, X-Runware-Mock-Plan"
_HTTP_ERRORS = {404: "notFound", 405: "methodNotAllowed"}

PREFIX = "/_mock"
# What is read from the body of a call, to name the fields that it has.
_BODIES: Mapping[str, type[BaseModel]] = {
    f"{PREFIX}/answers": Rule,
    f"{PREFIX}/faults": Plan,
    f"{PREFIX}/reset": ToReset,
}

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Failure(BaseModel):
    """Why nothing was done. `field` is the dotted path of what is wrong, such as `faults[0].kind`."""

    message: str
    field: str | None
    code: Code


class Refused(BaseModel):
    """The answer to a call that is refused."""

    error: Failure


def envelope(status: int, body: bytes) -> Response:
    """Return a response from an encoded envelope."""
    return Response(body, status, CORS_HEADERS, "application/json")


def refused(refusal: Refusal) -> Response:
    """Return the response that refuses a whole request."""
    return envelope(*rest_body([Reply.refused(refusal)]))


async def preflight(request: Request) -> Response:
    """Allow a browser to call the API from a page of another origin, with any headers."""
    # Not "*": the wildcard does not cover Authorization.
    allowed = request.headers.get("access-control-request-headers", _USUAL_HEADERS)
    return Response(status_code=204, headers={**_PREFLIGHT_HEADERS, "Access-Control-Allow-Headers": allowed})


def is_control(scope: Scope) -> bool:
    """Tell whether a request is one to the control API."""
    path: str = scope["path"]
    return (path + "/").startswith(f"{PREFIX}/")


async def failure_response(request: Request, error: Exception) -> Response:
    """Return the answer to a request that has failed; a crash of the mock is logged."""
    if isinstance(error, ClientDisconnect):
        # The client is gone, so nobody reads the answer.
        return Response()
    if is_control(request.scope):
        return control_failure(request, error)
    if wants_page(request.scope):
        return page_failure(request, error)
    if isinstance(error, ControlRefused):
        # A program that gets `/` does not want the page, and must learn nothing from it.
        error = HTTPException(405)
    if isinstance(error, HTTPException) and error.status_code in _HTTP_ERRORS:
        hint = f"The API is POST /v1; this was {request.method} {request.url.path[:200]}."
        error = refuse(_HTTP_ERRORS[error.status_code], hint)
    if isinstance(error, Refusal):
        return refused(error)
    _log.error("%s %s failed inside the mock", request.method, request.url.path, exc_info=error)
    return refused(crash(error))


class AnsweringRoute(APIRoute):
    """A route that answers its own failures: after an unhandled one, the server would close the connection."""

    def get_route_handler(self) -> Handler:
        """Return the handler of the route."""
        handle = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                self.admit(request)
                return await handle(request)
            except Exception as error:  # noqa: BLE001 - whatever it is, the client gets an answer that says whose fault it is
                return await failure_response(request, error)

        return answered

    def admit(self, request: Request) -> None:
        """Raise a refusal before the body is read; this route admits every caller."""


class GuardedRoute(AnsweringRoute):
    """A route for a developer's own programs and browser; see `check_caller`."""

    def admit(self, request: Request) -> None:
        """Raise ControlRefused for any other caller."""
        check_caller(request, request.app.state.services.settings)


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
            # A key that the upload API refuses, too.
            return ControlRefused(error.message, "account", "forbidden", error.status)
        case RequestValidationError():
            return _invalid(request.url.path, error.errors())
        case HTTPException(status_code=400):
            return ControlRefused("the body is not JSON, or is nested too deeply", "body")
        case HTTPException():
            return _no_such_call(request, error)
    _log.error("%s %s failed inside the mock", request.method, request.url.path, exc_info=error)
    return _crash(error)


def _crash(error: Exception) -> ControlRefused:
    if outage := outage_of(error):
        return ControlRefused(f"runware-mock cannot do this now: {outage}", None, "unavailable", 503)
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
    return not_found(f"there is no path {path[:100]}; {nearest(path, known)}", "path")


def _invalid(path: str, errors: Sequence[Mapping[str, Any]]) -> ControlRefused:
    """Return what FastAPI found wrong with a parameter or a field of the body."""
    error = first_of(errors)
    source, *location = error["loc"]
    if error["type"] == "json_invalid":
        return ControlRefused(f"the body is not JSON: {error['ctx']['error']}", source)
    if not location and source == "body" and error["type"] != "value_error":
        return ControlRefused("the body must be a JSON object, with Content-Type: application/json", source)
    return field_error(error, _BODIES.get(path), whole=source, skipped=1)
