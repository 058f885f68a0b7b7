"""Why a task was refused: the rule, the documentation's own sentence, and a value that would be valid."""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any
from uuid import uuid4

from msgspec import Struct

from runware_mock import control_models as models
from runware_mock.settings import PICTURES
from runware_mock.tasks import TASKS

_HEAD_CHARS = 64
Nearest = Callable[[Mapping[str, Any], object], str | None]


class Rule(Struct, frozen=True):
    """What is asked for, the documentation's own sentence, and how to get there from a given value."""

    rule: str
    sentence: str
    nearest: Nearest = lambda _error, _value: None


def explanation(error: Mapping[str, Any], task: Mapping[str, Any]) -> models.Explanation | None:
    """Explain the error of a task; None where there is nothing to say beyond its message."""
    code = str(error.get("code", ""))
    row = next((row for pattern, row in _RULES.items() if re.fullmatch(pattern, code)), None)
    if row is None:
        return None
    value = _value_at(task, str(error.get("parameter") or ""))
    nearest = row.nearest(error, value)
    return models.Explanation(rule=row.rule, sentence=row.sentence, value_head=_head(value), nearest_valid=nearest)


def _value_at(task: object, path: str) -> object:
    """Return what stands at a path such as `inputs.referenceImages[0]`."""
    for part in re.findall(r"[^.\[\]]+", path):
        if isinstance(task, Mapping) and "head" not in task:
            task = task.get(part)
        elif isinstance(task, list) and part.isdecimal() and int(part) < len(task):
            task = task[int(part)]
        else:
            return None
    return task


def _head(value: object) -> str | None:
    if isinstance(value, Mapping):
        return str(value.get("head", value))[:_HEAD_CHARS]
    return None if value is None else str(value)[:_HEAD_CHARS]


def _new_uuid(_error: Mapping[str, Any], _value: object) -> str:
    return str(uuid4())


def _known_type(_error: Mapping[str, Any], value: object) -> str | None:
    return next(iter(get_close_matches(str(value), TASKS, 1)), None)


def _with_scheme(_error: Mapping[str, Any], value: object) -> str | None:
    """Guess what the string was meant to be."""
    text = _head(value) or ""
    if text.startswith("data:") and ";base64," not in text:
        return "data:image/png;base64,<the file in base64>"
    if "://" in text and not text.startswith("file:"):
        return "https://" + text.partition("://")[2]
    if re.match(r"(file:|/|\.{1,2}/|[A-Za-z]:\\)", text) or text.lower().endswith(PICTURES):
        return "the content of that file as data:image/<format>;base64,<data>: the service cannot see your disk"
    return "data:image/png;base64,<the file in base64>"


def _within(error: Mapping[str, Any], value: object) -> str | None:
    """Move a number into its range and onto its step."""
    low, high, step = error.get("min"), error.get("max"), error.get("multiplier") or 1
    if low is None or high is None:
        return None
    if error.get("type") not in ("integer", "number"):
        return f"{low} to {high} characters"
    try:
        number = float(str(value))
    except ValueError:
        number = float(low)
    number = min(max(number, low), high)
    return f"{min(round(number / step) * step, high):g}" if number == number else str(low)  # noqa: PLR0124 - not a number


_UNIQUE = (
    "When a task is sent to the API you must include a random UUID v4 string using the taskUUID parameter. The "
    "taskUUID must be unique for each task you send to the API."
)
_TASK_TYPE = "The type of task to be performed."
_KEPT = (
    "Images are deleted 30 days after last use. As long as you continue using them, we will continue saving them "
    "indefinitely."
)
_STRUCTURE = (
    "Our API always accepts an array of objects as input, where each object represents a specific task to be "
    "performed. The structure of the object varies depending on the type of the task."
)
_IMAGE = Rule(
    "An image is a URL, a data URI or base64; the image of another task may be the UUID of a stored one, too.",
    "The image can be specified in one of the following formats: a data URI string representing the image; a base64 "
    "encoded image without the data URI prefix; a URL pointing to the image. The image must be accessible publicly.",
    _with_scheme,
)
# The first pattern that is the whole of an error's code counts. The sentences are those of the image upload pages.
_RULES: Mapping[str, Rule | None] = {
    "invalidJson|invalidRequest": Rule("A request is a JSON array of tasks.", _STRUCTURE),
    # The documentation pages have no sentence about these.
    "missingApiKey|invalidApiKey": None,
    "conflictTaskUUID": Rule("A taskUUID names one task; after a failure it may be used again.", _UNIQUE, _new_uuid),
    "invalidTaskUUID": Rule("Every task has a taskUUID, a UUID of version 4.", _UNIQUE, _new_uuid),
    "invalidTaskType": Rule("taskType is one of the documented names, letter for letter.", _TASK_TYPE, _known_type),
    "unsupportedTaskType": Rule("The service has this task, the mock has not.", _TASK_TYPE),
    "failedToTransferImage": Rule(
        "A URL has to be reachable from the server; a UUID has to be stored for this API key and not expired.", _KEPT
    ),
    "mediaNotFound": Rule("A medium can be deleted once, with the API key that stored it, until it expires.", _KEPT),
    "taskNotFound": Rule("getResponse names the taskUUID of an earlier task of the same API key.", _UNIQUE),
    "missingImage|invalid(Image|Images|SeedImage|MaskImage|InputImages?|ReferenceImages|GuideImage|Media)": _IMAGE,
    "missing[A-Z].*": Rule("This parameter is required.", _STRUCTURE),
    "invalid[A-Z].*": Rule("The value has to be of the right type, and within its range.", _STRUCTURE, _within),
}
