"""Which tests `make test` leaves to `make test-all`: what needs more than this process and a database file.

A single slow test of another file is marked `full` where it stands.
"""

from pathlib import PurePosixPath

import pytest

FULL = "full"
# Below `tests/`, folders and files: official SDKs, a browser, an object storage, processes that are killed, long runs.
_FULL = (
    "control/test_client.py",
    "control/test_generators.py",
    "docs/test_commands.py",
    "docs/test_examples.py",
    "docs/test_installing.py",
    "faults/test_sdk_retries.py",
    "fuzz",
    "node",
    "objects",
    "page",
    "plugin/test_beside_other_tools.py",
    "plugin/test_matrix.py",
    "plugin/test_workers.py",
    "process",
    "recipes",
    "sdks",
    "soak",
)
# Of those, what runs in this process, or starts a command that ends by itself.
_FAST = (
    "process/test_clock_jumps.py",
    "process/test_expiry.py",
    "process/test_packaging.py",
    "process/test_schema.py",
    "process/test_settings.py",
    "process/test_fair_lock.py",
    "process/test_units.py",
    "process/test_unusable.py",
    "process/test_workflows.py",
)


def mark(item: pytest.Item) -> None:
    """Mark a test that only `make test-all` runs."""
    path = PurePosixPath(item.path.relative_to(item.config.rootpath / "tests").as_posix())
    is_full = _is_in(path, _FULL) and not _is_in(path, _FAST)
    values = item.callspec.params.values() if isinstance(item, pytest.Function) and hasattr(item, "callspec") else ()
    if is_full or "postgres" in values:
        item.add_marker(FULL)


def _is_in(path: PurePosixPath, places: tuple[str, ...]) -> bool:
    return any(path.is_relative_to(place) for place in places)
