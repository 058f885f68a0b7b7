"""SECURITY.md names a place and a test for each of its defences, and both exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
DEFENCES = [line for line in SECURITY.splitlines() if line.startswith("| ") and not line.startswith("| threat ")]


def test_every_defence_names_a_place_and_a_test_that_exist() -> None:
    for row in DEFENCES:
        (name,) = re.findall(r"`(tests/\S+\.py::test_\w+)` \|$", row)
        file, _, function = name.partition("::")
        assert f"def {function}(" in (ROOT / file).read_text(encoding="utf-8"), row
        for place in re.findall(r"`([\w/]+(?:\.py|/))`", row.rpartition("|")[0].rpartition("|")[0]):
            assert (ROOT / "server" / "runware_mock" / place).exists(), row


def test_every_setting_it_names_exists() -> None:
    from runware_mock.settings import Settings

    for flag in set(re.findall(r"`--([a-z-]+)`", SECURITY)):
        assert flag.replace("-", "_") in Settings.model_fields


def test_every_adversary_is_there_and_each_section_tells_what_is_left_open() -> None:
    sections = SECURITY.split("\n## ")[1:]
    names = [section.partition("\n")[0] for section in sections]
    assert names == [
        "A page in the developer's browser",
        "Other users of the machine",
        "Neighbours on a shared server",
        "Hostile pictures",
        "Hostile URLs",
        "Pasted real keys",
        "The local authority",
    ]
    assert all("\nLeft open:" in section for section in sections[:-1])
