"""What the Python client refuses: values that JSON cannot express, pictures that are not there, an empty key."""

import re
from pathlib import Path
from typing import Any

import pytest

from runware_mock import ControlError
from runware_mock.client import ControlClient
from runware_mock.testing import RunwareMock
from tests.running import RunningMock

ENDLESS: dict[str, object] = {}
ENDLESS["a"] = ENDLESS
DEEP: list[object] = []
for _ in range(100_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("asked", "given", "field"),
    [
        ({"prompt": re.compile(b"x", re.IGNORECASE)}, {"text": "x"}, "prompt"),
        ({"model": re.compile(b"x")}, {"text": "x"}, "model"),
        ({"where": {"a": re.compile(b"x")}}, {"text": "x"}, "where.a"),
        ({"where": {"a": object()}}, {"text": "x"}, "where.a"),
        ({"where": {b"a": 1}}, {"text": "x"}, "where"),
        ({"where": ENDLESS}, {"text": "x"}, "where.a"),
        ({}, {"fields": {"a": DEEP}}, "give[0].fields.a" + "[0]" * 16),
        ({}, {"fields": {"good": 1, "list": [1, {2}]}}, "give[0].fields.list[1]"),
        ({}, {"picture": object()}, "give[0].picture"),
    ],
)
def test_what_json_cannot_express_is_refused_by_its_field(
    mock: RunningMock, api_key: str, asked: dict[str, Any], given: dict[str, Any], field: str
) -> None:
    answers = RunwareMock(mock.url, api_key).answers
    with pytest.raises(ControlError, match=r"not for bytes|not JSON") as caught:
        answers.on("imageInference", **asked).give(**given)
    assert (caught.value.code, caught.value.field) == ("badField", field)


@pytest.mark.parametrize("picture", ["pets/dog.png", Path("pets/dog.png"), "./dogs", "~/dog.png"])
def test_a_picture_that_is_no_file_is_named_with_the_folder(
    mock: RunningMock, api_key: str, picture: str | Path
) -> None:
    with pytest.raises(ControlError) as caught:
        RunwareMock(mock.url, api_key).answers.on("imageInference").give({"text": "x"}, {"picture": picture})
    assert caught.value.field == "give[1].picture"
    assert caught.value.message == f"there is no file {str(picture)!r} in {Path.cwd()}"


def test_a_file_at_an_absolute_path_and_a_folder_are_named_alone(
    mock: RunningMock, api_key: str, tmp_path: Path
) -> None:
    script = RunwareMock(mock.url, api_key).answers.on("imageInference")
    missing = str(tmp_path / "dog.png")
    with pytest.raises(ControlError, match=r"there is no file '[^']*dog\.png'$"):
        script.give(picture=missing)
    with pytest.raises(ControlError, match=r"cannot be read: Is a directory$"):
        script.give(picture=tmp_path)


def test_an_empty_key_does_not_stand_for_all_accounts(mock: RunningMock) -> None:
    with pytest.raises(ControlError, match=r"leave it out to act on all accounts"):
        ControlClient(mock.url, "").faults.list()
