"""Every image field takes every form, each use of a stored medium renews it, and what is wrong is told by its path."""

import base64
import struct
from datetime import timedelta

import pytest

from runware_mock.storage.models import content, journal, medium
from tests import plain
from tests.images.painting import png_chunk
from tests.pictures import png
from tests.running import running_mock
from tests.talking import Talker, data_uri, new_uuid, talking, upload
from tests.tasks.asking import NEEDED, inference, task, using

DAYS_20 = timedelta(days=20)


@pytest.mark.parametrize("new_style", [False, True], ids=["old", "inputs"])
@pytest.mark.parametrize("task_type", NEEDED)
def test_every_task_takes_an_image_by_its_uuid(talker: Talker, task_type: str, *, new_style: bool) -> None:
    uuid = talker.ask(upload(png(64, 48))).item["imageUUID"]
    item = talker.ask(using(task_type, uuid, new_style=new_style)).item
    assert item["taskType"] == task_type


@pytest.mark.parametrize("form", ["imageURL", "runware", "upper case", "data URI", "base64", "mediaStorage"])
def test_an_image_is_taken_in_every_form(talker: Talker, form: str) -> None:
    """A "UUID (uploaded or generated), URL, data URI, base64"."""
    picture = png(64, 48)
    stored = talker.ask(upload(picture)).item
    value = {
        "imageURL": stored["imageURL"],
        "runware": f"https://im.runware.ai/image/ii/{stored['imageUUID']}.webp",
        "upper case": stored["imageUUID"].upper(),
        "data URI": data_uri(picture),
        "base64": base64.b64encode(picture).decode(),
        "mediaStorage": talker.ask(task("mediaStorage", operation="upload", media=data_uri(picture))).item["mediaUUID"],
    }[form]
    caption = talker.ask(using("caption", value)).item["text"]
    assert "64 by 48" in caption


def test_a_result_is_an_input_like_any_other(talker: Talker) -> None:
    uuid = talker.ask(inference()).item["imageUUID"]
    assert "512 by 384" in talker.ask(using("caption", uuid)).item["text"]


@pytest.mark.parametrize("task_type", NEEDED)
def test_a_use_renews_the_thirty_days_and_an_expired_image_is_refused(
    transport: str, api_key: str, task_type: str
) -> None:
    """They are "deleted 30 days after last use. As long as you continue using them, we will continue saving them"."""
    with running_mock() as mock, talking(mock, transport, api_key) as talker:
        stored = talker.ask(upload(png(32, 32))).item
        for _ in range(5):
            mock.clock.advance(DAYS_20)
            assert talker.ask(using(task_type, stored["imageUUID"])).item
        mock.clock.advance(timedelta(days=30, milliseconds=-1))
        assert plain.get(stored["imageURL"]).status_code == 200
        mock.clock.advance(timedelta(milliseconds=1))
        error = talker.ask(using(task_type, stored["imageUUID"])).error
    assert error["code"] == ("invalidSeedImage" if task_type == "imageInference" else "failedToTransferImage")


def test_looking_at_an_image_is_no_use(transport: str, api_key: str) -> None:
    with running_mock() as mock, talking(mock, transport, api_key) as talker:
        url = talker.ask(upload(png())).item["imageURL"]
        mock.clock.advance(DAYS_20)
        assert plain.get(url).status_code == 200
        mock.clock.advance(DAYS_20)
        assert plain.get(url).status_code == 404


@pytest.mark.parametrize(
    ("fields", "path", "code"),
    [
        ({"seedImage": "{}"}, "seedImage", "invalidSeedImage"),
        ({"seedImage": "no image"}, "seedImage", "invalidSeedImage"),
        ({"maskImage": "{}"}, "maskImage", "failedToTransferImage"),
        ({"maskImage": "no image"}, "maskImage", "invalidMaskImage"),
        ({"referenceImages": ["{}"]}, "referenceImages[0]", "failedToTransferImage"),
        ({"referenceImages": [{"image": "{}"}]}, "referenceImages[0].image", "failedToTransferImage"),
        ({"inputs": {"referenceImages": ["{}"]}}, "inputs.referenceImages[0]", "failedToTransferImage"),
        ({"inputs": {"seedImage": "{}"}}, "inputs.seedImage", "invalidSeedImage"),
        ({"controlNet": [{"guideImage": "{}"}]}, "controlNet[0].guideImage", "failedToTransferImage"),
        ({"ipAdapters": [{"guideImages": ["x!"]}]}, "ipAdapters[0].guideImages[0]", "invalidGuideImages"),
        ({"acePlusPlus": {"inputMasks": ["{}"]}}, "acePlusPlus.inputMasks[0]", "failedToTransferImage"),
        ({"puLID": {"inputImages": ["{}"]}}, "puLID.inputImages[0]", "failedToTransferImage"),
        ({"seedImage": 5}, "seedImage", "invalidSeedImage"),
        ({"referenceImages": [None, True]}, "referenceImages[1]", "invalidReferenceImages"),
        ({"seedImage": "http://127.0.0.1:1/closed.png"}, "seedImage", "failedToTransferImage"),
        ({"seedImage": "ftp://127.0.0.1/x.png"}, "seedImage", "invalidSeedImage"),
    ],
)
def test_a_wrong_image_is_told_by_its_path(talker: Talker, fields: dict[str, object], path: str, code: str) -> None:
    unknown = new_uuid()
    answer = talker.ask(inference(**_filled(fields, unknown)), upload(png()))
    (error,) = answer.errors
    assert (error["parameter"], error["code"]) == (path, code)
    assert error["documentation"].startswith("https://runware.ai/docs/")
    assert "[" not in error["documentation"]
    assert len(answer.data) == 1


def _filled(value: object, unknown: str) -> dict[str, object]:
    def fill(value: object) -> object:
        if isinstance(value, dict):
            return {name: fill(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [fill(inner) for inner in value]
        return unknown if value == "{}" else value

    filled = fill(value)
    assert isinstance(filled, dict)
    return filled


def test_the_message_of_an_unknown_image_is_the_one_seen_live(talker: Talker) -> None:
    error = talker.ask(inference(referenceImages=[new_uuid()])).error
    assert error["message"].startswith(
        "Invalid value for 'referenceImages[0]' parameter. Failed to transfer the provided image."
    )


def test_another_accounts_image_is_unknown(transport: str, api_key: str) -> None:
    with running_mock() as mock, talking(mock, transport, api_key) as owner:
        uuid = owner.ask(upload(png())).item["imageUUID"]
        with talking(mock, transport, api_key + "-other") as stranger:
            assert stranger.ask(using("caption", uuid)).error["code"] == "failedToTransferImage"
        assert owner.ask(using("caption", uuid)).item


@pytest.mark.parametrize(("count", "is_taken"), [(15, True), (16, True), (17, False), (1000, False)])
def test_the_number_of_reference_images_is_limited(talker: Talker, count: int, *, is_taken: bool) -> None:
    uuid = talker.ask(upload(png())).item["imageUUID"]
    answer = talker.ask(inference(referenceImages=[uuid] * count))
    assert answer.codes == ([] if is_taken else ["invalidReferenceImagesCount"])


def test_a_parameter_nested_too_deeply_is_refused(talker: Talker) -> None:
    deep: object = "x"
    for _ in range(40):
        deep = {"providerSettings": deep}
    assert talker.ask(inference(providerSettings=deep)).error["code"] == "invalidRequest"


def test_a_large_parameter_that_nobody_reads_is_ignored(talker: Talker) -> None:
    assert talker.ask(inference(providerSettings={"note": "x" * 1_000_000, "list": [0] * 10_000})).item


def test_an_image_deleted_meanwhile_fails_the_task_and_leaves_nothing(transport: str, api_key: str) -> None:
    with running_mock() as mock, talking(mock, transport, api_key) as talker:
        uuid = talker.ask(upload(png())).item["imageUUID"]
        answer = talker.ask(
            task("mediaStorage", operation="delete", media=uuid),
            *(using("upscale", uuid) for _ in range(10)),
        )
        assert set(answer.codes) <= {"failedToTransferImage"}
        upscaled = len(answer.data) - 1
        assert mock.count(medium) == upscaled
        assert mock.count(content) == min(1, upscaled)
        assert mock.count(journal) == 12


def test_a_video_is_no_image(talker: Talker) -> None:
    video = b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(64)
    uuid = talker.ask(task("mediaStorage", operation="upload", media=data_uri(video))).item["mediaUUID"]
    error = talker.ask(using("caption", uuid)).error
    assert (error["code"], "MP4" in error["message"]) == ("invalidInputImage", True)


def test_an_error_repeats_no_name_that_is_long_or_would_spoil_its_link(talker: Talker) -> None:
    for name in ("x" * 1_000_000, "\u00ac \U000e0bee'\"<", "a" * 63 + "\U0001f600", "\0"):
        error = talker.ask(task("caption", **{name: {"image": 5}})).error
        assert (error["code"], error["parameter"]) == ("invalidImage", f"{name[:64]}.image")
        link = error["documentation"]
        assert link.isascii()
        assert link.isprintable()
        assert not set(link) & set(" '\"<")
        assert len(str(error)) < 2000


@pytest.mark.parametrize("task_type", NEEDED)
def test_an_image_whose_checksums_are_right_but_not_its_pixels_is_refused(talker: Talker, task_type: str) -> None:
    header = struct.pack(">IIBBBBB", 64, 48, 8, 2, 0, 0, 0)
    chunks = (png_chunk(b"IHDR", header), png_chunk(b"IDAT", b"no pixels"), png_chunk(b"IEND", b""))
    broken = b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
    error = talker.ask(using(task_type, data_uri(broken))).error
    assert error["code"] in ("invalidInputImage", "invalidInputImages", "invalidSeedImage")
    assert "The PNG cannot be decoded" in error["message"]
