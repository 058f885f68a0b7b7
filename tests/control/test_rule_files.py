"""Rules of scripted answers in files: read at the start, or by the command line, and a clear word where they cannot."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from jsonschema_rs import validator_for

from runware_mock.testing import RunwareMock
from tests.control.calling import calling
from tests.pictures import png
from tests.running import RunningMock, run_command, running_mock
from tests.talking import talking
from tests.tasks.asking import inference, opened, task

CAT = """
rules:
  - task_type: imageInference
    prompt: "*cat*"
    give:
      - error: rateLimitExceeded
      - picture: cat.png
        fields: {NSFWContent: true}
        lifecycle: [{polls: 1, progress: 40}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of rules with a picture beside them."""
    (tmp_path / "pets").mkdir()
    (tmp_path / "pets" / "cat.png").write_bytes(png(64, 64, "teal"))
    (tmp_path / "pets" / "cat.yaml").write_text(CAT)
    (tmp_path / "account.json").write_text(
        json.dumps({"task_type": "modelSearch", "give": {"fields": {"n": 1}}, "name": "search", "must_be_used": True})
    )
    return tmp_path


def test_a_folder_is_loaded_for_all_accounts_and_its_pictures_lie_beside_the_rules(folder: Path, api_key: str) -> None:
    with running_mock(answers=folder) as mock, calling(mock, None) as control, talking(mock, "rest", api_key) as talker:
        assert [rule["name"] for rule in control.get("/answers")["rules"]] == ["search", "file:pets.cat.yaml[0]"]
        assert talker.ask(task("modelSearch")).item["n"] == 1
        asked = inference(positivePrompt="a cat", outputFormat="PNG", deliveryMethod="async")
        assert talker.ask(asked).codes == ["rateLimitExceeded"]
        assert "imageUUID" not in talker.ask(asked).item
        poll = {"taskType": "getResponse", "taskUUID": asked["taskUUID"]}
        assert talker.ask(poll).item["progress"] == 40
        item = talker.ask(poll).item
        assert item["NSFWContent"] is True
        assert opened(item).getpixel((9, 9)) == (0, 128, 128)


def test_a_start_replaces_the_rules_of_files_as_a_set_and_leaves_others(folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"

    def names_after_a_start(answers: Path | None) -> list[str]:
        with running_mock(answers=answers, data_dir=data) as mock, calling(mock, None) as control:
            return [rule["name"] for rule in control.get("/answers")["rules"]]

    with running_mock(answers=folder, data_dir=data) as mock, calling(mock, None) as control:
        control.post("/answers", give={"text": "x"}, name="other")
        control.post("/answers", give={"text": "x"}, name="file:mine")
    (folder / "pets" / "cat.yaml").write_text("give: {text: y}")
    assert names_after_a_start(folder) == ["other", "file:mine", "search", "file:pets.cat.yaml"]
    (folder / "account.json").unlink()
    assert names_after_a_start(folder) == ["other", "file:mine", "file:pets.cat.yaml"]
    assert names_after_a_start(None) == ["other", "file:mine"]


def test_a_rule_of_a_file_replaces_another_of_its_name(folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_mock(data_dir=data) as mock, calling(mock, None) as control:
        control.post("/answers", give={"text": "x"}, name="search")
    with running_mock(answers=folder, data_dir=data) as mock, calling(mock, None) as control:
        given = {rule["name"]: rule["give"][0]["fields"] for rule in control.get("/answers")["rules"]}
    assert given["search"] == {"n": 1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["rule"]),
        ("5", ["rule"]),
        ("[]", ["rule"]),
        ("- 5", ["[0]", "mapping"]),
        ("prompt: x", ["the field give is missing"]),
        ("give: {picture: dog.png}", ["give[0].picture: ", "there is no file 'dog.png' in /"]),
        ("give: {text: x}\ntask_typ: y", ["there is no field 'task_typ'; did you mean task_type?"]),
        ("give: [{text: x, times: 0}]", ["give[0].times must be at least 1; it is 0"]),
        ("give: &a [*a]", ["ircular"]),
        ("give: {fields: {a: 2026-01-01}}", ["JSON serializable"]),
        ("give: {text: [}", ["line 1"]),
        ("a: !!python/object:os.system {}", ["constructor"]),
        ("rules: [{name: n, give: {text: x}}, {name: n, give: {text: x}}]", ["[1]: name: ", "already"]),
        ('give: {text: x}\nprompt: {regex: "("}', ["prompt: ", "not a regular expression"]),
    ],
)
def test_what_is_no_rule_refuses_to_start_and_names_file_and_field(tmp_path: Path, text: str, words: list[str]) -> None:
    (tmp_path / "good.yaml").write_text("give: {text: x}")
    (tmp_path / "rules.yaml").write_text(text)
    done = run_command("serve", "--port", "0", "--in-memory", "--answers", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.startswith("runware-mock: bad value for --answers: ")
    assert all(word in done.stderr for word in ["rules.yaml", *words]), done.stderr
    assert done.stderr.count("\n") == 1


def test_a_rule_that_can_never_be_used_is_logged_with_its_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "rules.yaml").write_text("{task_type: imageInferense, give: {text: x}}")
    with running_mock(answers=tmp_path):
        pass
    assert (
        "rules.yaml: give[0].task_type: 'imageInferense' is not a task type; did you mean imageInference?"
        in caplog.messages
    )


def test_a_folder_without_rules_says_what_to_do(tmp_path: Path) -> None:
    done = run_command("serve", "--port", "0", "--in-memory", "--answers", str(tmp_path))
    assert (done.returncode, "put .yaml or .json files there" in done.stderr) == (2, True)


def test_the_command_line_adds_shows_and_deletes_rules(mock: RunningMock, folder: Path, api_key: str) -> None:
    def run(*words: str) -> str:
        done = run_command("answers", words[0], "--url", mock.url, "--account", api_key, *words[1:])
        assert done.returncode == 0, done.stderr
        return done.stdout

    picture = f"picture={folder / 'pets' / 'cat.png'}"
    run("add", "imageInference", "prompt=*cat*", 'where={"width": 512}', picture, "times=2", "--name", "cats")
    run("add", str(folder / "account.json"), "--name", "searches")
    assert "cats" in run("list")
    assert "0 of 2" in run("list")
    assert "*cat*" in run("show", "cats")
    assert run("add", str(folder)).splitlines()[0] == "search"
    assert run("delete", "cats").strip() == "deleted cats"
    run("delete")
    assert RunwareMock(mock.url, api_key).answers.list() == []


def test_a_folder_with_a_rule_that_is_refused_adds_none_of_them(mock: RunningMock, folder: Path, api_key: str) -> None:
    (folder / "zebra.yaml").write_text("give: [{text: x}, {picture: a zebra}]")
    done = run_command("answers", "add", "--url", mock.url, "--account", api_key, str(folder))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("runware-mock: zebra.yaml: give[1].picture: 'a zebra' is not a colour, ")
    assert RunwareMock(mock.url, api_key).answers.list() == []


def test_a_picture_that_is_no_file_is_named_by_the_command_line(mock: RunningMock, api_key: str) -> None:
    add = ("answers", "add", "--url", mock.url, "--account", api_key, "imageInference", "picture=pets/dog.png")
    done = run_command(*add)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("runware-mock: picture: there is no file 'pets/dog.png' in /")


def test_a_thousand_rules_are_loaded_and_the_last_one_answers(tmp_path: Path, api_key: str) -> None:
    rules = [{"where": {"search": f"cat {n}"}, "give": {"fields": {"n": n}}} for n in range(1000)]
    (tmp_path / "cats.json").write_text(json.dumps(rules))
    with running_mock(answers=tmp_path) as mock, talking(mock, "rest", api_key) as talker:
        assert talker.ask(task("modelSearch", search="cat 999")).item["n"] == 999


def test_the_schema_describes_the_rules_that_are_taken(folder: Path) -> None:
    schema = validator_for(json.loads(run_command("answers", "schema").stdout))
    assert schema.is_valid(json.loads((folder / "account.json").read_text()))
    assert not schema.is_valid({"give": {"txet": "x"}})


def test_the_rules_of_a_folder_stay_when_the_clock_moves(folder: Path, api_key: str) -> None:
    with running_mock(answers=folder) as mock, talking(mock, "rest", api_key) as talker:
        RunwareMock(mock.url, api_key).clock.advance(timedelta(days=60))
        assert talker.ask(task("modelSearch")).item["n"] == 1
