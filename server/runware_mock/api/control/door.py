"""Who may call the control API; the rest of it is imported with the first call, for it would slow every start."""

import asyncio
from contextlib import suppress

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from runware_mock.api.control.guard import check_caller
from runware_mock.control.refusals import ControlRefused
from runware_mock.services import Services

PREFIX = "/_mock"


class ControlApp:
    """Answers every request under `/_mock`."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._app: ASGIApp | None = None
        self._making = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request of somebody who may call."""
        try:
            check_caller(HTTPConnection(scope), self._services.settings)
        except ControlRefused as error:
            await refused(error)(scope, receive, send)
            return
        async with self._making:
            if self._app is None:
                self._app = await asyncio.to_thread(self._made)
        # What the application has logged and answered as a crash is raised again, and would end the connection.
        with suppress(Exception):
            await self._app(scope, receive, send)

    def _made(self) -> ASGIApp:
        from runware_mock.api.control.app import create_control

        return create_control(self._services)


def refused(error: ControlRefused) -> JSONResponse:
    """Return the response to a call that is refused."""
    body = {"message": error.message, "field": error.field, "code": error.code}
    return JSONResponse({"error": body}, error.status)
