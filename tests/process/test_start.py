"""What a start prints, writes and refuses."""

import json
import os
import re
import socket
import subprocess
import sys
import sysconfig
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from runware_mock.cli import main
from runware_mock.storage.sqlite import FILE_NAME
from runware_mock.version import __version__
from tests import plain
from tests.process import scenes
from tests.process.clients import fetched, rest
from tests.process.ports import free_port
from tests.running import STARTED_WITHIN_S, MockProcess, clean_environment, command, mock_process, run_command
from tests.talking import upload


def test_the_ready_line_comes_last_and_an_upload_right_after_it_succeeds(server: MockProcess) -> None:
    assert server.started[-1] == f"runware-mock ready on {server.url}\n"
    with rest(server.url) as talker:
        item = talker.ask(upload(scenes.small(1))).item
    assert fetched(server.url, item["imageURL"]).content == scenes.small(1)
    assert server.stop() == ""


def test_the_ready_file_holds_the_address(tmp_path: Path, server: MockProcess) -> None:
    ready = json.loads((tmp_path / "ready.json").read_text())
    assert ready == {"url": server.url, "ws_url": server.ws_url, "version": __version__}
    assert plain.get(ready["url"] + "/health").json()["status"] == "ok"
    assert sorted(file.name for file in tmp_path.glob("ready*")) == ["ready.json"]


def test_the_ready_file_is_gone_when_the_server_has_stopped(tmp_path: Path, server: MockProcess) -> None:
    assert (tmp_path / "ready.json").exists()
    server.stop()
    assert list(tmp_path.glob("ready*")) == []


def test_on_a_terminal_it_says_where_everything_is_and_the_ready_line_comes_last(tmp_path: Path) -> None:
    ours, terminal = os.openpty()
    with subprocess.Popen(
        command("serve", "--port=0", f"--data-dir={tmp_path}"), stdout=terminal, env=clean_environment()
    ) as process:
        os.close(terminal)
        try:
            with open(ours, encoding="utf-8") as shown:  # noqa: PTH123 - a descriptor has no path
                lines: list[str] = []
                while not lines or not lines[-1].startswith("runware-mock ready on "):
                    lines.append(shown.readline().rstrip())
        finally:
            process.terminate()
    url = lines[-1].removeprefix("runware-mock ready on ")
    told = dict(re.split(r" {2,}", line.strip(), maxsplit=1) for line in lines[-7:-1])
    assert told == {
        "API": f"{url}/v1",
        "Page": f"{url}/ui",
        "Docs": f"{url}/docs",
        "Control API": f"{url}/_mock/",
        "Data": str(tmp_path),
        "Stop": "Ctrl-C",
    }


def test_a_start_that_fails_leaves_no_ready_file_of_an_earlier_one(tmp_path: Path) -> None:
    ready_file = tmp_path / "ready.json"
    ready_file.write_text("the address of yesterday")
    (tmp_path / FILE_NAME).write_text("no database")
    ended = run_command("serve", "--port=0", f"--data-dir={tmp_path}", f"--ready-file={ready_file}")
    assert ended.returncode == 2
    assert not ready_file.exists()


@pytest.mark.parametrize("file", ["no-such-folder/ready.json", "."])
def test_a_ready_file_that_cannot_be_written_refuses_to_start_in_one_line(tmp_path: Path, file: str) -> None:
    ended = run_command("serve", "--port=0", "--in-memory", f"--ready-file={tmp_path / file}")
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("runware-mock: cannot write --ready-file (or RUNWARE_MOCK_READY_FILE) ")


def test_a_busy_port_refuses_to_start_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run_command("serve", f"--port={port}", f"--data-dir={tmp_path}")
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr == _busy(port)


def test_of_two_servers_started_at_once_on_one_port_one_serves_and_one_says_why_not(tmp_path: Path) -> None:
    port = free_port()
    starting = [
        subprocess.Popen(
            command("serve", f"--port={port}", f"--data-dir={tmp_path}"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment(),
        )
        for _ in range(2)
    ]
    with ThreadPoolExecutor(2) as pool:
        endings = {pool.submit(process.communicate): process for process in starting}
        try:
            (lost,), (won,) = wait(endings, STARTED_WITHIN_S, FIRST_COMPLETED)
            assert run_command("ready", f"--url=http://127.0.0.1:{port}", "--wait=30s").returncode == 0
            endings[won].terminate()
            assert won.result() == (
                f"--port {port}\n--data-dir {tmp_path}\nrunware-mock ready on http://127.0.0.1:{port}\n",
                "",
            )
            assert lost.result() == ("", _busy(port))
            assert (endings[won].returncode, endings[lost].returncode) == (0, 2)
        finally:
            for process in starting:
                process.kill()


def _busy(port: int) -> str:
    return f"runware-mock: port {port} is in use: choose another with --port (0 picks a free one)\n"


# 192.0.2.0/24 is kept for documentation, so no machine has it; a name's parts have at most 63 characters.
@pytest.mark.parametrize("host", ["192.0.2.1", "a" * 64])
def test_an_address_of_another_machine_or_of_none_refuses_to_start_in_one_line(host: str) -> None:
    ended = run_command("serve", f"--host={host}", "--port=0", "--in-memory")
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"runware-mock: cannot listen on {host}:0 (--host, --port): ")


def test_the_command_and_the_module_are_the_same_program() -> None:
    script = Path(sysconfig.get_path("scripts")) / "runware-mock"
    for program in ([str(script)], [sys.executable, "-m", "runware_mock"]):
        ended = subprocess.run([*program, "--version"], check=True, capture_output=True, text=True)
        assert ended.stdout == f"runware-mock, version {__version__}\n"


@pytest.mark.parametrize("name", [None, *main.commands])
def test_every_command_explains_itself(name: str | None) -> None:
    ended = run_command(*[name] if name else [], "--help")
    assert ended.returncode == 0
    assert ended.stderr == ""
    assert ended.stdout.startswith("Usage: ")
    known = main.commands[name] if name else main
    assert str(known.help).partition("\n")[0] in " ".join(ended.stdout.split())


def test_the_help_names_every_setting_with_its_default() -> None:
    shown = run_command("serve", "--help").stdout
    for words in ("--retention", "[30d]", "--purge-every", "[10m]", "--port", "[8080]", "--host", "[127.0.0.1]"):
        assert words in shown


def test_two_servers_on_free_ports_listen_on_different_ones(tmp_path: Path, server: MockProcess) -> None:
    with mock_process(tmp_path) as second:
        assert second.url != server.url
