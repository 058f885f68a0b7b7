"""The address the server listens on, and how it is told to others. Imports little: a busy port is found at once."""

import json
import re
import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from runware_mock.version import __version__

# Neither a user's name nor a second port: what reads it differently might see another host.
_HOST_AND_PORT = re.compile(r"(\[[0-9A-Fa-f]*:[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?")


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a bound socket; raises OSError where the address is taken or not this machine's."""
    # As bytes: for a text Python imports what encodes names of other scripts.
    name = host.encode() if host.isascii() else host
    family, kind, protocol, _, address = socket.getaddrinfo(
        name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    bound.setblocking(False)  # noqa: FBT003 - its only parameter
    return bound


def address_of(bound: socket.socket, *, is_tls: bool = False) -> str:
    """Return the URL of a bound socket, as a client on this machine writes it."""
    host, port = bound.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 - compared, not bound
    return f"{'https' if is_tls else 'http'}://{host}:{port}"


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine by its very name or address, whatever a resolver says."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def host_in(authority: str) -> str:
    """Return the host of a `Host` header; nothing where it is anything else than a host and a port."""
    try:
        return urlsplit(f"//{authority}").hostname or "" if _HOST_AND_PORT.fullmatch(authority) else ""
    except ValueError:
        return ""


def host_of(url: str) -> str:
    """Return the host of a URL, or nothing where there is none."""
    return host_in(authority_of(url))


def authority_of(url: str) -> str:
    """Return the host and port of a URL, as they stand there, or nothing where there are none."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def ready_document(url: str) -> str:
    """Return what the ready file holds."""
    return json.dumps({"url": url, "ws_url": f"ws{url.removeprefix('http')}/v1", "version": __version__}) + "\n"
