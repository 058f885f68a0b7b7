"""Which addresses a fetch may reach: a mock must not be led to what only the developer's machine can see.

Every address a name resolves to is checked, and the connection goes to the very address that was checked, so that a
name that resolves differently the second time gains nothing. Imported late: httpcore is not worth its time at start.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore

from runware_mock.images.picture import FetchFailed
from runware_mock.settings import FetchMode

# Reached in no mode: they hand out credentials of cloud machines, and live outside the link-local ranges.
_METADATA_ADDRESSES = frozenset(
    map(ipaddress.ip_address, ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"))
)
# RFC 6052 (NAT64) and RFC 4291, 2.5.5.1: the last 32 bits are the IPv4 address that is meant.
_IPV4_INSIDE = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "::/96")))


def allowed_address(address: str, mode: FetchMode) -> bool:
    """Tell whether `mode` lets a fetch connect to this IP address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip.sixtofour or _ipv4_inside(ip) or ip
    if ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip in _METADATA_ADDRESSES:
        return False
    return ip.is_global if mode == "public" else mode == "local"


def _ipv4_inside(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if any(ip in network for network in _IPV4_INSIDE) else None


class GuardedBackend(httpcore.SyncBackend):
    """Opens connections to allowed addresses alone, and lets none outlive the deadline."""

    def __init__(self, mode: FetchMode, deadline_s: float) -> None:
        self._mode = mode
        self._deadline_s = deadline_s

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
                return self._connect(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError:
                continue
        return self._connect(addresses[-1], port, timeout, local_address, socket_options)

    def _connect(
        self,
        address: str,
        port: int,
        timeout_s: float | None,
        local_address: str | None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None,
    ) -> httpcore.NetworkStream:
        left_s = _left_s(self._deadline_s, timeout_s)
        stream = super().connect_tcp(address, port, left_s, local_address, socket_options)
        return _TimedStream(stream, self._deadline_s)


class _TimedStream(httpcore.NetworkStream):
    """A connection that ends at the deadline, however slowly bytes trickle in; a timeout begins anew with each read."""

    def __init__(self, stream: httpcore.NetworkStream, deadline_s: float) -> None:
        self._stream = stream
        self._deadline_s = deadline_s

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left_s(self._deadline_s, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left_s(self._deadline_s, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, _left_s(self._deadline_s, timeout))
        return _TimedStream(stream, self._deadline_s)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left_s(deadline_s: float, timeout_s: float | None) -> float:
    left_s = deadline_s - time.monotonic()
    if left_s <= 0:
        raise httpcore.ReadTimeout
    return left_s if timeout_s is None else min(left_s, timeout_s)
