"""Each recipe of docs/recipes.md runs as it is shown there."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.docs.test_examples import blocks, with_commands
from tests.running import clean_environment

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "recipes.md"


class Recipe(NamedTuple):
    """The folder of a recipe, what runs it, and a pattern that only a success prints."""

    folder: str
    command: str
    success: str
    # What its page says to install first.
    install: str = ""
    missing: Callable[[], str | None] = lambda: None


def without(name: str, *asked: str, word: str = "") -> Callable[[], str | None]:
    """Return what tells why a program cannot run here: it is not there, or its answer lacks a word."""

    def missing() -> str | None:
        if shutil.which(name) is None:
            return f"{name} is not on this machine"
        if asked and word not in subprocess.run([name, *asked], check=False, capture_output=True, text=True).stdout:
            return f"{name} has no {word} on this machine"
        return None

    return missing


RECIPES = (
    Recipe("pytest", "python -m pytest", r"\b2 passed\b", "pip install /path/to/runware-mock pytest httpx\n"),
    Recipe("unittest", "python -m unittest", r"^OK$", "pip install /path/to/runware-mock\n"),
    Recipe("shell", "runware-mock exec -- sh upload.sh", r"^ok: http://\S+/image/ii/\S+\.png$", "", without("curl")),
    Recipe("go", "runware-mock exec -- go test -count=1 ./...", r"^ok\s+example\.com/upload\b", "", without("go")),
    Recipe("java", "runware-mock exec -- java UploadTest.java", r"^ok: http://\S+\.png$", "", without("javac")),
    Recipe(
        "php", "runware-mock exec -- php upload.php", r"^ok: http://\S+\.png$", "", without("php", "-m", word="curl")
    ),
)
# Run by tests/node, which has the packed npm package.
IN_JAVASCRIPT = (
    Recipe("vitest", "npm test", r"^ +Tests +2 passed \(2\)$"),
    Recipe("jest", "npm test", r"^Tests: +2 passed, 2 total$"),
)


def files(recipe: Recipe) -> list[Path]:
    """Return the files of a recipe."""
    return [file for file in sorted((HERE / recipe.folder).iterdir()) if file.is_file()]


def run_copy(recipe: Recipe, folder: Path, *options: str) -> tuple[int, str]:
    """Copy a recipe into a folder and run it as its page says; return the exit status and what was printed."""
    if reason := recipe.missing():
        pytest.skip(reason)
    for file in files(recipe):
        shutil.copy(file, folder)
    command = ["sh", "-c", recipe.command.replace("exec --", shlex.join(["exec", *options, "--"]))]
    done = subprocess.run(
        command,
        cwd=folder,
        env=clean_environment(PATH=with_commands(), NO_COLOR="1"),
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.folder)
def test_a_recipe_passes(recipe: Recipe, tmp_path: Path) -> None:
    status, printed = run_copy(recipe, tmp_path)
    assert re.search(recipe.success, printed, re.MULTILINE), printed
    assert status == 0


@pytest.mark.parametrize("recipe", [one for one in RECIPES if "exec" in one.command], ids=lambda recipe: recipe.folder)
def test_a_recipe_fails_and_says_why_if_its_upload_is_refused(recipe: Recipe, tmp_path: Path) -> None:
    status, printed = run_copy(recipe, tmp_path, "--faults", "error code=invalidApiKey")
    assert re.search(r"\b401\b|\binvalidApiKey\b", printed), printed
    assert status not in {0, 2, 126, 127}


def test_the_page_shows_every_recipe_as_it_is() -> None:
    shown = blocks(PAGE)
    texts = {text for _, text in shown}
    recipes = (*RECIPES, *IN_JAVASCRIPT)
    kept = {file.read_text(encoding="utf-8") for recipe in recipes for file in files(recipe)}
    assert texts == kept | {f"{recipe.install}{recipe.command}\n" for recipe in recipes}
    assert {recipe.folder for recipe in recipes} == {
        place.name for place in HERE.iterdir() if place.is_dir() and not place.name.startswith("__")
    }
