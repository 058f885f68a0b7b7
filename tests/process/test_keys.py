"""An API key, wherever it is sent, is nowhere afterwards: not in the log, the files, the page, the answers."""

import io
import json
import logging
import re
import secrets
import socket
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.frames import CloseCode
from websockets.sync.client import connect
from websockets.typing import Origin

from tests import plain
from tests.control.calling import calling
from tests.pictures import png
from tests.running import RunningMock, mock_process_logging, running_mock
from tests.talking import TIMEOUT_S, Task, talking, upload
from tests.tasks.asking import inference, task

pytestmark = pytest.mark.both_transports

LONGEST_BYTES = 100_000
NOWHERE = "http://127.0.0.1:65001"
# One of the form that a real key has, and one that somebody has made up.
KINDS = ("real", "made up")


def new_key(kind: str) -> str:
    """Return a key that nobody has used."""
    return f"aK9{secrets.token_hex(14)}Z" if kind == "real" else f"marker-{secrets.token_hex(16)}"


def _is_of_the_server(record: logging.LogRecord) -> bool:
    """Leave out what the test's own side of the wire logs."""
    return not record.name.startswith(("websockets.client", "httpx"))


def tasks_with(key: str) -> list[object]:
    """Return tasks that hold a key in every place that comes to mind."""
    return [
        upload(png(), apiKey=key),
        upload(png(), APIKEY=key, api_key=key, nested=[{"Authorization": f"Bearer {key}"}]),
        upload(key),
        upload(f"data:image/png;base64,{key}"),
        upload(f"{NOWHERE}/{key}.png?key={key}"),
        upload(f"ftp://{key}@example.com/a.png"),
        upload({"apiKey": key}),
        task("Authentication", apiKey=key),
        task("authentification", apikey=key),
        task(key),
        {"taskType": "imageUpload", "taskUUID": key, "image": "x"},
        {"taskType": "getResponse", "taskUUID": key},
        task("getResponse", key=key),
        task("mediaStorage", operation="delete", media=key),
        task("mediaStorage", operation=key, media="x"),
        task("promptEnhance", prompt=f"say {key}", promptMaxLength=100, promptVersions=2),
        inference(positivePrompt=f"my key is {key}"),
        inference(positivePrompt="x" * 50 + key + "y" * 600),
        inference(model=key),
        inference(outputFormat=key),
        inference(seedImage=key),
        inference(referenceImages=[key, f"https://im.runware.ai/image/ii/{key}.png"]),
        inference(providerSettings={"any": [{"apiKey": key, "list": [key]}]}),
        inference(**{key: key}),
        inference(webhookURL=f"{NOWHERE}/hook?key={key}"),
        inference(uploadEndpoint=f"{NOWHERE}/{key}", deliveryMethod="async"),
        key,
        [[key]],
        {key: key},
    ]


def raw_bodies_with(key: str) -> list[bytes]:
    """Return what is no request at all."""
    return [
        f'[{{"taskType":"imageUpload","apiKey":"{key}"'.encode(),
        f'{{"apiKey":"{key}"}}'.encode(),
        f'"{key}"'.encode(),
        f"apiKey={key}".encode(),
        key.encode(),
        json.dumps([{"apiKey": key}]).encode() + b" " * LONGEST_BYTES,
    ]


def authentications_with(key: str) -> list[list[Task]]:
    """Return what is meant to authenticate, more or less."""
    wrong = ("apikey", "APIKEY", "api_key", "key", "token")
    return [
        *([{"taskType": "authentication", name: key}] for name in wrong),
        [{"taskType": "authentication", "auth": {"apiKey": key}}],
        [{"taskType": "authentication", "apiKey": [key]}],
        [{"taskType": "authentication", "apiKey": key, "connectionSessionUUID": key}],
        [{"taskType": "authentication", "apiKey": key}, upload(png(), apiKey=key)],
        [{"taskType": "authentication", "apiKey": f"{key}+plan"}, upload(png(), apiKey=key)],
    ]


def sent_by_rest(url: str, key: str, kind: str) -> list[str]:
    """Send a key in every way over REST; return the answers."""
    right = {"Authorization": f"Bearer {key}"}
    tasks = [*([one] for one in tasks_with(key)), *authentications_with(key), tasks_with(key)[:3]]
    odd_headers = (
        {"Authorization": key},
        {"Authorization": f"Basic {key}"},
        {"authorization": f"bEARER {key}"},
        {"X-API-Key": key},
        {**right, "User-Agent": f"{'x' * 80} {key}"},
        {**right, "X-SDK-Name": key, "X-SDK-Version": key},
        {**right, "X-Runware-Mock-Plan": key},
    )
    paths = [f"/v1/{key}", f"/image/ii/{key}.png", f"/_mock/{key}", f"/_mock/media/{key}", f"/ui/media/{key}"]
    with plain.Client(base_url=url, timeout=60) as client:
        answers = [
            *(client.post("/v1", json=body, headers=right) for body in tasks),
            *(client.post("/v1", content=raw, headers=right) for raw in raw_bodies_with(key)),
            *(client.post("/v1", json=body) for body in authentications_with(key)),
            *(client.post(f"/v1?apiKey={key}", json=[upload(png())], headers=headers) for headers in odd_headers),
        ]
        if kind == "real":
            answers += [client.get(f"{path}?apiKey={key}", headers=right) for path in paths]
            answers += [client.post(f"{path}?apiKey={key}", headers=right) for path in paths]
        return [answer.text for answer in answers]


def sent_by_ws(url: str, key: str, kind: str) -> list[str]:
    """Send a key in every way over WebSocket; return the answers."""
    answers: list[str] = []
    address = f"ws{url.removeprefix('http')}/v1?apiKey={key}"
    headers = {"Authorization": f"Bearer {key}", "X-SDK-Name": key}

    def asked(messages: list[str | bytes]) -> None:
        with (
            suppress(ConnectionClosed, InvalidHandshake),
            connect(address, additional_headers=headers, open_timeout=TIMEOUT_S) as socket,
        ):
            for message in messages:
                socket.send(message)
                answers.append(str(socket.recv(60)))

    right = json.dumps([{"taskType": "authentication", "apiKey": key}])
    frames = [json.dumps([one]) for one in tasks_with(key)]
    asked([right, *frames, *(frame.encode() for frame in frames)])
    for frame in authentications_with(key):
        asked([json.dumps(frame)])
        asked([right, json.dumps(frame)])
    for raw in raw_bodies_with(key):
        asked([right, raw])
        asked([raw])
    if kind == "real":
        asked([*frames])
    return answers


def all_that_is_shown(url: str, key: str) -> Iterator[tuple[str, str]]:
    """Yield what the page, the metrics and the control API tell of an account, and of all."""
    with plain.Client(base_url=url, timeout=60) as client:
        client.post("/_mock/snapshots/kept", headers={"Authorization": f"Bearer {key}"})
        paths = ["/metrics", "/health", "/ready", "/ui/journal", "/ui/controls", "/_mock/status", "/_mock/accounts"]
        paths += ["/_mock/media?limit=1000", "/_mock/journal?limit=1000", "/_mock/snapshots", "/_mock/forecast"]
        paths += [
            f"/_mock/journal/{entry['id']}" for entry in client.get("/_mock/journal?limit=1000").json()["entries"]
        ]
        for path in paths:
            yield path, client.get(path).text
            yield path, client.get(path, headers={"Authorization": f"Bearer {key}"}).text
        media = client.get("/_mock/media?limit=1000").json()["media"]
        assert media
        for path in ["/", *(f"/ui/media/{medium['uuid']}" for medium in media[:20])]:
            yield path, client.get(path, headers={"Accept": "text/html"}).text
        exported = client.get("/_mock/export", headers={"Authorization": f"Bearer {key}"})
        with zipfile.ZipFile(io.BytesIO(exported.content)) as archive:
            for name in archive.namelist():
                yield f"{name} of the export", archive.read(name).decode("latin-1")


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_is_nowhere_afterwards(tmp_path: Path, transport: str, kind: str) -> None:
    key, send = new_key(kind), sent_by_rest if transport == "rest" else sent_by_ws
    log, given = tmp_path / "log", ("--log-level", "debug", "--max-message-bytes", f"{LONGEST_BYTES}B")
    with log.open("w") as file, mock_process_logging(file, tmp_path, *given) as server:
        answers = send(server.url, key, kind)
        assert len(answers) > 50
        for answer in answers:
            assert key not in answer
        assert any("imageUUID" in answer for answer in answers)
        for place, shown in all_that_is_shown(server.url, key):
            assert key not in shown, place
        assert_not_in_files(tmp_path, key)
        assert key not in server.stop()
    assert_not_in_files(tmp_path, key)
    # The log tells that it was there, and whose it is.
    assert f"{key[:3]}…{key[-3:]} held its own API key" in log.read_text()
    assert log.read_text().count("looks like a real one") == (kind == "real")


def assert_not_in_files(folder: Path, key: str) -> None:
    """Check the log, the database and its write-ahead log, byte for byte."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert {"log", "runware-mock.sqlite3"} <= {file.name for file in files}
    for file in files:
        data = file.read_bytes()
        # Not even the greater part of it, such as a text that was cut would show.
        for part in (key, key[:-6], key[6:]):
            assert part.encode() not in data, file.name


@pytest.mark.parametrize("kind", KINDS)
def test_nor_is_it_in_the_log_of_a_process_that_logs_everything(
    caplog: pytest.LogCaptureFixture, transport: str, kind: str
) -> None:
    """As of tests that run with a log level of DEBUG, and the mock among them."""
    key, send = new_key(kind), sent_by_rest if transport == "rest" else sent_by_ws
    with caplog.at_level(logging.DEBUG), running_mock(max_message_bytes=LONGEST_BYTES) as mock:
        caplog.handler.addFilter(_is_of_the_server)
        send(mock.url, key, kind)
    assert caplog.text
    assert key not in caplog.text


def test_a_key_in_the_name_of_a_host_or_the_origin_of_a_socket_is_neither_stored_nor_logged(tmp_path: Path) -> None:
    key, log = new_key("made up"), tmp_path / "log"
    headers = {"Authorization": f"Bearer {key}"}
    with log.open("w") as file, mock_process_logging(file, tmp_path, "--log-level=debug") as server:
        answer = plain.post(server.rest_url, json=[upload(png())], headers={**headers, "Host": f"{key}.test"})
        assert answer.json()["data"][0]["imageURL"].startswith(server.url)
        with (
            pytest.raises(InvalidHandshake),
            connect(server.ws_url, origin=Origin(f"https://{key}.example"), additional_headers=headers),
        ):
            pass
        server.stop()
    assert "held its own key" in log.read_text()
    for file_path in tmp_path.iterdir():
        assert key.encode() not in file_path.read_bytes().lower(), file_path


def test_what_is_no_text_and_no_path_leaves_no_traceback_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("w") as file, mock_process_logging(file, tmp_path, "--log-level=debug") as server:
        host, port = server.url.removeprefix("http://").split(":")
        for request in (b"CONNECT example.com:443", b"CONNECT /", b"OPTIONS *"):
            with socket.create_connection((host, int(port))) as connection:
                connection.sendall(request + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                assert connection.recv(4096).startswith(b"HTTP/1.1 40")
        with connect(server.ws_url, open_timeout=TIMEOUT_S) as websocket:
            websocket.send(b"\xff\xfe", text=True)
            with pytest.raises(ConnectionClosed) as closed:
                websocket.recv(30)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == CloseCode.INVALID_DATA
        server.stop()
    assert "Invalid UTF-8" in log.read_text()
    assert "Traceback" not in log.read_text()


def test_a_crash_of_the_mock_does_not_log_what_was_to_be_stored(
    caplog: pytest.LogCaptureFixture, api_key: str, transport: str
) -> None:
    with running_mock() as mock, talking(mock, transport, api_key) as talker:
        with mock.services.database.writing() as connection:
            connection.exec_driver_sql("ALTER TABLE journal RENAME COLUMN task TO elsewhere")
        picture = upload(png(), positivePrompt="words of the client")
        assert talker.ask(picture).error["code"] == "mockInternalError"
    assert "has no column named task" in caplog.text
    assert "words of the client" not in caplog.text


def test_a_real_key_is_warned_of_once_for_its_account(tmp_path: Path) -> None:
    real, made_up = new_key("real"), new_key("made up")
    for start in (1, 2):
        log = tmp_path / f"log{start}"
        with log.open("w") as file, mock_process_logging(file, tmp_path) as server:
            for key in (real, made_up, real):
                for _ in range(2):
                    plain.post(f"{server.url}/v1", json=[upload(png())], headers={"Authorization": f"Bearer {key}"})
            server.stop()
        warned = [line for line in log.read_text().splitlines() if "looks like a real one" in line]
        assert len(warned) == (start == 1)
    first = (tmp_path / "log1").read_text()
    assert re.search(rf"WARNING the API key {real[:3]}…{real[-3:]} looks like a real one", first)
    assert real not in first


def test_a_setting_that_holds_a_secret_is_not_shown_with_the_others() -> None:
    with running_mock(api_key="one-key-that-is-accepted", control_token="open sesame") as mock:  # noqa: S106 - a test's
        shown = repr(mock.services) + repr(mock.services.settings)
    assert "retention" in shown
    assert "one-key-that-is-accepted" not in shown
    assert "open sesame" not in shown


def test_what_was_masked_is_still_told_apart(mock: RunningMock, transport: str) -> None:
    key, of_another = new_key("made up"), new_key("real")
    settings = {"apiKey": "sk-of-another-0123456789", "keys": [of_another]}
    with talking(mock, transport, key) as talker, calling(mock, key) as control:
        talker.ask(inference(positivePrompt=f"my key is {key}, isn't it", settings=settings))
        (entry,) = control.get("/journal")["entries"]
    assert entry["task"]["positivePrompt"] == f"my key is {key[:3]}…{key[-3:]}, isn't it"
    assert entry["task"]["settings"] == {"apiKey": "sk-…789", "keys": [f"aK9…{of_another[-3:]}"]}
