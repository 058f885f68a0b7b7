"""What a server has done, all of its processes taken together: each keeps a file of its own that the others read."""

import os
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from runware_mock.tally import Tally

# How often each process writes down what it has done.
WRITTEN_EVERY_S = 1.0


class Counting:
    """The counts of this process, or with a folder those of all that share it; `gauges` are of the moment."""

    def __init__(self, tally: Tally, gauges: Mapping[str, Callable[[], float]], folder: Path | None) -> None:
        self._tally = tally
        self._gauges = gauges
        self._folder = folder

    def write(self) -> None:
        """Let the other processes know."""
        if self._folder is not None:
            told = {"tally": self._tally.told(), "gauges": self._own_gauges()}
            file = self._folder / f"{os.getpid()}.json"
            partial = file.with_suffix(".part")
            partial.write_bytes(msgspec.json.encode(told))
            partial.replace(file)

    def counted(self) -> tuple[Tally, Mapping[str, float]]:
        """Return the counts and the gauges. What a process has done counts when it is gone, what it was about not."""
        if self._folder is None:
            return self._tally, self._own_gauges()
        # Where a process cannot write, the others do not know of its last second.
        with suppress(OSError):
            self.write()
        tally, gauges = Tally(), Counter[str]()
        for file in self._folder.glob("*.json"):
            told: dict[str, Any] = msgspec.json.decode(file.read_bytes())
            tally.add(told["tally"])
            if _is_alive(int(file.stem)):
                gauges.update(told["gauges"])
        return tally, gauges

    def _own_gauges(self) -> dict[str, float]:
        return {name: gauge() for name, gauge in self._gauges.items()}


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
