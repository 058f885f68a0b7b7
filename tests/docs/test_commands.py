"""Commands and files of the pages that need a project of their own, or a server that has read them."""

import json
import re
import shutil
from pathlib import Path

import pytest

from runware_mock import ControlClient
from tests.docs.test_examples import ROOT, block, blocks, ended, run, with_commands
from tests.pictures import png
from tests.running import RunningMock, running_mock

pytestmark = pytest.mark.timeout(300)
FILE = re.compile(r"^# (\S+\.py)\n")


def files_of(page: str) -> dict[str, str]:
    """Return the Python files that a page shows, each with its name in the first line."""
    python = [text for language, text in blocks(ROOT / page) if language == "python"]
    return {found[1]: text for text in python if (found := FILE.match(text))}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project of docs/pytest.md, with the first of its tests."""
    shown = files_of("docs/pytest.md")
    for name in ("application.py", "conftest.py", "test_upload.py"):
        (tmp_path / name).write_text(shown[name])
    return tmp_path


def test_the_matrix_and_its_marker_do_as_shown(project: Path) -> None:
    for name, text in files_of("docs/matrix.md").items():
        (project / name).write_text(text)
    # With one kind of fault: all of them take minutes.
    text = block("docs/matrix.md", "sh", "pytest").replace("--runware-mock-matrix", "--runware-mock-matrix=error")
    printed = run(["sh", "-e"], text, project, PATH=with_commands())
    assert "2 passed" in printed
    assert re.search(r"test_upload\.py::\S+\n +error +survived\n", printed)
    assert re.search(r"test_gateway\.py::\S+\n +plans faults of its own\n", printed)


@pytest.mark.skipif(shutil.which("npm") is None or shutil.which("curl") is None, reason="needs npm and curl")
def test_the_matrix_runs_a_command_as_shown(tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests" / "recipes" / "shell" / "upload.sh", tmp_path)
    (tmp_path / "package.json").write_text(json.dumps({"scripts": {"test": "sh upload.sh"}}))
    text = block("docs/matrix.md", "sh", "npm").replace("--matrix", "--matrix error")
    assert "1 cell of 1 command: 1 failed" in run(["sh", "-e"], text, tmp_path, PATH=with_commands())


def test_a_failed_test_leaves_a_bundle_as_shown(project: Path) -> None:
    (project / "test_failing.py").write_text("def test_fails(runware_mock):\n    assert runware_mock.uploads\n")
    done = ended(["sh", "-e"], block("docs/bundles.md", "sh", "pytest"), project, PATH=with_commands())
    assert done.returncode == 1, done.stdout + done.stderr
    assert [file.name for file in (project / "failures").iterdir()] == ["test_failing.py-test_fails.zip"]


def test_the_rules_of_the_page_are_read_from_a_file(mock: RunningMock, api_key: str, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(block("docs/answers.md", "yaml", "rules:"))
    (tmp_path / "cat.png").write_bytes(png())
    variables = {"RUNWARE_MOCK_URL": mock.url, "RUNWARE_API_KEY": api_key, "PATH": with_commands()}
    run(["sh"], "runware-mock answers add rules.yaml\n", tmp_path, **variables)
    assert len(ControlClient(mock.url, api_key).answers.list()) == 2


def test_the_manifest_of_the_page_is_served(tmp_path: Path) -> None:
    text = block("docs/fixtures-and-snapshots.md", "json", "cat.png")
    (tmp_path / "manifest.json").write_text(text)
    (tmp_path / "pets").mkdir()
    for name in ("cat.png", "pets/dog.jpg"):
        (tmp_path / name).write_bytes(png())
    with running_mock(fixtures=tmp_path) as served:
        owners = [json.loads(text)["owner"], json.loads(text)["media"][1]["owner"]]
        assert [len(ControlClient(served.url, owner).media.list()) for owner in owners] == [1, 1]


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not on this machine")
def test_make_knows_what_contributors_run() -> None:
    text = block("docs/contributing.md", "sh", "make check").replace("make ", "make --dry-run ")
    assert "pytest" in run(["sh", "-e"], text, ROOT, MAKEFLAGS="")
