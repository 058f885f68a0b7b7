"""HTTP responses in Runware's envelope, which pages of other origins may read."""

from starlette.requests import Request
from starlette.responses import Response

from runware_mock.protocol.errors import Refusal
from runware_mock.protocol.messages import Reply, rest_body

# A web application under test calls the API from its own origin.
CORS_HEADERS = {"Access-Control-Allow-Origin": "*"}
_PREFLIGHT_HEADERS = {
    **CORS_HEADERS,
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Max-Age": "600",
}
_USUAL_HEADERS = "Authorization, Content-Type, Range, X-Runware-Mock-Plan"


def envelope(status: int, body: bytes) -> Response:
    """Return a response with an envelope that is already encoded."""
    return Response(body, status, CORS_HEADERS, "application/json")


def refused(refusal: Refusal) -> Response:
    """Return the response that refuses a whole request."""
    return envelope(*rest_body([Reply.refused(refusal)]))


async def preflight(request: Request) -> Response:
    """Answer a browser that asks whether it may call the API from a page of another origin: with any headers."""
    # Not "*": the wildcard does not stand for Authorization.
    allowed = request.headers.get("access-control-request-headers", _USUAL_HEADERS)
    return Response(status_code=204, headers={**_PREFLIGHT_HEADERS, "Access-Control-Allow-Headers": allowed})
