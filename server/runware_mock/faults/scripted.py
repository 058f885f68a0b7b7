"""Scripted answers: what a task is answered with instead of, or beside, what its stand-in makes."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from msgspec import Struct
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from runware_mock.faults.answers import PlannedError
from runware_mock.faults.base import Fault, Point, Transport
from runware_mock.faults.lifecycle import Lifecycle
from runware_mock.faults.patterns import storable
from runware_mock.protocol.errors import Refusal
from runware_mock.protocol.messages import Item

# Tasks that ask about another one: a rule for tasks of any type does not mean them.
_ABOUT_ANOTHER = ("getResponse", "getTaskDetails")
_NAMES_OF_A_TASK = ("taskType", "taskUUID")
_LONGEST_TEXT = 1_000_000


class Given(Struct, frozen=True):
    """What a rule gives to one task; `picture` is an encoded picture or another medium."""

    picture: bytes | None = None
    text: str | None = None
    fields: Mapping[str, object] = {}

    def merged(self, items: list[Item]) -> list[Item]:
        """Return the items of an answer with the text and the fields in them."""
        text = {} if self.text is None else {"text": self.text}
        return [_patched({**item, **(text if "text" in item else {})}, self.fields) for item in items]


class Scripted(BaseModel):
    """One answer of a rule."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    picture: str | None = Field(
        None,
        min_length=1,
        examples=["orange"],
        description="A data URI or base64, the UUID of a stored medium, or a colour such as #ff8800.",
    )
    text: str | None = Field(
        None, max_length=_LONGEST_TEXT, description="The text of a caption, a prompt or an answer."
    )
    fields: Annotated[dict[str, Any], AfterValidator(storable)] = Field(
        default_factory=dict,
        max_length=100,
        description="Fields to merge into each item of the answer; null removes one.",
    )
    error: Annotated[
        PlannedError | None,
        BeforeValidator(
            lambda given: {"code": given} if isinstance(given, str) else given,
            json_schema_input_type=PlannedError | str | None,
        ),
    ] = Field(None, description="An error instead: `{code, parameter, message}`, or its code alone.")

    lifecycle: Lifecycle = Field(
        default_factory=list, description="Stages of an asynchronous task before it is answered so."
    )

    @field_validator("fields")
    @classmethod
    def _leave_the_names(cls, fields: dict[str, Any]) -> dict[str, Any]:
        for name in _NAMES_OF_A_TASK:
            if name in fields:
                raise ValueError(f"{name} identifies the task: an answer cannot change it")
        return fields

    @model_validator(mode="after")
    def _gives_one_thing(self) -> Self:
        if self.model_fields_set.isdisjoint(Scripted.model_fields):
            raise ValueError(f"an answer gives at least one of {', '.join(Scripted.model_fields)}")
        if self.error is not None and (self.picture, self.text, self.fields) != (None, None, {}):
            raise ValueError("an error is the whole answer: leave out picture, text and fields")
        if self.error is not None and any(one.results for one in self.lifecycle):
            raise ValueError("an error has no results: leave out the results of its lifecycle")
        return self


class AnswerFault(Scripted, Fault):
    """The task is answered as a rule says, with a picture, a text, fields or an error: see docs/answers.md."""

    kind: Literal["answer"]
    is_only_one: ClassVar[bool] = True

    def concerns(self, point: Point, transport: Transport, task_type: str | None) -> bool:
        """Leave alone the tasks that ask about another one, unless they are named."""
        is_meant = self.task_type is not None or task_type not in _ABOUT_ANOTHER
        return is_meant and super().concerns(point, transport, task_type)

    def refusal(self, _task: Mapping[str, object]) -> Refusal | None:
        """Return the error, if that is the answer."""
        return None if self.error is None else self.error.refused()


def _patched(value: Mapping[str, object], patch: Mapping[str, object]) -> dict[str, object]:
    """Merge as RFC 7396 says: objects are merged, null removes, anything else replaces."""
    merged = dict(value)
    for name, new in patch.items():
        old = merged.pop(name, None)
        if isinstance(new, Mapping):
            merged[name] = _patched(old if isinstance(old, Mapping) else {}, new)
        elif new is not None:
            merged[name] = new
    return merged
