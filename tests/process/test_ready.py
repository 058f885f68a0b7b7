"""`runware-mock ready` tells by its exit status whether a server is ready."""

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from runware_mock.cli import main
from tests.process.ports import free_port
from tests.running import MockProcess, clean_environment, command, mock_process, run_command


def test_a_ready_server_is_status_0(server: MockProcess) -> None:
    ended = run_command("ready", "--url", server.url)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"ready on {server.url}\n", "")


def test_a_port_nobody_listens_on_is_status_1() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    ended = run_command("ready", "--url", url)
    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"runware-mock: not ready on {url}: ")
    assert "no server answers there ([Errno " in line
    assert "Connection refused" in line
    assert line.endswith(": start one with `runware-mock serve`, or give the address of one with --url")


def test_it_asks_the_server_that_serve_would_start_with_the_same_variables(server: MockProcess) -> None:
    port = server.url.rpartition(":")[2]
    everywhere = {"RUNWARE_MOCK_HOST": "0.0.0.0", "RUNWARE_MOCK_PORT": port}  # noqa: S104 - asked, not bound
    for variables in ({"RUNWARE_MOCK_PORT": port}, everywhere, {"RUNWARE_MOCK_URL": server.url}):
        ended = run_command("ready", **variables)
        assert (ended.returncode, ended.stdout) == (0, f"ready on {server.url}\n")


def test_it_finds_the_server_by_its_ready_file(tmp_path: Path, server: MockProcess) -> None:
    file = tmp_path / "ready.json"
    for arguments in (("--ready-file", str(file)), ("--url", server.url, "--ready-file", "nowhere")):
        ended = run_command("ready", *arguments)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"ready on {server.url}\n", "")


@pytest.mark.parametrize(
    ("text", "problem"),
    [(None, "cannot read {}: No such file or directory"), ("", "{} holds no address"), ("[]", "{} holds no address")],
)
def test_without_a_ready_file_no_server_is_ready(tmp_path: Path, text: str | None, problem: str) -> None:
    file = tmp_path / "ready.json"
    if text is not None:
        file.write_text(text)
    ended = CliRunner().invoke(main, ["ready", "--ready-file", str(file)])
    assert (ended.exit_code, ended.stderr) == (1, f"runware-mock: not ready: {problem.format(file)}\n")


def test_a_wait_without_a_unit_is_refused() -> None:
    ended = CliRunner().invoke(main, ["ready", "--wait", "2"])
    message = "bad value for --wait (or RUNWARE_MOCK_WAIT): 2 has no unit: write 2s, 2m or 2d"
    assert (ended.exit_code, ended.stderr) == (2, f"runware-mock: {message}\n")


def test_an_address_with_colons_is_put_in_brackets() -> None:
    port = str(free_port())
    ended = run_command("ready", RUNWARE_MOCK_HOST="::1", RUNWARE_MOCK_PORT=port)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"runware-mock: not ready on http://[::1]:{port}: ")


def test_it_waits_for_a_server_that_is_still_to_come(tmp_path: Path) -> None:
    port = free_port()
    with (
        subprocess.Popen(
            command("ready", f"--url=http://127.0.0.1:{port}", "--wait=60s"),
            stdout=subprocess.PIPE,
            text=True,
            env=clean_environment(),
        ) as waiting,
        mock_process(tmp_path, "--port", str(port)) as server,
    ):
        output, _ = waiting.communicate(timeout=60)
    assert (waiting.returncode, output) == (0, f"ready on {server.url}\n")


def test_it_gives_up_when_the_wait_is_over() -> None:
    began_s = time.monotonic()
    ended = run_command("ready", f"--url=http://127.0.0.1:{free_port()}", "--wait=400ms")
    assert ended.returncode == 1
    assert time.monotonic() - began_s >= 0.4


def test_the_wait_can_be_a_variable() -> None:
    began_s = time.monotonic()
    assert run_command("ready", f"--url=http://127.0.0.1:{free_port()}", RUNWARE_MOCK_WAIT="0.4s").returncode == 1
    assert time.monotonic() - began_s >= 0.4


class _Stranger(BaseHTTPRequestHandler):
    """Some other web server: it answers everything with `{}`."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_another_web_server_is_not_taken_for_the_mock() -> None:
    with HTTPServer(("127.0.0.1", 0), _Stranger) as stranger:
        threading.Thread(target=stranger.handle_request).start()
        ended = run_command("ready", f"--url=http://127.0.0.1:{stranger.server_port}")
    assert ended.returncode == 1
    assert ended.stderr.endswith(": something else answers there\n")


@contextmanager
def _answering_once(answer: bytes) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer_once() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=answer_once)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


def test_what_is_no_web_server_is_told_in_one_line() -> None:
    with _answering_once(b"220 mail.example ESMTP\r\n") as url:
        ended = run_command("ready", f"--url={url}")
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"runware-mock: not ready on {url}: no web server answers there")


def test_a_server_that_answers_with_an_error_is_not_ready() -> None:
    with _answering_once(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n") as url:
        ended = run_command("ready", f"--url={url}")
    assert (ended.returncode, ended.stderr) == (1, f"runware-mock: not ready on {url}: it answers 503\n")


@pytest.mark.parametrize("url", ["nonsense", "http://127.0.0.1:port"])
def test_what_is_no_address_is_told_in_one_line(url: str) -> None:
    ended = run_command("ready", "--url", url)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"runware-mock: not ready on {url}: ")


def test_a_proxy_of_the_environment_is_not_asked(server: MockProcess) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    assert run_command("ready", "--url", server.url, http_proxy=nowhere, no_proxy="").returncode == 0
