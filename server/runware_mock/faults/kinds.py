"""The kinds of faults: one line each. A kind is one small class; its `kind` is its name in a plan."""

from typing import Annotated

from pydantic import Field, TypeAdapter

from runware_mock.faults import answers, connections

AnyFault = Annotated[
    answers.ErrorFault
    | answers.LatencyFault
    | answers.HttpFault
    | answers.RateLimitFault
    | answers.TruncateFault
    | answers.GarbleFault
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
    | answers.SourceFault,
    Field(discriminator="kind"),
]

FAULT: TypeAdapter[AnyFault] = TypeAdapter(AnyFault)
