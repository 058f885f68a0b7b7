"""The string of `image`: "Image to upload (URL, Data URI, or Base64)"."""

import base64

import pytest

from runware_mock.images.formats import PictureRefused
from runware_mock.images.source import decode_base64, read_source
from tests.images.looking import stored_bytes
from tests.images.painting import encoded, photo
from tests.talking import Talker, data_uri, upload

PICTURE = encoded(photo((90, 60)), "PNG")
# Its base64 has both letters that the two alphabets write differently, and ends in padding.
BYTES = bytes(range(256)) + b"\xfb\xff\xfe"


@pytest.mark.parametrize(
    "label",
    [
        "image/png",
        "IMAGE/PNG",
        "image/webp",
        "image/jpeg",
        "application/octet-stream",
        "text/plain;charset=utf-8",
        "image/png;name=a.png",
        "",
    ],
)
def test_a_data_uri_is_read_whatever_its_label(talker: Talker, label: str) -> None:
    item = talker.ask(upload(data_uri(PICTURE, label))).item
    assert stored_bytes(item) == PICTURE
    assert item["imageURL"].endswith(".png")


def test_the_scheme_and_the_word_base64_are_read_in_any_case(talker: Talker) -> None:
    item = talker.ask(upload("DATA:image/png;BASE64," + base64.b64encode(PICTURE).decode())).item
    assert stored_bytes(item) == PICTURE


@pytest.mark.parametrize("text", [base64.b64encode(PICTURE).decode(), base64.urlsafe_b64encode(PICTURE).decode()])
@pytest.mark.parametrize("head", ["", "data:image/png;base64,"])
def test_either_alphabet_is_read_with_and_without_padding_or_line_breaks(talker: Talker, head: str, text: str) -> None:
    lines = "\r\n".join(text[start : start + 76] for start in range(0, len(text), 76))
    sloppy = [text, text.rstrip("="), lines, f" \t{lines}\n", "\n ".join(text)]
    answer = talker.ask(*(upload(head + value) for value in sloppy))
    assert not answer.errors
    assert [stored_bytes(item) for item in answer.data] == [PICTURE] * len(sloppy)


def test_white_space_around_a_data_uri_is_ignored(talker: Talker) -> None:
    assert stored_bytes(talker.ask(upload(f"\n\t {data_uri(PICTURE)} \r\n")).item) == PICTURE


@pytest.mark.parametrize(
    ("value", "code", "word"),
    [
        (None, "missingImage", "missing"),
        (5, "invalidImage", "a number"),
        (1.5, "invalidImage", "a number"),
        (True, "invalidImage", "a boolean"),
        ([], "invalidImage", "an array"),
        ({"url": "x"}, "invalidImage", "an object"),
        ("", "invalidImage", "empty"),
        (" \n\t", "invalidImage", "empty"),
        ("====", "invalidImage", "empty"),
        ("data:image/png;base64,", "invalidImage", "empty"),
        ("data:image/png;base64, \n", "invalidImage", "empty"),
        ("data:image/png;base64", "invalidImage", "data:<mediatype>;base64,<data>"),
        ("data:image/png,%89PNG", "invalidImage", "not a picture"),
        ("data:", "invalidImage", "data:<mediatype>;base64,<data>"),
        ("data:image/png;base64,not*base64", "invalidImage", "or valid base64"),
        ("not base64!", "invalidImage", "or valid base64"),
        ("käse", "invalidImage", "or valid base64"),
        ("QUJD=QUJD", "invalidImage", "or valid base64"),
        ("A", "invalidImage", "or valid base64"),
        ("\u0000\u0000", "invalidImage", "or valid base64"),
        ("C:\\pictures\\a.png", "invalidImage", "the path of a file"),
        ("file:/etc/passwd", "invalidImage", "the path of a file"),
        ("photos/summer.jpeg", "invalidImage", "the path of a file"),
        ("../photo", "invalidImage", "the path of a file"),
        ("file:///etc/passwd", "invalidImage", "the path of a file"),
        ("ftp://example.com/a.png", "invalidImage", "http://"),
        ("blob:https://example.com/1", "invalidImage", "http://"),
        ("989ba605-1449-4e1e-b462-cd83ec9c1a67", "invalidImage", "not a picture"),
        (base64.b64encode(b"just some text").decode(), "invalidImage", "not a picture"),
    ],
)
def test_what_has_none_of_the_forms_is_refused_alone(talker: Talker, value: object, code: str, word: str) -> None:
    answer = talker.ask(upload(value), upload(PICTURE))
    (error,) = answer.errors
    assert error["code"] == code
    assert error["parameter"] == "image"
    assert word in error["message"].lower()
    assert len(error["message"]) < 500
    assert stored_bytes(answer.data[0]) == PICTURE


def test_an_upload_without_image_names_the_missing_field(talker: Talker) -> None:
    task = upload(PICTURE)
    del task["image"]
    assert talker.ask(task).error["code"] == "missingImage"


@pytest.mark.parametrize(
    "url", ["http://example.com/a.png", "https://example.com/a.png", " HTTPS://example.com/a.png\n"]
)
def test_a_url_is_told_from_base64(url: str) -> None:
    assert read_source(url) == url.strip()


@pytest.mark.parametrize("cut", [0, 1, 2])
def test_base64_of_any_length_is_decoded(cut: int) -> None:
    data = BYTES[: len(BYTES) - cut]
    assert decode_base64(base64.b64encode(data).decode()) == data
    assert decode_base64(base64.urlsafe_b64encode(data).decode().rstrip("=")) == data


@pytest.mark.parametrize("text", ["+/-_", "-_+/"])
def test_both_alphabets_may_be_mixed(text: str) -> None:
    assert decode_base64(text) == base64.b64decode(text.replace("-", "+").replace("_", "/"))


def test_base64_that_is_cut_within_a_byte_is_refused() -> None:
    with pytest.raises(PictureRefused, match="or valid base64"):
        decode_base64("QUJDR")
