"""Log lines: on standard error, as text or as JSON; never with an API key."""

import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from runware_mock import ControlClient
from tests import plain
from tests.process import data_folder, scenes
from tests.process.clients import rest, ws
from tests.running import MockProcess, mock_process, mock_process_logging
from tests.talking import upload

REQUEST = {"method", "path", "taskTypes", "status", "errors", "duration_ms", "account", "faults"}
KEY = "a-key-of-some-length-123"


@contextmanager
def logging_server(folder: Path, *arguments: str, **variables: str) -> Iterator[tuple[MockProcess, Path]]:
    """Run a server with its log lines in a file."""
    log = folder / "log"
    with log.open("w") as file, mock_process_logging(file, folder, *arguments, **variables) as server:
        yield server, log


def break_tables_and_upload(server: MockProcess, folder: Path) -> str:
    """Make an upload fail inside the mock; return the code of its error."""
    with data_folder.opened(folder) as connection:
        connection.execute("ALTER TABLE content RENAME TO elsewhere")
    with rest(server.url) as talker:
        return str(talker.ask(upload(scenes.small(1))).error["code"])


def test_json_lines_parse_and_hold_time_level_logger_message_and_exception(tmp_path: Path) -> None:
    with logging_server(tmp_path, "--log-format", "json", "--log-level", "debug") as (server, log):
        with ws(server.url) as talker:
            assert talker.ask(upload(scenes.small(1))).item
        assert break_tables_and_upload(server, tmp_path) == "mockInternalError"
        server.stop()
    lines: list[dict[str, Any]] = [json.loads(line) for line in log.read_text().splitlines()]
    assert len(lines) >= 3
    for line in lines:
        assert line.keys() - {"exception", "taskUUID"} - REQUEST == {"time", "level", "logger", "message"}
        assert datetime.fromisoformat(line["time"]).utcoffset() is not None
    (error,) = [line for line in lines if line["level"] == "error" and line["logger"] == "runware_mock.tasks.runner"]
    assert "failed inside the mock" in error["message"]
    assert "no such table: content" in error["exception"]


def test_each_request_has_one_line_that_says_what_was_asked_and_how_it_went(tmp_path: Path) -> None:
    with logging_server(tmp_path, "--log-format", "json") as (server, log):
        plan = {"name": "once", "faults": [{"kind": "error", "code": "timeoutProvider"}]}
        with rest(server.url, KEY) as talker:
            talker.ask(upload(scenes.small(1)), upload("no picture"))
            with ControlClient(server.url, api_key=KEY) as control:
                control.faults.add(plan)
            talker.ask(upload(scenes.small(2)))
        with ws(server.url, KEY) as talker:
            talker.ask(upload(scenes.small(3)))
        server.stop()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    told = [{name: line[name] for name in REQUEST & line.keys() - {"duration_ms"}} for line in lines if "path" in line]
    post = {"method": "POST", "path": "/v1", "account": "a-k…123"}
    assert told == [
        {**post, "taskTypes": "imageUpload*2", "status": 200, "errors": "invalidImage"},
        {"method": "POST", "path": "/_mock/faults", "status": 201},
        {**post, "taskTypes": "imageUpload", "status": 504, "errors": "timeoutProvider", "faults": "error"},
        {"method": "WS", "path": "/v1", "taskTypes": "authentication", "account": "a-k…123"},
        {"method": "WS", "path": "/v1", "taskTypes": "imageUpload", "account": "a-k…123"},
    ]
    assert all(line["duration_ms"] > 0 for line in lines if "path" in line)


def test_what_machines_ask_again_and_again_is_logged_at_debug_alone(tmp_path: Path) -> None:
    with logging_server(tmp_path) as (server, log):
        plain.get(f"{server.url}/health")
        plain.get(f"{server.url}/v1/nowhere?token=hidden")
        server.stop()
    (line,) = [line for line in log.read_text().splitlines() if " GET " in line]
    assert re.search(r" INFO GET /v1/nowhere 404 \d+\.\d ms$", line)


def test_text_lines_are_for_a_person(tmp_path: Path) -> None:
    with logging_server(tmp_path) as (server, log):
        break_tables_and_upload(server, tmp_path)
        server.stop()
    lines = log.read_text().splitlines()
    # The purge that follows the start may have stumbled over the broken tables, too.
    (told,) = [number for number, line in enumerate(lines) if " ERROR task " in line]
    assert lines[told + 1] == "Traceback (most recent call last):"


@pytest.mark.parametrize(("level", "is_logged"), [("info", True), ("error", False)])
def test_only_lines_of_the_level_and_above_are_logged(tmp_path: Path, level: str, *, is_logged: bool) -> None:
    with mock_process(tmp_path) as server, rest(server.url) as talker:
        assert talker.ask(upload(scenes.small(1))).item
    with logging_server(tmp_path, "--log-level", level, "--retention", "0s") as (server, log):
        while data_folder.count(tmp_path, "medium"):
            pass
        server.stop()
    assert ("INFO purged 1 expired media" in log.read_text()) == is_logged


def test_an_api_key_appears_nowhere(tmp_path: Path) -> None:
    key, wrong_key = f"key-{secrets.token_hex(16)}", f"key-{secrets.token_hex(16)}"
    with logging_server(tmp_path, "--log-level", "debug", RUNWARE_MOCK_API_KEY=key) as (server, log):
        for talking in (rest, ws):
            with talking(server.url, key) as talker:
                assert talker.ask(upload(scenes.small(1))).item
                assert talker.ask(upload("no picture")).codes == ["invalidImage"]
        with rest(server.url, wrong_key) as talker:
            assert talker.ask(upload(scenes.small(1))).codes == ["invalidApiKey"]
        with ws(server.url, wrong_key) as talker:
            assert talker.authenticated["errors"][0]["code"] == "invalidApiKey"
        written = [file.read_bytes() for file in tmp_path.iterdir()]
        said = "".join(server.started) + server.stop()
    assert "--api-key (hidden)\n" in said
    assert log.read_text() != ""
    written += [said.encode(), *(file.read_bytes() for file in tmp_path.iterdir())]
    for text in written:
        assert key.encode() not in text
        assert wrong_key.encode() not in text
