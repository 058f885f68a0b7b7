"""What docs/docker-and-ci.md shows for containers is well-formed, and a mapped port is right in `imageURL`."""

import re
import shutil
import socket
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml  # type: ignore[import-untyped]

from tests import plain
from tests.docs.test_examples import block
from tests.pictures import png
from tests.process.clients import rest, ws
from tests.running import RunningMock
from tests.talking import upload

PAGE = "docs/docker-and-ci.md"
IMAGE = "/your-name/runware-mock:0.1.0"
CHUNK_BYTES = 2**16


@contextmanager
def mapped_port(url: str) -> Iterator[str]:
    """Forward a free port to a server, as a container engine does; yield the address of the port."""
    parts = urlsplit(url)

    class Forward(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((parts.hostname or "", parts.port or 0)) as server:
                answering = threading.Thread(target=copy, args=(server, self.request))
                answering.start()
                copy(self.request, server)
                answering.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Forward) as forwarder:
        thread = threading.Thread(target=forwarder.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{forwarder.server_address[1]}"
        forwarder.shutdown()
        thread.join()


def copy(source: socket.socket, target: socket.socket) -> None:
    """Copy all bytes, and then the end."""
    with suppress(OSError):
        while chunk := source.recv(CHUNK_BYTES):
            target.sendall(chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("client", [rest, ws])
def test_an_image_url_is_right_behind_a_mapped_port(mock: RunningMock, client: Any) -> None:
    picture = png()
    with mapped_port(mock.url) as url:
        assert plain.get(f"{url}/ready").status_code == 200
        with client(url) as talker:
            image_url = talker.ask(upload(picture)).item["imageURL"]
        assert image_url.startswith(f"{url}/image/")
        assert plain.get(image_url).content == picture


def test_the_service_of_github_actions_serves_where_the_tests_look() -> None:
    job = yaml.safe_load(block(PAGE, "yaml", "runs-on"))["jobs"]["test"]
    service = job["services"]["runware-mock"]
    assert service["image"].endswith(IMAGE)
    assert service["ports"] == ["8080:8080"]
    assert job["env"]["RUNWARE_BASE_URL"] == "http://127.0.0.1:8080/v1"


def test_the_service_of_gitlab_serves_where_the_tests_look() -> None:
    job = yaml.safe_load(block(PAGE, "yaml", "script:"))["test"]
    (service,) = job["services"]
    assert service["name"].endswith(IMAGE)
    assert job["variables"]["RUNWARE_BASE_URL"] == f"http://{service['alias']}:8080/v1"


def test_the_application_of_the_compose_file_waits_for_the_server_that_it_calls() -> None:
    services = yaml.safe_load(block(PAGE, "yaml", "depends_on"))["services"]
    application, server = services["application"], services["runware-mock"]
    assert application["depends_on"] == {"runware-mock": {"condition": "service_healthy"}}
    assert application["environment"]["RUNWARE_BASE_URL"] == "http://runware-mock:8080/v1"
    assert server["image"].endswith(IMAGE)


def test_the_python_of_testcontainers_compiles() -> None:
    compile(block(PAGE, "python", "testcontainers"), PAGE, "exec")


@pytest.mark.parametrize(
    ("language", "file", "command"),
    [("js", "start.mjs", ["node", "--check"]), ("go", "start.go", ["gofmt", "-d"])],
    ids=["js", "go"],
)
def test_the_javascript_and_go_of_testcontainers_parse(
    language: str, file: str, command: list[str], tmp_path: Path
) -> None:
    done = checked(command, language, tmp_path / file)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_java_of_testcontainers_parses(tmp_path: Path) -> None:
    done = checked(["javac", "-XDrawDiagnostics"], "java", tmp_path / "RunwareMock.java")
    errors = [line for line in done.stderr.splitlines() if "compiler.err" in line]
    # The library is not there, so its names are unknown. An error of syntax would be the only kind shown.
    assert errors
    assert [line for line in errors if not re.search(r"compiler\.err\.(doesnt\.exist|cant\.resolve)", line)] == []


def checked(command: list[str], language: str, file: Path) -> subprocess.CompletedProcess[str]:
    """Give the page's example in a language to a program that checks it."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not on this machine")
    file.write_text(block(PAGE, language, "testcontainers"))
    return subprocess.run([*command, file.name], cwd=file.parent, check=False, capture_output=True, text=True)
