"""Which addresses may be fetched from: private ones on request, those that hand out credentials never."""

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runware_mock.images.guard import allowed_address, resolve
from runware_mock.settings import FetchMode

PUBLIC = ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8", "2002:808:808::"]
PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "172.16.5.4",
    "192.168.1.1",
    "100.64.0.1",
    "198.18.0.1",
    "::1",
    "fd12:3456::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::a00:1",
    "2002:7f00:1::",
    "::ffff:0:7f00:1",
    "64:ff9b:1::a00:1",
    "2606:4700::5efe:10.0.0.1",
    "2001:0:808:808::f5ff:fffe",
    "fec0::1",
    "5f00::1",
    "192.0.2.1",
    "2001:db8::1",
]
FORBIDDEN = [
    "0.0.0.0",  # noqa: S104 - it is refused
    "0.1.2.3",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::ffff:0.0.0.0",
    "::ffff:0:a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "2606:4700::5efe:169.254.169.254",
    "2001:0:a9fe:a9fe::f5ff:fffe",
    "2001:0:808:808::5601:5601",
    "169.254.1.1",
    "169.254.169.254",
    "::ffff:169.254.169.254",
    "::169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::",
    "fe80::1",
    "fe80::1%eth0",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "::ffff:100.100.100.200",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd00:42::42",
    "fd20:ce::254",
    "224.0.0.1",
    "ff02::1",
]


@pytest.mark.parametrize(
    ("address", "modes"),
    [
        *((address, {"public", "local"}) for address in PUBLIC),
        *((address, {"local"}) for address in PRIVATE),
        *((address, set()) for address in FORBIDDEN),
    ],
)
def test_each_address_is_allowed_in_these_modes_alone(address: str, modes: set[FetchMode]) -> None:
    every_mode: tuple[FetchMode, ...] = ("off", "public", "local")
    assert {mode for mode in every_mode if allowed_address(address, mode)} == modes


# How each way to write an IPv4 address as IPv6 is made: RFC 4291, 2765, 6052, 8215, 3056, 5214, 4380.
WRAPPED = {
    "mapped": lambda ip: (0xFFFF << 32) + ip,
    "compatible": lambda ip: ip,
    "translated": lambda ip: (0xFFFF << 48) + ip,
    "NAT64": lambda ip: (0x64FF9B << 96) + ip,
    "local NAT64": lambda ip: (0x64FF9B0001 << 80) + ip,
    "6to4": lambda ip: (0x2002 << 112) + (ip << 80),
    "ISATAP": lambda ip: (0x26064700 << 96) + (0x5EFE << 32) + ip,
    "Teredo client": lambda ip: (0x20010000 << 96) + (0x08080808 << 64) + (ip ^ 0xFFFF_FFFF),
    "Teredo server": lambda ip: (0x20010000 << 96) + (ip << 64) + (0x08080808 ^ 0xFFFF_FFFF),
}
NOT_PUBLIC = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
    *("192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4"),
)
inner = st.sampled_from(NOT_PUBLIC).map(ip_network).flatmap(lambda network: st.ip_addresses(network=network))


@given(ip=inner, way=st.sampled_from(sorted(WRAPPED)))
def test_no_way_to_write_an_inner_address_makes_it_public(ip: IPv4Address, way: str) -> None:
    wrapped = str(IPv6Address(WRAPPED[way](int(ip))))
    assert not allowed_address(wrapped, "public")
    if wrapped != "::1":
        assert allowed_address(wrapped, "local") <= allowed_address(str(ip), "local")


@given(ip=st.ip_addresses(v=6))
def test_no_ipv6_address_outside_of_the_global_ones_is_public(ip: IPv6Address) -> None:
    if allowed_address(str(ip), "public"):
        assert int(ip) >> 125 == 0b001 or ip.ipv4_mapped or int(ip) >> 32 in (0, 0xFFFF0000, 0x64FF9B << 64)


@pytest.mark.parametrize("host", ["2130706433", "0177.0.0.1", "017700000001", "0x7f.1", "0x7f000001", "127.1"])
def test_a_host_in_disguise_is_judged_by_the_address_it_stands_for(host: str) -> None:
    assert set(resolve(host, 80)) == {"127.0.0.1"}
    assert not any(allowed_address(address, "public") for address in resolve(host, 80))
