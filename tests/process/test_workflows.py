"""The workflows for hosted CI fit the project. They are linted by hand; nothing here runs them."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"


def jobs(name: str) -> dict[str, Any]:
    """Return the jobs of a workflow."""
    loaded: dict[str, Any] = yaml.safe_load((WORKFLOWS / f"{name}.yml").read_text())["jobs"]
    return loaded


def used(job: dict[str, Any], action: str) -> dict[str, Any]:
    """Return what the only step that uses an action gives it."""
    (step,) = [step for step in job["steps"] if step.get("uses", "").startswith(f"{action}@")]
    given: dict[str, Any] = step["with"]
    return given


def test_every_python_from_the_oldest_is_tested_and_every_system() -> None:
    matrix = jobs("test")["tests"]["strategy"]["matrix"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    minors = [int(version.removeprefix("3.")) for version in matrix["python"]]
    assert f">=3.{minors[0]}" == project["requires-python"]
    assert minors == list(range(minors[0], minors[-1] + 1))
    systems = jobs("test")["recipes"]["strategy"]["matrix"]["system"]
    assert {system.partition("-")[0] for system in systems} == {"macos", "ubuntu", "windows"}


def test_the_recipes_that_run_on_every_system_are_there() -> None:
    folders = [step["working-directory"] for step in jobs("test")["recipes"]["steps"] if "working-directory" in step]
    assert folders
    for folder in folders:
        assert (ROOT / "tests" / folder.removeprefix("../")).is_dir()


def test_a_release_has_the_image_for_both_architectures() -> None:
    assert used(jobs("release")["image"], "docker/build-push-action")["platforms"] == "linux/amd64,linux/arm64"


@pytest.mark.parametrize("name", ["release", "test"])
def test_make_has_what_the_workflows_ask_of_it(name: str) -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    asked = [step["run"].split() for job in jobs(name).values() for step in job["steps"] if "run" in step]
    made = {target for command, *arguments in asked if command == "make" for target in arguments}
    assert made
    assert made <= targets
