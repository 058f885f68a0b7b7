"""What befalls the replicas while they are used: kills, a database that goes away, clocks that move, planned faults."""

import math
import random
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count, cycle

from runware_mock.client.control import ControlClient, Fault
from runware_mock.client.wire import ControlError
from soak.replica import Replica
from tests.postgres import PostgresServer

# What is still on its way when something happens is hit by it, and so is what begins before all is well again.
_BEFORE_S, _AFTER_S = 0.5, 2.0
_TRIES = 200
_CONTROL_TIMEOUT_S = 60.0


KILL, RESTART, MOVE, FAULT = "kill", "database restart", "clock moved", "fault planned"


@dataclass
class Event:
    """Something that happened, to one replica or one account if they are named; times in s since 1970."""

    kind: str
    replica: int | None
    key: str | None = None
    began_s: float = field(default_factory=time.time)
    ended_s: float = math.inf

    def touches(self, replica: int | None, key: str | None, began_s: float, ended_s: float) -> bool:
        """Tell whether it may have spoiled a call."""
        is_meant = self.replica in {None, replica} and self.key in {None, key}
        return is_meant and self.began_s - _BEFORE_S <= ended_s and began_s <= self.ended_s + _AFTER_S


@dataclass
class Told:
    """What control calls have answered, summed up: nobody else knows."""

    purged: int = 0
    purged_uuids: list[str] = field(default_factory=list)
    planned: dict[str, tuple[str, int]] = field(default_factory=dict)


class Trouble:
    """Makes trouble in threads of its own until it is told to stop; any crash of one is raised by `stop`."""

    def __init__(self, replicas: Sequence[Replica], database: PostgresServer, seed: int) -> None:
        self.replicas = replicas
        self.events: list[Event] = []
        self.told = Told()
        self._database = database
        self._draw = random.Random(seed)
        self._is_over = threading.Event()
        self._no_more_plans = threading.Event()
        self._crashes: list[BaseException] = []
        self._threads: list[threading.Thread] = []
        self._planners: list[threading.Thread] = []

    def start(self, act: Callable[[], Iterator[float]], *, is_planner: bool = False) -> None:
        """Run a sort of trouble, which yields how long to wait until it goes on."""

        def run() -> None:
            try:
                for wait_s in act():
                    if self._is_over.wait(wait_s):
                        return
            except BaseException as crash:  # noqa: BLE001 - raised by stop()
                self._crashes.append(crash)

        thread = threading.Thread(target=run, daemon=True)
        (self._planners if is_planner else self._threads).append(thread)
        thread.start()

    def finish_plans(self) -> None:
        """Let every plan be met, and make no new one."""
        self._no_more_plans.set()
        for thread in self._planners:
            thread.join()

    def stop(self) -> None:
        """Let whatever happens be over."""
        self._is_over.set()
        for thread in self._threads:
            thread.join()
        if self._crashes:
            raise self._crashes[0]

    def count(self, kind: str) -> int:
        """Count the events of a kind."""
        return sum(event.kind == kind for event in self.events)

    def explains(self, replica: int, key: str, began_s: float, ended_s: float) -> bool:
        """Tell whether something happened that may have spoiled a call."""
        return any(event.touches(replica, key, began_s, ended_s) for event in self.events)

    def was_there(self, kinds: Collection[str], began_s: float, ended_s: float) -> bool:
        """Tell whether something of these kinds happened to anybody meanwhile."""
        return any(
            event.touches(event.replica, event.key, began_s, ended_s) for event in self.events if event.kind in kinds
        )

    def kills(self, pause_s: float) -> Iterator[float]:
        """Kill one replica after the other; the next one only when this one serves again."""
        while True:
            yield pause_s * self._draw.uniform(0.5, 1.5)
            replica = self._draw.choice(self.replicas)
            with self._event(KILL, replica.number):
                replica.kill()
                time.sleep(self._draw.uniform(0, 0.5))
                replica.start()
                replica.wait_until_ready()

    def restarts_of_the_database(self, pause_s: float) -> Iterator[float]:
        """Take the database away for a moment: in turn politely and as a crash would."""
        for mode in cycle(("fast", "immediate")):
            yield pause_s
            with self._event(RESTART, None):
                self._database.stop(mode)
                time.sleep(self._draw.uniform(0.2, 1.5))
                self._database.start()

    def moves_of_clocks(self, keys: Sequence[str], by: str, pause_s: float) -> Iterator[float]:
        """Move the clocks of accounts ahead, one after the other."""
        for key in cycle(keys):
            yield pause_s
            with self._event(MOVE, None, key), suppress(ControlError), self._control(key) as control:
                moved = control.clock.advance(by)
                self.told.purged += moved.purged.media
                self.told.purged_uuids += moved.purged.uuids

    def plans(self, key: str, faults: Sequence[Fault]) -> Iterator[float]:
        """Plan one fault after the other for an account, each as soon as the one before is fully met."""
        for number, fault in zip(count(), cycle(faults), strict=False):
            if self._no_more_plans.is_set():
                return
            name, times = f"{key[:12]}-{number}", self._draw.randint(1, 4)
            planned = Fault(**fault, times=times)
            if fault["kind"] == "error":
                planned["message"] = f"planned by {name}."
            self.told.planned[name] = (key, times)
            with self._event(FAULT, None, key):
                self._plan(key, name, planned)
                while not self._is_met(key, name):
                    yield 0.3

    def _plan(self, key: str, name: str, fault: Fault) -> None:
        for _ in range(_TRIES):
            with suppress(ControlError), self._control(key) as control:
                # One whose answer was lost is there all the same.
                if name not in [plan.name for plan in control.faults.list()]:
                    control.faults.plan(fault, name=name)
                return
            time.sleep(0.2)
        raise TimeoutError(f"the plan {name} could not be made")

    def _is_met(self, key: str, name: str) -> bool:
        with suppress(ControlError), self._control(key) as control:
            return control.faults.get(name).is_met
        return False

    @contextmanager
    def _control(self, key: str) -> Iterator[ControlClient]:
        replica = self._draw.choice(self.replicas)
        with ControlClient(replica.url, key, timeout_s=_CONTROL_TIMEOUT_S) as control:
            yield control

    @contextmanager
    def _event(self, kind: str, replica: int | None, key: str | None = None) -> Iterator[None]:
        event = Event(kind, replica, key)
        self.events.append(event)
        yield
        event.ended_s = time.time()
