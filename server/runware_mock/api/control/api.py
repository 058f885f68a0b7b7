"""The control API: its endpoints under `/_mock`, and the documents that describe them."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse

from runware_mock.api.control import faults, routes
from runware_mock.api.control.docs import docs_page
from runware_mock.api.control.failures import PREFIX, REFUSED
from runware_mock.api.failures import GuardedRoute
from runware_mock.api.openapi import task_operation, task_schemas
from runware_mock.services import Services
from runware_mock.version import __version__


def router(services: Services) -> APIRouter:
    """Return the endpoints."""
    # In place of FastAPI's own 422, which is never answered.
    api = APIRouter(route_class=GuardedRoute, prefix=PREFIX, responses={"4XX": REFUSED, "500": REFUSED})
    for one in (routes, faults):
        api.include_router(one.router(services))

    @api.get("/openapi.json", include_in_schema=False)
    def document(request: Request) -> JSONResponse:
        return JSONResponse(request.app.openapi())

    @api.get("/docs", include_in_schema=False)
    def docs(request: Request) -> HTMLResponse:
        return docs_page(request.app.openapi())

    @api.get("/v1/openapi.json", include_in_schema=False)
    def upload_document() -> JSONResponse:
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

    return api
