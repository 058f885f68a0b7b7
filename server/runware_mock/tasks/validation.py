"""Validate a task as it was sent, and turn pydantic's errors into Runware's own words."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from itertools import islice
from typing import Any, ClassVar, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, PrivateAttr, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.protocol.messages import Task, head_of, kind_of

# A task may have a million unknown parameters, so report only the first few; no known name is longer.
_MOST_TOLD, _NAME_CHARS = 20, 64


@dataclass(eq=False)
class Missing(ValueError):
    """Raised in a validator: this task needs a parameter that others may leave out."""

    parameter: str
    kind: str


class Invalid(ValueError):
    """Raised in a validator: a value breaks a rule that no field can declare; `limits` become fields of the error.

    A validator of a whole model names the `parameter`.
    """

    def __init__(
        self, sentence: str, limits: Mapping[str, object] | None = None, *, parameter: str | None = None
    ) -> None:
        super().__init__(sentence)
        self.limits = limits or {}
        self.parameter = parameter


class AnyCase:
    """Annotates a Literal whose words are accepted in any case."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Change the word to its documented case before it is compared."""
        words = {word.lower(): word for word in get_args(source)}

        def in_documented_case(value: object) -> object:
            return words.get(value.lower(), value) if isinstance(value, str) else value

        return core_schema.no_info_before_validator_function(in_documented_case, handler(source))


class TaskModel(BaseModel):
    """The parameters of one task type; `page` is the page of Runware's documentation that describes them.

    Other parameters are ignored: the real service takes those of dozens of models.
    """

    model_config = ConfigDict(
        strict=True, defer_build=True, frozen=True, alias_generator=to_camel, serialize_by_alias=True
    )
    page: ClassVar[str]

    _sent: Task = PrivateAttr(default_factory=dict)

    @property
    def sent(self) -> Task:
        """The task as the client sent it."""
        return self._sent

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, sent: Any) -> Any:
        """Treat null as a missing parameter."""
        return {name: value for name, value in sent.items() if value is not None}

    @classmethod
    def missing(cls, parameter: str, kind: str, sent: Task) -> Refusal:
        """Return the refusal of a task that lacks a parameter or misspells it."""
        hint = misspelled(parameter, (name for name in sent if name not in properties(cls)))
        return refuse("missingParameter", hint, parameter=parameter, kind=kind, page=cls.page)

    @classmethod
    def invalid(cls, parameter: str, sentence: str, kind: str, **limits: object) -> Refusal:
        """Return the refusal of a parameter's value."""
        return refuse("invalidParameter", sentence, parameter=parameter, kind=kind, page=cls.page, **limits)


M = TypeVar("M", bound=TaskModel)


class TaskSchema(GenerateJsonSchema):
    """Omits null, which is the same as a missing parameter, and titles, which would repeat the names."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Return the schema of the values other than null."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Return the schema without a default of null."""
        found = super().default_schema(schema)
        return {name: value for name, value in found.items() if name != "default" or value is not None}

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - an override
        """Return False: the title would be the name, capitalised."""
        return False


def read(model: type[M], sent: Task, *, is_strict: bool = False) -> M:
    """Return the task's parameters; raises the refusal of the first wrong one."""
    try:
        task = model.model_validate(sent, context={"is_strict": is_strict})
    except ValidationError as error:
        raise refusal_of(error, model, sent) from None
    task._sent = sent  # noqa: SLF001 - a model of ours
    return task


def refusal_of(error: ValidationError, model: type[TaskModel], sent: Task) -> Refusal:
    """Return the real service's refusal for the first error."""
    first = error.errors(include_url=False)[0]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, Missing):
        return model.missing(cause.parameter, cause.kind, sent)
    name = cause.parameter if isinstance(cause, Invalid) and cause.parameter else str(first["loc"][0])
    schema = properties(model)[name]
    kind = str(schema.get("type", "string"))
    if first["type"] == "missing":
        return model.missing(name, kind, sent)
    if isinstance(cause, Invalid):
        return model.invalid(name, str(cause), kind, **cause.limits)
    sentence, limits = _rule_of(name, schema, first["input"])
    return model.invalid(name, sentence, kind, **limits)


def misspelled(parameter: str, names: Iterable[str]) -> str:
    """Return a hint if one of these names is probably a misspelling of the parameter, or an empty string."""
    found = (name for name in islice(names, _MOST_TOLD) if len(name) <= _NAME_CHARS)
    spelled = {name.lower().replace("_", "").replace("-", ""): name for name in found}
    near = get_close_matches(parameter.lower(), spelled, 1)
    return f"The task has '{spelled[near[0]]}' instead; did you mean '{parameter}'?" if near else ""


def unknown_parameters(model: type[TaskModel], sent: Task, known: Collection[str]) -> list[str]:
    """Return a sentence about each parameter that is in neither the model nor `known`."""
    names = {*properties(model), *known}
    sentences = []
    for name in sorted(sent.keys() - names)[:_MOST_TOLD]:
        near = get_close_matches(name, names, 1)
        meant = f"; did you mean {near[0]}?" if near else "."
        sentences.append(f"runware-mock knows no parameter {name[:64]!r} of this task{meant}")
    return sentences


@cache
def properties(model: type[TaskModel]) -> Mapping[str, Mapping[str, Any]]:
    """Return the JSON schema of each parameter, by name."""
    found: Mapping[str, Mapping[str, Any]] = model.model_json_schema(schema_generator=TaskSchema)["properties"]
    return found


def integer_rule(noun: str, low: int, high: int, multiple: int = 1) -> tuple[str, dict[str, object]]:
    """Return the sentence about a whole number, as seen live, and the error's fields with its limits."""
    sentence = f"{noun} must be an integer value between {low} and {high}, in multiples of '{multiple}'."
    return sentence, {"min": low, "max": high, "multiplier": multiple}


def text_rule(name: str, low: int, high: int) -> tuple[str, dict[str, object]]:
    """Return the sentence about the length of a text, and the error's fields with its limits."""
    return f"The {name} must be a string of {low} to {high} characters.", {"min": low, "max": high}


def _rule_of(name: str, schema: Mapping[str, Any], value: object) -> tuple[str, dict[str, object]]:
    """Return the sentence that says what a parameter may be, and the error's fields with its limits."""
    # A parameter that may be one word or a list of words has two schemas; the first says it all.
    schema = schema.get("anyOf", [schema])[0]
    words = schema.get("enum") or ([schema["const"]] if "const" in schema else [])
    low, high = schema.get("minimum"), schema.get("maximum")
    if words:
        return f"It must be one of: {', '.join(words)}. The value is {head_of(value)}.", {"allowedValues": words}
    match schema.get("type"):
        case "integer" if low is not None and high is not None:
            return integer_rule(f"The {name}", low, high, schema.get("multipleOf", 1))
        case "number":
            return f"The {name} must be a number between {low:g} and {high:g}.", {"min": low, "max": high}
        case "string" if "pattern" in schema:
            return f"It must be {schema['description']}. The value is {head_of(value)}.", {}
        case "string" if "maxLength" in schema:
            return text_rule(name, schema.get("minLength", 0), schema["maxLength"])
        case kind:
            article = "an" if str(kind).startswith(("a", "i", "o")) else "a"
            return f"The {name} must be {article} {kind}; this is {kind_of(value)}.", {}
