"""The kinds of faults: one line each. A kind is one small class; its `kind` is its name in a plan."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

from pydantic import Field, TypeAdapter
from pydantic.fields import FieldInfo

from runware_mock.faults import answers, connections, scripted, transfers, webhooks
from runware_mock.faults.base import Fault, written

AnyFault = Annotated[
    answers.ErrorFault
    | answers.LatencyFault
    | answers.HttpFault
    | answers.RateLimitFault
    | answers.TruncateFault
    | answers.GarbleAnswerFault
    | answers.DuplicateFault
    | answers.ReorderFault
    | answers.SplitFault
    | connections.ResetFault
    | connections.EmptyFault
    | connections.RefuseUpgradeFault
    | connections.DelayAuthenticationFault
    | connections.RefuseAuthenticationFault
    | connections.NoPongFault
    | connections.SilentFault
    | connections.CloseFault
    | connections.DropFault
    | answers.VanishFault
    | answers.LateFault
    | answers.SourceFault
    | transfers.CutUploadFault
    | transfers.SlowUploadFault
    | transfers.CutAnswerFault
    | transfers.SlowAnswerFault
    | transfers.CutDownloadFault
    | transfers.SlowDownloadFault
    | transfers.DelayDownloadFault
    | transfers.RefuseDownloadFault
    | transfers.LoseDownloadFault
    | transfers.MislabelDownloadFault
    | transfers.GarbleDownloadFault
    | webhooks.LoseWebhookFault
    | webhooks.DuplicateWebhookFault
    | webhooks.DelayWebhookFault
    | webhooks.ReorderWebhookFault
    | webhooks.ErrorWebhookFault
    | scripted.AnswerFault,
    Field(discriminator="kind"),
]

FAULT: TypeAdapter[AnyFault] = TypeAdapter(AnyFault)
KINDS: Mapping[str, type[Fault]] = {
    get_args(kind.model_fields["kind"].annotation)[0]: kind for kind in get_args(get_args(AnyFault)[0])
}


def meaning(kind: str) -> str:
    """Return what happens, in one sentence."""
    return (KINDS[kind].__doc__ or "").splitlines()[0]


class DescribedField(NamedTuple):
    """What a reader is told about a field."""

    # "required", or its permitted values and its default, as far as there are any.
    note: str
    meaning: str


def own_fields(kind: str) -> dict[str, DescribedField]:
    """Return the fields that not every kind has, or not with this meaning."""
    return {name: _described(field) for name, field in KINDS[kind].own_fields().items()}


def common_fields() -> dict[str, DescribedField]:
    """Return the fields that every kind has."""
    return {name: _described(field) for name, field in Fault.model_fields.items()}


def example(kind: str) -> str:
    """Return a fault of this kind as the command line takes it."""
    given = KINDS[kind].example()
    return " ".join([given.pop("kind"), *(f"{name}={_text(value)}" for name, value in given.items())])


def _described(field: FieldInfo) -> DescribedField:
    note = default = _text(field.default)
    if choices := _choices(field.annotation):
        note = f"{', '.join(choices[:-1])} or {choices[-1]}{default and f'; default {default}'}"
    meaning = field.description or ""
    if len(known := field.examples or ()) > 1:
        meaning = f"{meaning.removesuffix('.')}: {', '.join(known)}."
    return DescribedField("required" if field.is_required() else note, meaning)


def _choices(annotation: Any) -> list[str]:
    """Return the permitted values of a field that has only some."""
    if get_origin(annotation) is Literal:
        return [str(value) for value in get_args(annotation)]
    return [value for part in get_args(annotation) for value in _choices(part)]


def _text(value: Any) -> str:
    """Write a value as the command line takes it; a default that says nothing is left out."""
    if isinstance(value, bool):
        return "true" if value else ""
    if isinstance(value, float):
        return f"{value:g}"
    return str(written(value)) if isinstance(value, (int, str, timedelta)) else ""
