"""Which web pages may call the upload API: those of a developer's own machine, not those of the world."""

from ipaddress import ip_address

from starlette.requests import HTTPConnection
from starlette.types import Scope

from runware_mock.api.control.guard import check_caller
from runware_mock.api.dependencies import header
from runware_mock.api.listening import authority_of, host_of, is_loopback
from runware_mock.control.refusals import ControlRefused
from runware_mock.protocol.errors import refuse
from runware_mock.settings import Settings


def check_origin(scope: Scope, settings: Settings) -> None:
    """Let programs pass, and pages of allowed origins; raises originNotAllowed.

    Any key opens an account, so that without this a page of any site, opened on the developer's machine, could upload,
    make the mock fetch what only this machine sees, and read it back. A page cannot hide or change its Origin.
    """
    for name, value in scope["headers"]:
        if name == b"origin":
            origin = value.decode("latin-1")
            if not _is_allowed(origin, scope, settings):
                raise refuse("originNotAllowed", f"Pages of {origin[:100]!r} need --allow-origin {origin[:100]}.")


def _is_allowed(origin: str, scope: Scope, settings: Settings) -> bool:
    if origin in settings.allow_origin or "*" in settings.allow_origin:
        return True
    host = host_of(origin)
    # RFC 6761: nobody in the world can have a name under .test.
    if is_loopback(host) or host.endswith(".test"):
        return True
    authority = header(scope, b"host") or ""
    # A page of this very server's address, which no name was made to point at; a phone's emulator knows it as another.
    if _is_address(host) and host == host_of(f"//{authority}"):
        return True
    return authority_of(origin) == authority and _may_control(HTTPConnection(scope), settings)


def _may_control(request: HTTPConnection, settings: Settings) -> bool:
    """Tell whether this is our own page, opened by somebody who has the token."""
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
