"""Servers behind the proxy of the compose profile `scale`, which runs here with its own configuration."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zlib import crc32

import httpx
import pytest
from websockets.sync.client import connect

from tests import plain
from tests.pictures import png
from tests.process import scenes
from tests.process.clients import rest, ws
from tests.process.ports import free_port
from tests.process.test_deploy import NGINX_CONF, PORT
from tests.running import MockProcess, mock_process
from tests.stores import store_of
from tests.talking import TIMEOUT_S, upload
from tests.tasks.asking import inference
from tests.tasks.webhooks import status, webhook

# Debian has it where only root looks.
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
# Its base64 makes a message of 30 MB, on the way of which a proxy with limits of its own would stop.
BIG_BYTES = 23 * 2**20
STARTS_WITHIN_S = 30.0

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not on this machine")


def local_conf(folder: Path, port: int, servers: list[MockProcess]) -> str:
    """Return the proxy's configuration with these servers in place of what Docker would know."""
    text = NGINX_CONF.read_text()
    upstream = "".join(f"server {server.url.removeprefix('http://')};" for server in servers)
    for old, new in (
        (f"listen {PORT};", f"listen 127.0.0.1:{port};"),
        (f"set $mock replica:{PORT};", "set $mock replicas;"),
        ("    server {\n", f"    upstream replicas {{ {upstream} }}\n    server {{\n"),
        ("/tmp/", f"{folder}/"),  # noqa: S108 - of the container
        ("worker_processes auto;", "worker_processes 1;\ndaemon off;"),
    ):
        assert old in text
        text = text.replace(old, new)
    return text


def test_the_proxys_configuration_is_valid(tmp_path: Path) -> None:
    conf = tmp_path / "nginx.conf"
    conf.write_text(NGINX_CONF.read_text().replace("/tmp/", f"{tmp_path}/"))  # noqa: S108 - of the container
    checked = subprocess.run([str(NGINX), "-t", "-c", str(conf)], check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    assert "warn" not in checked.stderr


@contextmanager
def proxy(folder: Path, servers: list[MockProcess]) -> Iterator[str]:
    """Run the proxy in front of servers; yield its address."""
    port = free_port()
    conf = folder / "nginx.conf"
    conf.write_text(local_conf(folder, port, servers))
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen([str(NGINX), "-c", str(conf)], stderr=subprocess.DEVNULL) as process:
        try:
            give_up_s = time.monotonic() + STARTS_WITHIN_S
            while not _answers(url):
                assert time.monotonic() < give_up_s
            yield url
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        return plain.get(f"{url}/health").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[MockProcess]]]:
    """Run two servers on one database behind the proxy."""
    folders = [tmp_path_factory.mktemp(name) for name in ("database", "one", "other", "proxy")]
    with (
        store_of("sqlite", folders[0]) as store,
        mock_process(folders[1], *store.arguments, FORWARDED_ALLOW_IPS="*") as one,
        mock_process(folders[2], *store.arguments, FORWARDED_ALLOW_IPS="*") as other,
        proxy(folders[3], [one, other]) as url,
    ):
        yield url, [one, other]


@pytest.mark.parametrize("client", [rest, ws])
def test_uploads_go_through_the_proxy_and_come_back_whichever_server_is_asked(
    behind: tuple[str, list[MockProcess]], client: Any
) -> None:
    url, servers = behind
    with client(url) as talker:
        for picture in (png(), scenes.heavy(3), padded(BIG_BYTES)):
            item = talker.ask(upload(picture)).item
            assert item["imageURL"].startswith(f"{url}/image/")
            for _ in range(2 * len(servers)):
                assert plain.get(item["imageURL"], timeout=60).content == picture


def padded(size_bytes: int) -> bytes:
    """Return a picture of that size, most of which is a comment."""
    small = scenes.small(7)
    end = small.index(b"IEND") - 4
    text = b"tEXt" + b"Comment\0" + b"x" * (size_bytes - len(small))
    return small[:end] + (len(text) - 4).to_bytes(4, "big") + text + crc32(text).to_bytes(4, "big") + small[end:]


def test_each_server_gets_its_share_and_webhooks_name_the_proxy(behind: tuple[str, list[MockProcess]]) -> None:
    url, servers = behind
    with webhook(status(200)) as hook, rest(url) as talker:
        for _ in range(6):
            assert talker.ask(inference(webhookURL=hook.url)).item
        give_up_s = time.monotonic() + STARTS_WITHIN_S
        while len(hook.taken) < 6:
            assert time.monotonic() < give_up_s
    told = [str(body["imageURL"]) for _, body in hook.taken]
    assert all(image_url.startswith(f"{url}/image/") for image_url in told)
    for server in servers:
        assert 'outcome="success"' in plain.get(f"{server.url}/metrics").text


def test_the_proxy_hands_on_who_asks_and_whether_by_https(behind: tuple[str, list[MockProcess]]) -> None:
    url, _ = behind
    headers = {"Authorization": "Bearer a-key", "X-Forwarded-Proto": "https", "Host": "mock.example.com:8443"}
    answer = plain.post(f"{url}/v1", json=[upload(png())], headers=headers).json()
    assert answer["data"][0]["imageURL"].startswith("https://mock.example.com:8443/image/")
    assert plain.get(f"{url}/_mock/status", headers={"X-Forwarded-For": "203.0.113.7"}).status_code == 200
    assert plain.get(f"{url}/ready").json()["status"] == "ready"


def test_a_refusal_of_the_mock_comes_through_the_proxy_as_it_is(behind: tuple[str, list[MockProcess]]) -> None:
    url, _ = behind
    answer = plain.post(f"{url}/v1", content=b"[", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "invalidJson")
    with connect(f"ws{url.removeprefix('http')}/v1", open_timeout=TIMEOUT_S) as socket:
        socket.send(json.dumps([{"taskType": "ping", "ping": True}]))
        assert json.loads(socket.recv(30))["data"][0]["pong"] is True


def test_a_server_that_is_gone_is_passed_over(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("database", "one", "other", "proxy")]
    for folder in folders:
        folder.mkdir()
    with (
        store_of("sqlite", folders[0]) as store,
        mock_process(folders[1], *store.arguments) as one,
        mock_process(folders[2], *store.arguments) as other,
        proxy(folders[3], [one, other]) as url,
    ):
        other.stop()
        for _ in range(6):
            with rest(url) as talker:
                assert talker.ask(upload(png())).item
