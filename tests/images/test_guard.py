"""A URL that leads elsewhere than it seems: fetches and webhooks go to the address that was checked, or nowhere."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import quote

import pytest

from runware_mock.images.fetch import UrlFetcher
from runware_mock.images.guard import FetchFailed
from runware_mock.settings import FetchMode
from tests.images.picture_host import PICTURE, PictureHost

Reach = Callable[[UrlFetcher, str], object]


def fetched(net: UrlFetcher, url: str) -> object:
    """Fetch a picture."""
    return net(url)


def called(net: UrlFetcher, url: str) -> object:
    """Call a webhook."""
    net.send("POST", url, "application/json", b"{}", 5)
    return None


@pytest.fixture(params=[fetched, called])
def reach(request: pytest.FixtureRequest) -> Reach:
    """Run the test for image URLs and for webhooks alike."""
    way: Reach = request.param
    return way


@dataclass
class Resolver:
    """A resolver that tells another address each time; the last one from then on."""

    answers: list[list[str]]
    asked: list[str] = field(default_factory=list)

    def __call__(self, host: str, _port: int) -> list[str]:
        """Answer."""
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def guarded(mode: FetchMode, *answers: list[str]) -> tuple[UrlFetcher, Resolver]:
    """Return what reaches out, and the resolver it asks."""
    resolver = Resolver([*answers])
    return UrlFetcher(mode, timedelta(seconds=5), 10**6, {}, resolver), resolver


def test_a_name_is_resolved_once_and_what_was_checked_is_connected_to(host: PictureHost) -> None:
    net, resolver = guarded("local", ["127.0.0.1"], ["169.254.169.254"])
    assert net(f"http://rebound.test:{host.server_port}/picture") == PICTURE
    assert resolver.asked == ["rebound.test"]


def test_every_hop_is_resolved_and_checked_anew(host: PictureHost) -> None:
    net, resolver = guarded("local", ["127.0.0.1"], ["169.254.169.254"])
    with pytest.raises(FetchFailed, match=r"169\.254\.169\.254"):
        net(f"http://rebound.test:{host.server_port}/to//picture")
    assert resolver.asked == ["rebound.test", "rebound.test"]


@pytest.mark.parametrize("other", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::ffff:192.168.0.1"])
def test_one_inner_address_among_public_ones_is_enough_to_refuse(reach: Reach, other: str) -> None:
    for addresses in (["93.184.215.14", other], [other, "93.184.215.14"]):
        net, _ = guarded("public", addresses)
        with pytest.raises(FetchFailed, match="may not be fetched from"):
            reach(net, "http://both.test/a.png")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://user:password@127.0.0.1/",
        "http://93.184.215.14@127.0.0.1/",
        "http://93.184.215.14:80@[::1]/",
        "http://93.184.215.14%2f@127.0.0.1/",
        "HTTP://127.0.0.1/",
    ],
)
def test_this_machine_is_recognised_however_it_is_written(reach: Reach, url: str) -> None:
    with pytest.raises(FetchFailed, match=r"may not be fetched from \(--fetch public\)"):
        reach(UrlFetcher("public", timedelta(seconds=5), 10**6, {}), url)


@pytest.mark.parametrize("mode", ["public", "local"])
@pytest.mark.parametrize(
    "host_name",
    [
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::1]",
        "[fd00:ec2::254]",
        "100.100.100.200",
        "0.0.0.0",  # noqa: S104 - it is refused
        "0",
        "[::]",
        "someone@169.254.169.254",
    ],
)
def test_what_hands_out_credentials_is_reached_in_no_mode(reach: Reach, mode: FetchMode, host_name: str) -> None:
    with pytest.raises(FetchFailed, match="may not be fetched from"):
        reach(UrlFetcher(mode, timedelta(seconds=5), 10**6, {}), f"http://{host_name}/latest/meta-data/")


@pytest.mark.parametrize("port", [22, 25, 6000, 6667])
def test_a_port_of_another_protocol_is_not_spoken_to(reach: Reach, port: int) -> None:
    with pytest.raises(FetchFailed, match=f"The port {port} is that of another protocol"):
        reach(UrlFetcher("local", timedelta(seconds=5), 10**6, {}), f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("port", [80, 443, 3000, 8080, 9000])
def test_other_ports_are(port: int) -> None:
    net, resolver = guarded("public", ["127.0.0.1"])
    with pytest.raises(FetchFailed, match="may not be fetched from"):
        net(f"http://pictures.test:{port}/")
    assert resolver.asked == ["pictures.test"]


def test_a_redirect_cannot_smuggle_a_line_into_the_next_request(host: PictureHost) -> None:
    location = quote("/picture?a=1 HTTP/1.1\r\nX-Smuggled: 1\r\n\r\n".replace("\r\n", "%0d%0a"))
    UrlFetcher("local", timedelta(seconds=5), 10**6, {})(host.at(f"/to/{location}"))
    assert "X-Smuggled" not in host.asked[-1][1]


def test_a_webhook_follows_no_redirect(host: PictureHost) -> None:
    before = len(host.asked)
    with pytest.raises(FetchFailed, match="The server answered 302"):
        called(UrlFetcher("local", timedelta(seconds=5), 10**6, {}), host.at("/to//picture"))
    assert [path for path, _ in host.asked[before:]] == ["/to//picture"]


def test_a_host_name_in_another_script_is_resolved_by_its_ascii_form(host: PictureHost) -> None:
    net, resolver = guarded("local", ["127.0.0.1"])
    assert net(f"http://bücher.test:{host.server_port}/picture") == PICTURE
    assert resolver.asked == ["xn--bcher-kva.test"]
    assert host.asked[-1][1]["Host"] == f"xn--bcher-kva.test:{host.server_port}"
