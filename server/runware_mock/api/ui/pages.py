"""Render the templates of the page."""

import json
import logging
import re
from pathlib import Path
from typing import Any

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from runware_mock.api.guard import TOKEN_COOKIE, check_caller
from runware_mock.control.calls import ControlRefused, not_found
from runware_mock.version import __version__

_log = logging.getLogger(__name__)

FOLDER = Path(__file__).parent
EXAMPLE_KEY = "a-key-for-tests-0123456789abcdef"
FILTERS = ("account", "format", "task_type", "state", "outcome", "status", "kind", "text")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'self'; script-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class StaticPart(StaticFiles):
    """The page's script, style and icon, whose types a browser must not guess."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Return the response of a file."""
        response = super().file_response(*args, **kwargs)
        response.headers["X-Content-Type-Options"] = HEADERS["X-Content-Type-Options"]
        return response


def wants_page(scope: Scope) -> bool:
    """Tell whether a browser requests the page."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return False
    if (scope["path"] + "/").startswith("/ui/"):
        return True
    return scope["path"] == "/" and accepts_html(scope)


def accepts_html(scope: Scope) -> bool:
    """Tell whether a client accepts HTML, as browsers do."""
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])


def page(request: Request, template: str, values: dict[str, Any], status: int = 200) -> HTMLResponse:
    """Return a page; without the value `header`, its header leaves out the state."""
    settings = request.app.state.services.settings
    html = _TEMPLATES.get_template(template).render(
        {
            "header": None,
            "path": request.url.path,
            "version": __version__,
            "query": {name: request.query_params.get(name, "") for name in FILTERS},
            # If any key opens an account, that of the examples will do.
            "default_key": "" if settings.api_key else EXAMPLE_KEY,
            **values,
        }
    )
    response = HTMLResponse(html, status, headers=HEADERS)
    if (token := request.query_params.get("token")) and status == 200:  # noqa: PLR2004 - shown to whoever has it
        response.set_cookie(TOKEN_COOKIE, token, httponly=True, samesite="strict", secure=request.url.scheme == "https")
    return response


def compile_templates() -> None:
    """Compile all templates, so that the first view of a page does not."""
    for name in _TEMPLATES.list_templates():
        _TEMPLATES.get_template(name)


def page_failure(request: Request, error: Exception) -> HTMLResponse:
    """Return the page that says what went wrong."""
    if isinstance(error, HTTPException):
        error = not_found(f"There is no page {request.url.path[:100]}.")
        try:
            check_caller(request, request.app.state.services.settings)
        except ControlRefused as refused:
            error = refused
    if not isinstance(error, ControlRefused):
        _log.error("the page %s failed", request.url.path, exc_info=error)
        error = ControlRefused("runware-mock itself failed; its log says more.", status=500)
    return page(request, "refused.html", {"error": error}, error.status)


def short(duration: str) -> str:
    """Return the first two units of a duration, enough for display: 29d23h."""
    return "".join(re.findall(r"[\d.]+[a-z]+", duration)[:2])


def _size(size_bytes: int) -> str:
    for unit, one in (("MB", 1_000_000), ("KB", 1000)):
        if size_bytes >= one:
            return f"{size_bytes / one:.1f} {unit}"
    return f"{size_bytes} bytes"


_TEMPLATES = Environment(
    loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_TEMPLATES.filters["json"] = lambda value: json.dumps(value, ensure_ascii=False)
_TEMPLATES.filters["short"] = short
_TEMPLATES.filters["size"] = _size
_TEMPLATES.filters["utc"] = lambda instant: f"{instant[:10]} {instant[11:19]} UTC"
