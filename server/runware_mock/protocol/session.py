"""Tasks about the connection itself, which have no taskUUID: authentication and ping."""

from collections.abc import Iterable, Mapping

from runware_mock.protocol.messages import Reply

AUTHENTICATION = "authentication"

# "[{"taskType":"ping","ping":true}] → {"data":[{"taskType":"ping","pong":true}]}"
PONG = Reply(items=({"taskType": "ping", "pong": True},))


def is_ping(task: object) -> bool:
    """Tell whether a task is a ping."""
    return isinstance(task, dict) and task.get("taskType") == "ping"


def is_authentication(task: object) -> bool:
    """Tell whether a task is an authentication."""
    return isinstance(task, dict) and task.get("taskType") == AUTHENTICATION


def first_authentication(tasks: Iterable[object]) -> Mapping[str, object] | None:
    """Return the authentication among the tasks."""
    for task in tasks:
        if isinstance(task, dict) and task.get("taskType") == AUTHENTICATION:
            return task
    return None


def authenticated(session_uuid: str) -> Reply:
    """Return the answer to a good key; it has no taskUUID, for which an SDK would wait in vain."""
    return Reply(items=({"taskType": AUTHENTICATION, "connectionSessionUUID": session_uuid},))
