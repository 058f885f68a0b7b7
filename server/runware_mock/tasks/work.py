"""What a task tells the engine before it runs, and hands back when it has run."""

from collections.abc import Callable
from enum import Enum, auto

from sqlalchemy import Connection

from runware_mock.protocol.messages import Item


class Load(Enum):
    """What a task will mostly do, so that none waits behind one of another kind."""

    LIGHT = auto()
    DECODING = auto()
    WAITING_FOR_NETWORK = auto()


# Writes the task's effect, in the transaction of its journal entry, and returns the items of the answer.
Commit = Callable[[Connection], list[Item]]

# Items alone: the task has no effect and leaves no journal entry.
Work = Commit | list[Item]


class ContentGone(Exception):
    """Content that was there when the task looked was purged before it could be pointed at: run the task again."""
