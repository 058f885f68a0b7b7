"""What a task tells the runner before it runs, and what it returns."""

from collections.abc import Callable, Mapping
from enum import Enum, auto

from msgspec import Struct
from sqlalchemy import Connection

from runware_mock.protocol.messages import Item, Task

_LIGHT_CHARS = 16 * 1024


class Load(Enum):
    """What a task will mostly do, so that none waits behind a task of another kind."""

    LIGHT = auto()
    # Like LIGHT if files are kept in the database.
    STORING = auto()
    DECODING = auto()
    WAITING_FOR_NETWORK = auto()


def load_of_upload(task: Task) -> Load:
    """Return the load of an upload: whether it must be fetched, and whether it may be big."""
    value = task.get("image") or task.get("media")
    if not isinstance(value, str) or task.get("operation") == "delete":
        return Load.LIGHT
    if _is_url(value):
        return Load.WAITING_FOR_NETWORK
    return Load.STORING if len(value) <= _LIGHT_CHARS else Load.DECODING


def load_of_drawing(task: Task) -> Load:
    """Return the load of drawing: whether any image of the task must be fetched first."""
    values: list[object] = list(task.values())
    while values:
        value = values.pop()
        if isinstance(value, str) and _is_url(value):
            return Load.WAITING_FOR_NETWORK
        if isinstance(value, Mapping):
            values += value.values()
        elif isinstance(value, list):
            values += value
    return Load.DECODING


def _is_url(value: str) -> bool:
    return value[:16].lstrip().lower().startswith("http")


class Done(Struct, frozen=True):
    """What a task has written: the items of its answer, and the facts of an upload for the journal.

    `is_streamed` says that the items are texts to be sent as server-sent events.
    """

    items: list[Item]
    audit: Mapping[str, object] | None = None
    is_streamed: bool = False


# Writes the task's effect, in the transaction of its journal entry.
Commit = Callable[[Connection], Done]

# Items alone: the task has no effect and leaves no journal entry.
Work = Commit | list[Item]


class ContentGone(Exception):
    """Content that the task has found was purged before it could be referenced: run the task again."""
