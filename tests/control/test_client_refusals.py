"""What the Python client refuses by itself: values that JSON cannot express, and pictures that are not there."""

import re
from typing import Any

import pytest

from runware_mock import ControlError
from runware_mock.testing import RunwareMock
from tests.running import RunningMock

ENDLESS: dict[str, object] = {}
ENDLESS["a"] = ENDLESS


@pytest.mark.parametrize(
    ("asked", "given", "field"),
    [
        ({"prompt": re.compile(b"x", re.IGNORECASE)}, {"text": "x"}, "prompt"),
        ({"model": re.compile(b"x")}, {"text": "x"}, "model"),
        ({"where": {"a": re.compile(b"x")}}, {"text": "x"}, "where.a"),
        ({"where": {"a": object()}}, {"text": "x"}, "where.a"),
        ({"where": {b"a": 1}}, {"text": "x"}, "where"),
        ({"where": ENDLESS}, {"text": "x"}, "where"),
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
