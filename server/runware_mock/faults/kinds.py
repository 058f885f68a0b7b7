"""The kinds of faults: one line each. A kind is one small class; its `kind` is its name in a plan."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, get_args

from pydantic import Field, TypeAdapter

from runware_mock.faults import answers, connections, scripted, transfers, webhooks
from runware_mock.faults.base import Fault
from runware_mock.values import write_duration

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


def own_fields(kind: str) -> dict[str, str]:
    """Return the fields that other kinds lack, each with its default as a plan writes it, or nothing."""
    defaults = {
        name: field.get_default(call_default_factory=True)
        for name, field in KINDS[kind].model_fields.items()
        if name not in {*Fault.model_fields, "kind"}
    }
    return {name: _written(value) if _is_shown(value) else "" for name, value in defaults.items()}


def common_fields() -> dict[str, str]:
    """Return the fields that every kind has, with what they mean."""
    return {name: field.description or "" for name, field in Fault.model_fields.items()}


def example(kind: str) -> str:
    """Return a fault of this kind as the command line takes it: with what it needs, and a number or duration."""
    fields = KINDS[kind].model_fields
    needed = {
        name: fields[name].examples for name in own_fields(kind) if fields[name].is_required() or fields[name].examples
    }
    given = {name: (examples or [1])[0] for name, examples in needed.items()}
    for name in own_fields(kind):
        if not given and type(value := fields[name].default) in (int, float, timedelta):
            given[name] = value
    return " ".join([kind, *(f"{name}={_written(value)}" for name, value in given.items())])


def _is_shown(value: Any) -> bool:
    return isinstance(value, (bool, int, float, str, timedelta)) and value is not False and value != ""


def _written(value: Any) -> str:
    return (
        write_duration(value) if isinstance(value, timedelta) else str(value).lower() if value is True else str(value)
    )
