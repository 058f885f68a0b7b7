"""The tables of the documentation, and the reference, say what the code says."""

import re
from pathlib import Path

import pytest

from runware_mock.faults.tables import (
    COMMON_FIELD_HEAD,
    KIND_HEAD,
    OWN_FIELD_HEAD,
    common_field_rows,
    kind_rows,
    own_field_rows,
    table,
)
from runware_mock.tasks import TASKS, UNSUPPORTED
from tests import plain
from tests.docs.reference import PAGE, reference
from tests.docs.tables import settings_rows
from tests.running import RunningMock

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_table_of_tasks_is_complete() -> None:
    table = (DOCS / "tasks.md").read_text(encoding="utf-8").partition("## Tasks")[2]
    assert set(re.findall(r"`(\w+)`", table)) >= set(TASKS) - set(UNSUPPORTED)


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("settings.md", table(("flag", "default", "meaning"), settings_rows())),
        ("faults.md", table(KIND_HEAD, kind_rows())),
        ("faults.md", table(OWN_FIELD_HEAD, own_field_rows())),
        ("faults.md", table(COMMON_FIELD_HEAD, common_field_rows())),
    ],
    ids=["settings", "faults", "own fields", "fields"],
)
def test_a_table_says_what_the_code_says(page: str, expected: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    assert f"\n\n{expected}\n\n" in text + "\n", "the table should be:\n" + expected


def test_the_api_describes_faults_with_the_same_tables(mock: RunningMock) -> None:
    described = plain.get(f"{mock.url}/openapi.json").json()["paths"]["/_mock/faults"]["post"]["description"]
    for expected in (kind_rows(), own_field_rows(), common_field_rows()):
        assert "\n".join(expected) in described


def test_the_python_reference_is_that_of_this_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "write it anew: python -m tests.docs.reference"
