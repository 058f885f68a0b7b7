"""Which web pages may call the upload API: those of a developer's own machine, not those of the world."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.types import Scope

from runware_mock.protocol.errors import refuse
from runware_mock.settings import Settings
from runware_mock.web.callers import header
from runware_mock.web.listening import is_loopback


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
    # A page of this very server's address, which no name was made to point at; a phone's emulator knows it as another.
    return _is_address(host) and host == host_of(f"//{header(scope, b'host') or ''}")


def host_of(url: str) -> str:
    """Return the host of a URL, or nothing where there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def authority_of(url: str) -> str:
    """Return the host and port of a URL, as they stand there, or nothing where there are none."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
