"""What integrations get wrong is told with code, parameter, type and limits, as seen live."""

from typing import Any

import pytest

from runware_mock.storage.models import journal, medium
from tests import plain
from tests.control.calling import calling
from tests.pictures import png
from tests.running import RunningMock, running_mock
from tests.talking import Talker, data_uri, new_uuid, upload
from tests.tasks.asking import inference, task


def without(name: str) -> dict[str, object]:
    """Return an imageInference that lacks a parameter."""
    return {given: value for given, value in inference().items() if given != name}


@pytest.mark.parametrize("name", ["positivePrompt", "model", "width", "height"])
def test_a_missing_parameter_is_refused(talker: Talker, name: str) -> None:
    error = talker.ask(without(name)).error
    assert error["code"] == f"missing{name[:1].upper()}{name[1:]}"
    assert error["parameter"] == name
    assert error["documentation"].endswith(f"#request-{name.lower()}")


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        *(("width", value, "integer") for value in (0, 127, 2049, 1000, 512.0, "512", True, -512, 10**30)),
        ("width", [], "integer"),
        *(("height", value, "integer") for value in (64, 2112, 513)),
        *(("numberResults", value, "integer") for value in (0, 21, "2", 1.5, -1, True)),
        *(("outputQuality", value, "integer") for value in (19, 100, "95")),
        *(("seed", value, "integer") for value in (-1, 2**63, "1")),
        *(("steps", value, "integer") for value in (0, 101)),
        *(("ttl", value, "integer") for value in (59, "60")),
        *(("strength", value, "number") for value in (-0.1, 1.1, "0.5", True)),
        *(("CFGScale", value, "number") for value in (-1, 51)),
        *(("positivePrompt", value, "string") for value in ("", "x", "x" * 3001, 5)),
        *(("model", value, "string") for value in ("", "x" * 256, 5)),
        *(("outputType", value, "string") for value in ("url()", 5, ["URL", "x"])),
        *(("outputFormat", value, "string") for value in ("GIF", 5)),
        *(("deliveryMethod", value, "string") for value in ("later", 5)),
        *(("webhookURL", value, "string") for value in ("x", "ftp://x/y", 5)),
        *(("uploadEndpoint", value, "string") for value in ("x", 5)),
        *(("includeCost", value, "boolean") for value in ("true", 1)),
        *(("checkNSFW", value, "boolean") for value in ("yes", 0)),
    ],
)
def test_a_wrong_parameter_is_refused(talker: Talker, name: str, value: object, kind: str) -> None:
    answer = talker.ask(inference(**{name: value}), upload(png()))
    (error,) = answer.errors
    assert error["code"] == f"invalid{name[:1].upper()}{name[1:]}"
    assert (error["parameter"], error["type"]) == (name, kind)
    assert error["message"].startswith(f"Invalid value for '{name}' parameter. ")
    assert len(error["message"]) < 400
    assert len(answer.data) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("width", value) for value in (128, 2048)),
        *(("numberResults", value) for value in (1, 20)),
        *(("outputQuality", value) for value in (20, 99)),
        *(("seed", value) for value in (0, 2**63 - 1)),
        *(("strength", value) for value in (0, 1, 0.5)),
        *(("ttl", value) for value in (60, 86_400)),
        *(("positivePrompt", value) for value in ("xx", "x" * 3000, "<script>alert(1)</script>", "ünïcödé 猫 🐈\n\0")),
    ],
)
def test_the_limits_themselves_are_taken(talker: Talker, name: str, value: object) -> None:
    assert not talker.ask(inference(**{name: value})).errors


def test_an_error_about_a_size_reads_as_seen_live(talker: Talker) -> None:
    error = talker.ask(inference(width=100)).error
    assert error["message"] == (
        "Invalid value for 'width' parameter. Image width must be an integer value between 128 and 2048, "
        "in multiples of '64'."
    )
    assert (error["min"], error["max"], error["multiplier"]) == (128, 2048, 64)
    assert error["documentation"] == "https://runware.ai/docs/en/image-inference/api-reference#request-width"


@pytest.mark.parametrize(
    ("model", "width_px", "height_px"),
    [
        ("runware:101@1", 1024, 1088),
        ("runware:400@1", 1040, 128),
        ("runware:106@1", 1392, 752),
        ("runware:106@1", 720, 1456),
        ("bfl:3@1", 672, 1568),
        ("google:4@2", 1376, 768),
        ("openai:gpt-image@2", 3840, 2160),
        ("bytedance:5@0", 6048, 2592),
        ("nobody:knows@it", 1001, 77),
        ("not an AIR identifier", 500, 500),
    ],
)
def test_a_model_takes_the_sizes_of_its_family(
    mock: RunningMock, api_key: str, model: str, width_px: int, height_px: int
) -> None:
    sent = inference(model=model, width=width_px, height=height_px)
    assert "errors" not in checked_by(mock, api_key, sent)


@pytest.mark.parametrize(
    ("model", "width_px"), [("runware:100@1", 1000), ("runware:400@2", 1000), ("bytedance:5@0", 8193)]
)
def test_a_model_refuses_sizes_that_its_family_has_not(
    mock: RunningMock, api_key: str, model: str, width_px: int
) -> None:
    error = checked_by(mock, api_key, inference(model=model, width=width_px))["errors"][0]
    assert error["code"] == "invalidWidth"


@pytest.mark.parametrize(
    ("model", "width_px", "height_px"),
    [("runware:106@1", 1024, 1023), ("runware:106@1", 1025, 1024), ("bfl:4@1", 1456, 720)],
)
def test_a_model_with_a_list_of_sizes_refuses_others_and_names_the_list(
    mock: RunningMock, api_key: str, model: str, width_px: int, height_px: int
) -> None:
    error = checked_by(mock, api_key, inference(model=model, width=width_px, height=height_px))["errors"][0]
    assert error["parameter"] == "width"
    assert "supports these sizes only: 1568x672, 672x1568, 1392x752, 752x1392" in error["message"]


@pytest.mark.parametrize(
    ("model", "longest"),
    [("runware:101@1", 3000), ("runware:400@1", 32_000), ("openai:4@1", 32_000), ("x:1@1", 45_000)],
)
def test_a_prompt_is_as_long_as_its_model_takes(mock: RunningMock, api_key: str, model: str, longest: int) -> None:
    assert "errors" not in checked_by(mock, api_key, inference(model=model, positivePrompt="x" * longest))
    error = checked_by(mock, api_key, inference(model=model, positivePrompt="x" * (longest + 1)))["errors"][0]
    assert (error["code"], error["max"]) == ("invalidPositivePrompt", longest)


@pytest.mark.parametrize(
    ("field", "value"), [("seed", 0), ("model", "flux"), ("width", 4097), ("positivePrompt", "x" * 3001)]
)
def test_strict_keeps_to_the_older_documentation(api_key: str, field: str, value: object) -> None:
    sent = inference(model="example:1@1")
    with running_mock(strict=True) as strict:
        error = checked_by(strict, api_key, {**sent, field: value})["errors"][0]
    assert error["parameter"] == field


def test_an_unknown_parameter_is_ignored_and_named_in_the_journal(
    mock: RunningMock, talker: Talker, api_key: str
) -> None:
    sent = inference(numberResult=4, scheduler="Euler", lora=[])
    assert talker.ask(sent).item
    with calling(mock, api_key) as control:
        (entry,) = control.get("/journal", task_uuid=sent["taskUUID"])["entries"]
    (warning,) = entry["warnings"]
    assert "'numberResult'" in warning
    assert "did you mean numberResults?" in warning


def test_a_video_is_told_as_such(talker: Talker) -> None:
    video = data_uri(b"\0\0\0\x18ftypmp42" + bytes(50), "video/mp4")
    assert "MP4 (video)" in talker.ask(upload(video)).error["message"]
    assert "MP4 (video)" in talker.ask(task("caption", inputImage=video)).error["message"]
    error = talker.ask(task("caption", inputs={"video": video})).error
    assert (error["code"], error["parameter"]) == ("invalidVideo", "inputs.video")


def test_a_prompt_alone_is_made_a_vector(talker: Talker) -> None:
    item = talker.ask(task("vectorize", model="recraft:v4@vector", positivePrompt="a fox")).item
    assert plain.get(item["imageURL"]).content.startswith(b"<svg")


def test_any_form_of_uuid_is_taken_where_any_is(api_key: str) -> None:
    with running_mock(uuid="any") as mock:
        for good in (new_uuid().replace("-", ""), "019c42a0-c3ff-7138-be83-ee257abc5331"):
            assert "errors" not in checked_by(mock, api_key, {**upload(png()), "taskUUID": good})
        error = checked_by(mock, api_key, {**upload(png()), "taskUUID": "x"})["errors"][0]
    assert "v4" not in error["message"]


def checked_by(mock: RunningMock, api_key: str, sent: dict[str, object]) -> dict[str, Any]:
    """Return the answer to a task that is only checked."""
    headers = {"Authorization": f"Bearer {api_key}", "X-Runware-Dry-Run": "1"}
    answer: dict[str, Any] = plain.post(mock.rest_url, json=[sent], headers=headers).json()
    return answer


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (task("upscale", inputImage=new_uuid()), "missingUpscaleFactor"),
        (task("upscale", inputImage=new_uuid(), upscaleFactor=5), "invalidUpscaleFactor"),
        (task("upscale", upscaleFactor=2), "missingInputImage"),
        (task("upscale", upscaleFactor=2, inputs={}), "missingImage"),
        (task("removeBackground"), "missingInputImage"),
        (task("removeBackground", inputImage=new_uuid(), rgba=[1, 2]), "invalidRgba"),
        (task("caption"), "missingInputImage"),
        (task("caption", inputs={}), "missingImage"),
        (task("controlNetPreprocess", inputImage=new_uuid()), "missingPreProcessorType"),
        (task("controlNetPreprocess", inputImage=new_uuid(), preProcessorType="magic"), "invalidPreProcessorType"),
        (task("imageMasking", inputImage=new_uuid(), maxDetections=0), "invalidMaxDetections"),
        (task("imageMasking", inputs={"image": new_uuid()}, settings={"maxDetections": 99}), "invalidMaxDetections"),
        (task("controlNetPreprocess", inputImage=new_uuid(), model="runware:1@canny"), "missingPreProcessorType"),
        (task("vectorize", inputs={"image": new_uuid()}, outputFormat="PNG"), "invalidOutputFormat"),
        (task("photoMaker", positivePrompt="img", width=512, height=512), "missingInputImages"),
        (task("promptEnhance"), "missingPrompt"),
        (task("promptEnhance", prompt="x", promptVersions=6), "invalidPromptVersions"),
        (task("videoInference", positivePrompt="x"), "missingModel"),
        (task("textInference", model="x:1@1", numberResults=5), "invalidNumberResults"),
        (task("training"), "unsupportedTaskType"),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value["taskType"]),
)
def test_every_task_checks_its_own_parameters(talker: Talker, wrong: dict[str, object], code: str) -> None:
    error = talker.ask({**wrong, "taskUUID": new_uuid()}).error
    assert (error["code"], error["taskType"]) == (code, wrong["taskType"])


@pytest.mark.parametrize(
    "checked",
    [
        inference(seedImage=new_uuid()),
        task("upscale", inputImage=new_uuid(), upscaleFactor=2),
        # Alpha times 255 is more than a float holds.
        task("removeBackground", inputImage=new_uuid(), rgba=[1e308, -1e308, 0.5, -1e308]),
        task("caption", inputImage=new_uuid()),
        task("vectorize", inputs={"image": new_uuid()}),
        task("promptEnhance", prompt="a cat"),
        task("mediaStorage", operation="delete", media=new_uuid()),
        task("mediaStorage", operation="upload", media="http://127.0.0.1:1/never-asked.mp4"),
    ],
    ids=lambda value: str(value["taskType"]),
)
def test_a_dry_run_checks_parameters_alone(api_key: str, checked: dict[str, object]) -> None:
    with running_mock() as mock:
        headers = {"Authorization": f"Bearer {api_key}"}
        body = plain.post(f"{mock.rest_url}?dryRun=1", json=[checked], headers=headers).json()
        assert body["data"][0]["taskUUID"] == checked["taskUUID"]
        assert body["data"][0]["cost"] >= 0
        assert body == plain.post(mock.rest_url, json=[checked], headers={**headers, "X-Runware-Dry-Run": "1"}).json()
        assert (mock.count(medium), mock.count(journal)) == (0, 0)


def test_a_dry_run_refuses_what_a_run_would_refuse(api_key: str) -> None:
    with running_mock() as mock:
        headers = {"Authorization": f"Bearer {api_key}"}
        body = plain.post(f"{mock.rest_url}?dryRun=1", json=[inference(width=100)], headers=headers).json()
        assert body["errors"][0]["code"] == "invalidWidth"
        assert mock.count(journal) == 0
