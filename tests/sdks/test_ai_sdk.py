"""npm `ai` generates images through Runware's provider, which is merely given the mock's address.

The provider knows imageInference alone. It uploads nothing: a picture stands in `providerOptions`, as UUID, URL, data
URI or base64.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from tests import plain
from tests.running import RunningMock
from tests.sdks.answers import assert_worked
from tests.sdks.catalogue import AI_SDK, PROCESS_LIMIT_S, SCENARIO_LIMIT_S, Answer
from tests.sdks.gallery import Picture
from tests.sdks.looks import has_some_ball

pytestmark = pytest.mark.timeout(PROCESS_LIMIT_S + 20)

SIZE = "192x128"
SIZE_PX = (192, 128)
# The settings of the model that decide how the picture comes: by a download, or in the answer.
ARRIVALS: Mapping[str, Mapping[str, Any]] = {
    "by default": {},
    "as URL": {"outputType": "URL", "outputFormat": "WEBP"},
    "as base64": {"outputType": "base64Data", "outputFormat": "JPG"},
    "as data URI": {"outputType": "dataURI", "outputFormat": "PNG"},
}
FORMATS = {"by default": "PNG", "as URL": "WEBP", "as base64": "JPEG", "as data URI": "PNG"}


@pytest.fixture(scope="module")
def answers(mock: RunningMock, ball: Picture) -> dict[str, Answer]:
    """Generate everything in one process."""
    key = f"test-key-{secrets.token_hex(16)}"
    encoded = base64.b64encode(ball.path.read_bytes()).decode()
    given = {"uuid": uploaded(mock, key, encoded), "url": ball.url, "base64": encoded}
    given["data_uri"] = f"data:image/png;base64,{encoded}"
    outcome = AI_SDK.run(
        "generate",
        f"{mock.rest_url}/",
        key,
        calls=[
            *(call(name, settings) for name, settings in ARRIVALS.items()),
            call("two at once", {"maxImagesPerCall": 2}, n=2),
            call("a size that is refused", {}, size="100x100"),
            *(
                call(way, {}, providerOptions={"runware": {"seedImage": given[way], "strength": 0.1}})
                for way in AI_SDK.ways
            ),
        ],
        call_limit_s=SCENARIO_LIMIT_S,
    )
    assert_worked(outcome)
    return outcome["answers"]


def call(name: str, settings: Mapping[str, Any], **options: object) -> Mapping[str, object]:
    """Return what the driver is told: the settings of the model and the options of generateImage."""
    return {"name": name, "arguments": {**settings, "options": {"size": SIZE, "seed": 7, **options}}}


def uploaded(mock: RunningMock, key: str, encoded: str) -> str:
    """Upload as the provider's users do, by other means."""
    task = {"taskType": "imageUpload", "taskUUID": "8d1bb6c6-7bd8-4f6c-9a3b-0f2a6c1d9e47", "image": encoded}
    with plain.Client(trust_env=False) as client:
        reply = client.post(mock.rest_url, json=[task], headers={"Authorization": f"Bearer {key}"})
    return str(reply.json()["data"][0]["imageUUID"])


def pictures_of(answer: Answer) -> list[Image.Image]:
    """Open what generateImage returned."""
    assert answer["ok"], answer.get("error")
    opened: list[Image.Image] = [Image.open(BytesIO(base64.b64decode(item["base64"]))) for item in answer["items"]]
    for image in opened:
        image.load()
        assert image.size == SIZE_PX
    return opened


@pytest.mark.parametrize("arrival", ARRIVALS)
def test_generate_image_returns_a_picture(arrival: str, answers: dict[str, Answer]) -> None:
    """The provider checks every field of the answer, a numeric seed among them, and downloads without a key."""
    (image,) = pictures_of(answers[arrival])
    assert image.format == FORMATS[arrival]


def test_two_pictures_of_one_task_differ(answers: dict[str, Answer]) -> None:
    """With `n` and `maxImagesPerCall` the provider sends numberResults."""
    first, second = pictures_of(answers["two at once"])
    assert first.tobytes() != second.tobytes()


@pytest.mark.parametrize("way", AI_SDK.ways)
def test_a_picture_is_generated_of_another(way: str, answers: dict[str, Answer]) -> None:
    """What stands in `providerOptions.runware` goes into the task as it is."""
    (image,) = pictures_of(answers[way])
    has_some_ball(image)


def test_without_a_picture_there_is_none_of_it(answers: dict[str, Answer]) -> None:
    """The test above would otherwise pass on a red gradient."""
    (image,) = pictures_of(answers["by default"])
    with pytest.raises(AssertionError):
        has_some_ball(image)


def test_a_refusal_is_an_error(answers: dict[str, Answer]) -> None:
    """The provider reads `error` where the API writes `errors`, so its words are always the same."""
    answer = answers["a size that is refused"]
    assert not answer["ok"]
    assert answer["error"]["message"] == "Unknown Runware API error"
