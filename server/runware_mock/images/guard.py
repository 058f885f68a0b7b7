"""Which addresses a fetch may reach: a mock must not be led to what only the developer's machine can see.

Every address a name resolves to is checked, and the connection goes to the very address that was checked, so that a
name that resolves differently the second time gains nothing. Imported late: httpcore is not worth its time at start.
"""

import socket
import ssl
import time
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import httpcore

from runware_mock.images.fetch import Resolve
from runware_mock.images.picture import FetchFailed
from runware_mock.settings import FetchMode

# Reached in no mode: they hand out credentials of cloud machines, and live outside the link-local ranges.
_METADATA = tuple(
    map(
        ip_network,
        ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::/32", "fd20:ce::254", "fd00:42::42"),
    )
)
# Reached in no mode: "this network", broadcast and what nobody has been given.
_NOWHERE = tuple(map(ip_network, ("0.0.0.0/8", "240.0.0.0/4")))
# RFC 6052 (NAT64), RFC 4291, 2.5.5.1, and RFC 2765: the last 32 bits are the IPv4 address that is meant.
_IPV4_AT_THE_END = tuple(map(IPv6Network, ("64:ff9b::/96", "::/96", "::ffff:0:0:0/96")))
# RFC 8215: NAT64 of a local network, with prefixes of its own choice.
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")
# RFC 5214 (ISATAP): what stands before the IPv4 address.
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
# IANA has given out global addresses from nowhere else.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_LOOPBACK = IPv6Address("::1")
# Ports of other protocols, that a request could be mistaken for a message of: Fetch, "port blocking".
_OTHER_PROTOCOLS = frozenset(
    (
        *(1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104),
        *(109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515),
        *(526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049),
        *(3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080),
    )
)


def resolve(host: str, port: int) -> Sequence[str]:
    """Return every address of a host; raises OSError or UnicodeError."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def allowed_address(address: str, mode: FetchMode) -> bool:
    """Tell whether `mode` lets a fetch connect to this IP address, and to every one that it stands for."""
    return all(_is_allowed(ip, mode) for ip in _meant(ip_address(address.partition("%")[0])))


def _is_allowed(ip: IPv4Address | IPv6Address, mode: FetchMode) -> bool:
    if ip.is_link_local or ip.is_multicast or ip.is_unspecified:
        return False
    if any(ip in network for network in (*_METADATA, *_NOWHERE)):
        return False
    if mode == "public":
        return ip.is_global and (isinstance(ip, IPv4Address) or ip in _GLOBAL_UNICAST)
    return mode == "local"


def _meant(ip: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """Return the IPv4 addresses inside an IPv6 address, to one of which it leads; else the address itself."""
    if isinstance(ip, IPv4Address) or ip == _LOOPBACK:
        return [ip]
    if inside := ip.ipv4_mapped or ip.sixtofour:
        return [inside]
    if any(ip in network for network in _IPV4_AT_THE_END):
        return [_lowest(int(ip))]
    if ip in _LOCAL_NAT64 or int(ip) >> 32 & 0xFFFF_FFFF in _ISATAP:
        return [ip, _lowest(int(ip))]
    return [ip, *(ip.teredo or ())]


def _lowest(bits: int) -> IPv4Address:
    return IPv4Address(bits & 0xFFFF_FFFF)


class GuardedBackend(httpcore.SyncBackend):
    """Opens connections to allowed addresses alone, and lets none outlive the deadline."""

    def __init__(self, mode: FetchMode, deadline_s: float, resolve: Resolve) -> None:
        self._mode = mode
        self._deadline_s = deadline_s
        self._resolve = resolve

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Resolve a name once, check all that it found, and connect to exactly that."""
        if port in _OTHER_PROTOCOLS:
            raise FetchFailed(f"The port {port} is that of another protocol than HTTP.")
        try:
            addresses = list(dict.fromkeys(self._resolve(host, port)))
        except (OSError, UnicodeError):
            raise FetchFailed(f"The host {host!r} is not known.") from None
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
