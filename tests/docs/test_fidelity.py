"""FIDELITY.md names a test for each of its statements, and each of them exists."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIDELITY = (ROOT / "FIDELITY.md").read_text(encoding="utf-8")
ROWS = [line for line in FIDELITY.splitlines() if line.startswith("|") and "---" not in line]
STATEMENTS = [row for row in ROWS if not re.search(r"\| test \|$", row)]


def test_every_statement_names_a_test_that_exists() -> None:
    for row in STATEMENTS:
        (name,) = re.findall(r"`(tests/\S+\.py::test_\w+)` \|$", row)
        file, _, function = name.partition("::")
        assert f"def {function}(" in (ROOT / file).read_text(encoding="utf-8"), row


def test_every_rule_of_the_clients_has_a_row() -> None:
    rules = FIDELITY.partition("## Rules of the real clients")[2]
    assert [int(number) for number in re.findall(r"^\| (\d+) ", rules, re.MULTILINE)] == list(range(1, 36))


def test_every_guess_in_the_code_is_listed() -> None:
    """Each `# Guess:` names its ground in the code; the table has at least as many."""
    sources = (ROOT / "server").rglob("*.py")
    guesses = sum(file.read_text(encoding="utf-8").count("# Guess:") for file in sources)
    listed = sum("guess" in row.lower() for row in STATEMENTS)
    assert 0 < guesses <= listed
