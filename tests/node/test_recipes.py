"""The recipes for JavaScript, and what docs/javascript.md shows, run as they stand there."""

import http.server
import json
import re
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from runware_mock.commands.media import sample
from tests.docs.test_examples import ROOT, block
from tests.node.conftest import Application, environment, node
from tests.page.conftest import ARGUMENTS, CHROMIUM
from tests.recipes.test_recipes import IN_JAVASCRIPT, Recipe, run_copy
from tests.running import RunningMock

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


def test_the_test_for_nodes_own_runner_passes(application: Application) -> None:
    folder = folder_for(application, "page-builtin")
    shutil.copy(RECIPES / "vitest" / "upload.js", folder)
    (folder / "package.json").write_text('{"type": "module"}')
    assert sample.callback is not None
    sample.callback(folder / "photo.jpg")
    for name, text in shown_in("Any other test runner").items():
        (folder / name).write_text(text)
    (command,) = re.findall("`(runware-mock exec -- node --test)`", PAGE.read_text(encoding="utf-8"))
    done = shell(f"{command} --test-reporter=tap", folder)
    assert "\n# pass 1\n# fail 0\n" in done.stdout, done.stdout + done.stderr


UPLOADS_AT_A_CLICK = """<button>Upload</button><script>
document.querySelector("button").onclick = () => fetch("MOCK/v1", {
  method: "POST",
  headers: { Authorization: `Bearer ${new URLSearchParams(location.search).get("key")}` },
  body: JSON.stringify([{
    taskType: "imageUpload", taskUUID: crypto.randomUUID(),
    image: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  }]),
});
</script>"""
# Playwright downloads a browser of its own; the one of this machine does as well.
WITH_CHROMIUM = """import shown from "./playwright.config";
export default { ...shown, use: { launchOptions: { executablePath: "PROGRAM", args: ARGUMENTS } } };
"""


def test_the_test_for_playwright_passes_with_an_application(application: Application, mock: RunningMock) -> None:
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if chromium is None:
        pytest.skip("Chromium is not on this machine")
    folder = folder_for(application, "page-playwright")
    (folder / "index.html").write_text(UPLOADS_AT_A_CLICK.replace("MOCK", mock.url))

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, request: socket.socket, address: tuple[str, int], server: http.server.HTTPServer) -> None:
            super().__init__(request, address, server, directory=str(folder))

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        for name, text in shown_in("Playwright Test").items():
            (folder / name).write_text(text.replace("127.0.0.1:3000", f"127.0.0.1:{server.server_port}"))
        config = WITH_CHROMIUM.replace("PROGRAM", chromium).replace("ARGUMENTS", json.dumps(ARGUMENTS))
        (folder / "chromium.config.ts").write_text(config)
        done = application.run(
            *("@playwright/test/cli.js", "test", "--config=chromium.config.ts"),
            inside=folder.name,
            RUNWARE_MOCK_URL=mock.url,
        )
        server.shutdown()
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_the_package_is_packed_and_installed_as_shown(application: Application, tmp_path: Path) -> None:
    project, checkout = tmp_path / "project", tmp_path / "checkout"
    project.mkdir()
    (checkout / "clients").mkdir(parents=True)
    (checkout / "clients" / "node").symlink_to(application.package)
    before = (application.package / "package.json").read_text()
    # What `npm ci` installs is there already, from the same lock file.
    text = block("docs/javascript.md", "sh", "npm pack").replace("npm ci && ", "")
    done = shell(text.replace("/path/to/runware-mock", str(checkout)), project, npm_config_offline="true")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "runware-mock" in json.loads((project / "package.json").read_text())["devDependencies"]
    assert (project / "node_modules" / "runware-mock" / "dist" / "index.js").is_file()
    assert (application.package / "package.json").read_text() == before


def shell(text: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a block in a shell."""
    return subprocess.run(
        ["/bin/sh", "-e"],
        input=text,
        cwd=folder,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_server_that_the_page_starts_itself_prints_its_addresses(application: Application) -> None:
    (application.folder / "start.mjs").write_text(block("docs/javascript.md", "js", "startRunwareMock({ settings"))
    assert re.fullmatch(r"http://\S+/v1 ws://\S+/v1 test-\w+\n", node(application.folder, "start.mjs").stdout)
