"""Every block of README.md and docs/ is run, in order, as a reader would paste it."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runware_mock import ControlClient
from runware_mock.commands.media import sample
from tests import postgres
from tests.pictures import png
from tests.running import RunningMock, clean_environment, running_mock
from tests.sdks.catalogue import AI_SDK, PY_LEGACY, PY_NEW_WS, SDK_JS, Client

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = (README, *sorted((ROOT / "docs").glob("*.md")))
# Their examples are run by tests/plugin/test_documentation.py and tests/recipes.
WITH_SHELL = [page for page in PAGES if page.name not in {"pytest.md", "recipes.md"}]
ADDRESS = "127.0.0.1:8080"
KEY = "a-key-for-tests-0123456789abcdef"
# A page may start a dozen servers, on a machine that has other tests to run.
LIMIT_S = 240
pytestmark = pytest.mark.timeout(300)
# Blocks that a test of their own runs: how each begins, and where its test is.
RUN_ELSEWHERE = {
    "make serve\n": "tests/docs/test_examples.py::test_make_serve_says_when_it_is_ready",
    "pip install ": "tests/docs/test_installing.py::test_pip_finds_all_that_the_pages_say_to_install",
    "(cd /path/to/runware-mock/clients/node ": "tests/node/test_recipes.py::test_the_package_is_packed_and_installed",
    # Without a container engine, its file can only be read.
    "docker compose up": "tests/process/test_packaging.py::test_the_compose_file_serves_this_machine_alone_and_keeps",
    "runware-mock serve --port 0": "tests/docs/test_examples.py::test_a_script_waits_for_the_ready_file",
    "make check\n": "tests/docs/test_commands.py::test_make_knows_what_contributors_run",
    "pytest --runware-mock-matrix": "tests/docs/test_commands.py::test_the_matrix_and_its_marker",
    "runware-mock exec --matrix": "tests/docs/test_commands.py::test_the_matrix_runs_a_command",
    "pytest --runware-mock-bundle": "tests/docs/test_commands.py::test_a_failed_test_leaves_a_bundle",
}


def blocks(page: Path) -> list[tuple[str, str]]:
    """Return the language and text of each block of a page."""
    return re.findall(r"^```(\w+)\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def block(page: str, language: str, word: str) -> str:
    """Return the one block of a language that holds a word."""
    (found,) = [text for name, text in blocks(ROOT / page) if name == language and word in text]
    return found


def ended(command: list[str], text: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program on an example to its end."""
    environment = clean_environment(**variables)
    return subprocess.run(
        command, input=text, cwd=folder, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )


def run(command: list[str], text: str, folder: Path, **variables: str) -> str:
    """Run a program on an example, which must succeed, and return what it prints."""
    done = ended(command, text, folder, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def with_commands() -> str:
    """Return a PATH on which `runware-mock` is found, as in an activated environment."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the photo of the examples."""
    assert sample.callback is not None
    sample.callback(tmp_path / "photo.jpg")
    return tmp_path


@pytest.fixture(scope="module")
def own_mock() -> Iterator[RunningMock]:
    """A server that no other test uses: a page may look at all of its accounts."""
    with running_mock() as mock:
        yield mock


@pytest.fixture(scope="module")
def readers_own(own_mock: RunningMock) -> Callable[[], list[str]]:
    """Give the account of the pages a medium, a plan, a rule and a snapshot; return what lists what is left of them."""
    account = ControlClient(own_mock.url, KEY)
    medium = account.media.add(png())
    account.faults.plan({"kind": "error", "code": "invalidImage", "task_type": "training"}, name="readers plan")
    account.answers.on("training", name="readers rule").give(error="invalidImage")
    account.snapshots.save("readers snapshot")

    def left() -> list[str]:
        names = [plan.name for plan in account.faults.list()]
        names += [snapshot.name for snapshot in account.snapshots.list()]
        names += [one.uuid for one in account.media.list()]
        return sorted(name for name in names if name.startswith("readers") or name == medium.uuid)

    return left


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
@pytest.mark.parametrize("page", WITH_SHELL, ids=lambda page: page.stem)
def test_the_shell_blocks_of_a_page_run_in_one_shell_and_again_and_delete_nothing_of_the_readers(
    own_mock: RunningMock, readers_own: Callable[[], list[str]], folder: Path, page: Path
) -> None:
    pasted = "".join(
        text for language, text in blocks(page) if language == "sh" and not text.startswith(tuple(RUN_ELSEWHERE))
    )
    text = pasted.replace(ADDRESS, own_mock.url.removeprefix("http://"))
    variables = {"RUNWARE_MOCK_URL": own_mock.url, "RUNWARE_MOCK_DATA_DIR": str(folder), "PATH": with_commands()}
    printed = run(["sh", "-e"], text + text, folder, **variables)
    assert '"errors"' not in printed
    assert len(readers_own()) == 4


def test_the_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 150


@pytest.mark.parametrize("test", RUN_ELSEWHERE.values())
def test_what_is_run_elsewhere_has_a_test_there(test: str) -> None:
    file, _, name = test.partition("::")
    assert f"\ndef {name}" in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_blocks_are_of_languages_that_are_run_or_show_what_is_printed(page: Path) -> None:
    known = {"sh", "bash", "python", "go", "java", "js", "php", "json", "text", "yaml"}
    assert {language for language, _ in blocks(page)} <= known


@pytest.mark.parametrize(("page", "extension"), [("README.md", "png"), ("docs/getting-started.md", "jpg")])
def test_an_upload_is_answered_as_shown(own_mock: RunningMock, folder: Path, page: str, extension: str) -> None:
    address = own_mock.url.removeprefix("http://")
    text = block(page, "sh", "imageUpload").replace(ADDRESS, address)
    answer = json.loads(run(["sh"], text, folder, RUNWARE_API_KEY=KEY))
    (item,), (shown,) = answer["data"], json.loads(block("docs/getting-started.md", "json", "imageUpload"))["data"]
    assert set(item) == set(shown)
    assert item["imageURL"] == f"http://{address}/image/ii/{item['imageUUID']}.{extension}"


def test_without_a_server_the_first_upload_says_that_nothing_listens(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    text = block("README.md", "sh", "imageUpload").replace(ADDRESS, address)
    done = ended(["sh"], text, tmp_path)
    assert done.returncode != 0
    (told,) = re.findall(r"`([^`]+)`\? Start the server first", README.read_text(encoding="utf-8"))
    assert told in done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_curl_hides_what_went_wrong(page: Path) -> None:
    assert not re.search(r"curl (-s|--silent) (?!.*(-S|--show-error))", page.read_text(encoding="utf-8"))


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not on this machine")
def test_make_serve_says_when_it_is_ready(tmp_path: Path) -> None:
    (command,) = block("README.md", "sh", "make serve").splitlines()
    process = subprocess.Popen(
        command.split(),
        cwd=ROOT,
        # Without the arguments of the make that runs this test.
        env=clean_environment(RUNWARE_MOCK_PORT="0", RUNWARE_MOCK_DATA_DIR=str(tmp_path), ARGS="", MAKEFLAGS=""),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        assert any(re.match(r"runware-mock ready on http://127\.0\.0\.1:\d+$", line) for line in process.stdout)
    finally:
        os.killpg(process.pid, 15)
        process.wait(LIMIT_S)
        process.stdout.close() if process.stdout else None


@pytest.mark.skipif(postgres.missing() is not None, reason=str(postgres.missing()))
def test_several_processes_on_postgresql_start_as_shown(tmp_path: Path) -> None:
    _, line = block("docs/scaling-out.md", "sh", "--workers").splitlines()
    with postgres.postgres_database(is_empty=True) as url:
        *command, _ = line.split()
        process = subprocess.Popen(
            [*command, url],
            env=clean_environment(RUNWARE_MOCK_PORT="0", PATH=with_commands()),
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        with process.stdout:
            assert any(re.match(r"runware-mock ready on http://127\.0\.0\.1:\d+$", said) for said in process.stdout)
            process.terminate()
            assert process.wait(LIMIT_S) == 0


def test_a_script_waits_for_the_ready_file(tmp_path: Path) -> None:
    text = block("docs/docker-and-ci.md", "sh", "--ready-file") + "kill $!\n"
    printed = run(["sh", "-e"], text, tmp_path, PATH=with_commands())
    assert "ready" in printed


def test_the_older_python_sdk_uploads_as_shown(own_mock: RunningMock, folder: Path) -> None:
    text = block("README.md", "python", " url=").replace(ADDRESS, own_mock.url.removeprefix("http://"))
    assert own_mock.url in run([str(PY_LEGACY.interpreter()), "-"], text, folder)


@pytest.mark.parametrize(("page", "option"), [("README.md", "http_base_url"), ("docs/sdks.md", "ws_base_url")])
def test_the_newer_python_sdk_uploads_as_shown(own_mock: RunningMock, folder: Path, page: str, option: str) -> None:
    text = block(page, "python", option).replace(ADDRESS, own_mock.url.removeprefix("http://"))
    assert own_mock.url in run([str(PY_NEW_WS.interpreter()), "-"], text, folder)


@pytest.mark.parametrize(
    ("client", "package", "printed"),
    [
        (SDK_JS, "@runware/sdk-js", r"imageURL: 'http://"),
        (AI_SDK, "@runware/ai-sdk-provider", r"\bimage/png \d+ bytes$"),
    ],
    ids=["sdk-js", "ai"],
)
def test_a_javascript_sdk_works_as_shown(
    own_mock: RunningMock, folder: Path, client: Client, package: str, printed: str
) -> None:
    node = str(client.interpreter())
    # The page says which file each is saved as, and what runs it.
    pasted = rf"{package}`\. Save it as `(\S+)`, run `node \1`:\n\n```js\n(.*?)```"
    ((name, text),) = re.findall(pasted, README.read_text(encoding="utf-8"), re.DOTALL)
    (folder / "node_modules").symlink_to(client.home / "node_modules")
    (folder / name).write_text(text.replace(ADDRESS, own_mock.url.removeprefix("http://")))
    assert re.search(printed, run([node, name], "", folder))


@pytest.mark.parametrize("page", ["docs/answers.md", "docs/faults.md", "docs/journal.md"])
def test_the_tests_of_a_page_pass(folder: Path, page: str) -> None:
    tests = [text for language, text in blocks(ROOT / page) if language == "python" and "def test_" in text]
    (folder / "test_example.py").write_text("\n".join(tests))
    printed = run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_example.py"], "", folder)
    assert f"{len(tests)} passed" in printed


def test_the_server_in_python_does_as_shown(folder: Path) -> None:
    printed = run([sys.executable, "-"], block("docs/clock.md", "python", "runware_mock.serve"), folder)
    shown, is_purged = printed.splitlines()
    assert re.fullmatch(r"2048 (1 day, 0:00:00|23:59:\d\d\.\d+)", shown)
    assert is_purged == "True"


def test_rule_35_the_documentation_warns_of_what_the_url_does_not_catch() -> None:
    page = (ROOT / "docs" / "sdks.md").read_text(encoding="utf-8")
    assert "schemas.runware.ai" in page
    assert "api.runware.ai" in page


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not on this machine")
def test_the_line_for_shell_completion_completes_commands(tmp_path: Path) -> None:
    line = block("docs/getting-started.md", "bash", "COMPLETE")
    pressed = (
        'COMP_WORDS=(runware-mock jou) COMP_CWORD=1; _runware_mock_completion runware-mock; echo "${COMPREPLY[@]}"'
    )
    assert run(["bash"], line + pressed, tmp_path, PATH=with_commands()).split() == ["journal"]


def test_every_link_of_the_documentation_leads_somewhere() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            assert link.startswith("https://") or (page.parent / link).exists(), f"{page.name}: {link}"
