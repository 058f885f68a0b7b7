"""The control API as an application of its own, made when it is first called: it would only slow the start."""

from difflib import get_close_matches
from functools import cached_property
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, JSONResponse
from starlette.types import Receive, Scope, Send

from runware_mock import __version__
from runware_mock.control.refusals import ControlRefused, not_found
from runware_mock.protocol.errors import Refusal
from runware_mock.services import Services
from runware_mock.web.control.guard import check_caller

PREFIX = "/_mock"


class ControlApp:
    """Answers every request under `/_mock`."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request of somebody who may call."""
        try:
            check_caller(HTTPConnection(scope), self._services.settings)
        except ControlRefused as refused:
            await _refused(refused)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    @cached_property
    def _app(self) -> FastAPI:
        from runware_mock.web.control import faults, routes
        from runware_mock.web.control.docs import docs_page

        app = FastAPI(
            title="runware-mock control API",
            version=__version__,
            docs_url=None,
            redoc_url=None,
            openapi_url=f"{PREFIX}/openapi.json",
        )
        app.state.services = self._services
        for one in (routes, faults):
            app.include_router(one.router(self._services), prefix=PREFIX)
        app.add_exception_handler(ControlRefused, _on_refused)
        app.add_exception_handler(Refusal, _on_refusal)
        app.add_exception_handler(RequestValidationError, _on_invalid)
        app.add_exception_handler(HTTPException, _on_http)

        @app.get(f"{PREFIX}/docs", include_in_schema=False)
        def docs(_request: Request) -> HTMLResponse:
            return docs_page(app.openapi())

        return app


def _refused(error: ControlRefused) -> JSONResponse:
    body = {"message": error.message, "field": error.field, "code": error.code}
    return JSONResponse({"error": body}, error.status)


async def _on_refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ControlRefused)  # noqa: S101 - registered for nothing else
    return _refused(error)


async def _on_refusal(_request: Request, error: Exception) -> JSONResponse:
    """Answer a key that the upload API would refuse, too, and an object storage that fails."""
    assert isinstance(error, Refusal)  # noqa: S101 - registered for nothing else
    if error.is_ours:
        return _refused(ControlRefused(error.message, None, "unavailable", error.status))
    return _refused(ControlRefused(error.message, "account", "forbidden", error.status))


async def _on_invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for nothing else
    first = error.errors()[0]
    return _refused(ControlRefused(str(first["msg"]), _dotted(first["loc"][1:]) or str(first["loc"][0])))


async def _on_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    path = request.url.path
    known = list(request.app.openapi()["paths"])
    if error.status_code != 404:  # noqa: PLR2004 - not found
        return _refused(
            ControlRefused(f"{request.method} {path[:100]}: {error.detail}", "method", status=error.status_code)
        )
    near = get_close_matches(path, known, 1)
    meant = f"did you mean {near[0]}? " if near else ""
    return _refused(not_found(f"no such path {path[:100]}; {meant}there are {', '.join(known)}", "path"))


def _dotted(location: tuple[Any, ...]) -> str:
    """Write `("faults", 0, "kind")` as `faults[0].kind`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.removeprefix(".")
