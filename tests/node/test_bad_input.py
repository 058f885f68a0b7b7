"""What cannot work is said in one sentence, and no server outlives the process that started it."""

import os
import select
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.node.conftest import Application, environment, node
from tests.process.ports import free_port

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux, to wait for the end of any process"),
]

ENDED_WITHIN_S = 20
START = """
const { startRunwareMock } = require("runware-mock");
const options = JSON.parse(process.argv[1] ?? "{}");
startRunwareMock(options).then(
  (server) => server.stop(),
  (error) => {
    console.log(error.message);
    process.exitCode = 3;
  },
);
"""
# Prints a line when the server is ready, and what a call says when it has ended; its process id is in a file.
HOLD = """
const { startRunwareMock } = require("runware-mock");
const script = 'echo $$ > server.pid; exec runware-mock "$@"';
startRunwareMock({ command: ["sh", "-c", script, "sh"] }).then((server) => {
  console.log("ready");
  process.stdin.once("data", async () => {
    await server.account().status().catch((error) => console.log(error.message));
    process.exit();
  });
});
"""
OTHER_VERSION = """
const { createServer } = require("node:http");
const server = createServer((request, response) => {
  response.setHeader("X-Runware-Mock", "0.0.9");
  response.end(JSON.stringify({ version: "0.0.9" }));
});
server.listen(0, "127.0.0.1", () => console.log(`runware-mock ready on http://127.0.0.1:${server.address().port}`));
"""


def refusal(application: Application, options: str = "{}", **variables: str) -> str:
    """Return the message with which a start fails."""
    done = node(application.folder, "--eval", START, options, **variables)
    assert done.returncode == 3, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout.strip()


def assert_ended(pid_file: Path) -> None:
    """Wait until the process whose id is in a file has ended."""
    try:
        process = os.pidfd_open(int(pid_file.read_text()))
    except ProcessLookupError:
        return
    try:
        assert select.select([process], [], [], ENDED_WITHIN_S)[0], "the server still runs"
    finally:
        os.close(process)


def test_a_machine_without_the_command_is_told_what_to_install(application: Application, tmp_path: Path) -> None:
    told = refusal(application, PATH=str(tmp_path))
    assert told.startswith(
        "there is no command runware-mock on the PATH: run pip install . in its checkout, or set `command`"
    )
    assert "uvx, which is not on the PATH" in refusal(application, '{"from": "."}', PATH=str(tmp_path))
    told = refusal(application, '{"command": ["/nowhere/runware-mock"]}')
    assert told.startswith("runware-mock did not start: cannot run /nowhere/runware-mock: it, or the Python that it")


def test_a_command_whose_python_is_gone_says_so(application: Application, tmp_path: Path) -> None:
    installed = tmp_path / "runware-mock"
    installed.write_text("#!/nowhere/python3\n")
    installed.chmod(0o755)
    told = refusal(application, PATH=str(tmp_path))
    assert told == (
        f"runware-mock did not start: cannot run {installed}: it, or the Python that it names, does not exist "
        "(status 127)"
    )


def test_uvx_runs_what_is_given_as_from(application: Application, tmp_path: Path) -> None:
    uvx = tmp_path / "uvx"
    uvx.write_text('#!/bin/sh\necho "$@" >&2\nexit 1\n')
    uvx.chmod(0o755)
    told = refusal(application, '{"from": "./here"}', PATH=f"{tmp_path}:/usr/bin:/bin")
    assert "--from ./here runware-mock serve --port=0 --in-memory" in told


def test_another_version_is_refused(application: Application) -> None:
    (application.folder / "other.js").write_text(OTHER_VERSION)
    told = refusal(application, f'{{"command": ["{shutil.which("node")}", "other.js"]}}')
    assert "is runware-mock 0.0.9, but this package needs 0.1" in told


def test_a_taken_port_and_an_unknown_setting_are_named(application: Application) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = refusal(application, f'{{"settings": {{"port": {port}}}}}')
    assert f"port {port} is in use: choose another" in told
    assert "--retentoin" in refusal(application, '{"settings": {"retentoin": "7d"}}')


def test_a_url_without_a_mock_is_refused(application: Application) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    told = refusal(application, RUNWARE_MOCK_URL=url)
    assert told.startswith(f"cannot use runware-mock: no runware-mock can be reached at {url}")


@pytest.mark.parametrize("killed", ["application", "server"])
def test_neither_a_killed_process_nor_a_killed_server_leaves_anything_behind(
    application: Application, tmp_path: Path, killed: str
) -> None:
    (tmp_path / "node_modules").symlink_to(application.folder / "node_modules")
    with subprocess.Popen(
        [shutil.which("node") or "node", "--eval", HOLD],
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "ready\n"
        if killed == "application":
            process.kill()
        else:
            os.kill(int((tmp_path / "server.pid").read_text()), signal.SIGKILL)
            told = process.stderr.readline()
            assert told == "runware-mock ended in the middle of the run: it was ended by SIGKILL (status 1)\n"
            process.stdin.write("go on\n")
            process.stdin.flush()
            assert process.stdout.readline().startswith("no runware-mock can be reached at http://127.0.0.1:")
    assert_ended(tmp_path / "server.pid")


def test_a_killed_jest_worker_harms_neither_the_server_nor_the_other_workers(
    application: Application, tmp_path: Path
) -> None:
    pid_file = tmp_path / "server.pid"
    done = application.run("jest/bin/jest.js", "--maxWorkers=2", inside="tests/killed", PID_FILE=str(pid_file))
    assert done.returncode == 1
    assert "PASS ./other.test.js" in done.stderr
    assert "signal=SIGKILL" in done.stderr
    assert_ended(pid_file)


def test_the_command_of_this_environment_is_the_one_under_test() -> None:
    """Otherwise the tests above would test whatever the machine has."""
    found = shutil.which("runware-mock", path=environment()["PATH"])
    assert found is not None
    assert Path(found).parent == Path(sys.executable).parent
