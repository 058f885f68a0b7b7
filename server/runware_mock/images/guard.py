"""Which addresses a fetch may reach: clients must not use the mock to see what only this machine can see.

Every address that a name resolves to is checked, and the connection goes to a checked address, so a name that resolves
differently the second time gains nothing.
"""

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from runware_mock.settings import FetchMode

# Returns every address of a host; raises OSError or UnicodeError.
Resolve = Callable[[str, int], Sequence[str]]
# Never reached: they hand out credentials of cloud machines, and are outside the link-local ranges.
_METADATA = ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::/32", "fd20:ce::254", "fd00:42::42")
# Nor are "this network", broadcast and unassigned addresses.
_NEVER = tuple(map(ip_network, (*_METADATA, "0.0.0.0/8", "240.0.0.0/4")))
# RFC 6052 (NAT64), RFC 4291, 2.5.5.1, and RFC 2765: the last 32 bits are the IPv4 address that is meant.
_IPV4_AT_THE_END = tuple(map(IPv6Network, ("64:ff9b::/96", "::/96", "::ffff:0:0:0/96")))
# RFC 8215: NAT64 of a local network, with prefixes of its own choice.
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")
# RFC 5214 (ISATAP): what precedes the IPv4 address.
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
# IANA has assigned global addresses from nowhere else.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_LOOPBACK = IPv6Address("::1")
# Fetch standard, "port blocking": ports of other protocols, whose servers could take a request for a message.
_OTHER_PROTOCOLS = frozenset(
    (
        *(1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104),
        *(109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515),
        *(526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049),
        *(3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080),
    )
)


class FetchFailed(Exception):
    """A URL could not be fetched or called; the message tells the user why, `status` what was answered, if at all."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


def resolve(host: str, port: int) -> Sequence[str]:
    """Return every address of a host; raises OSError or UnicodeError."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def checked_addresses(host: str, port: int, mode: FetchMode, resolve: Resolve = resolve) -> list[str]:
    """Return every address of a host; raises FetchFailed unless `mode` allows all of them."""
    if port in _OTHER_PROTOCOLS:
        raise FetchFailed(f"The port {port} is that of another protocol than HTTP.")
    try:
        addresses = list(dict.fromkeys(resolve(host, port)))
    except (OSError, UnicodeError):
        raise FetchFailed(f"The host {host!r} is not known.") from None
    for address in addresses:
        if not allowed_address(address, mode):
            raise FetchFailed(f"The address {address} of {host!r} may not be fetched from (--fetch {mode}).")
    return addresses


def allowed_address(address: str, mode: FetchMode) -> bool:
    """Return whether `mode` lets a fetch connect to this IP address and to every address embedded in it."""
    return all(_is_allowed(ip, mode) for ip in _meant(ip_address(address.partition("%")[0])))


def _is_allowed(ip: IPv4Address | IPv6Address, mode: FetchMode) -> bool:
    if ip.is_link_local or ip.is_multicast or ip.is_unspecified:
        return False
    if any(ip in network for network in _NEVER):
        return False
    if mode == "public":
        return ip.is_global and (isinstance(ip, IPv4Address) or ip in _GLOBAL_UNICAST)
    return mode == "local"


def _meant(ip: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """Return the IPv4 addresses that are embedded in an IPv6 address, or else the address itself."""
    if isinstance(ip, IPv4Address) or ip == _LOOPBACK:
        return [ip]
    if inside := ip.ipv4_mapped or ip.sixtofour:
        return [inside]
    lowest = IPv4Address(int(ip) & 0xFFFF_FFFF)
    if any(ip in network for network in _IPV4_AT_THE_END):
        return [lowest]
    if ip in _LOCAL_NAT64 or int(ip) >> 32 & 0xFFFF_FFFF in _ISATAP:
        return [ip, lowest]
    return [ip, *(ip.teredo or ())]
