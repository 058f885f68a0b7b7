"""Rules that say what tasks are answered with: which tasks they mean, what they give, how often, and to whom."""

import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from runware_mock import ControlError
from runware_mock.testing import RunwareMock
from tests.control.calling import Calls
from tests.pictures import png
from tests.running import RunningMock
from tests.talking import Talker, Task, new_uuid, talking, upload
from tests.tasks.asking import NEEDED, inference, opened, task, using

pytestmark = pytest.mark.both_databases

ORANGE, TEAL = (255, 136, 0), (0, 128, 128)
SEARCH = {"taskType": "modelSearch"}


@pytest.fixture
def scripted(mock: RunningMock, api_key: str) -> RunwareMock:
    """Return the test's account."""
    return RunwareMock(mock.url, api_key)


def middle(image: Image.Image) -> tuple[int, ...]:
    """Return the colour in the middle of a picture."""
    pixel = image.convert("RGB").getpixel((image.width // 2, image.height // 2))
    assert isinstance(pixel, tuple)
    return tuple(int(band) for band in pixel)


def is_near(found: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Tell whether two colours are the same but for the losses of JPEG."""
    return all(abs(one - other) <= 8 for one, other in zip(found, wanted, strict=True))


def search(**fields: object) -> Task:
    """Return the cheapest task."""
    return task("modelSearch", **fields)


def test_a_picture_gets_the_size_and_format_that_the_task_asks_for(
    talker: Talker, scripted: RunwareMock, tmp_path: Path
) -> None:
    file = tmp_path / "cat.png"
    Image.new("RGB", (300, 300), ORANGE).save(file)
    scripted.answers.on("imageInference", prompt="*cat*").give(picture=str(file))
    for name, extension in (("WEBP", "webp"), ("PNG", "png"), ("JPG", "jpeg")):
        item = talker.ask(inference(positivePrompt="a cat on a roof", width=640, height=320, outputFormat=name)).item
        image = opened(item)
        assert (image.size, image.format) == ((640, 320), extension.upper())
        assert is_near(middle(image), ORANGE)
    assert not is_near(middle(opened(talker.ask(inference(positivePrompt="a dog")).item)), ORANGE)


def test_a_given_picture_is_stored_expires_and_is_an_input_of_other_tasks(
    talker: Talker, scripted: RunwareMock
) -> None:
    scripted.answers.on("imageInference").give(picture="teal")
    uuid = talker.ask(inference(ttl=60)).item["imageUUID"]
    assert scripted.is_stored(uuid)
    assert is_near(middle(opened(talker.ask(using("upscale", uuid)).item)), TEAL)
    scripted.clock.advance(seconds=61)
    assert not scripted.is_stored(uuid)


def test_a_picture_is_bytes_a_file_a_pil_image_a_stored_medium_or_a_colour(
    talker: Talker, scripted: RunwareMock, tmp_path: Path
) -> None:
    image = Image.new("RGB", (64, 64), TEAL)
    file = tmp_path / "teal.png"
    image.save(file)
    uuid = scripted.media.add(file).uuid
    for picture in (file.read_bytes(), file, image, uuid, "#008080"):
        rule = scripted.answers.on("imageInference").give(picture=picture)
        assert is_near(middle(opened(talker.ask(inference()).item)), TEAL)
        scripted.answers.delete(rule.name)


def test_a_picture_of_the_right_size_and_format_is_given_byte_for_byte(talker: Talker, scripted: RunwareMock) -> None:
    picture = png(512, 384)
    scripted.answers.on("imageInference").give(picture=picture)
    uuid = talker.ask(inference(outputFormat="PNG")).item["imageUUID"]
    assert scripted.media.get(uuid).size_bytes == len(picture)


def test_the_picture_of_a_stored_medium_outlives_it(talker: Talker, scripted: RunwareMock) -> None:
    uuid = talker.ask(upload(png(8, 8, "teal"))).item["imageUUID"]
    scripted.answers.on("imageInference").give(picture=uuid)
    scripted.media.delete(uuid)
    assert is_near(middle(opened(talker.ask(inference()).item)), TEAL)


@pytest.mark.parametrize("task_type", sorted(NEEDED.keys() - {"caption", "imageCaption", "vectorize"}))
def test_every_task_that_makes_a_picture_takes_one(talker: Talker, scripted: RunwareMock, task_type: str) -> None:
    uuid = talker.ask(upload(png(64, 64))).item["imageUUID"]
    scripted.answers.on(task_type).give(picture="#ff8800")
    assert is_near(middle(opened(talker.ask(using(task_type, uuid)).item)), ORANGE)


def test_texts_fields_and_errors_are_given_to_tasks_of_any_type(talker: Talker, scripted: RunwareMock) -> None:
    rules = scripted.answers
    rules.on("promptEnhance").give(text="a better prompt")
    rules.on("accountManagement").give(fields={"balance": 0, "team": None})
    rules.on("modelSearch").give(fields={"results": [{"air": "acme:1@1"}], "totalResults": 1})
    rules.on("imageUpload").give(error={"code": "invalidImage", "message": "Too blurred."})
    rules.on("mediaStorage").give(error="rateLimitExceeded")
    rules.on("audioInference").give(fields={"cost": 3, "nested": {"a": 1}})
    assert talker.ask(task("promptEnhance", prompt="x", promptVersions=2)).data[1]["text"] == "a better prompt"
    account = talker.ask(task("accountManagement", operation="getDetails")).item
    assert account["balance"] == 0
    assert "team" not in account
    assert talker.ask(search()).item["results"] == [{"air": "acme:1@1"}]
    assert talker.ask(upload(png())).errors[0]["message"] == "Too blurred."
    assert talker.ask(task("mediaStorage", operation="upload", media="x")).codes == ["rateLimitExceeded"]
    sound = talker.ask(task("audioInference", model="a:1@1", positivePrompt="rain")).item
    assert (sound["cost"], sound["nested"]) == (3, {"a": 1})


def test_a_medium_of_the_right_kind_is_given_as_it_is(talker: Talker, scripted: RunwareMock) -> None:
    asked = {"model": "a:1@1", "positivePrompt": "rain"}
    sound = talker.ask(task("audioInference", **asked)).item["audioUUID"]
    scripted.answers.on("audioInference").give(picture=sound)
    scripted.answers.on("videoInference").give(picture=sound)
    given = talker.ask(task("audioInference", **asked)).item["audioUUID"]
    assert scripted.media.get(given).sent.sha256 == scripted.media.get(sound).sent.sha256
    # A sound is no video: the stand-in stays.
    assert scripted.media.get(talker.ask(task("videoInference", **asked)).item["videoUUID"]).format == "mp4"


def test_a_poll_is_answered_only_by_a_rule_that_names_its_type(talker: Talker, scripted: RunwareMock) -> None:
    scripted.answers.on().give(fields={"note": "any"})
    sent = search()
    assert talker.ask(sent).item["note"] == "any"
    poll = {"taskType": "getResponse", "taskUUID": sent["taskUUID"]}
    assert talker.ask(poll).item["note"] == "any"
    (rule,) = scripted.answers.list()
    assert rule.seen == 1
    scripted.answers.on("getResponse").give(fields={"status": "processing"})
    assert talker.ask(poll).item["status"] == "processing"


def test_answers_are_given_in_turn_each_as_often_as_it_says_and_the_last_for_ever(
    talker: Talker, scripted: RunwareMock
) -> None:
    rule = scripted.answers.on("modelSearch").give(
        {"error": "rateLimitExceeded", "times": 2}, {"fields": {"n": 1}}, {"fields": {"n": 2}}
    )
    answers = [talker.ask(search()) for _ in range(5)]
    assert ["".join(one.codes) or one.item["n"] for one in answers] == ["rateLimitExceeded"] * 2 + [1, 2, 2]
    state = scripted.answers.get(rule.name)
    assert [(one.used, one.remaining) for one in state.give] == [(2, 0), (1, 0), (2, None)]
    assert (state.is_used, state.seen) == (True, 5)


def test_a_rule_that_is_used_up_leaves_the_next_one_and_then_the_stand_in(
    talker: Talker, scripted: RunwareMock
) -> None:
    scripted.answers.on("modelSearch").give(fields={"from": "first"}, times=1)
    scripted.answers.on("modelSearch").give(fields={"from": "second"}, times=2)
    found = [talker.ask(search()).item.get("from") for _ in range(4)]
    assert found == ["first", "second", "second", None]


def test_of_two_rules_for_one_task_the_first_wins_and_only_it_is_used(talker: Talker, scripted: RunwareMock) -> None:
    first = scripted.answers.on("modelSearch").give(fields={"from": "first"})
    second = scripted.answers.on("modelSearch").give(fields={"from": "second"})
    assert talker.ask(search()).item["from"] == "first"
    states = [scripted.answers.get(one.name) for one in (first, second)]
    assert [(one.seen, one.give[0].used) for one in states] == [(1, 1), (1, 0)]


def test_a_fault_comes_upon_a_scripted_answer(talker: Talker, scripted: RunwareMock) -> None:
    scripted.answers.on("modelSearch").give(fields={"n": 1})
    scripted.faults.plan({"kind": "error", "code": "rateLimitExceeded"})
    assert talker.ask(search()).codes == ["rateLimitExceeded"]
    assert talker.ask(search()).item["n"] == 1


@pytest.mark.parametrize(
    ("asked", "fitting", "other"),
    [
        ({"prompt": "a cat"}, {"positivePrompt": "a cat"}, {"positivePrompt": "a cat "}),
        ({"prompt": "*cat*roof"}, {"positivePrompt": "one cat, on a roof"}, {"positivePrompt": "a roof, a cat"}),
        ({"prompt": "a*a"}, {"positivePrompt": "a banana"}, {"positivePrompt": "ab"}),
        ({"prompt": "c?t [1]"}, {"positivePrompt": "cut [1]"}, {"positivePrompt": "cut 1"}),
        ({"prompt": {"exact": "what*"}}, {"positivePrompt": "what*"}, {"positivePrompt": "what else"}),
        ({"prompt": re.compile(r"c[aou]t\b", re.IGNORECASE)}, {"positivePrompt": "a CUT"}, {"positivePrompt": "cute"}),
        ({"model": "runware:*"}, {"model": "runware:100@1"}, {"model": "civitai:1@1"}),
        ({"where": {"width": 640}}, {"width": 640}, {"width": 512}),
        ({"where": {"includeCost": True}}, {"includeCost": True}, {"includeCost": 1}),
        ({"where": {"seed": None}}, {}, {"seed": 7}),
        ({"where": {"lora": "*"}}, {"lora": []}, {}),
        ({"where": {"lora[1].model": "acme:*"}}, {"lora": [{}, {"model": "acme:1@1"}]}, {"lora": [{}, {}]}),
        ({"where": {"outputType": {"regex": "^data"}}}, {"outputType": "dataURI"}, {"outputType": "base64Data"}),
    ],
)
def test_a_rule_means_the_tasks_that_have_what_it_asks_for(
    talker: Talker, scripted: RunwareMock, asked: dict[str, Any], fitting: Task, other: Task
) -> None:
    scripted.answers.on("imageInference", **asked).give(error="rateLimitExceeded")
    assert talker.ask(inference(**other)).codes != ["rateLimitExceeded"]
    assert talker.ask(inference(**fitting)).codes == ["rateLimitExceeded"]


def test_a_prompt_is_that_of_any_task_that_has_one(talker: Talker, scripted: RunwareMock) -> None:
    scripted.answers.on(prompt="*cat*").give(error="rateLimitExceeded")
    messages = [{"role": "user", "content": "is this a cat?"}]
    for asked in (task("promptEnhance", prompt="cat"), task("textInference", model="a:1@1", messages=messages)):
        assert talker.ask(asked).codes == ["rateLimitExceeded"]


def test_a_fault_plan_asks_for_the_same_things(talker: Talker, control: Calls) -> None:
    fault = {"kind": "error", "code": "rateLimitExceeded", "times": None, "where": {"search": "*cat*"}}
    control.post("/faults", faults=[fault])
    assert talker.ask(search(search="cats")).codes == ["rateLimitExceeded"]
    assert talker.ask(search(search="dogs")).item


def test_the_nth_task_alone_is_answered(talker: Talker, scripted: RunwareMock) -> None:
    scripted.answers.on("modelSearch", nth=2).give(fields={"n": 2})
    assert [talker.ask(search()).item.get("n") for _ in range(3)] == [None, 2, None]


def test_a_pattern_that_would_never_end_fits_nothing(talker: Talker, scripted: RunwareMock) -> None:
    never = {"regex": r"^(?:(?:a|a|ab)+)+(?:a|a)+$"}
    scripted.answers.on(where={"search": never}).give(error="rateLimitExceeded")
    assert talker.ask(search(search="a" * 200 + "!")).item


def test_a_rule_is_used_by_its_own_account_alone(mock: RunningMock, talker: Talker, scripted: RunwareMock) -> None:
    scripted.answers.on("modelSearch").give(fields={"n": 1})
    with talking(mock, talker.name, "another-" + new_uuid()) as other:
        assert "n" not in other.ask(search()).item


def test_rules_are_plans_in_another_form(control: Calls, scripted: RunwareMock) -> None:
    rule = scripted.answers.on("modelSearch").give(fields={"n": 1})
    plan = scripted.faults.plan({"kind": "drop"})
    assert [one.name for one in scripted.answers.list()] == [rule.name]
    assert [one.name for one in scripted.faults.list()] == [rule.name, plan.name]
    assert control.refused("GET", f"/answers/{plan.name}")[0] == 404
    assert control.refused("DELETE", f"/answers/{plan.name}")[0] == 404
    assert scripted.answers.delete() == 1
    assert [one.name for one in scripted.faults.list()] == [plan.name]


def test_a_snapshot_and_an_archive_keep_rules_and_their_pictures(talker: Talker, scripted: RunwareMock) -> None:
    scripted.answers.on("imageInference").give({"fields": {}}, {"picture": "teal"})
    assert not is_near(middle(opened(talker.ask(inference()).item)), TEAL)
    scripted.snapshots.save("scripted")
    archive = scripted.control.export()
    for restore in (lambda: scripted.snapshots.restore("scripted"), lambda: scripted.control.load(archive)):
        scripted.control.reset()
        assert scripted.answers.list() == []
        restore()
        assert is_near(middle(opened(talker.ask(inference()).item)), TEAL)
        assert [one.used for one in scripted.answers.list()[0].give] == [1, 1]


def test_a_rule_that_no_task_has_fitted_names_the_nearest(talker: Talker, scripted: RunwareMock) -> None:
    rule = scripted.answers.on("modelSearch", where={"search": "cat", "limit": 5}, must_be_used=True).give(fields={})
    assert scripted.answers.get(rule.name).nearest is None
    near = search(search="cats", limit=5)
    talker.ask(near)
    talker.ask(search(search="dogs"))
    nearest = scripted.answers.get(rule.name).nearest
    assert nearest == f"modelSearch {near['taskUUID']}: search is 'cats', which does not match 'cat'"
    assert scripted.faults.unmet()[0].nearest == nearest
    talker.ask(search(search="cat", limit=5))
    assert scripted.answers.get(rule.name).nearest is None


NO_PICTURE = "is not a colour, the UUID of a medium or a usable picture: "


def nested(levels: int) -> list[Any]:
    return [nested(levels - 1)] if levels else []


@pytest.mark.parametrize(
    ("rule", "field", "word"),
    [
        ({}, "give", "missing"),
        ({"give": []}, "give", "1"),
        ({"give": {}}, "give[0]", "at least one of picture"),
        ({"give": 5}, "give", "give must be a JSON array"),
        ({"give": [[{"text": "x"}]]}, "give[0]", "must be a JSON object"),
        ({"give": [{"text": "x"}] * 101}, "give", "100"),
        ({"give": {"picture": "no picture"}}, "give[0].picture", NO_PICTURE),
        ({"give": [{"text": "x"}, {"picture": "cat.png"}]}, "give[1].picture", "path of a file"),
        ({"give": {"picture": "aGVsbG8="}}, "give[0].picture", NO_PICTURE),
        ({"give": {"picture": "https://example.com/a.png"}}, "give[0].picture", "cannot give a URL"),
        ({"give": {"picture": new_uuid()}}, "give[0].picture", "no medium"),
        ({"give": {"picture": ""}}, "give[0].picture", "1 character"),
        ({"give": {"error": "rateLimit"}}, "give[0].error.code", "rateLimitExceeded"),
        ({"give": {"error": "missingParameter"}}, "give[0].error", "name the parameter"),
        ({"give": {"error": "rateLimitExceeded", "text": "x"}}, "give[0]", "whole answer"),
        ({"give": {"fields": {"taskUUID": "x"}}}, "give[0].fields", "identifies the task"),
        ({"give": {"text": "x", "times": 0}}, "give[0].times", "1"),
        ({"give": {"txet": "x"}}, "give[0].txet", "did you mean text?"),
        ({"give": {"lifecycle": [{"polls": 1, "pols": 1}]}}, "give[0].lifecycle[0].pols", "did you mean polls?"),
        ({"give": {"text": "x"}, "promt": "x"}, "promt", "did you mean prompt?"),
        ({"give": {"text": "x"}, "prompt": 5}, "prompt", "wildcards"),
        ({"give": {"text": "x"}, "prompt": {"regex": "("}}, "prompt", "not a regular expression"),
        ({"give": {"text": "x"}, "prompt": {"regex": "a" * 1001}}, "prompt", "1000 characters"),
        ({"give": {"text": "x"}, "where": {"a..b": 1}}, "where", "not the path"),
        ({"give": {"text": "x"}, "where": {"a": {"regex": "["}}}, "where", "a: '[' is not a regular expression"),
        ({"give": [{"text": "x"}, {"text": "y"}], "nth": 2}, "body", "nth"),
        ({"give": {"text": "x"}, "name": "a/b"}, "name", "slash"),
        ({"give": {"text": "x"}, "faults": [{"kind": "http"}]}, "faults", "there are task_type"),
        ({"give": {"fields": {"a": nested(900)}}}, "give[0].fields", "too deeply"),
    ],
)
def test_what_is_no_rule_is_refused_by_its_field(control: Calls, rule: dict[str, Any], field: str, word: str) -> None:
    status, error = control.refused("POST", "/answers", json=rule)
    assert (status, error["code"], error["field"]) == (400, "badField", field)
    assert word in error["message"]
    assert control.get("/answers") == {"rules": []}


@pytest.mark.parametrize(
    ("asked", "answer", "word"),
    [
        ({"task_type": "imageInferense"}, {"text": "x"}, "is not a task type"),
        ({"task_type": "caption"}, {"picture": "red"}, "have no picture"),
        ({"task_type": "imageInference"}, {"text": "x"}, "give[0].text: tasks of the type imageInference have no text"),
        ({"task_type": "imageUpload", "prompt": "x"}, {"fields": {}}, "have no prompt"),
        ({"task_uuid": "the first"}, {"fields": {}}, "not a UUID"),
        ({}, [{"fields": {}, "times": None}, {"text": "x"}], "give[1]: an earlier one"),
    ],
)
def test_a_rule_that_can_never_be_used_warns(control: Calls, asked: dict[str, Any], answer: object, word: str) -> None:
    (warning,) = control.post("/answers", **asked, give=answer)["warnings"]
    assert word in warning


@pytest.mark.parametrize("task_type", ["caption", "imageCaption", "textInference", "promptEnhance", "getResponse"])
def test_a_text_for_a_task_that_answers_with_one_does_not_warn(control: Calls, task_type: str) -> None:
    assert control.post("/answers", task_type=task_type, give={"text": "x"})["warnings"] == []


def test_a_rule_behind_another_for_the_same_tasks_warns(control: Calls) -> None:
    def warnings(**rule: Any) -> list[str]:
        return list(control.post("/answers", give={"text": "x"}, **rule)["warnings"])

    assert warnings(name="cats", task_type="caption", prompt="*cat*") == []
    assert warnings(task_type="caption", prompt="*dog*") == []
    assert warnings(task_type="caption") == []
    (warning,) = warnings(task_type="caption", prompt="*cat*", where={"width": 512})
    assert warning == "give[0]: the rule 'cats' answers all of these tasks, so this never does"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (rb'{"give": {"text": "x"}, "prompt": "\ud800"}', "prompt"),
        (rb'{"give": {"text": "x"}, "where": {"a": ["\ud800"]}}', "where"),
        (rb'{"give": {"fields": {"a": "\ud800"}}}', "give[0].fields"),
        (b'{"give": {"fields": {"a": NaN}}}', "give[0].fields"),
        (b'{"give": {"text": "x"}, "where": {"a": 1e999}}', "where"),
    ],
)
def test_a_value_that_no_json_could_keep_is_refused(control: Calls, body: bytes, field: str) -> None:
    status, error = control.refused("POST", "/answers", content=body, headers={"Content-Type": "application/json"})
    assert (status, error["field"]) == (400, field)
    assert "surrogate pair, NaN or Infinity" in error["message"]


def test_an_answer_that_holds_itself_is_refused(scripted: RunwareMock) -> None:
    endless: list[object] = []
    endless.append(endless)
    for answer, field in (({"fields": {"a": endless}}, "give[0].fields.a"), (endless, "give[0]")):
        with pytest.raises(ControlError) as caught:
            scripted.answers.on().give(answer)  # type: ignore[arg-type] # that is the mistake
        assert caught.value.field == field
