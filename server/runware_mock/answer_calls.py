"""The client's calls for scripted answers.

mock.answers.on("imageInference", prompt="*cat*").give(picture="cat.png")
"""

import re
from collections.abc import Mapping
from typing import Any

from runware_mock.answer_models import Rules, RuleState
from runware_mock.connection import ControlError, Listing, Wire, named
from runware_mock.rule_files import sent_picture


class AnswerCalls:
    """`control.answers`: rules that say what tasks are answered with."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def on(
        self,
        task_type: str | None = None,
        *,
        prompt: str | re.Pattern[str] | Mapping[str, str] | None = None,
        model: str | re.Pattern[str] | Mapping[str, str] | None = None,
        where: Mapping[str, Any] | None = None,
        task_uuid: str | None = None,
        nth: int | None = None,
        transport: str | None = None,
        name: str | None = None,
        must_be_used: bool = False,
    ) -> "Script":
        """Begin a rule for the tasks that match everything given; `.give()` makes it.

        In `prompt`, `model` and the values of `where`, `*` and `?` are wildcards; a compiled regular expression is
        found anywhere; `{"exact": text}` has no wildcards. `where` maps paths such as `inputs.seedImage` to these or to
        JSON values. `nth` counts the matching tasks from 1.
        """
        asked = {
            "task_type": task_type,
            "prompt": _pattern(prompt, "prompt"),
            "model": _pattern(model, "model"),
            "where": {path: _pattern(value, f"where.{path}") for path, value in (where or {}).items()},
            "task_uuid": task_uuid,
            "nth": nth,
            "transport": transport,
            "name": name,
            "must_be_used": must_be_used,
        }
        return Script(self, {field: value for field, value in asked.items() if value is not None})

    def add(self, rule: Mapping[str, Any]) -> RuleState:
        """Add a rule in the form of the API's JSON."""
        return self._wire.post(RuleState, "answers", rule)

    def list(self) -> Listing[RuleState]:
        """List the rules, in the order in which they are tried."""
        page = self._wire.get(Rules, "answers")
        return Listing(page.rules, page)

    def get(self, name: str) -> RuleState:
        """Return one rule."""
        return self._wire.get(RuleState, named("answers", name))

    def delete(self, name: str | None = None) -> int:
        """Delete one rule or, without a name, all of them; return how many were deleted."""
        return self._wire.delete("answers" if name is None else named("answers", name))


class Script:
    """A rule that lacks its answers."""

    def __init__(self, calls: AnswerCalls, asked: Mapping[str, Any]) -> None:
        self._calls = calls
        self._asked = asked

    def give(self, *answers: Mapping[str, Any], **answer: Any) -> RuleState:
        """Make the rule: `give(picture="cat.png")`, or answers in turn: `give({"error": "..."}, {"text": "..."})`.

        An answer has a `picture` (a file, bytes, a PIL image, the UUID of a stored medium, or a colour), a `text`,
        `fields` to merge into the answer, or an `error` (a code, or `{code, parameter, message}`). It is given once, or
        `times` times; the last one is given every time unless it has `times`. Raises ControlError.
        """
        steps = [*answers, answer] if answer else list(answers)
        return self._calls.add({**self._asked, "give": [_written(step, index) for index, step in enumerate(steps)]})


def _pattern(value: Any, field: str) -> Any:
    if not isinstance(value, re.Pattern):
        return value
    if isinstance(value.pattern, bytes):
        raise ControlError(f"a regular expression for texts is needed, not for bytes: {value.pattern!r}", field)
    flags = "".join(letter for letter in "imsx" if value.flags & getattr(re, letter.upper()))
    return {"regex": f"(?{flags}){value.pattern}" if flags else value.pattern}


def _written(step: Any, index: int) -> dict[str, Any]:
    """Return an answer as JSON has it."""
    if not isinstance(step, Mapping):
        raise ControlError("an answer is a mapping such as {'picture': 'cat.png'}", f"give[{index}]")
    rest = {name: value for name, value in step.items() if name != "picture"}
    if step.get("picture") is None:
        return rest
    try:
        return {**rest, "picture": sent_picture(step["picture"])}
    except OSError as error:
        raise ControlError(str(error), f"give[{index}].picture") from None
