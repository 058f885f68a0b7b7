"""The workflows for hosted CI are well-formed and fit the project. Nothing here runs them."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.docs.test_examples import block

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


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="actionlint is not on this machine")
def test_actionlint_finds_nothing_in_the_workflows_and_in_the_one_that_users_copy(tmp_path: Path) -> None:
    shown = tmp_path / "shown.yml"
    shown.write_text(block("docs/docker-and-ci.md", "yaml", "runs-on"))
    command = ["actionlint", "-config-file", str(ROOT / ".github" / "actionlint.yaml")]
    done = subprocess.run([*command, *WORKFLOWS.iterdir(), shown], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


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


def test_the_npm_package_and_the_types_of_its_answers_are_tested() -> None:
    command, *paths = jobs("test")["node"]["steps"][-1]["run"].split()
    assert command == ".venv/bin/pytest"
    assert all((ROOT / path).exists() for path in paths)


def test_a_release_has_the_image_for_both_architectures() -> None:
    assert used(jobs("release")["image"], "docker/build-push-action")["platforms"] == "linux/amd64,linux/arm64"


@pytest.mark.parametrize("name", ["release", "test"])
def test_make_has_what_the_workflows_ask_of_it(name: str) -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    asked = [step["run"].split() for job in jobs(name).values() for step in job["steps"] if "run" in step]
    made = {target for command, *arguments in asked if command == "make" for target in arguments}
    assert made
    assert made <= targets
