"""Who may call the control API: a developer's own programs, and nobody's web page."""

import hmac

from starlette.requests import HTTPConnection

from runware_mock.api.listening import authority_of, host_in, is_loopback
from runware_mock.control.refusals import ControlRefused
from runware_mock.images.fetch import USER_AGENT
from runware_mock.settings import Settings

TOKEN_HEADER = "x-control-token"  # noqa: S105 - the name of a header
# A browser's page cannot send headers; it is opened with `?token=` once.
TOKEN_COOKIE = "runware-mock-token"  # noqa: S105 - the name of a cookie


def check_caller(request: HTTPConnection, settings: Settings) -> None:
    """Let pass who knows the token, or without one who calls from this machine by a name of this machine.

    A page in the developer's browser may call any address, but it cannot hide its Origin; and a host name that was
    made to point at 127.0.0.1 stands in Host. Nor may a client lead the mock itself here, by an image URL or a webhook.
    """
    if request.headers.get("user-agent") == USER_AGENT:
        raise _forbidden("image URLs and webhooks may not lead to this API", "User-Agent")
    token = settings.control_token
    if token is not None:
        given = request.headers.get(TOKEN_HEADER) or request.query_params.get("token")
        if given is None and _is_own_page(request):
            given = request.cookies.get(TOKEN_COOKIE)
        if not hmac.compare_digest(token.get_secret_value().encode(), (given or "").encode()):
            raise _forbidden(f"this server has a --control-token: send it as {TOKEN_HEADER}", TOKEN_HEADER)
        return
    if request.client is not None and not is_loopback(request.client.host):
        raise _forbidden("callers from other machines need a token: start the server with --control-token", "client")
    host = request.headers.get("host", "")
    if not is_loopback(host_in(host)):
        raise _forbidden(f"the host {host[:100]!r} is not this machine", "Host")
    origin = request.headers.get("origin")
    if origin is not None and authority_of(origin) != host:
        raise _forbidden(f"pages of {origin[:100]!r} may not call this API", "Origin")


def _is_own_page(request: HTTPConnection) -> bool:
    """Tell whether a request that a browser sends its cookie with comes from our own page."""
    origin = request.headers.get("origin")
    return origin is None or authority_of(origin) == request.headers.get("host")


def _forbidden(message: str, field: str) -> ControlRefused:
    return ControlRefused(message, field, "forbidden", 403)
