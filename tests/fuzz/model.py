"""What a few accounts should have: a model of the store so simple that it can be seen to be right."""

from collections.abc import Collection, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace

DAY_MS = 86_400_000
RETENTION_MS = 30 * DAY_MS
WINDOW_MS = DAY_MS
DOWNSIZED, AS_STORED = ("large WebP",), ", as stored"


@dataclass(frozen=True)
class Clock:
    """A clock that is ahead of the real one, or stands still."""

    ahead_ms: int = 0
    frozen_at: int | None = None

    def now_at(self, real_at: int) -> int:
        """Return what it shows."""
        return real_at + self.ahead_ms if self.frozen_at is None else self.frozen_at

    def moved(self, by_ms: int) -> "Clock":
        """Move it ahead."""
        if self.frozen_at is None:
            return replace(self, ahead_ms=self.ahead_ms + by_ms)
        return replace(self, frozen_at=self.frozen_at + by_ms)


@dataclass
class Medium:
    """A stored file; `content` names what was sent of it."""

    uuid: str
    content: str
    last_used_at: int
    ends_at: int | None = None

    @property
    def expires_at(self) -> int:
        """When it is gone unless it is used before."""
        by_use_at = self.last_used_at + RETENTION_MS
        return by_use_at if self.ends_at is None else min(by_use_at, self.ends_at)


@dataclass(frozen=True)
class Answered:
    """A task that was answered; `code` is that of its error, `uuid` what it has stored."""

    task_uuid: str
    task_type: str
    at: int
    code: str | None = None
    uuid: str | None = None

    def is_of(self, task_uuid: str) -> bool:
        """Tell whether that was the task of a UUID, however it is spelled."""
        return self.task_uuid.lower() == task_uuid.lower()


@dataclass
class State:
    """What a snapshot of an account keeps."""

    media: dict[str, Medium] = field(default_factory=dict)
    journal: list[Answered] = field(default_factory=list)
    clock: Clock | None = None


class Model:
    """The accounts by name, and the clock of those that have none of their own."""

    def __init__(self, names: tuple[str, ...], real_at: int) -> None:
        self.real_at = real_at
        self.common = Clock()
        self.states = {name: State() for name in names}
        self.snapshots: dict[str, dict[str, State]] = {name: {} for name in names}

    def now_at(self, name: str) -> int:
        """Return what an account's clock shows."""
        return (self.states[name].clock or self.common).now_at(self.real_at)

    def set_clock(self, name: str, clock: Clock | None) -> None:
        """Give an account a clock of its own, or none."""
        self.states[name].clock = clock

    def clock_of(self, name: str) -> Clock:
        """Return the clock that rules an account."""
        return self.states[name].clock or self.common

    def move_all(self, by_ms: int) -> None:
        """Move every clock."""
        self.common = self.common.moved(by_ms)
        for state in self.states.values():
            state.clock = state.clock and state.clock.moved(by_ms)

    def is_alive(self, name: str, medium: Medium) -> bool:
        """Tell whether a task could use it now."""
        return medium.expires_at > self.now_at(name)

    def alive(self, name: str) -> dict[str, Medium]:
        """Return an account's media that are alive."""
        return {uuid: one for uuid, one in self.states[name].media.items() if self.is_alive(name, one)}

    def expired(self, name: str) -> dict[str, Medium]:
        """Return an account's media that are gone but not purged."""
        return {uuid: one for uuid, one in self.states[name].media.items() if not self.is_alive(name, one)}

    def store(self, name: str, uuid: str, content: str, *, age_ms: int = 0, ttl_ms: int | None = None) -> None:
        """Store a medium."""
        now_at = self.now_at(name)
        ends_at = None if ttl_ms is None else now_at + ttl_ms
        self.states[name].media[uuid] = Medium(uuid, content, now_at - age_ms, ends_at=ends_at)

    def use(self, name: str, uuid: str) -> Medium | None:
        """Renew an account's medium, if it is alive."""
        medium = self.alive(name).get(uuid)
        if medium is not None:
            medium.last_used_at = self.now_at(name)
        return medium

    def purge(self, name: str) -> set[str]:
        """Remove what has expired; return its UUIDs."""
        gone = self.expired(name).keys()
        for uuid in gone:
            del self.states[name].media[uuid]
        return set(gone)

    def note(self, name: str, task_uuid: str, task_type: str, code: str | None = None, uuid: str | None = None) -> None:
        """Write a task into the journal."""
        self.states[name].journal.append(Answered(task_uuid, task_type, self.now_at(name), code, uuid))

    def is_done(self, name: str, task_uuid: str) -> bool:
        """Tell whether a task of this UUID would be in conflict."""
        return any(one.is_of(task_uuid) and one.code is None for one in self._recent(name))

    def told(self, name: str, task_uuid: str) -> Answered | None:
        """Return what getResponse has to tell: a success, else the newest failure."""
        found = [one for one in self._recent(name) if one.is_of(task_uuid) and one.code != "conflictTaskUUID"]
        return next((one for one in reversed(found) if one.code is None), found[-1] if found else None)

    def _recent(self, name: str) -> list[Answered]:
        return [one for one in self.states[name].journal if one.at > self.now_at(name) - WINDOW_MS]

    def save(self, name: str, snapshot: str) -> None:
        """Keep an account's state."""
        self.snapshots[name][snapshot] = deepcopy(self.states[name])

    def restore(self, name: str, state: State) -> None:
        """Put an account back."""
        self.states[name] = deepcopy(state)

    def load(self, name: str, state: State) -> None:
        """Give an account an exported state. What was downsized is another content now: nobody proves what was sent."""
        self.restore(name, state)
        for medium in self.states[name].media.values():
            if medium.content in DOWNSIZED:
                medium.content += AS_STORED

    def contents(self) -> set[str]:
        """Return the contents that have to be kept."""
        return {medium.content for medium in self._pointing()}

    def freed_by(self, names: Collection[str]) -> set[str]:
        """Return the contents that a purge of these accounts would give back."""
        gone = [medium for name in names for medium in self.expired(name).values()]
        kept = {medium.content for medium in self._pointing() if not any(medium is one for one in gone)}
        return {medium.content for medium in gone} - kept

    def is_in_the_way(self, name: str, state: State) -> bool:
        """Tell whether another account has a medium that is in a state to be put back."""
        return any(state.media.keys() & other.media for one, other in self.states.items() if one != name)

    def _pointing(self) -> Iterator[Medium]:
        for name, state in self.states.items():
            yield from state.media.values()
            for snapshot in self.snapshots[name].values():
                yield from snapshot.media.values()
