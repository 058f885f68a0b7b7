"""Make plans and look at them."""

from typing import Any

from tests.control.calling import Calls


def plan(control: Calls, *faults: dict[str, Any], **fields: Any) -> str:
    """Make a plan; return its name."""
    state = control.post("/faults", faults=list(faults), **fields)
    assert state["warnings"] == []
    return str(state["name"])


def met(control: Calls, name: str) -> list[int]:
    """Return how often each fault of a plan was met."""
    return [fault["met"] for fault in control.get(f"/faults/{name}")["faults"]]


def is_met(control: Calls, name: str) -> bool:
    """Tell whether nothing of a plan is left over."""
    return bool(control.get(f"/faults/{name}")["is_met"])
