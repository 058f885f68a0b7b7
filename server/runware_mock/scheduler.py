"""A thread that repeats a job, whatever goes wrong."""

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


# A failed job is retried after at most this time.
RETRY_S = 30.0
# From this many failures in a row on, the schedule is not well.
FAILURES = 2


class Schedule:
    """Calls `act` at once and then every `every_s` seconds, with a function that returns whether to end early.

    Calls `on_stop` after the last call of `act`. `is_well` reports on whatever `act` has started.
    """

    def __init__(
        self,
        name: str,
        act: Callable[[Callable[[], bool]], object],
        every_s: float,
        on_stop: Callable[[], None] = lambda: None,
        is_well: Callable[[], bool] = lambda: True,
    ) -> None:
        self.name = name
        self._act = act
        self._every_s = every_s
        self._on_stop = on_stop
        self._is_well = is_well
        self._stop = threading.Event()
        self._failures = 0
        # Set once `act` has returned or failed for the first time: what it does at the start may come after /ready.
        self.has_acted = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Wait until `act` returns, then end."""
        self._stop.set()
        self._thread.join()
        self._on_stop()

    def is_well(self) -> bool:
        """Return whether the schedule is alive and does not keep failing."""
        return self._thread.is_alive() and self._failures < FAILURES and self._is_well()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._act(self._stop.is_set)
                if self._failures:
                    _log.warning("the %s works again", self.name)
                self._failures = 0
            except Exception:  # noqa: BLE001 - whatever it was, the next time may go well
                # A database that is gone for an hour deserves one line, not thousands.
                if not self._failures:
                    _log.exception("the %s failed; it is tried again in time", self.name)
                self._failures += 1
            self.has_acted.set()
            self._stop.wait(min(self._every_s, RETRY_S) if self._failures else self._every_s)
