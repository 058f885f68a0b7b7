"""Which addresses may be fetched from: private ones on request, those that hand out credentials never."""

import socket

import pytest

from runware_mock.images.guard import allowed_address
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
]
FORBIDDEN = [
    "0.0.0.0",  # noqa: S104 - it is refused
    "::",
    "::ffff:0.0.0.0",
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


@pytest.mark.parametrize("host", ["2130706433", "0177.0.0.1", "0x7f.1", "127.1"])
def test_a_host_in_disguise_is_judged_by_the_address_it_stands_for(host: str) -> None:
    resolved = {str(entry[4][0]) for entry in socket.getaddrinfo(host, 80, type=socket.SOCK_STREAM)}
    assert resolved == {"127.0.0.1"}
    assert not any(allowed_address(address, "public") for address in resolved)
