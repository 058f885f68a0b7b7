"""Patterns that plans compare with the fields of a task: globs, exact values and regular expressions."""

import json
import logging
import re
from collections.abc import Callable, Mapping
from fnmatch import translate
from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import to_json

from runware_mock.protocol.messages import Task, head_of

_log = logging.getLogger(__name__)

Check = Callable[[object], bool]

_LONGEST_REGEX = 1000
# A regular expression may take exponentially long.
_REGEX_LIMIT_S = 0.1
# To limit the time of a search takes ten times as long as most searches: the library asks the system for its CPU time.
# So a search has no limit if it surely ends within it: it tries at most so many ways to fit the text.
_QUICK_WAYS = 10_000_000
_FLAGS = re.compile(r"\(\?[aimsu]+\)")
_ESCAPED = re.compile(r"\\[AbBdDnrsStwWZ\W]")
_REPEAT = re.compile(r"[*+?{]")
# Groups that are repeated, special groups, references, and what only this library has, such as fuzzy matches.
_MAY_TAKE_LONG = re.compile(r"\)[*+?{]|\(\?|\\|\{(?!\d*,?\d*\})")
_MOST_PATHS = 20
_PATH = re.compile(r"[^.\[\]]+(\[\d{1,6}\])*(\.[^.\[\]]+(\[\d{1,6}\])*)*")


def check_of(pattern: object) -> Check:
    """Return the function that tells whether a value fits; raises ValueError.

    A string is a glob: `*` stands for any text, `?` for any character. `{"exact": value}` and `{"regex": text}` are
    what they say. Any other value fits its equal, and null a field that is missing.
    """
    if isinstance(pattern, Mapping) and len(pattern) == 1:
        match pattern:
            case {"exact": value}:
                return lambda given: _is_same(given, value)
            case {"regex": str(text)}:
                return _regex(text)
    return _glob(pattern) if isinstance(pattern, str) else lambda given: _is_same(given, pattern)


def _glob(pattern: str) -> Check:
    if pattern == "*":
        return lambda given: given is not None
    if "?" in pattern:
        compiled = re.compile(translate(pattern.replace("[", "[[]")))
        return lambda given: isinstance(given, str) and compiled.match(given) is not None
    if "*" not in pattern:
        return lambda given: given == pattern
    # Several times as fast as a regular expression, for accounts with a thousand rules.
    start, *inner, end = pattern.split("*")
    if not start and not end and len(inner) == 1:
        (part,) = inner
        return lambda given: isinstance(given, str) and part in given

    def fits(given: object) -> bool:
        if not isinstance(given, str) or not given.startswith(start):
            return False
        at = len(start)
        for part in inner:
            found = given.find(part, at)
            if found < 0:
                return False
            at = found + len(part)
        return given.endswith(end) and len(given) - len(end) >= at

    return fits


def _regex(text: str) -> Check:
    # Takes 0.1 s, which only somebody with such a pattern has to wait for.
    import regex

    if len(text) > _LONGEST_REGEX:
        raise ValueError(f"a regular expression has at most {_LONGEST_REGEX} characters")
    try:
        compiled = regex.compile(text)
    except (regex.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{head_of(text)} is not a regular expression: {error}") from None

    search, quick_chars = compiled.search, _quick_chars(text)

    def fits(given: object) -> bool:
        if not isinstance(given, str):
            return False
        if len(given) <= quick_chars:
            return search(given) is not None
        try:
            return search(given, timeout=_REGEX_LIMIT_S) is not None
        except TimeoutError:
            _log.warning(
                "the regular expression %s took longer than %g s, so it matches nothing", head_of(text), _REGEX_LIMIT_S
            )
            return False

    return fits


def _quick_chars(regex: str) -> int:
    """Return how long a text may be for a search to end soon, whatever the text is.

    A match begins at any character, each repeat ends at any, and each alternative costs as much as four of those ways.
    """
    plain = _ESCAPED.sub("_", _FLAGS.sub("", regex, count=1))
    if _MAY_TAKE_LONG.search(plain):
        return 0
    return int((_QUICK_WAYS / 4 ** plain.count("|")) ** (1 / (1 + len(_REPEAT.findall(plain)))))


def _is_same(given: object, wanted: object) -> bool:
    """Tell whether two JSON values are the same; in Python, true is 1."""
    return given == wanted and isinstance(given, bool) is isinstance(wanted, bool)


def value_at(task: object, steps: tuple[str | int, ...]) -> object:
    """Return what stands at a path of a task, or None."""
    for step in steps:
        if isinstance(step, str) and isinstance(task, Mapping):
            task = task.get(step)
        elif isinstance(step, int) and isinstance(task, list) and step < len(task):
            task = task[step]
        else:
            return None
    return task


def steps_of(path: str) -> tuple[str | int, ...]:
    """Return the steps of a path such as `inputs.referenceImages[0]`."""
    return tuple(int(index) if index else name for index, name in re.findall(r"\[(\d+)\]|([^.\[\]]+)", path))


def prompt_of(task: Task) -> str | None:
    """Return the prompt of a task: `positivePrompt`, `prompt`, or the text of its last message."""
    messages = task.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    content = last.get("content") if isinstance(last, Mapping) else last
    found = (task.get("positivePrompt"), task.get("prompt"), content)
    return next((text for text in found if isinstance(text, str)), None)


def storable(value: Any) -> Any:
    """Return a value that can be written as JSON; raises ValueError for any other, which a body of JSON may bring."""
    try:
        json.dumps(value, allow_nan=False)
        to_json(value)
    except (ValueError, RecursionError):
        raise ValueError(
            "this cannot be kept as JSON: it is nested too deeply, or has half of a surrogate pair, NaN or Infinity"
        ) from None
    return value


def _checked(pattern: object) -> object:
    check_of(pattern)
    return pattern


def _is_text(pattern: object) -> object:
    match pattern:
        case str() | None:
            return pattern
        case {"exact": str()} | {"regex": str()} if isinstance(pattern, Mapping) and len(pattern) == 1:
            return _checked(pattern)
    raise ValueError('write a text, in which * and ? are wildcards, or {"regex": "..."}, or {"exact": "..."}')


def _are_paths(patterns: dict[str, Any]) -> dict[str, Any]:
    for path, pattern in patterns.items():
        if not _PATH.fullmatch(path):
            raise ValueError(f"{path[:60]!r} is not the path of a field, such as width or inputs.referenceImages[0]")
        try:
            _checked(pattern)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
    return patterns


_TEXT_SCHEMA: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "object"}, {"type": "null"}]}
TextPattern = Annotated[Any, AfterValidator(storable), AfterValidator(_is_text), WithJsonSchema(_TEXT_SCHEMA)]
FieldPatterns = Annotated[
    dict[str, Any], Field(max_length=_MOST_PATHS), AfterValidator(storable), AfterValidator(_are_paths)
]
