"""docs/pytest.md: its examples are run as they stand."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "pytest.md"


def test_the_examples_of_the_page_pass(project: pytest.Pytester) -> None:
    examples = re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == PAGE.read_text(encoding="utf-8").count("```python")
    for name, text in examples:
        project.path.joinpath(name).write_text(text, encoding="utf-8")
    tests = [name for name, _ in examples if name.startswith("test_")]
    project.runpytest(*tests).assert_outcomes(passed=len(tests))
