"""Disks of a test's own, which can be filled and broken; where none can be had, the test is skipped."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

DISK_BYTES = 96 * 2**20


def _run(*command: str) -> bool:
    """Tell whether a command of the machine succeeds."""
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def _mounted(*options: str) -> None:
    if os.geteuid() != 0 or not _run("mount", *options):
        pytest.skip("a disk of its own cannot be mounted here, or by this user")


@contextmanager
def disk(folder: Path) -> Iterator[None]:
    """Mount a small file system on a folder."""
    _mounted("-t", "tmpfs", "-o", f"size={DISK_BYTES}", "runware-mock-tests", str(folder))
    try:
        yield
    finally:
        _run("umount", "--lazy", str(folder))


def filled(folder: Path) -> Path:
    """Fill a disk to its last byte; return the file that does so."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(2**16))
    assert shutil.disk_usage(folder).free == 0
    return filler


@contextmanager
def breaking_disk(image: Path, folder: Path) -> Iterator[tuple[Callable[[], object], Callable[[], None]]]:
    """Mount a file system on a folder; yield what breaks and what repairs it, for which nobody may use it."""

    def repair() -> None:
        assert _run("umount", str(folder))
        _run("e2fsck", "-p", str(image))
        _mounted(*mounting)

    with image.open("wb") as file:
        file.truncate(DISK_BYTES)
    mounting = ("-o", "loop,errors=remount-ro", str(image), str(folder))
    if not _run("mkfs.ext4", str(image)):
        pytest.skip("there is no mkfs.ext4 to make a disk with")
    _mounted(*mounting)
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
        device = next(Path(source).name for source, target, *_ in mounts if target == str(folder))
        trigger = Path("/sys/fs/ext4", device, "trigger_fs_error")
        if not trigger.exists():
            pytest.skip("this system cannot break a disk")
        yield lambda: trigger.write_text("broken by a test"), repair
    finally:
        _run("umount", "--lazy", str(folder))
