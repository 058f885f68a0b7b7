"""Which addresses a fetch may reach: a mock must not be led to what only the developer's machine can see.

Every address a name resolves to is checked, and the connection goes to the very address that was checked, so that a
name that resolves differently the second time gains nothing. Imported late: httpcore is not worth its time at start.
"""

import ipaddress
import socket
from collections.abc import Iterable

import httpcore

from runware_mock.images.picture import FetchFailed
from runware_mock.settings import FetchMode

# Reached in no mode: they hand out credentials of cloud machines, and live outside the link-local ranges.
_METADATA_ADDRESSES = frozenset(
    map(ipaddress.ip_address, ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"))
)


def allowed_address(address: str, mode: FetchMode) -> bool:
    """Tell whether `mode` lets a fetch connect to this IP address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip.sixtofour or ip
    if ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip in _METADATA_ADDRESSES:
        return False
    return ip.is_global if mode == "public" else mode == "local"


class GuardedBackend(httpcore.SyncBackend):
    """Opens connections to allowed addresses alone."""

    def __init__(self, mode: FetchMode) -> None:
        self._mode = mode

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Resolve a name once, check all that it found, and connect to exactly that."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise FetchFailed(f"The host {host!r} is not known.") from None
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for address in addresses:
            if not allowed_address(address, self._mode):
                raise FetchFailed(f"The address {address} of {host!r} may not be fetched from (--fetch {self._mode}).")
        for address in addresses[:-1]:
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError:
                continue
        return super().connect_tcp(addresses[-1], port, timeout, local_address, socket_options)
