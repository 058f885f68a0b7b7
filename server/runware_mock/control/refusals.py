"""The one way in which a control call fails."""

from dataclasses import dataclass
from typing import Literal

Code = Literal["badField", "notFound", "forbidden", "conflict", "timeout", "unavailable"]


@dataclass(eq=False)
class ControlRefused(Exception):
    """Why nothing was done; `field` is the dotted path of what has to be mended, such as `faults[0].kind`."""

    message: str
    field: str | None = None
    code: Code = "badField"
    status: int = 400


def not_found(what: str, field: str | None = None) -> ControlRefused:
    """Return the refusal of what is not there."""
    return ControlRefused(what, field, "notFound", 404)


def conflict(what: str, field: str | None = None) -> ControlRefused:
    """Return the refusal of what is there already."""
    return ControlRefused(what, field, "conflict", 409)
