"""A picture URL whose answer is compressed: decoded, and never beyond the size limit."""

import gzip
import zlib
from datetime import timedelta

import brotli
import pytest

from runware_mock.images.fetch import ContentDecoder, UrlFetcher
from runware_mock.images.guard import FetchFailed
from tests.images.picture_host import PICTURE, PictureHost


def raw_deflate(data: bytes) -> bytes:
    """Deflate without zlib's header, as some servers do against RFC 9110, 8.4.1.2."""
    squeeze = zlib.compressobj(wbits=-15)
    return squeeze.compress(data) + squeeze.flush()


ENCODED = {
    "gzip": gzip.compress(PICTURE),
    "x-gzip": gzip.compress(PICTURE),
    "gzip ": gzip.compress(PICTURE[:50]) + gzip.compress(b"") + gzip.compress(PICTURE[50:]),
    "GZIP": gzip.compress(PICTURE),
    "deflate": zlib.compress(PICTURE),
    "deflate ": raw_deflate(PICTURE),
    "br": brotli.compress(PICTURE),
    "identity": PICTURE,
    "br, gzip": gzip.compress(brotli.compress(PICTURE)),
}


def fetch(host: PictureHost, header: str, body: bytes, max_bytes: int = 10**6) -> bytes:
    """Fetch a body under a Content-Encoding."""
    host.bodies[header] = body
    return UrlFetcher("local", timedelta(seconds=30), max_bytes, {})(host.at(f"/encoded/{header}"))


@pytest.mark.parametrize("header", ENCODED)
def test_an_encoded_picture_is_decoded(host: PictureHost, header: str) -> None:
    assert fetch(host, header, ENCODED[header]) == PICTURE


@pytest.mark.parametrize("header", ENCODED)
def test_it_is_decoded_in_whatever_pieces_it_comes_and_what_follows_is_ignored(header: str) -> None:
    decoder = ContentDecoder(header, len(PICTURE) + 1)
    tail = b"" if header == "identity" else b"rubbish"
    pieces = [decoder.decode(bytes((byte,))) for byte in ENCODED[header] + tail]
    decoder.finish()
    assert b"".join(pieces) == PICTURE


def test_the_request_names_what_it_can_decode(host: PictureHost) -> None:
    fetch(host, "gzip", ENCODED["gzip"])
    assert host.asked[-1][1]["Accept-Encoding"] == "gzip, deflate, br"


@pytest.mark.parametrize(("header", "encode"), [("gzip", gzip.compress), ("br", brotli.compress)])
@pytest.mark.parametrize("length", [69_999, 70_000])
def test_decoded_bytes_up_to_the_limit_are_taken(host: PictureHost, header: str, encode: object, length: int) -> None:
    assert callable(encode)
    assert fetch(host, header, encode(bytes(length)), 70_000) == bytes(length)


@pytest.mark.parametrize(("header", "encode"), [("gzip", gzip.compress), ("br", brotli.compress)])
@pytest.mark.parametrize("length", [70_001, 300_000_000])
def test_more_decoded_bytes_than_the_limit_are_refused(
    host: PictureHost, header: str, encode: object, length: int
) -> None:
    assert callable(encode)
    encoded = encode(bytes(length)) if header == "gzip" else brotli.compress(bytes(length), quality=1)
    with pytest.raises(FetchFailed, match="longer than 70000 bytes"):
        fetch(host, header, encoded, 70_000)


@pytest.mark.parametrize("header", ["gzip", "deflate", "br", "br, gzip"])
def test_a_body_that_ends_too_early_is_refused(host: PictureHost, header: str) -> None:
    with pytest.raises(FetchFailed, match="Content-Encoding is broken"):
        fetch(host, header, ENCODED[header][:-6])


@pytest.mark.parametrize("header", ["gzip", "deflate", "br"])
def test_a_body_that_is_not_encoded_as_it_says_is_refused(host: PictureHost, header: str) -> None:
    with pytest.raises(FetchFailed, match="Content-Encoding is broken"):
        fetch(host, header, b"\x8b not encoded at all" * 9)


def test_an_unknown_encoding_is_refused_by_name(host: PictureHost) -> None:
    with pytest.raises(FetchFailed, match="Content-Encoding is 'zstd'; gzip, deflate, br are supported"):
        fetch(host, "zstd", b"(\xb5/\xfd")
