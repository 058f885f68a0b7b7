"""Which formats are accepted: "Valid extensions are: `jpeg`, `jpg`, `png`, `webp`, `bmp` and `gif`."."""

import base64
import gzip
import re
from pathlib import Path

import pytest
from PIL import Image

from runware_mock.images.formats import detect_format
from tests import plain
from tests.images.looking import stored_bytes
from tests.images.painting import encoded, photo
from tests.running import running_mock
from tests.talking import Talker, data_uri, talking, upload

SMALL = photo((60, 40))
ACCEPTED = {
    "JPEG": ("image/jpeg", ".jpg"),
    "PNG": ("image/png", ".png"),
    "WEBP": ("image/webp", ".webp"),
    "BMP": ("image/bmp", ".bmp"),
    "GIF": ("image/gif", ".gif"),
}
REFUSED = {
    "TIFF": encoded(SMALL, "TIFF"),
    "AVIF": encoded(SMALL, "AVIF"),
    "HEIC": b"\0\0\0\x1cftypheic\0\0\0\0mif1heicmiaf" + bytes(64),
    "HEIF": b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + bytes(64),
    "ICO": encoded(SMALL, "ICO"),
    "PDF": encoded(SMALL, "PDF"),
    "JPEG 2000": encoded(SMALL, "JPEG2000"),
    "JPEG XL": b"\xff\x0a" + bytes(64),
    "PSD": b"8BPS\0\1" + bytes(64),
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"></svg>',
    "HTML": b"<!doctype html><title>Not found</title>",
    "MP4": b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(64),
    "MOV": b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + bytes(64),
    "MKV": b"\x1aE\xdf\xa3" + bytes(64),
    "WAV": b"RIFF\x24\0\0\0WAVEfmt " + bytes(24),
    "MP3": b"ID3\4\0\0" + bytes(64),
    "ZIP": b"PK\3\4" + bytes(64),
    "gzip": gzip.compress(b"picture"),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_every_valid_format_is_stored_and_served_as_what_it_is(talker: Talker, name: str) -> None:
    data = encoded(SMALL, name)
    content_type, extension = ACCEPTED[name]
    item = talker.ask(upload(data_uri(data, content_type))).item
    assert item["imageURL"].endswith(extension)
    response = plain.get(item["imageURL"])
    assert response.headers["content-type"] == content_type
    assert response.content == data


@pytest.mark.parametrize("name", ACCEPTED)
def test_the_format_is_told_from_the_bytes_when_the_label_lies(talker: Talker, name: str) -> None:
    labels = ["image/png", "image/jpeg", "image/svg+xml", "video/mp4", "text/html"]
    answer = talker.ask(*(upload(data_uri(encoded(SMALL, name), label)) for label in labels))
    assert not answer.errors
    assert all(item["imageURL"].endswith(ACCEPTED[name][1]) for item in answer.data)


@pytest.mark.parametrize("name", REFUSED)
def test_another_format_is_refused_by_name(talker: Talker, name: str) -> None:
    answer = talker.ask(upload(data_uri(REFUSED[name], "image/png")), upload(encoded(SMALL, "PNG")))
    (error,) = answer.errors
    assert error["code"] == "invalidImage"
    assert re.search(rf"The format is {name}( \((video|audio)\))?\. ", error["message"])
    assert "Supported formats are: JPEG, PNG, WEBP, BMP, GIF." in error["message"]
    assert len(answer.data) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"just some text",
        b"RIFF\x24\0\0\0CDDA" + bytes(24),
        b"<?xml version='1.0'?><note/>",
        bytes(100),
        b"\xff",
        b"\x89PNG",
    ],
)
def test_bytes_of_no_known_format_are_refused(talker: Talker, data: bytes) -> None:
    error = talker.ask(upload(data_uri(data))).error
    assert error["code"] == "invalidImage"
    assert "not a picture in a known format" in error["message"]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b'\xef\xbb\xbf\n <?xml version="1.0"?><!-- a drawing --><svg/>', "SVG"),
        (b"<!-- a drawing --><SVG/>", "SVG"),
        (b"\r\n<HTML>", "HTML"),
        (b"MM\0*\0\0\0\x08", "TIFF"),
        (b"GIF87a", "gif"),
        (b"", None),
    ],
)
def test_formats_are_told_from_their_first_bytes(data: bytes, name: str | None) -> None:
    assert detect_format(data) == name


def test_a_setting_narrows_the_formats(transport: str, api_key: str) -> None:
    with running_mock(formats="jpg,png,webp") as mock, talking(mock, transport, api_key) as talker:
        answer = talker.ask(*(upload(encoded(SMALL, name)) for name in ACCEPTED))
        assert len(answer.data) == 3
        assert {error["code"] for error in answer.errors} == {"invalidImage"}
        messages = sorted(error["message"] for error in answer.errors)
        assert "The format is BMP. Supported formats are: JPEG, PNG, WEBP." in messages[0]
        assert "The format is GIF. Supported formats are: JPEG, PNG, WEBP." in messages[1]


def test_narrowed_formats_hold_for_content_that_is_stored_already(tmp_path: Path, transport: str, api_key: str) -> None:
    # Big enough to be looked up by its digest before it is decoded.
    data = encoded(Image.new("RGB", (900, 900)), "BMP")
    with running_mock(data_dir=tmp_path) as mock, talking(mock, transport, api_key) as talker:
        before = talker.ask(upload(data)).item
    with running_mock(data_dir=tmp_path, formats="png") as mock, talking(mock, transport, api_key) as talker:
        assert "The format is BMP." in talker.ask(upload(data)).error["message"]
        url = before["imageURL"].replace(before["imageURL"].partition("/image/")[0], mock.url)
        assert stored_bytes({"imageURL": url}) == data


def test_base64_of_base64_is_no_picture(talker: Talker) -> None:
    twice = base64.b64encode(base64.b64encode(encoded(SMALL, "PNG"))).decode()
    assert talker.ask(upload(twice)).error["code"] == "invalidImage"
