"""What the connections of a server may take: how many there are, how much memory, and how long a client is awaited.

A client is slow as long as it moves 16 KiB in each `stall_timeout`, and gone when it does not. What it moves is counted
by the connections; a sweep over all of them, now and then, judges it, so that no message pays for a timer.
"""

from collections.abc import Iterable
from typing import Any

from runware_mock.settings import Settings

LEAST_BYTES = 16 * 2**10
_SMALL_BYTES = 64 * 2**10
_FEWEST_CONNECTIONS = 64
_SWEEPS = 4
_LONGEST_SWEEP_S = 1.0


class Limits:
    """What all connections of a server may take together; `files` are those that the process may have open.

    `taken_bytes` are those of messages that were received and are not done.
    """

    def __init__(self, settings: Settings, files: int) -> None:
        self.stall_s = settings.stall_timeout.total_seconds()
        # A surplus body after an early answer is read and thrown away, so that the answer is not lost; not for ever.
        self.thrown_away_bytes = settings.max_message_bytes
        self.budget_bytes = settings.message_budget()
        self.taken_bytes = 0
        # The database and what is fetched need files, too.
        self.most_connections = min(settings.max_connections or files, max(_FEWEST_CONNECTIONS, files // 2))

    @property
    def sweep_every_s(self) -> float:
        """How long to wait between two sweeps."""
        return min(self.stall_s / _SWEEPS, _LONGEST_SWEEP_S) or _LONGEST_SWEEP_S

    def has_room(self, held_bytes: int) -> bool:
        """Tell whether a connection may hold so much; small messages always have room."""
        return held_bytes <= _SMALL_BYTES or self.taken_bytes <= self.budget_bytes

    def sweep(self, connections: Iterable[Any], now_s: float) -> None:
        """End connections that have stalled, and the largest of those that wait to be read, beyond the memory."""
        waiting: list[tuple[int, Any]] = []
        for connection in list(connections):
            if self.stall_s:
                connection.check(now_s)
            if unread_bytes := connection.transport.get_write_buffer_size():
                waiting.append((unread_bytes, connection))
        excess_bytes = sum(unread_bytes for unread_bytes, _ in waiting) - self.budget_bytes
        for unread_bytes, connection in sorted(waiting, key=lambda one: one[0], reverse=True):
            # One alone may be as large as the message it answers.
            if excess_bytes <= 0 or len(waiting) == 1:
                return
            connection.transport.abort()
            excess_bytes -= unread_bytes


class Pace:
    """How much a client has moved since it was first awaited; nothing is expected of it otherwise."""

    __slots__ = ("_since_s", "moved_bytes")

    def __init__(self) -> None:
        self._since_s: float | None = None
        self.moved_bytes = 0

    def begin(self, now_s: float) -> None:
        """Await the client, if it is not awaited already."""
        if self._since_s is None:
            self._since_s, self.moved_bytes = now_s, 0

    def end(self) -> None:
        """Expect nothing more."""
        self._since_s = None

    def has_stalled(self, now_s: float, patience_s: float) -> bool:
        """Tell whether too little has been moved; judged anew each time the patience ends."""
        if self._since_s is None or now_s - self._since_s < patience_s:
            return False
        if self.moved_bytes < LEAST_BYTES:
            return True
        self._since_s, self.moved_bytes = now_s, 0
        return False


class Unread:
    """Watches how fast the other side reads what waits for it."""

    __slots__ = ("_pace", "_waiting_bytes", "sent_bytes")

    def __init__(self) -> None:
        self._pace = Pace()
        self._waiting_bytes = 0
        self.sent_bytes = 0

    def has_stalled(self, waiting_bytes: int, now_s: float, patience_s: float) -> bool:
        """Tell whether too little has been read of what waited when it was last looked at, and was sent since."""
        read_bytes = self._waiting_bytes + self.sent_bytes - waiting_bytes
        self._waiting_bytes, self.sent_bytes = waiting_bytes, 0
        if not waiting_bytes:
            self._pace.end()
            return False
        self._pace.begin(now_s)
        self._pace.moved_bytes += max(0, read_bytes)
        return self._pace.has_stalled(now_s, patience_s)
