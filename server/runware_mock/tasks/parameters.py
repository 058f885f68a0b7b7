"""The parameters of a task, read one by one: each is checked where it is read, in the service's own words."""

import re
from collections.abc import Collection

from runware_mock.protocol.embedded import Embedded
from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.protocol.messages import Task, head_of, kind_of

_LONGEST_FILE = 2**31
MODEL = re.compile(r"[\w.-]+:[\w.-]+@[\w.-]+")
URL = re.compile(r"https?://[^/\s]+\S*", re.IGNORECASE)


class Parameters:
    """Reads a task's parameters; `page` is the page of the documentation that describes them.

    Every method raises missing<Parameter> or invalid<Parameter>.
    """

    def __init__(self, task: Task, page: str) -> None:
        self.task = task
        self.page = page

    def integer(
        self, name: str, low: int, high: int, *, multiple: int = 1, default: int | None = None, noun: str = ""
    ) -> int:
        """Return a whole number; without a default it is required."""
        value = self._given(name, default, "integer")
        if type(value) is not int or not low <= value <= high or value % multiple:
            raise self.invalid(
                name,
                f"{noun or f'The {name}'} must be an integer value between {low} and {high}, "
                f"in multiples of '{multiple}'.",
                "integer",
                min=low,
                max=high,
                multiplier=multiple,
            )
        return value

    def number(self, name: str, low: float, high: float, default: float) -> float:
        """Return a number."""
        value = self._given(name, default, "number")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            sentence = f"The {name} must be a number between {low:g} and {high:g}."
            raise self.invalid(name, sentence, "number", min=low, max=high)
        return float(value)

    def text(self, name: str, low: int, high: int, default: str | None = None) -> str:
        """Return a text of so many characters; without a default it is required."""
        value = self._given(name, default, "string")
        if not isinstance(value, str) or not (low <= len(value) <= high or value == default):
            sentence = f"The {name} must be a string of {low} to {high} characters."
            raise self.invalid(name, sentence, "string", min=low, max=high)
        return value

    def file(self, name: str) -> str | Embedded:
        """Return a text that stands for a file: its base64, or where it is."""
        value = self.task.get(name)
        return value if isinstance(value, Embedded) else self.text(name, 1, _LONGEST_FILE)

    def flag(self, name: str) -> bool:
        """Return a boolean, false where it is not given."""
        value = self._given(name, default=False, kind="boolean")
        if not isinstance(value, bool):
            raise self.invalid(name, f"The {name} must be a boolean; this is {kind_of(value)}.", "boolean")
        return value

    def choice(self, name: str, allowed: Collection[str], default: str | None = None) -> str:
        """Return the one of the allowed words that was given, in whatever case."""
        value = self._given(name, default, "string")
        found = [word for word in allowed if isinstance(value, str) and word.lower() == value.lower()]
        if not found:
            sentence = f"It must be one of: {', '.join(allowed)}. The value is {head_of(value)}."
            raise self.invalid(name, sentence, "string", allowedValues=list(allowed))
        return found[0]

    def model(self) -> str:
        """Return the model, whose existence is not checked, only its form: `source:id@version`."""
        value = self._given("model", None, "string")
        if not isinstance(value, str) or not MODEL.fullmatch(value):
            sentence = f"It must be an AIR identifier such as 'runware:101@1'. The value is {head_of(value)}."
            raise self.invalid("model", sentence, "string")
        return value

    def url(self, name: str) -> str | None:
        """Return a URL, or None where none is given."""
        value = self.task.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or not URL.fullmatch(value):
            raise self.invalid(name, f"It must be an http or https URL. The value is {head_of(value)}.", "string")
        return value

    def missing(self, name: str, kind: str) -> Refusal:
        """Return the refusal of a task that lacks a parameter."""
        return refuse("missingParameter", parameter=name, kind=kind, page=self.page)

    def _given(self, name: str, default: object, kind: str) -> object:
        value = self.task.get(name)
        if value is not None:
            return value
        if default is None:
            raise self.missing(name, kind)
        return default

    def invalid(self, name: str, sentence: str, kind: str, **limits: object) -> Refusal:
        """Return the refusal of a parameter's value."""
        return refuse("invalidParameter", sentence, parameter=name, kind=kind, page=self.page, **limits)
