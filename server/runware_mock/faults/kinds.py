"""The kinds of faults: one line each. A kind is one small class; its `kind` is its name in a plan."""

from typing import Annotated, get_args

from pydantic import Field, TypeAdapter

from runware_mock.faults.answers import (
    Duplicate,
    Error,
    Garble,
    Http,
    Latency,
    RateLimit,
    Reorder,
    Split,
    Truncate,
)
from runware_mock.faults.connections import (
    Close,
    DelayAuthentication,
    Drop,
    Empty,
    NoPong,
    RefuseAuthentication,
    RefuseUpgrade,
    Reset,
    Silent,
)
from runware_mock.faults.media import Late, Source, Vanish

AnyFault = Annotated[
    Error
    | Latency
    | Http
    | RateLimit
    | Reset
    | Empty
    | Truncate
    | Garble
    | RefuseUpgrade
    | DelayAuthentication
    | RefuseAuthentication
    | NoPong
    | Silent
    | Close
    | Drop
    | Duplicate
    | Reorder
    | Split
    | Vanish
    | Late
    | Source,
    Field(discriminator="kind"),
]

FAULT: TypeAdapter[AnyFault] = TypeAdapter(AnyFault)
KINDS = tuple(get_args(one.model_fields["kind"].annotation)[0] for one in get_args(get_args(AnyFault)[0]))
