"""Why a control call fails."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from runware_mock.protocol.redaction import without_real_keys

Code = Literal["badField", "notFound", "forbidden", "conflict", "timeout", "crash", "unavailable"]


@dataclass(eq=False)
class ControlRefused(Exception):
    """Why nothing was done; `field` is the dotted path of what has to be mended, such as `faults[0].kind`."""

    message: str
    field: str | None = None
    code: Code = "badField"
    status: int = 400

    def __post_init__(self) -> None:
        """Mask keys: a path that is not known may be anything."""
        self.message = without_real_keys(self.message)


def not_found(what: str, field: str | None = None) -> ControlRefused:
    """Return the refusal of what is not there."""
    return ControlRefused(what, field, "notFound", 404)


def conflict(what: str, field: str | None = None) -> ControlRefused:
    """Return the refusal of what is there already."""
    return ControlRefused(what, field, "conflict", 409)


def dotted(location: Sequence[str | int]) -> str:
    """Write the location of a pydantic error as a path: `("faults", 0, "kind")` is `faults[0].kind`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.removeprefix(".")
