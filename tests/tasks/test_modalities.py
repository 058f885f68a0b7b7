"""Video, sound, 3D and text: a stand-in that programs can open, and that expires like any other result."""

import io
import json
import shutil
import struct
import subprocess
import wave
from datetime import timedelta
from pathlib import Path

import pytest

from tests import plain
from tests.pictures import png
from tests.running import RunningMock, running_mock
from tests.talking import Talker, new_uuid, talking, upload
from tests.tasks.asking import task

# "ffprobe" of FFmpeg.
FFPROBE = shutil.which("ffprobe")
FIELDS = {"videoInference": "videoURL", "audioInference": "audioURL", "3dInference": "mediaURL"}


def made(talker: Talker, task_type: str, **fields: object) -> bytes:
    """Return the file that a task answers with."""
    item = talker.ask(task(task_type, model="klingai:1@1", positivePrompt="a fox", **fields)).item
    answer = plain.get(item[FIELDS[task_type]])
    assert answer.status_code == 200
    return answer.content


@pytest.mark.skipif(FFPROBE is None, reason="ffprobe, which opens the video, is not installed")
def test_a_video_is_an_mp4_of_two_seconds(talker: Talker, tmp_path: Path) -> None:
    path = tmp_path / "video"
    path.write_bytes(made(talker, "videoInference", duration=5))
    wanted = ["-show_entries", "format=duration,format_name:stream=codec_name", "-of", "json"]
    probed = subprocess.run([str(FFPROBE), "-v", "error", *wanted, str(path)], check=True, capture_output=True)
    found = json.loads(probed.stdout)
    assert float(found["format"]["duration"]) == 2.0
    assert "mp4" in found["format"]["format_name"]
    assert found["streams"][0]["codec_name"] == "h264"


def test_a_sound_is_a_wav_of_one_second(talker: Talker) -> None:
    with wave.open(io.BytesIO(made(talker, "audioInference", outputFormat="MP3"))) as sound:
        assert sound.getnframes() == sound.getframerate()


def test_a_3d_model_is_a_binary_gltf(talker: Talker) -> None:
    data = made(talker, "3dInference")
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    json_length, kind = struct.unpack_from("<I4s", data, 12)
    assert kind == b"JSON"
    scene = json.loads(data[20 : 20 + json_length])
    assert scene["asset"]["version"] == "2.0"
    bin_length, kind = struct.unpack_from("<I4s", data, 20 + json_length)
    assert (bin_length, kind) == (scene["buffers"][0]["byteLength"], b"BIN\0")


def test_a_text_answers_the_last_message(talker: Talker) -> None:
    messages = [{"role": "user", "content": "Name a colour"}]
    item = talker.ask(task("textInference", model="x:1@1", messages=messages)).item
    assert "Name a colour" in item["text"]


def test_a_text_is_streamed_word_by_word_when_asked_to(mock: RunningMock, api_key: str) -> None:
    streamed = task("textInference", model="x:1@1", positivePrompt="A fox", deliveryMethod="stream", numberResults=2)
    answer = plain.post(f"{mock.url}/v1", json=[streamed], headers={"Authorization": f"Bearer {api_key}"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    documented = plain.get(f"{mock.url}/openapi.json").json()["paths"]["/v1"]["post"]["responses"]["200"]["content"]
    assert set(documented) == {"application/json", "text/event-stream"}
    *events, done, rest = answer.text.split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    told = [json.loads(event.removeprefix("data: ")) for event in events]
    for index in (0, 1):
        of_result = [one for one in told if one["resultIndex"] == index]
        assert len(of_result) > 3
        assert "A fox" in "".join(one["delta"].get("text", "") for one in of_result)
        assert [one.get("finishReason") for one in of_result] == [None] * (len(of_result) - 1) + ["stop"]


def test_a_streamed_text_that_is_refused_is_answered_as_any_other(talker: Talker) -> None:
    assert talker.ask(task("textInference", model="", deliveryMethod="stream")).codes == ["invalidModel"]


@pytest.mark.parametrize(
    ("task_type", "field"),
    [
        ("videoInference", {"frameImages": ["{}"]}),
        ("videoInference", {"frameImages": [{"inputImage": "{}", "frame": "first"}]}),
        ("videoInference", {"inputs": {"frameImages": [{"image": "{}"}]}}),
        ("3dInference", {"inputs": {"image": "{}"}}),
        ("audioInference", {"referenceImages": ["{}"]}),
        ("textInference", {"inputs": {"images": ["{}"]}}),
    ],
)
def test_the_images_that_a_task_names_are_used(api_key: str, task_type: str, field: dict[str, object]) -> None:
    with running_mock(retention=timedelta(days=30)) as mock, talking(mock, "rest", api_key) as talker:
        uuid = talker.ask(upload(png())).item["imageUUID"]
        filled = json.loads(json.dumps(field).replace("{}", uuid))
        mock.clock.advance(timedelta(days=20))
        assert talker.ask(task(task_type, model="x:1@1", **filled)).data
        mock.clock.advance(timedelta(days=20))
        assert talker.ask(task("caption", inputImage=uuid)).item["text"], "the use has renewed it"
        unknown = json.loads(json.dumps(field).replace("{}", new_uuid()))
        assert talker.ask(task(task_type, model="x:1@1", **unknown)).error["code"] == "failedToTransferImage"


def test_a_result_expires_like_any_other(api_key: str) -> None:
    with running_mock() as mock, talking(mock, "rest", api_key) as talker:
        item = talker.ask(task("videoInference", model="x:1@1", ttl=60)).item
        assert plain.get(item["videoURL"]).headers["content-type"] == "video/mp4"
        mock.clock.advance(timedelta(seconds=60))
        assert plain.get(item["videoURL"]).status_code == 404
