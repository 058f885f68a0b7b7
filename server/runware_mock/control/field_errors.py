"""What is wrong with a field of a document, in a sentence: pydantic's errors in the words of whoever wrote it."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel

from runware_mock.control.calls import ControlRefused, dotted, nearest
from runware_mock.faults.kinds import KINDS
from runware_mock.protocol.redaction import without_real_keys

_NAME_CHARS = 40
_OBJECT, _NUMBER, _WHOLE, _TRUTH, _UUID = "a JSON object", "a number", "a whole number", "true or false", "a UUID"
# What a value must be, by the type of pydantic's error. Others say it themselves: "String should have at least ...".
_MUST_BE = {
    "greater_than_equal": "at least {ge}",
    "greater_than": "more than {gt}",
    "less_than_equal": "at most {le}",
    "less_than": "less than {lt}",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "uuid_type": _UUID,
    "uuid_parsing": _UUID,
    "string_type": "a string",
    "literal_error": "{expected}",
    "list_type": "a JSON array",
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
}

Error = Mapping[str, Any]


def first_of(errors: Sequence[Error]) -> Error:
    """Return the error to report: of a field that is missing because its name is misspelt, the misspelt name."""
    first = errors[0]
    for other in errors if first["type"] == "missing" else ():
        is_beside = other["type"] == "extra_forbidden" and other["loc"][:-1] == first["loc"][:-1]
        if is_beside and get_close_matches(str(other["loc"][-1]), [str(first["loc"][-1])]):
            return other
    return first


def field_error(
    error: Error, root: type[BaseModel] | None = None, *, whole: str = "body", skipped: int = 0
) -> ControlRefused:
    """Return what is wrong with a field of a document that is read as `root`, or with the document, called `whole`.

    The first `skipped` parts of the location do not count.
    """
    models, path = _followed(root, error["loc"][skipped:])
    field = dotted(path)
    match error["type"]:
        case "union_tag_invalid" | "union_tag_not_found":
            return ControlRefused(_wrong_kind(error, f"{field}.kind"), f"{field}.kind")
        case "extra_forbidden":
            message = _unknown(str(path[-1]), models)
        case "missing":
            message = _missing(field, models)
        case _:
            message = _wrong_value(error, field)
    return ControlRefused(message, field or whole)


def _followed(root: type[BaseModel] | None, location: Sequence[int | str]) -> tuple[list[type[BaseModel]], list[Any]]:
    """Return the models that the last part of a location may belong to, and the location without kinds of faults."""
    models, inner, path = [], [root] if root else [], []
    for part in location:
        # After the kind of a fault come its fields, one of which may have the same name.
        if len(inner) > 1 and KINDS.get(str(part)) in inner:
            inner = [KINDS[str(part)]]
            continue
        path.append(part)
        if isinstance(part, str):
            models = inner
            inner = [found for one in models if part in one.model_fields for found in _models_in(one, part)]
    return models, path


def _models_in(model: type[BaseModel], name: str) -> list[type[BaseModel]]:
    found, waiting = [], [model.model_fields[name].annotation]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, type) and issubclass(one, BaseModel):
            found.append(one)
        waiting += get_args(one)
    return found


def _wrong_kind(error: Error, field: str) -> str:
    if error["type"] == "union_tag_not_found":
        return f"the field {field} is missing; `runware-mock faults kinds` lists the kinds"
    kind = _head(str(error["ctx"]["tag"]))
    return f"there is no fault kind {kind!r}; {nearest(kind, KINDS)}"


def _unknown(name: str, models: Sequence[type[BaseModel]]) -> str:
    known = [field for model in models for field in model.model_fields if field != "kind"]
    hint = f"; {nearest(name, known)}" if known else ""
    for kind, model in KINDS.items():
        if [model] == models:
            return f"a fault of the kind {kind} has no field {_head(name)!r}{hint}"
    return f"there is no field {_head(name)!r}{hint}"


def _missing(field: str, models: Sequence[type[BaseModel]]) -> str:
    kinds = [kind for kind, model in KINDS.items() if [model] == models]
    hint = "".join(f"; `runware-mock faults kinds {kind}` lists its fields" for kind in kinds)
    return f"the field {field} is missing{hint}"


def _wrong_value(error: Error, field: str) -> str:
    """Return the message of a validator of ours, or a sentence about the value."""
    message = str(error["msg"])
    if error["type"] == "value_error":
        return message.removeprefix("Value error, ")
    if error["type"] == "json_invalid":
        return f"this is not JSON: {error['ctx']['error']}"
    must_be = _MUST_BE.get(error["type"])
    if must_be is None:
        _, has_rule, rule = message.partition(" after validation")[0].partition(" should ")
        return f"{field or 'this'} must {rule}" if has_rule else message
    limits = {
        name: f"{value:.10g}" if isinstance(value, float) else value for name, value in error.get("ctx", {}).items()
    }
    given = error.get("input")
    if isinstance(given, str):
        given = _head(given)
    shown = f"; it is {given!r}" if type(given) in (str, int, float) else ""
    return f"{field or 'this'} must be {must_be.format_map(limits)}{shown}"


def _head(given: str) -> str:
    """Return the beginning of a text; half a key would not be known as one, so keys are masked first."""
    return without_real_keys(given)[:_NAME_CHARS]
