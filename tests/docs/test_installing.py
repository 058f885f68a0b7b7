"""What the pages tell a reader to install is enough for what they show next."""

import ast
import os
import shutil
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.docs.test_examples import PAGES, ROOT, block, blocks, ended, run
from tests.process.test_packaging import source_tree
from tests.recipes.test_recipes import RECIPES

pytestmark = pytest.mark.timeout(300)
CHECKOUT = "/path/to/runware-mock"
# pip asks no index: everything but the checkout itself is borrowed.
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, so that a build leaves nothing in the real one."""
    return source_tree(tmp_path_factory.mktemp("runware-mock"))


@pytest.fixture
def project(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """The folder of a project, and the variables with which its environment is active."""
    environment, folder = tmp_path / "environment", tmp_path / "project"
    venv.create(environment)
    folder.mkdir()
    # Other packages are those of the running environment, without its `.pth` files: runware-mock is not among them.
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    for name in ("pip", "pytest"):
        script = environment / "bin" / name
        shutil.copy(Path(sys.executable).with_name(name), script)
        _, _, code = script.read_text().partition("\n")
        script.write_text(f"#!{environment / 'bin' / 'python'}\n{code}")
    path = f"{environment / 'bin'}{os.pathsep}{os.defpath}"
    return folder, {**OFFLINE, "PATH": path, "PYTHONPATH": ""}


def test_after_what_the_readme_says_to_install_its_test_passes_and_the_command_serves(
    checkout: Path, project: tuple[Path, dict[str, str]]
) -> None:
    folder, variables = project
    run(["sh", "-e"], block("README.md", "sh", "pip install").replace(CHECKOUT, str(checkout)), folder, **variables)
    where = run(["python", "-c", "import runware_mock; print(runware_mock.__file__)"], "", folder, **variables)
    assert Path(where.strip()).is_relative_to(folder.parent / "environment")
    (folder / "test_upload.py").write_text(block("README.md", "python", "def test_"))
    assert "1 passed" in run(["pytest"], "", folder, **variables)
    _, serve = block("docs/getting-started.md", "sh", "pip install .").splitlines()
    start = f"{serve} --port 0 --in-memory --ready-file ready.json"
    wait = "runware-mock ready --ready-file ready.json --wait 60s"
    assert "ready" in run(["sh"], f"{start} &\n{wait}\nstatus=$?\nkill $!\nwait\nexit $status\n", folder, **variables)


def test_pip_finds_all_that_the_pages_say_to_install(checkout: Path, project: tuple[Path, dict[str, str]]) -> None:
    folder, variables = project
    lines = [line for page in PAGES for _, text in blocks(page) for line in text.splitlines()]
    installs = {line.removeprefix("pip install ") for line in lines if line.startswith("pip install ")}
    assert {".", "'.[mcp]'", "'.[postgres]'"} < installs
    # All at once, as pip takes seconds to start. Nothing is installed.
    wanted = " ".join(sorted(installs)).replace(CHECKOUT, ".")
    done = ended(["sh", "-e"], f"cd {checkout}\npip install {wanted}\n", folder, PIP_DRY_RUN="1", **variables)
    assert "Would install runware-mock-" in done.stdout, done.stderr
    assert "does not provide the extra" not in done.stderr


@pytest.mark.parametrize(
    ("files", "line"),
    [
        (sorted((ROOT / "tests" / "recipes" / "pytest").glob("*.py")), RECIPES[0].install),
        (sorted((ROOT / "tests" / "recipes" / "unittest").glob("*.py")), RECIPES[1].install),
    ],
    ids=["pytest", "unittest"],
)
def test_a_recipe_imports_what_it_installs(files: list[Path], line: str) -> None:
    roots = [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    imported = {alias.name for node in roots if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in roots if isinstance(node, ast.ImportFrom)}
    others = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names - {file.stem for file in files}
    assert others <= {word.replace("-", "_") for word in line.replace(CHECKOUT, "runware_mock").split()}
