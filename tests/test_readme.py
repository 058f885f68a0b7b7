"""Every example of the README is run, as it stands there."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from runware_mock.settings import ENV_PREFIX, Settings, default_text
from runware_mock.tasks import TASKS, unsupported
from tests import postgres
from tests.running import RunningMock, clean_environment, running_mock
from tests.sdks.catalogue import PY_LEGACY, PY_NEW_WS, SDK_JS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
ADDRESS = "127.0.0.1:8080"
LIMIT_S = 60


def block(language: str, word: str) -> str:
    """Return the one block of a language that holds a word."""
    (found,) = [text for name, text in BLOCKS if name == language and word in text]
    return str(found)


def run(command: list[str], text: str, folder: Path, **variables: str) -> str:
    """Run a program on an example and return what it prints."""
    environment = clean_environment(**variables)
    done = subprocess.run(
        command, input=text, cwd=folder, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def with_commands() -> str:
    """Return a PATH on which `runware-mock` is found, as in an activated environment."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the photo of the examples."""
    Image.effect_noise((3000, 2000), 60).save(tmp_path / "photo.jpg")
    return tmp_path


@pytest.mark.parametrize(("language", "text"), BLOCKS)
def test_every_example_is_run_here_or_by_ci(language: str, text: str) -> None:
    first_words = {
        "sh": (
            *("make serve", "curl ", "runware-mock purge", "export RUNWARE_API_KEY=", "docker compose up"),
            "pip install 'runware-mock[postgres]'",
            "make check\nmake test\n",
        ),
        "json": ('{"data":',),
        "python": ("import asyncio", "import base64\nimport uuid\n\nimport httpx", "import runware_mock\n"),
        "js": ("import ",),
    }
    assert text.startswith(first_words[language])


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not on this machine")
def test_make_serve_says_when_it_is_ready(tmp_path: Path) -> None:
    (command,) = block("sh", "make serve").splitlines()
    process = subprocess.Popen(
        command.split(),
        cwd=ROOT,
        env=clean_environment(RUNWARE_MOCK_PORT="0", RUNWARE_MOCK_DATA_DIR=str(tmp_path)),
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
    _, line = block("sh", "--workers").splitlines()
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


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_the_first_upload_is_answered_as_shown(mock: RunningMock, tmp_path: Path) -> None:
    address = mock.url.removeprefix("http://")
    answer = json.loads(run(["sh"], block("sh", "curl").replace(ADDRESS, address), tmp_path))
    (item,), (shown,) = answer["data"], json.loads(block("json", "imageUpload"))["data"]
    assert set(item) == set(shown)
    assert item["taskUUID"] == shown["taskUUID"]
    assert item["imageURL"] == f"http://{address}/image/ii/{item['imageUUID']}.png"


def test_the_older_python_sdk_uploads_as_shown(mock: RunningMock, folder: Path) -> None:
    text = block("python", " url=").replace(ADDRESS, mock.url.removeprefix("http://"))
    assert mock.url in run([str(PY_LEGACY.interpreter()), "-"], text, folder)


@pytest.mark.parametrize("transport", ["websocket", "rest"])
def test_the_newer_python_sdk_uploads_as_shown(mock: RunningMock, folder: Path, transport: str) -> None:
    text = block("python", "ws_base_url")
    if transport == "rest":
        (options,) = re.findall(r'`(transport="rest", http_base_url="[^"]*")`', README)
        text = text.replace('ws_base_url="ws://127.0.0.1:8080/v1"', options)
        assert options in text
    text = text.replace(ADDRESS, mock.url.removeprefix("http://"))
    assert mock.url in run([str(PY_NEW_WS.interpreter()), "-"], text, folder)


def test_the_javascript_sdk_uploads_as_shown(mock: RunningMock, folder: Path) -> None:
    node = str(SDK_JS.interpreter())
    (folder / "node_modules").symlink_to(SDK_JS.home / "node_modules")
    (folder / "example.mjs").write_text(block("js", "sdk-js").replace(ADDRESS, mock.url.removeprefix("http://")))
    assert mock.url in run([node, "example.mjs"], "", folder)


def test_the_test_of_the_readme_passes(folder: Path) -> None:
    (folder / "test_example.py").write_text(block("python", "def test_"))
    printed = run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_example.py"], "", folder)
    assert "1 passed" in printed


def test_the_server_in_python_does_as_shown(folder: Path) -> None:
    printed = run([sys.executable, "-"], block("python", "runware_mock.serve"), folder)
    shown, is_purged = printed.splitlines()
    assert re.fullmatch(r"2048 (1 day, 0:00:00|23:59:59\.\d+)", shown)
    assert is_purged == "True"


def test_the_control_commands_do_as_shown(api_key: str, tmp_path: Path) -> None:
    with running_mock() as mock:
        variables = {"RUNWARE_MOCK_URL": mock.url, "RUNWARE_API_KEY": api_key, "PATH": with_commands()}
        printed = run(["sh", "-e"], block("sh", "runware-mock clock"), tmp_path, **variables)
        assert "transfer fails" in printed
        assert mock.ws_url in printed


def test_the_purge_commands_say_what_they_do(tmp_path: Path) -> None:
    printed = run(
        ["sh", "-e"], block("sh", "purge"), tmp_path, RUNWARE_MOCK_DATA_DIR=str(tmp_path), PATH=with_commands()
    )
    assert printed.splitlines() == ["would purge 0 media, 0 bytes", "purged 0 media, 0 bytes"]


def test_rule_35_the_readme_warns_of_what_the_url_does_not_catch() -> None:
    assert "schemas.runware.ai" in README
    assert "api.runware.ai" in README


def test_the_table_of_tasks_is_complete() -> None:
    table = README.partition("## Tasks")[2].partition("\n\nEach image field")[0]
    assert set(re.findall(r"`(\w+)`", table)) >= set(TASKS) - set(unsupported.NAMES)


def test_the_table_of_settings_is_complete() -> None:
    rows = [
        f"| `--{name.replace('_', '-')}` | {shown_default(name)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    table = README.split("| flag | default | meaning |\n|---|---|---|\n")[1].split("\n\n")[0]
    assert table.splitlines() == rows, "the table should be:\n" + "\n".join(rows)
    assert ENV_PREFIX == "RUNWARE_MOCK_"


def shown_default(name: str) -> str:
    """Write a default as the README shows it: the data folder is each user's own."""
    default = "" if name == "data_dir" else default_text(name)
    return f"`{default}`" if default else ""
