"""What a server takes of the machine: memory and open files of all its processes, from /proc."""

import re
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

_KIB = 1024


def processes_of(pid: int) -> list[int]:
    """Return a process and all that it has started."""
    found = [pid]
    with suppress(FileNotFoundError, ProcessLookupError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += processes_of(int(child))
    return found


def rss_bytes(pid: int) -> int:
    """Return the memory that a server has in use; what its processes share is counted once for each."""
    total = 0
    for one in processes_of(pid):
        with suppress(FileNotFoundError, ProcessLookupError):
            match = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{one}/status").read_text())
            total += int(match[1]) * _KIB if match else 0
    return total


def open_files(pid: int) -> Counter[str]:
    """Count a server's open files: sockets, files of the database, and others."""
    counts: Counter[str] = Counter()
    for one in processes_of(pid):
        for link in Path(f"/proc/{one}/fd").iterdir():
            with suppress(FileNotFoundError):
                name = str(link.readlink())
                counts["socket" if name.startswith("socket:") else "database" if ".sqlite3" in name else "other"] += 1
    return counts


@dataclass
class Vitals:
    """The memory of a server over time."""

    pid: int
    samples: list[tuple[float, int]] = field(default_factory=list)

    def look(self) -> None:
        """Take a sample."""
        self.samples.append((time.monotonic(), rss_bytes(self.pid)))

    def fifth(self, number: int) -> float:
        """Return the median of a fifth of the samples, counted from 1, in MiB."""
        each = len(self.samples) / 5
        part = self.samples[int(each * (number - 1)) : int(each * number)] or self.samples
        return median(size for _, size in part) / 2**20


def disk_bytes(folder: Path) -> int:
    """Return what the files of a folder take."""
    return sum(file.stat().st_size for file in folder.glob("*.sqlite3*"))
