"""`from` starts the server by a real `uvx`, which builds it and takes what it needs from the package index."""

import os
import select
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.node.conftest import Application, environment, node
from tests.process.test_packaging import source_tree

LIMIT_S = 300
ENDED_WITHIN_S = 20
HOLD = """
const { startRunwareMock } = require("runware-mock");
const [from, readyFile] = process.argv.slice(1);
startRunwareMock({ from, settings: { readyFile } }).then(
  (server) => {
    console.log("ready");
    process.stdin.once("data", () => server.stop().then(() => console.log("stopped")));
  },
  (error) => console.log(error.message),
);
"""

pytestmark = [
    pytest.mark.timeout(LIMIT_S + 60),
    pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux, to find and await other processes"),
]


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """Return an environment that has uvx and this Python, but no command runware-mock."""
    found = shutil.which("uvx", path=environment()["PATH"])
    if found is None:
        pytest.skip("uvx is not on this machine")
    commands = tmp_path / "commands"
    commands.mkdir()
    for name in ("uv", "uvx"):
        (commands / name).symlink_to(Path(found).with_name(name))
    return environment(PATH=f"{commands}:/usr/bin:/bin", UV_PYTHON=sys.executable)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What uvx builds, once: it keeps what it has built of a folder."""
    return source_tree(tmp_path_factory.mktemp("source"))


def processes_with(word: str) -> list[int]:
    """Return descriptors of the processes in whose command a word is."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        # Other processes come and go.
        with suppress(OSError):
            if word.encode() in file.read_bytes():
                found.append(os.pidfd_open(int(file.parent.name)))
    return found


@pytest.mark.parametrize("ending", ["stopped", "killed"])
def test_uvx_starts_a_server_that_ends_with_its_application(
    application: Application, source: Path, tmp_path: Path, variables: dict[str, str], ending: str
) -> None:
    ready_file = tmp_path / "ready.json"
    with subprocess.Popen(
        [shutil.which("node") or "node", "--eval", HOLD, str(source), str(ready_file)],
        cwd=application.folder,
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        told = process.stdout.readline()
        if "Failed to fetch" in told:
            pytest.skip(f"uvx cannot reach the package index: {told}")
        assert told == "ready\n"
        # The lifeline, uvx and the server.
        started = processes_with(f"--ready-file={ready_file}")
        assert len(started) == 3
        if ending == "killed":
            process.kill()
        else:
            process.stdin.write("stop\n")
            process.stdin.flush()
            assert process.stdout.readline() == "stopped\n"
            process.stdin.close()
    for one in started:
        assert select.select([one], [], [], ENDED_WITHIN_S)[0], "a process still runs"
        os.close(one)


def test_what_uvx_cannot_fetch_is_one_sentence_with_the_cause(
    application: Application, tmp_path: Path, variables: dict[str, str]
) -> None:
    nowhere = {"UV_DEFAULT_INDEX": "http://127.0.0.1:1/simple", "UV_CACHE_DIR": str(tmp_path), "UV_HTTP_RETRIES": "0"}
    done = node(application.folder, "--eval", HOLD, "runware-mock==0.1.0", **{**variables, **nowhere})
    (told,) = done.stdout.splitlines()
    assert told.startswith("runware-mock did not start: error: Failed to fetch: ")
    assert "Connection refused" in told


def test_an_installed_command_is_preferred_to_uvx(application: Application) -> None:
    done = node(application.folder, "--eval", HOLD, "/nowhere", "ready.json")
    assert done.stdout == "ready\n"
