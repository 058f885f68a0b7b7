"""The page's own style sheet and script."""

from starlette.requests import Request
from starlette.responses import Response

_TYPES = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}


def static_file(request: Request) -> Response:
    """Return one of the page's files."""
    name = request.path_params["name"]
    if name not in _TYPES:
        return Response(status_code=404)
    from importlib.resources import files

    text = files("runware_mock.api.ui").joinpath("static", name).read_text(encoding="utf-8")
    return Response(
        text, media_type=_TYPES[name], headers={"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
    )
