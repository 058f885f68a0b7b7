"""The server runs where POSIX's modules are missing, as on Windows, and what it needs has wheels for every system."""

import base64
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import pytest

from runware_mock.client import ControlClient
from tests import plain
from tests.pictures import png
from tests.running import STARTED_WITHIN_S, STOPPED_WITHIN_S, clean_environment

# Runs `runware-mock` after taking away what Windows does not have.
WITHOUT_POSIX = """
import importlib.abc, os, runpy, sys

class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in {"fcntl", "grp", "pwd", "resource", "termios", "uvloop"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
for name in ("fork", "killpg", "sched_getaffinity", "sched_setaffinity", "tcgetpgrp"):
    delattr(os, name)
sys.argv[0] = "runware-mock"
runpy.run_module("runware_mock", run_name="__main__", alter_sys=True)
"""
PROJECT = Path(__file__).parents[2]
SYSTEMS = ("x86_64-pc-windows-msvc", "aarch64-apple-darwin")


def test_the_server_serves_purges_and_stops_without_the_modules_of_posix(tmp_path: Path) -> None:
    ready_file, log = tmp_path / "ready.json", tmp_path / "log"
    arguments = ("serve", "--port", "0", "--data-dir", str(tmp_path), "--ready-file", str(ready_file))
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", WITHOUT_POSIX, *arguments], stdout=output, stderr=output, env=clean_environment()
        )
    try:
        give_up_s = time.monotonic() + STARTED_WITHIN_S
        while not ready_file.exists():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < give_up_s, log.read_text()
            time.sleep(0.05)
        url = json.loads(ready_file.read_text())["url"]
        image = base64.b64encode(png(3000, 20)).decode()
        task = {"taskType": "imageUpload", "taskUUID": str(uuid4()), "image": image}
        answer = plain.post(f"{url}/v1", json=[task], headers={"Authorization": "Bearer a-key"})
        assert answer.is_success, answer.text
        image_url = answer.json()["data"][0]["imageURL"]
        assert plain.get(image_url).is_success
        with ControlClient(url, "a-key") as control:
            assert control.clock.advance("31d").purged.media == 1
        assert plain.get(image_url).status_code == 404
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOPPED_WITHIN_S) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


def test_a_start_without_locks_leaves_the_folders_of_others_alone(tmp_path: Path) -> None:
    program = WITHOUT_POSIX.partition("sys.argv")[0] + (
        "from runware_mock.storage.sqlite import temporary_folder\n"
        "with temporary_folder() as one, temporary_folder() as other:\n"
        "    print(one.is_dir(), other.is_dir())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=clean_environment(TMPDIR=str(tmp_path)),
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "True True\n", done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_dependency_of_the_runtime_has_a_wheel_for(system: str) -> None:
    command = (sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--only-binary", ":all:", "pyproject.toml")
    where = ("--python-platform", system, "--python-version", "3.11")
    done = subprocess.run((*command, *where), cwd=PROJECT, check=False, capture_output=True, text=True)
    if "error: Request failed after " in done.stderr:
        pytest.skip(f"the package index cannot be reached: {done.stderr}")
    assert not done.returncode, done.stderr
