"""mediaStorage: uploads of any kind, and deletion."""

import base64
import struct
from io import BytesIO

import pytest
from PIL import Image

from runware_mock.storage.models import content, medium
from tests import plain
from tests.pictures import png
from tests.running import RunningMock, running_mock
from tests.talking import Talker, data_uri, new_uuid, talking, upload
from tests.tasks.asking import task, using

pytestmark = pytest.mark.both_databases

SAMPLES = {
    "video/mp4": (b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(64), "/video/vi/", ".mp4"),
    "video/quicktime": (b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + bytes(64), "/video/vi/", ".mov"),
    "video/webm": (b"\x1aE\xdf\xa3\x9fB\x86\x81\1B\xf7\x81\1B\x82\x84webm" + bytes(64), "/video/vi/", ".webm"),
    "video/matroska": (b"\x1aE\xdf\xa3\x9fB\x82\x88matroska" + bytes(64), "/video/vi/", ".mkv"),
    "video/x-msvideo": (b"RIFF\x40\0\0\0AVI LIST" + bytes(56), "/video/vi/", ".avi"),
    "audio/mpeg": (b"ID3\4\0\0\0\0\0\0" + bytes(64), "/audio/ai/", ".mp3"),
    "audio/wav": (b"RIFF\x40\0\0\0WAVEfmt " + bytes(56), "/audio/ai/", ".wav"),
    "audio/ogg": (b"OggS\0\2" + bytes(64), "/audio/ai/", ".ogg"),
    "audio/flac": (b"fLaC\0\0\0\x22" + bytes(64), "/audio/ai/", ".flac"),
    "audio/mp4": (b"\0\0\0\x18ftypM4A \0\0\2\0" + bytes(64), "/audio/ai/", ".m4a"),
    "audio/aac": (b"\xff\xf1\x50\x80" + bytes(64), "/audio/ai/", ".aac"),
    "model/gltf-binary": (b"glTF\2\0\0\0" + bytes(64), "/3d/ti/", ".glb"),
    "model/ply": (b"ply\nformat ascii 1.0\n", "/3d/ti/", ".ply"),
    "model/stl": (bytes(80) + struct.pack("<I", 2) + bytes(100), "/3d/ti/", ".stl"),
    "model/vnd.usdz+zip": (b"PK\3\4" + bytes(26) + b"scene.usdc" + bytes(64), "/3d/ti/", ".usdz"),
}


def storing(media: object, operation: str = "upload") -> dict[str, object]:
    """Return a mediaStorage task."""
    return task("mediaStorage", operation=operation, media=media)


@pytest.mark.parametrize("content_type", SAMPLES)
def test_any_medium_is_stored_as_it_is(talker: Talker, content_type: str) -> None:
    data, folder, extension = SAMPLES[content_type]
    item = talker.ask(storing(base64.b64encode(data).decode())).item
    assert set(item) == {"taskType", "taskUUID", "operation", "mediaUUID", "mediaURL"}
    assert item["operation"] == "upload"
    assert item["mediaURL"].endswith(f"{folder}{item['mediaUUID']}{extension}")
    served = plain.get(item["mediaURL"])
    assert (served.content, served.headers["Content-Type"]) == (data, content_type)


def test_a_picture_follows_the_rules_of_pictures(talker: Talker) -> None:
    picture = BytesIO()
    Image.new("RGB", (3000, 1500), "red").save(picture, "PNG")
    item = talker.ask(storing(data_uri(picture.getvalue()))).item
    assert Image.open(BytesIO(plain.get(item["mediaURL"]).content)).size == (2048, 1024)


def test_a_url_of_a_stored_medium_may_be_stored_again(talker: Talker) -> None:
    data = SAMPLES["audio/mpeg"][0]
    first = talker.ask(storing(data_uri(data))).item
    second = talker.ask(storing(first["mediaURL"])).item
    assert first["mediaUUID"] != second["mediaUUID"]
    assert plain.get(second["mediaURL"]).content == data


@pytest.mark.parametrize(
    "media",
    [
        None,
        5,
        "",
        [],
        "no media at all",
        base64.b64encode(b"just some text").decode(),
        data_uri(b"PK\3\4zip"),
        "ftp://x/y",
    ],
)
def test_what_is_no_medium_is_refused(talker: Talker, media: object) -> None:
    answer = talker.ask(storing(media), storing(data_uri(png())))
    (error,) = answer.errors
    assert error["code"] == ("missingMedia" if media is None else "invalidMedia")
    assert error["parameter"] == "media"
    assert len(answer.data) == 1


def test_a_url_that_cannot_be_fetched_is_refused(talker: Talker) -> None:
    error = talker.ask(storing("http://127.0.0.1:1/closed.mp4")).error
    assert (error["code"], error["parameter"]) == ("failedToTransferImage", "media")


def test_an_unknown_operation_is_refused(talker: Talker) -> None:
    error = talker.ask(storing(data_uri(png()), "replace")).error
    assert (error["code"], error["parameter"]) == ("invalidOperation", "operation")
    assert error["allowedValues"] == ["upload", "delete"]


def test_a_known_video_is_no_image_for_image_upload(talker: Talker) -> None:
    video = b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(40_000)
    assert talker.ask(storing(data_uri(video))).item
    assert talker.ask(upload(video)).error["code"] == "invalidImage"


def test_a_stored_sound_is_no_image_by_its_url_either(talker: Talker) -> None:
    sound, _, _ = SAMPLES["audio/mpeg"]
    stored = talker.ask(task("mediaStorage", media=data_uri(sound))).item
    error = talker.ask(upload(stored["mediaURL"])).error
    assert (error["code"], "The format is MP3" in error["message"]) == ("invalidImage", True)
    assert talker.ask(task("mediaStorage", media=stored["mediaURL"])).item["mediaURL"].endswith(".mp3")


def test_a_vector_result_is_an_upload_neither_by_its_bytes_nor_by_its_url(talker: Talker) -> None:
    url = talker.ask(using("vectorize", data_uri(png()))).item["imageURL"]
    for image in (url, data_uri(plain.get(url).content)):
        assert talker.ask(upload(image)).error["code"] == "invalidImage"
        assert talker.ask(task("mediaStorage", media=image)).error["code"] == "invalidMedia"


def test_a_deleted_medium_is_gone_for_every_use(transport: str, api_key: str) -> None:
    with running_mock() as mock, talking(mock, transport, api_key) as talker:
        stored = talker.ask(storing(data_uri(png()))).item
        deleted = talker.ask(storing(stored["mediaUUID"], "delete")).item
        assert deleted["operation"] == "delete"
        assert deleted["mediaUUID"] == stored["mediaUUID"]
        assert "mediaURL" not in deleted
        assert plain.get(stored["mediaURL"]).status_code == 404
        assert talker.ask(using("caption", stored["mediaUUID"])).error["code"] == "failedToTransferImage"
        assert talker.ask(storing(stored["mediaUUID"], "delete")).error["code"] == "mediaNotFound"
        assert (mock.count(medium), mock.count(content)) == (0, 0)


def test_deleting_one_of_two_keeps_the_content_of_the_other(talker: Talker) -> None:
    picture = png()
    first, second = (talker.ask(upload(picture)).item for _ in range(2))
    assert talker.ask(storing(first["imageURL"], "delete")).item["mediaUUID"] == first["imageUUID"]
    assert plain.get(second["imageURL"]).content == picture


def test_another_accounts_medium_cannot_be_deleted(mock: RunningMock, talker: Talker, api_key: str) -> None:
    stored = talker.ask(upload(png())).item
    with talking(mock, talker.name, api_key + "-other") as stranger:
        assert stranger.ask(storing(stored["imageUUID"], "delete")).error["code"] == "mediaNotFound"
    assert plain.get(stored["imageURL"]).status_code == 200


@pytest.mark.parametrize(
    "media", ["x", new_uuid(), "https://im.runware.ai/image/ii/nothing.png"], ids=["word", "uuid", "url"]
)
def test_deleting_what_was_never_stored_is_refused(talker: Talker, media: str) -> None:
    answer = talker.ask(storing(media, "delete"))
    assert answer.error["code"] == "mediaNotFound"
    assert answer.status in (404, None)
