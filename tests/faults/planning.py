"""Make plans and look at them."""

from contextlib import suppress
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed

from tests.control.calling import Calls
from tests.running import RunningMock
from tests.talking import WsTalker, talking

FAILURES = (httpx.TransportError, ConnectionClosed, TimeoutError, ValueError, KeyError, AssertionError)


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


def send_and_forget(mock: RunningMock, transport: str, api_key: str, task: object) -> None:
    """Send a task whose answer may be late, broken or missing."""
    with suppress(*FAILURES), talking(mock, transport, api_key) as talker:
        if isinstance(talker, WsTalker):
            talker.socket.close_timeout = 0.1
            talker.socket.send(f"[{_json(task)}]")
            talker.socket.recv(0.5)
        else:
            talker.ask(task)


def _json(task: object) -> str:
    return httpx.Request("POST", "http://x", json=task).content.decode()
