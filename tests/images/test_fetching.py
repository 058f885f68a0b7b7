"""Fetching a picture from its URL: what it gets, and where it gives up."""

import socket
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from time import monotonic

import pytest

from runware_mock.images.fetch import UrlFetcher
from runware_mock.images.guard import FetchFailed
from runware_mock.settings import FetchMode
from tests.images.picture_host import PICTURE, PictureHost

SHORT = timedelta(milliseconds=300)


def fetcher(
    mode: FetchMode = "local",
    timeout: timedelta = timedelta(seconds=30),
    max_bytes: int = 10**6,
    files: Mapping[str, Path] | None = None,
) -> UrlFetcher:
    """Return a fetcher with small limits."""
    return UrlFetcher(mode, timeout, max_bytes, files or {})


@pytest.mark.parametrize("path", ["/picture", "/picture?a=1&b=%20", "/picture#part", "/mislabelled", "/status/200"])
def test_the_bytes_behind_a_url_are_returned_whatever_their_label(host: PictureHost, path: str) -> None:
    assert fetcher()(host.at(path)) == PICTURE


def test_the_scheme_is_read_in_any_case_and_a_password_is_not_sent(host: PictureHost) -> None:
    url = host.at("/picture").replace("http://", "HTTP://someone:secret@")
    assert fetcher()(url) == PICTURE
    headers = host.asked[-1][1]
    assert headers["Host"] == f"127.0.0.1:{host.server_port}"
    assert "secret" not in str(headers)


@pytest.mark.parametrize(
    ("path", "sent"), [("/picture/täst", "/picture/t%C3%A4st"), ("/picture/a b?ü", "/picture/a%20b?%C3%BC")]
)
def test_letters_and_spaces_that_no_url_may_hold_are_escaped(host: PictureHost, path: str, sent: str) -> None:
    assert fetcher()(host.at(path)) == PICTURE
    assert host.asked[-1][0] == sent


@pytest.mark.parametrize("code", [204, 206, 400, 401, 403, 404, 410, 429, 500, 503])
def test_any_other_status_is_a_failure(host: PictureHost, code: int) -> None:
    with pytest.raises(FetchFailed, match=f"The server answered {code}"):
        fetcher()(host.at(f"/status/{code}"))


def test_a_body_as_long_as_the_limit_is_taken_and_a_longer_one_is_not(host: PictureHost) -> None:
    assert len(fetcher(max_bytes=70_000)(host.at("/of_length/70000"))) == 70_000
    with pytest.raises(FetchFailed, match="longer than 70000 bytes"):
        fetcher(max_bytes=70_000)(host.at("/of_length/70001"))


def test_a_body_without_end_is_given_up_at_the_limit(host: PictureHost) -> None:
    with pytest.raises(FetchFailed, match="longer than 1000000 bytes"):
        fetcher()(host.at("/endless"))


def test_a_body_that_is_cut_off_is_a_failure(host: PictureHost) -> None:
    with pytest.raises(FetchFailed, match="The connection failed"):
        fetcher()(host.at("/cut"))


@pytest.mark.parametrize("hops", [1, 5])
def test_five_redirects_are_followed(host: PictureHost, hops: int) -> None:
    assert fetcher()(host.at(f"/hops/{hops}")) == PICTURE


@pytest.mark.parametrize("path", ["/hops/6", "/loop"])
def test_a_sixth_redirect_is_not(host: PictureHost, path: str) -> None:
    before = len(host.asked)
    with pytest.raises(FetchFailed, match="More than 5 redirects"):
        fetcher()(host.at(path))
    assert len(host.asked) - before == 6


@pytest.mark.parametrize(
    "location", ["/picture", "../picture", "?x=/picture", "//{authority}/picture", "{url}/picture"]
)
def test_a_redirect_may_be_relative(host: PictureHost, location: str) -> None:
    place = location.format(url=host.url, authority=host.url.removeprefix("http://"))
    if location.startswith("?"):
        with pytest.raises(FetchFailed, match="More than 5 redirects"):
            fetcher()(host.at(f"/to/{place.replace('?', '%3F')}"))
    else:
        assert fetcher()(host.at(f"/to/{place}")) == PICTURE


@pytest.mark.parametrize(
    ("location", "word"),
    [
        ("http://169.254.169.254/latest/meta-data/", "The address 169.254.169.254"),
        ("http://[::ffff:169.254.169.254]/", "may not be fetched from"),
        ("http://[fe80::1]/", "may not be fetched from"),
        ("file:///etc/passwd", "leads to file:"),
        ("ftp://127.0.0.1/a.png", "leads to ftp:"),
        ("gopher://127.0.0.1/", "leads to gopher:"),
        ("data:image/png;base64,AAAA", "leads to data:"),
        ("http://[broken/", "not valid"),
        ("http://nowhere.invalid/", "'nowhere.invalid' is not known"),
    ],
)
def test_a_redirect_gains_nothing(host: PictureHost, location: str, word: str) -> None:
    with pytest.raises(FetchFailed, match=r".") as failed:
        fetcher()(host.at(f"/to/{location}"))
    assert word in str(failed.value)


def test_a_redirect_to_nowhere_is_a_failure(host: PictureHost) -> None:
    with pytest.raises(FetchFailed, match="does not say where it leads"):
        fetcher()(host.at("/nowhere"))


@pytest.mark.parametrize("path", ["/silence", "/trickle/header", "/trickle/body"])
def test_a_slow_server_is_given_up_in_time(host: PictureHost, path: str) -> None:
    began_s = monotonic()
    with pytest.raises(FetchFailed, match=r"It took longer than 0\.3 s"):
        fetcher(timeout=SHORT)(host.at(path))
    assert 0.3 <= monotonic() - began_s < 10


def test_the_time_counts_over_all_redirects_together(host: PictureHost) -> None:
    with pytest.raises(FetchFailed, match=r"It took longer than 0\.3 s"):
        fetcher(timeout=SHORT)(host.at("/to//silence"))
    with pytest.raises(FetchFailed, match=r"It took longer than 0 s"):
        fetcher(timeout=timedelta(0))(host.at("/picture"))


def test_a_closed_port_is_a_failure() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        # Bound, but nobody listens.
        with pytest.raises(FetchFailed, match="The connection failed"):
            fetcher()(f"http://127.0.0.1:{taken.getsockname()[1]}/")


def test_a_server_that_speaks_no_tls_is_a_failure(host: PictureHost) -> None:
    with pytest.raises(FetchFailed, match="The connection failed"):
        fetcher()(host.at("/picture").replace("http:", "https:"))


@pytest.mark.parametrize(
    "url",
    [
        "http://nowhere.invalid/a.png",
        "http://",
        "http:///a.png",
        "http://a b/",
        "http://ä.invalid/",
        "http://a\0b/",
        f"http://{'a' * 300}.invalid/",
    ],
)
def test_an_unknown_host_is_a_failure(url: str) -> None:
    with pytest.raises(FetchFailed, match="is not known"):
        fetcher()(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://[broken/",
        "http://[::1",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:x/",
        "http://x:1\r\nA: b/",
        "http://\ud800/",
    ],
)
def test_an_invalid_url_is_a_failure(url: str) -> None:
    with pytest.raises(FetchFailed, match="The URL is not valid"):
        fetcher()(url)


def test_nothing_is_fetched_when_fetching_is_off(host: PictureHost) -> None:
    before = len(host.asked)
    with pytest.raises(FetchFailed, match=r"switched off \(--fetch off\)"):
        fetcher("off")(host.at("/picture"))
    assert len(host.asked) == before


def test_this_machine_is_not_fetched_from_when_only_public_addresses_are(host: PictureHost) -> None:
    before = len(host.asked)
    with pytest.raises(FetchFailed, match=r"The address 127\.0\.0\.1 .* \(--fetch public\)"):
        fetcher("public")(host.at("/picture"))
    assert len(host.asked) == before


@pytest.mark.parametrize("mode", ["off", "public", "local"])
def test_a_mapped_url_is_read_from_its_file_in_every_mode(tmp_path: Path, mode: FetchMode) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(PICTURE)
    url = "https://cdn.example.com/a.png?size=1"
    assert fetcher(mode, files={url: file})(url) == PICTURE


def test_a_mapped_file_that_has_gone_is_a_failure(tmp_path: Path) -> None:
    url = "https://cdn.example.com/a.png"
    with pytest.raises(FetchFailed, match="cannot be read: No such file"):
        fetcher(files={url: tmp_path / "gone.png"})(url)
