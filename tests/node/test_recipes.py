"""The recipes for JavaScript, and what docs/javascript.md shows, run as they stand there."""

import re
import shutil
from pathlib import Path

import pytest

from runware_mock.commands.media import sample
from tests.docs.test_examples import ROOT, block
from tests.node.conftest import Application, node
from tests.recipes.test_recipes import IN_JAVASCRIPT, Recipe, run_copy

PAGE = ROOT / "docs" / "javascript.md"
RECIPES = ROOT / "tests" / "recipes"
# Jest and Vitest give a test five seconds, which a busy machine may need for itself.
PATIENCE = "--testTimeout=30000"

pytestmark = pytest.mark.timeout(240)


def folder_for(application: Application, name: str) -> Path:
    """Return an empty folder below that of the packages."""
    folder = application.folder / name
    folder.mkdir()
    return folder


@pytest.mark.parametrize("recipe", IN_JAVASCRIPT, ids=lambda recipe: recipe.folder)
def test_a_recipe_passes(application: Application, recipe: Recipe) -> None:
    patient = recipe._replace(command=f"{recipe.command} -- {PATIENCE}")
    status, printed = run_copy(patient, folder_for(application, f"recipe-{recipe.folder}"))
    assert re.search(recipe.success, printed, re.MULTILINE), printed
    assert status == 0


def shown_in(section: str) -> dict[str, str]:
    """Return the files that a section of the page shows."""
    _, _, found = PAGE.read_text(encoding="utf-8").partition(f"\n## {section}\n")
    return dict(re.findall(r"^```js\n// (\S+)\n(.*?)^```", found.partition("\n## ")[0], re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize(
    ("section", "recipe", "program", "success"),
    [
        ("Vitest", "vitest", ["vitest/vitest.mjs", "run"], r"^ +Tests +2 passed \(2\)$"),
        ("Jest", "jest", ["jest/bin/jest.js", "--config=jest.config.js"], r"^Tests: +1 passed, 1 total$"),
    ],
)
def test_the_tests_that_the_page_shows_pass(
    application: Application, section: str, recipe: str, program: list[str], success: str
) -> None:
    folder = folder_for(application, f"page-{recipe}")
    shutil.copy(RECIPES / recipe / "upload.js", folder)
    assert sample.callback is not None
    sample.callback(folder / "photo.jpg")
    for name, text in shown_in(section).items():
        (folder / name).write_text(text)
    done = application.run(*program, PATIENCE, inside=folder.name)
    assert re.search(success, done.stdout + done.stderr, re.MULTILINE), done.stdout + done.stderr


def test_the_server_that_the_page_starts_itself_prints_its_addresses(application: Application) -> None:
    (application.folder / "start.mjs").write_text(block("docs/javascript.md", "js", "startRunwareMock({ settings"))
    assert re.fullmatch(r"http://\S+/v1 ws://\S+/v1 test-\w+\n", node(application.folder, "start.mjs").stdout)
