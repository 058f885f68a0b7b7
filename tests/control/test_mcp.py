"""`runware-mock mcp`: what an agent can do, asked with the protocol's own client."""

import asyncio
import base64
import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from runware_mock import tasks
from runware_mock.client import ControlClient
from runware_mock.commands.base import Call
from tests import plain
from tests.control.test_commands import invoked, refused
from tests.pictures import png
from tests.process.ports import free_port
from tests.running import RunningMock, clean_environment, command, running_mock
from tests.talking import Talker, upload

pytest.importorskip("mcp", reason="needs the extra mcp")

from mcp import Client, StdioServerParameters
from mcp_types import CallToolResult, ImageContent, TextContent

from runware_mock.commands.mcp_tools import server_for

PAGE = (Path(__file__).parents[2] / "docs" / "agents.md").read_text(encoding="utf-8")
LIMIT_S = 60.0
Ask = Callable[..., CallToolResult]


async def _used(server: Any, use: Callable[[Client], Awaitable[Any]]) -> Any:
    async with Client(server, read_timeout_seconds=LIMIT_S) as client:
        return await use(client)


def asked(server: Any, tool: str, /, **arguments: Any) -> CallToolResult:
    """Call one tool over a connection of its own."""
    result = asyncio.run(_used(server, lambda client: client.call_tool(tool, arguments)))
    assert isinstance(result, CallToolResult)
    return result


def text_of(result: CallToolResult) -> str:
    assert not result.is_error, result.content
    return "\n".join(part.text for part in result.content if isinstance(part, TextContent))


def error_of(result: CallToolResult) -> str:
    assert result.is_error
    (part,) = result.content
    assert isinstance(part, TextContent)
    return part.text


def in_memory(url: str, api_key: str | None) -> Ask:
    call = Call(url, api_key, None)
    return lambda tool, /, **arguments: asked(server_for(call), tool, **arguments)


@pytest.fixture
def ask(mock: RunningMock, api_key: str) -> Ask:
    """Call a tool for the test's account."""
    return in_memory(mock.url, api_key)


def test_there_are_at_most_twelve_tools_those_that_delete_say_so_and_the_page_lists_them(mock: RunningMock) -> None:
    server = server_for(Call(mock.url, None, None))
    listed = asyncio.run(_used(server, lambda client: client.list_tools()))
    hints = {tool.name: tool.annotations for tool in listed.tools}
    assert len(hints) <= 12
    assert {name for name, hint in hints.items() if hint.destructive_hint} == {
        *("advance_clock", "reset", "restore_snapshot"),
    }
    assert {name for name, hint in hints.items() if hint.read_only_hint} == {
        *("explain_refusal", "forecast", "list_plans", "list_uploads", "search_journal", "show_picture"),
    }
    assert all(tool.description for tool in listed.tools)
    rows = re.findall(r"^\| `(\w+)` \| .* \| (yes)? ?\|$", PAGE, re.MULTILINE)
    assert {name: bool(deletes) for name, deletes in rows} == {
        name: bool(hint.destructive_hint) for name, hint in hints.items() if hint is not None
    }


def test_a_small_picture_is_shown_byte_for_byte(ask: Ask, talker: Talker) -> None:
    item = talker.ask(upload(png())).item
    shown = ask("show_picture", uuid=item["imageUUID"])
    assert item["imageUUID"] in text_of(shown)
    (image,) = [part for part in shown.content if isinstance(part, ImageContent)]
    assert image.mime_type == "image/png"
    assert base64.b64decode(image.data) == plain.get(item["imageURL"]).content


def test_a_large_picture_is_shown_smaller(ask: Ask, talker: Talker) -> None:
    item = talker.ask(upload(png(1500, 1000))).item
    shown = ask("show_picture", uuid=item["imageUUID"])
    (image,) = [part for part in shown.content if isinstance(part, ImageContent)]
    with PIL.Image.open(BytesIO(base64.b64decode(image.data))) as picture:
        assert picture.size == (1024, 683)
    assert image.mime_type == "image/jpeg"


def test_showing_a_picture_meets_no_fault_that_is_planned_for_downloads(ask: Ask, talker: Talker) -> None:
    item = talker.ask(upload(png())).item
    text_of(ask("plan_fault", kind="refuse_download", fields={"status": 503}, name="gone"))
    text_of(ask("show_picture", uuid=item["imageUUID"]))
    assert plain.get(item["imageURL"]).status_code == 503


def test_a_picture_that_was_never_stored_is_a_sentence(ask: Ask) -> None:
    uuid = "00000000-0000-4000-8000-000000000000"
    assert uuid in error_of(ask("show_picture", uuid=uuid))


def test_what_is_expired_or_no_picture_is_not_shown_and_a_sentence_says_why(
    mock: RunningMock, api_key: str, ask: Ask
) -> None:
    media = ControlClient(mock.url, api_key).media
    old = media.expire(media.add(png()).uuid).uuid
    assert error_of(ask("show_picture", uuid=old)) == f"the file of {old} is gone: it has expired or was deleted"
    video = media.add(Path(tasks.__file__).parent / "standin.mp4").uuid
    assert error_of(ask("show_picture", uuid=video)) == f"{video} is video/mp4: only pictures can be shown"


def test_a_format_that_models_do_not_read_is_shown_in_one_that_they_do(
    mock: RunningMock, api_key: str, ask: Ask
) -> None:
    bitmap = BytesIO()
    PIL.Image.new("RGB", (8, 8)).save(bitmap, "BMP")
    shown = ask("show_picture", uuid=ControlClient(mock.url, api_key).media.add(bitmap.getvalue()).uuid)
    assert [part.mime_type for part in shown.content if isinstance(part, ImageContent)] == ["image/jpeg"]


def test_an_agent_of_a_server_with_tls_sees_pictures_and_one_that_does_not_trust_it_is_told(
    tmp_path: Path, api_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_mock(tls=True, data_dir=tmp_path) as secure:
        ask = in_memory(secure.url, api_key)
        monkeypatch.setenv("RUNWARE_MOCK_DATA_DIR", str(tmp_path / "of another server"))
        assert "certificate verify failed" in error_of(ask("list_uploads"))
        monkeypatch.setenv("RUNWARE_MOCK_DATA_DIR", str(tmp_path))
        uuid = Call(secure.url, api_key, None).control.media.add(png()).uuid
        assert uuid in text_of(in_memory(secure.url, api_key)("list_uploads"))
        shown = in_memory(secure.url, api_key)("show_picture", uuid=uuid)
        assert [part.mime_type for part in shown.content if isinstance(part, ImageContent)] == ["image/png"]


def test_an_agent_finds_and_explains_a_refusal(ask: Ask, talker: Talker) -> None:
    assert error_of(ask("explain_refusal")) == "nothing was refused yet"
    (code,) = talker.ask({**upload(png()), "image": "photo.jpg"}).codes
    talker.ask(upload(png())).item  # noqa: B018 - asserts that it succeeded
    assert code in text_of(ask("search_journal", outcome="error"))
    explained = text_of(ask("explain_refusal"))
    assert code in explained
    assert "The documentation says: " in explained
    entry_id = int(explained.split(",")[0].removeprefix("Entry "))
    assert text_of(ask("explain_refusal", entry_id=entry_id)) == explained


def test_a_planned_fault_happens_and_is_told_as_planned(ask: Ask, talker: Talker) -> None:
    fields = {"code": "internalServerError", "task_type": "imageUpload"}
    assert "broken" in text_of(ask("plan_fault", kind="error", fields=fields, name="broken"))
    assert talker.ask(upload(png())).codes == ["internalServerError"]
    assert "error 1 of 1" in text_of(ask("list_plans"))
    explained = text_of(ask("explain_refusal"))
    assert "This is the planned fault error of the plan broken." in explained


def test_a_planned_fault_that_leaves_no_answer_is_explained_too(
    mock: RunningMock, api_key: str, ask: Ask, talker: Talker
) -> None:
    assert talker.ask({**upload(png()), "image": "photo.jpg"}).codes
    text_of(ask("plan_fault", kind="http", fields={"status": 502}, name="bad gateway"))
    authorized = {"Authorization": f"Bearer {api_key}"}
    assert plain.post(f"{mock.url}/v1", json=[upload(png())], headers=authorized).status_code == 502
    assert "This is the planned fault http of the plan bad gateway." in text_of(ask("explain_refusal"))


def test_an_answer_rule_answers(ask: Ask, talker: Talker) -> None:
    text_of(ask("add_answer", match={"task_type": "imageUpload"}, give={"error": "internalServerError"}, name="no"))
    assert talker.ask(upload(png())).codes == ["internalServerError"]
    assert "no" in text_of(ask("list_plans"))


def test_an_answer_rule_reads_no_file_of_this_machine(ask: Ask) -> None:
    error = error_of(ask("add_answer", match={"task_type": "imageInference"}, give={"picture": __file__}))
    assert "picture" in error


def test_a_snapshot_brings_back_what_a_reset_deleted(ask: Ask, talker: Talker) -> None:
    uuid = talker.ask(upload(png())).item["imageUUID"]
    text_of(ask("save_snapshot", name="before"))
    text_of(ask("reset"))
    assert text_of(ask("list_uploads")) == "none"
    text_of(ask("restore_snapshot", name="before"))
    assert uuid in text_of(ask("list_uploads"))


def test_the_clock_purges_what_the_forecast_said(ask: Ask, talker: Talker) -> None:
    uuid = talker.ask(upload(png())).item["imageUUID"]
    assert uuid in text_of(ask("forecast", within="31d"))
    assert uuid in text_of(ask("advance_clock", by="31d"))
    assert text_of(ask("list_uploads")) == "none"


@pytest.mark.parametrize(("tool", "arguments"), [("reset", {}), ("advance_clock", {"by": "1d"})])
def test_all_accounts_are_changed_only_if_the_agent_says_so(
    mock: RunningMock, talker: Talker, ask: Ask, tool: str, arguments: dict[str, Any]
) -> None:
    uuid = talker.ask(upload(png())).item["imageUUID"]
    error = error_of(in_memory(mock.url, None)(tool, **arguments))
    assert "for all accounts: call it with all_accounts true" in error
    assert uuid in text_of(ask("list_uploads"))


@pytest.mark.parametrize(
    ("tool", "arguments", "sentence"),
    [
        ("plan_fault", {"kind": "htp"}, "faults[0].kind"),
        ("plan_fault", {}, "the field kind is missing"),
        ("list_plans", {"name": "x"}, "list_plans has no argument 'name': it has none"),
        ("search_journal", {"task_typ": "ping"}, "search_journal has no argument 'task_typ': did you mean task_type?"),
        ("advance_clock", {"by": "soon"}, "by"),
        ("restore_snapshot", {"name": "never"}, "never"),
        ("explain_refusal", {"entry_id": 999_999_999}, "999999999"),
        ("no_such_tool", {}, "no_such_tool"),
    ],
)
def test_bad_input_is_one_sentence_that_says_what_is_wrong(
    ask: Ask, tool: str, arguments: dict[str, Any], sentence: str
) -> None:
    error = error_of(ask(tool, **arguments))
    assert sentence in error
    assert "\n" not in error
    assert "Error executing tool" not in error


def test_a_server_that_does_not_run_is_a_sentence_that_says_how_to_start_one() -> None:
    error = error_of(in_memory(f"http://127.0.0.1:{free_port()}", "a-key")("list_uploads"))
    assert "start one with `runware-mock serve`" in error


def test_without_an_account_a_snapshot_says_how_to_name_one(mock: RunningMock) -> None:
    assert "give --account KEY" in error_of(in_memory(mock.url, None)("save_snapshot", name="x"))


@pytest.mark.full
def test_an_agent_that_is_configured_as_shown_starts_the_command_and_speaks_over_its_standard_streams(
    mock: RunningMock, api_key: str, talker: Talker
) -> None:
    uuid = talker.ask(upload(png())).item["imageUUID"]
    (configuration,) = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    shown = json.loads(configuration)["mcpServers"]["runware-mock"]
    assert shown["env"].keys() == {"RUNWARE_MOCK_URL", "RUNWARE_API_KEY"}
    program = Path(sys.executable).with_name(shown["command"])
    variables = {"RUNWARE_MOCK_URL": mock.url, "RUNWARE_API_KEY": api_key}
    started = StdioServerParameters(command=str(program), args=shown["args"], env=clean_environment(**variables))
    assert uuid in text_of(asked(started, "list_uploads"))


@pytest.mark.full
def test_ctrl_c_ends_it_though_it_waits_for_its_input() -> None:
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command("mcp"), **pipes, env=clean_environment()) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
        request = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["result"]["serverInfo"]["name"] == "runware-mock"
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(LIMIT_S) == -signal.SIGINT
        finally:
            process.kill()


@contextmanager
def serving_http(*arguments: str) -> Iterator[str]:
    """Run the command with --http, and return its address."""
    line = command("mcp", "--http", "--port", "0", *arguments)
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True, env=clean_environment()) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().rpartition(" ")[2].strip()
        finally:
            process.terminate()
            assert process.wait(LIMIT_S) == 0


@pytest.mark.full
def test_over_http_agents_of_this_machine_are_served_and_foreign_hosts_and_origins_are_refused(
    mock: RunningMock, api_key: str, talker: Talker
) -> None:
    uuid = talker.ask(upload(png())).item["imageUUID"]
    with serving_http("--url", mock.url, "--account", api_key) as url:
        assert uuid in text_of(asked(url, "list_uploads"))
        port = url.rpartition(":")[2].partition("/")[0]
        hello = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        for foreign, status in (
            ({"Host": "evil.example"}, 421),
            ({"Host": f"evil.example:{port}"}, 421),
            ({"Origin": "https://evil.example"}, 403),
            ({"Origin": "http://127.0.0.1:1"}, 403),
        ):
            headers = {"Accept": "application/json, text/event-stream", **foreign}
            assert plain.post(url, json=hello, headers=headers).status_code == status, foreign
        with socket.socket() as other, pytest.raises(ConnectionRefusedError):
            other.connect(("127.0.0.2", int(port)))


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = invoked("mcp", "--http", "--port", str(port))
    assert f"cannot listen on 127.0.0.1:{port}" in refused(result, 2)


def test_without_the_package_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "runware_mock.commands.mcp_tools")
    monkeypatch.delattr("runware_mock.commands.mcp_tools")
    monkeypatch.setitem(sys.modules, "mcp.server", None)
    assert refused(invoked("mcp"), 2).endswith("pip install '.[mcp]' in the checkout")


def test_no_other_command_imports_it() -> None:
    line = "import sys, runware_mock.cli, runware_mock.server; print(sorted({'mcp', 'mcp_types'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True).stdout == "[]\n"
