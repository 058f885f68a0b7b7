"""Results are media of their own, in the form, format and number asked for, and equal for equal parameters."""

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from runware_mock.webhooks import deliver_due
from tests import plain
from tests.pictures import png
from tests.running import running_mock
from tests.talking import Talker, data_uri, talking, upload
from tests.tasks.asking import SIZE_PX, inference, opened, task, using


def decoded(data: bytes) -> Image.Image:
    """Decode a picture."""
    image = Image.open(BytesIO(data))
    image.load()
    return image


def test_a_result_is_a_picture_of_the_size_asked_for(talker: Talker) -> None:
    item = talker.ask(inference()).item
    assert {"taskType", "taskUUID", "imageUUID", "imageURL", "seed"} == set(item)
    assert item["imageURL"].endswith(".jpg")
    image = opened(item)
    assert (image.format, image.size) == ("JPEG", SIZE_PX)


@pytest.mark.parametrize(
    ("output_format", "extension", "name"),
    [("JPG", ".JPG", "JPEG"), ("PNG", ".PNG", "PNG"), ("WEBP", ".WEBP", "WEBP"), ("jpg", ".jpg", "JPEG")],
)
def test_the_format_and_the_case_of_its_extension_are_those_asked_for(
    talker: Talker, output_format: str, extension: str, name: str
) -> None:
    item = talker.ask(inference(outputFormat=output_format)).item
    assert item["imageURL"].endswith(extension)
    assert opened(item).format == name


def test_a_lower_quality_is_fewer_bytes(talker: Talker) -> None:
    low, high = (talker.ask(inference(outputQuality=quality)).item["imageURL"] for quality in (20, 99))
    assert len(plain.get(low).content) < len(plain.get(high).content) / 2


@pytest.mark.parametrize(
    ("output_type", "fields"),
    [
        ("URL", {"imageURL"}),
        ("base64Data", {"imageBase64Data"}),
        ("dataURI", {"imageDataURI"}),
        (["URL", "dataURI"], {"imageURL", "imageDataURI"}),
        ([], {"imageURL"}),
    ],
)
def test_a_result_comes_in_the_form_asked_for(talker: Talker, output_type: object, fields: set[str]) -> None:
    item = talker.ask(inference(outputType=output_type, outputFormat="PNG")).item
    assert {name for name in item if name.startswith("image")} == fields | {"imageUUID"}
    if "imageBase64Data" in item:
        assert decoded(base64.b64decode(item["imageBase64Data"])).size == SIZE_PX
    if "imageDataURI" in item:
        label, _, text = item["imageDataURI"].partition(",")
        assert label == "data:image/png;base64"
        assert decoded(base64.b64decode(text)).size == SIZE_PX


def test_a_result_without_a_url_is_stored_all_the_same(talker: Talker) -> None:
    uuid = talker.ask(inference(outputType="base64Data")).item["imageUUID"]
    assert talker.ask(using("caption", uuid)).item["text"]


@pytest.mark.parametrize("count", [1, 2, 20])
def test_as_many_results_come_as_were_asked_for(talker: Talker, count: int) -> None:
    """One frame over WebSocket, one array over REST."""
    answer = talker.ask(inference(numberResults=count, seed=7))
    assert len(answer.data) == count
    assert [item["seed"] for item in answer.data] == list(range(7, 7 + count))
    assert len({item["imageUUID"] for item in answer.data}) == count
    assert len({item["taskUUID"] for item in answer.data}) == 1


def test_equal_parameters_give_equal_pictures(talker: Talker) -> None:
    pictures = [plain.get(talker.ask(inference()).item["imageURL"]).content for _ in range(2)]
    assert pictures[0] == pictures[1]


@pytest.mark.parametrize("change", [{"seed": 8}, {"positivePrompt": "a dog"}, {"model": "runware:100@1"}])
def test_other_parameters_give_another_picture(talker: Talker, change: dict[str, object]) -> None:
    one, other = (talker.ask(inference(**{"seed": 7, **fields})).item for fields in ({}, change))
    assert plain.get(one["imageURL"]).content != plain.get(other["imageURL"]).content


def test_the_cost_and_the_check_are_told_only_when_asked_for(talker: Talker) -> None:
    assert not {"cost", "NSFWContent"} & set(talker.ask(inference()).item)
    asked = talker.ask(inference(includeCost=True, checkNSFW=True)).item
    assert asked["cost"] > 0
    assert asked["NSFWContent"] is False
    assert talker.ask(inference(safety={"checkContent": True})).item["NSFWContent"] is False


def test_callers_of_the_newer_form_get_the_newer_names_too(talker: Talker) -> None:
    uuid = talker.ask(upload(png())).item["imageUUID"]
    item = talker.ask(using("upscale", uuid, new_style=True)).item
    assert (item["mediaUUID"], item["mediaURL"]) == (item["imageUUID"], item["imageURL"])
    assert "mediaUUID" not in talker.ask(using("upscale", uuid)).item


def test_a_seed_picture_shows_in_the_result(talker: Talker) -> None:
    red, green = (talker.ask(upload(png(64, 48, colour))).item["imageUUID"] for colour in ("red", "lime"))
    from_red, from_green = (
        opened(talker.ask(inference(seedImage=uuid, strength=0.1, seed=1)).item).convert("RGB").getpixel((256, 40))
        for uuid in (red, green)
    )
    assert isinstance(from_red, tuple)
    assert isinstance(from_green, tuple)
    assert from_red[0] > from_red[1]
    assert from_green[1] > from_green[0]


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_upscaling_really_enlarges(talker: Talker, factor: int) -> None:
    uuid = talker.ask(upload(png(60, 40))).item["imageUUID"]
    item = talker.ask(task("imageUpscale", inputImage=uuid, upscaleFactor=factor)).item
    assert item["inputImageUUID"] == uuid
    assert opened(item).size == (60 * factor, 40 * factor)


def test_background_removal_really_gives_transparency(talker: Talker) -> None:
    picture = Image.new("RGB", (200, 200), "skyblue")
    picture.paste("darkred", (60, 60, 140, 140))
    out = BytesIO()
    picture.save(out, "PNG")
    image = opened(talker.ask(task("removeBackground", inputImage=upload(out.getvalue())["image"])).item)
    assert (image.format, image.mode) == ("PNG", "RGBA")
    assert image.getpixel((5, 5))[3] == 0  # type: ignore[index] # an RGBA pixel
    assert image.getpixel((100, 100))[3] == 255  # type: ignore[index] # an RGBA pixel


@pytest.mark.parametrize(
    "options", [{"settings": {"returnOnlyMask": True}}, {"returnOnlyMask": True}], ids=["settings", "beside"]
)
def test_background_removal_can_return_the_mask_alone(talker: Talker, options: dict[str, object]) -> None:
    image = opened(talker.ask(task("removeBackground", inputImage=upload(png())["image"], **options)).item)
    assert image.mode == "L"


def test_a_guide_image_has_names_of_its_own(talker: Talker) -> None:
    uuid = talker.ask(upload(png(64, 48))).item["imageUUID"]
    item = talker.ask(using("controlNetPreprocess", uuid)).item
    assert {"guideImageUUID", "guideImageURL", "inputImageUUID"} <= set(item)
    assert opened(item, "guideImageURL").size == (64, 48)
    assert item["imageURL"] == item["guideImageURL"]
    assert talker.ask(using("caption", item["guideImageUUID"])).item


@pytest.mark.parametrize("kind", ["canny", "lineart-anime", "softedge"])
def test_the_newer_form_names_the_preprocessor_by_its_model(talker: Talker, kind: str) -> None:
    model = f"runware:controlnet-preprocess@{kind}"
    asked = {"model": model, "inputs": {"image": data_uri(png(64, 48))}, "settings": {"lowThresholdCanny": 50}}
    assert opened(talker.ask(task("controlNetPreprocess", **asked)).item, "guideImageURL").size == (64, 48)


@pytest.mark.parametrize("task_type", ["controlNetPreprocess", "imageMasking"])
def test_an_input_that_was_not_stored_gets_the_uuid_that_the_answer_must_name(talker: Talker, task_type: str) -> None:
    item = talker.ask(using(task_type, data_uri(png(64, 48)))).item
    assert talker.ask(using("caption", item["inputImageUUID"])).item["inputImageUUID"] == item["inputImageUUID"]


def test_an_upscale_factor_may_be_a_float_that_is_whole(talker: Talker) -> None:
    item = talker.ask({**using("upscale", data_uri(png(64, 48))), "upscaleFactor": 2.0}).item
    assert opened(item).size == (128, 96)


def test_a_mask_has_names_of_its_own_and_boxes(talker: Talker) -> None:
    item = talker.ask(using("imageMasking", upload(png(64, 48))["image"])).item
    assert opened(item, "maskImageURL").size == (64, 48)
    assert item["imageURL"] == item["maskImageURL"]
    assert set(item["detections"][0]) == {"x_min", "y_min", "x_max", "y_max"}


def test_a_vector_is_an_svg_that_cannot_run_anything(talker: Talker) -> None:
    item = talker.ask(using("vectorize", upload(png(64, 48))["image"])).item
    served = plain.get(item["imageURL"])
    assert served.headers["Content-Type"].startswith("image/svg+xml")
    assert "sandbox" in served.headers["Content-Security-Policy"]
    assert ET.fromstring(served.text).get("width") == "64"  # noqa: S314 - our own document


def test_a_better_prompt_comes_in_versions(talker: Talker) -> None:
    answer = talker.ask(task("promptEnhance", prompt="a cat", promptVersions=3, promptMaxLength=6))
    texts = [item["text"] for item in answer.data]
    assert len(set(texts)) == 3
    assert all(text.startswith("a cat") and len(text.split()) <= 6 for text in texts)


@pytest.mark.parametrize(("waited_s", "status"), [(59.999, 200), (60, 404)])
def test_a_time_to_live_ends_a_result_sooner(transport: str, api_key: str, waited_s: float, status: int) -> None:
    with running_mock() as mock, talking(mock, transport, api_key) as talker:
        item = talker.ask(inference(ttl=60)).item
        mock.clock.advance(timedelta(seconds=waited_s))
        assert plain.get(item["imageURL"]).status_code == status
        assert bool(talker.ask(using("caption", item["imageUUID"])).errors) == (status == 404)


def test_a_result_expires_like_an_upload(transport: str, api_key: str) -> None:
    with running_mock() as mock, talking(mock, transport, api_key) as talker:
        url = talker.ask(inference()).item["imageURL"]
        mock.clock.advance(timedelta(days=30, milliseconds=-1))
        assert plain.get(url).status_code == 200
        mock.clock.advance(timedelta(milliseconds=1))
        assert plain.get(url).status_code == 404


@contextmanager
def endpoint() -> Iterator[tuple[str, list[tuple[str, str, bytes]]]]:
    """Serve an address that takes whatever is sent to it, and note it."""
    taken: list[tuple[str, str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.append((self.path, self.headers["Content-Type"], body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", taken
        server.shutdown()
        thread.join()


def test_the_bytes_of_a_result_are_put_to_the_clients_own_endpoint(transport: str, api_key: str) -> None:
    with running_mock() as mock, talking(mock, transport, api_key) as talker, endpoint() as (url, taken):
        item = talker.ask(inference(uploadEndpoint=f"{url}/bucket/a.png?sign=1", outputFormat="PNG")).item
        while not taken:
            deliver_due(mock.services)
        assert taken == [("/bucket/a.png?sign=1", "image/png", plain.get(item["imageURL"]).content)]
