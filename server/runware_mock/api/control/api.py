"""The control API under `/_mock`."""

from fastapi import APIRouter
from starlette.responses import RedirectResponse

from runware_mock.api.control import routes
from runware_mock.api.control.failures import PREFIX, Refused
from runware_mock.api.failures import GuardedRoute
from runware_mock.services import Services


def router(services: Services) -> APIRouter:
    """Return the endpoints."""
    # In place of FastAPI's own 422, which is never answered.
    api = APIRouter(
        route_class=GuardedRoute, prefix=PREFIX, responses={"4XX": {"model": Refused}, "500": {"model": Refused}}
    )
    api.include_router(routes.router(services))

    # Where the documents of the control API and of the upload API were, before they were one.
    @api.get("/docs", include_in_schema=False)
    @api.get("/v1/docs", include_in_schema=False)
    def docs() -> RedirectResponse:
        return RedirectResponse("/docs")

    @api.get("/openapi.json", include_in_schema=False)
    @api.get("/v1/openapi.json", include_in_schema=False)
    def document() -> RedirectResponse:
        return RedirectResponse("/openapi.json")

    return api
