"""Responses in Runware's envelope, and the answers to failures: that envelope, a control API error, or a page."""

import logging
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from runware_mock.api.control.guard import check_caller
from runware_mock.api.control.parameters import control_failure, is_control
from runware_mock.api.ui.pages import page_failure, wants_page
from runware_mock.control.calls import ControlRefused
from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.protocol.messages import Reply, rest_body
from runware_mock.storage.database import crash

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

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


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


async def failure_response(request: Request, error: Exception) -> Response:
    """Return the answer to a request that has failed; a crash of the mock is logged."""
    if is_control(request.scope):
        return control_failure(request, error)
    if wants_page(request.scope):
        return page_failure(request, error)
    if isinstance(error, ClientDisconnect):
        # The client is gone, so nobody reads the answer.
        return Response()
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
