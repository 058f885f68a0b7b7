"""Who may call: programs and pages of allowed origins; the control API, only a developer's own programs and page."""

import hmac
import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from runware_mock.control.calls import ControlRefused
from runware_mock.images.fetch import USER_AGENT
from runware_mock.protocol.errors import refuse
from runware_mock.settings import Settings
from runware_mock.values import is_loopback

# Neither a user name nor a second port: another parser might see another host.
_HOST_AND_PORT = re.compile(r"(\[[0-9A-Fa-f]*:[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?")

TOKEN_HEADER = "x-control-token"  # noqa: S105 - the name of a header
# A browser cannot send headers when it opens a page: it opens `?token=` once.
TOKEN_COOKIE = "runware-mock-token"  # noqa: S105 - the name of a cookie


def check_caller(request: HTTPConnection, settings: Settings) -> None:
    """Raise ControlRefused unless the caller has the token or, if there is none, is on this machine and addresses it.

    A page in the developer's browser may call any address, but it cannot hide its Origin; and a foreign host name that
    points at 127.0.0.1 shows in Host. Nor may an image URL or a webhook make the mock call itself here.
    """
    if request.headers.get("user-agent") == USER_AGENT:
        raise _forbidden("image URLs and webhooks may not call this API", "User-Agent")
    token = settings.token()
    if token is not None:
        given = request.headers.get(TOKEN_HEADER) or request.query_params.get("token")
        if given is None and _is_own_page(request):
            given = request.cookies.get(TOKEN_COOKIE)
        if hmac.compare_digest(token.encode(), (given or "").encode()):
            return
    if settings.control_token is not None:
        raise _forbidden(f"this server has a --control-token: send it as {TOKEN_HEADER}", TOKEN_HEADER)
    if request.client is not None and not is_loopback(request.client.host):
        hint = "open the link that the server has printed, or start it with --control-token"
        raise _forbidden(f"callers from other machines need a token: {hint}", "client")
    host = request.headers.get("host", "")
    if not is_loopback(_host_in(host)):
        raise _forbidden(f"the host {host[:100]!r} is not this machine", "Host")
    if not _is_own_page(request):
        origin = request.headers["origin"]
        raise _forbidden(f"web pages from {origin[:100]!r} may not call this API", "Origin")


def check_origin(request: HTTPConnection, settings: Settings) -> None:
    """Raise originNotAllowed unless the caller is a program, or a page of an allowed origin.

    Any key opens an account. Without this check, a page of any site opened on the developer's machine could upload,
    make the mock fetch what only this machine sees, and read it back. A page cannot hide or change its Origin.
    """
    for origin in request.headers.getlist("origin"):
        if not _is_allowed(origin, request, settings):
            raise refuse("originNotAllowed", f"Pages of {origin[:100]!r} need --allow-origin {origin[:100]}.")


def _is_allowed(origin: str, request: HTTPConnection, settings: Settings) -> bool:
    if origin in settings.allow_origin or "*" in settings.allow_origin:
        return True
    host = _host_in(_authority_of(origin))
    # RFC 6761: nobody can register a name under .test.
    if is_loopback(host) or host.endswith(".test"):
        return True
    authority = request.headers.get("host", "")
    # A page at this server's own IP address, which DNS rebinding cannot fake; a phone's emulator uses another address.
    if _is_address(host) and host == _host_in(authority):
        return True
    return _authority_of(origin) == authority and _may_control(request, settings)


def _may_control(request: HTTPConnection, settings: Settings) -> bool:
    """Return whether the caller may use the control API, as our own page may."""
    try:
        check_caller(request, settings)
    except ControlRefused:
        return False
    return True


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_own_page(request: HTTPConnection) -> bool:
    """Tell whether a request comes from our own page, or from a program."""
    origin = request.headers.get("origin")
    return origin is None or _authority_of(origin) == request.headers.get("host")


def _forbidden(message: str, field: str) -> ControlRefused:
    return ControlRefused(message, field, "forbidden", 403)


def _host_in(authority: str) -> str:
    """Return the host of a `Host` header, or an empty string if it is anything but a host and a port."""
    try:
        return urlsplit(f"//{authority}").hostname or "" if _HOST_AND_PORT.fullmatch(authority) else ""
    except ValueError:
        return ""


def _authority_of(url: str) -> str:
    """Return the host and port of a URL as written, or an empty string."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""
