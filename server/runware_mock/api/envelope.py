"""HTTP responses in Runware's envelope, which pages of other origins may read."""

from starlette.responses import Response

from runware_mock.protocol.errors import Refusal
from runware_mock.protocol.messages import Reply, rest_body

# A web application under test calls the API from its own origin.
CORS_HEADERS = {"Access-Control-Allow-Origin": "*"}
_PREFLIGHT_HEADERS = {
    **CORS_HEADERS,
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Range, X-Runware-Mock-Plan",
    "Access-Control-Max-Age": "600",
}


def envelope(status: int, body: bytes) -> Response:
    """Return a response with an envelope that is already encoded."""
    return Response(body, status, CORS_HEADERS, "application/json")


def refused(refusal: Refusal) -> Response:
    """Return the response that refuses a whole request."""
    return envelope(*rest_body([Reply.refused(refusal)]))


async def preflight() -> Response:
    """Answer a browser that asks whether it may call the API from a page of another origin."""
    return Response(status_code=204, headers=_PREFLIGHT_HEADERS)
