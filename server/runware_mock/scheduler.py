"""A thread that does something again and again, whatever goes wrong."""

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


class Schedule:
    """Calls `act` at once and then every `every_s` seconds; `act` is handed what tells it to end early.

    `on_stop` is called in the end, after the last call of `act`.
    """

    def __init__(
        self,
        name: str,
        act: Callable[[Callable[[], bool]], object],
        every_s: float,
        on_stop: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self._act = act
        self._every_s = every_s
        self._on_stop = on_stop
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End when `act` returns."""
        self._stop.set()
        self._thread.join()
        self._on_stop()

    def is_running(self) -> bool:
        """Tell whether the schedule is alive."""
        return self._thread.is_alive()

    def _run(self) -> None:
        has_failed = False
        while not self._stop.is_set():
            try:
                self._act(self._stop.is_set)
                if has_failed:
                    _log.warning("the %s works again", self.name)
                has_failed = False
            except Exception:  # noqa: BLE001 - whatever it was, the next time may go well
                # A database that is away for an hour is worth one line, not thousands.
                if not has_failed:
                    _log.exception("the %s failed; it is tried again in time", self.name)
                has_failed = True
            self._stop.wait(self._every_s)
