"""What a fault can happen to: a task, or a step in the life of a connection."""

from dataclasses import dataclass
from typing import Literal

Point = Literal["task", "upgrade", "authentication", "ping"]
Transport = Literal["rest", "ws"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that may meet a planned fault.

    `plan` is the plan that the client has named; `fetches` tells whether the task needs a URL to be fetched.
    """

    point: Point
    transport: Transport
    task_type: str | None = None
    task_uuid: str | None = None
    plan: str | None = None
    fetches: bool = False
