"""The control API as an application of its own."""

import logging
from difflib import get_close_matches
from typing import Any, get_args

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response

from runware_mock import __version__
from runware_mock.api.control import faults, routes
from runware_mock.api.control.docs import ABOUT, docs_page
from runware_mock.api.control.door import PREFIX, refused
from runware_mock.api.openapi import task_operation, task_schemas
from runware_mock.control.refusals import Code, ControlRefused, not_found
from runware_mock.protocol.errors import Refusal
from runware_mock.services import Services

_log = logging.getLogger(__name__)


_REFUSED: dict[str, Any] = {
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


def create_control(services: Services) -> FastAPI:
    """Return the application."""
    app = FastAPI(
        title="runware-mock control API",
        version=__version__,
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
        # In place of FastAPI's own 422, which is never answered.
        responses={"4XX": _REFUSED, "500": _REFUSED},
    )
    app.state.services = services
    for one in (routes, faults):
        app.include_router(one.router(services), prefix=PREFIX)
    app.add_exception_handler(ControlRefused, _on_refused)
    app.add_exception_handler(Refusal, _on_refusal)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_crash)

    @app.get(f"{PREFIX}/docs", include_in_schema=False)
    def docs(_request: Request) -> HTMLResponse:
        return docs_page(app.openapi())

    @app.get(f"{PREFIX}/v1/openapi.json", include_in_schema=False)
    def upload_api() -> JSONResponse:
        return JSONResponse(
            {
                "openapi": "3.1.0",
                "info": {"title": "runware-mock upload API", "version": __version__},
                "paths": {"/v1": {"post": task_operation()}},
                "components": {
                    "schemas": task_schemas(),
                    "securitySchemes": {"apiKey": {"type": "http", "scheme": "bearer"}},
                },
            }
        )

    return app


async def _on_refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ControlRefused)  # noqa: S101 - registered for nothing else
    return refused(error)


async def _on_refusal(_request: Request, error: Exception) -> JSONResponse:
    """Answer a key that the upload API would refuse, too, and an object storage that fails."""
    assert isinstance(error, Refusal)  # noqa: S101 - registered for nothing else
    if error.is_ours:
        return refused(ControlRefused(error.message, None, "unavailable", error.status))
    return refused(ControlRefused(error.message, "account", "forbidden", error.status))


async def _on_invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for nothing else
    first = error.errors()[0]
    return refused(ControlRefused(str(first["msg"]), _dotted(first["loc"][1:]) or str(first["loc"][0])))


async def _on_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    path = request.url.path
    known = list(request.app.openapi()["paths"])
    if error.status_code != 404:  # noqa: PLR2004 - not found
        return refused(
            ControlRefused(f"{request.method} {path[:100]}: {error.detail}", "method", status=error.status_code)
        )
    near = get_close_matches(path, known, 1)
    meant = f"did you mean {near[0]}? " if near else ""
    return refused(not_found(f"no such path {path[:100]}; {meant}there are {', '.join(known)}", "path"))


async def _on_crash(request: Request, error: Exception) -> Response:
    _log.error("%s %s failed inside the mock", request.method, request.url.path, exc_info=error)
    return refused(ControlRefused("runware-mock itself failed; its log says more", None, "crash", 500))


def _dotted(location: tuple[Any, ...]) -> str:
    """Write `("faults", 0, "kind")` as `faults[0].kind`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.removeprefix(".")
